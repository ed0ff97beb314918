"""POSTs to one address over libcurl, driven by the event loop. One attempt each: no retry, no redirect, no cookie, no proxy.

Why libcurl, and what it must be kept from: docs/decisions/0002-http-library.md.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import msgspec
import pycurl

from finetune_prep.models.providers.provider import Fault

CONNECT_SECONDS = 15.0
MOST_BYTES = 16 * 1024 * 1024  # of one answer; the longest answers of today's models are below 1 MB
MOST_IDLE = 1024  # connections that are kept open
# Seconds without using connections again, after one that was used again turned out to be dead: since 8.22 libcurl looks at most
# once a second whether the other side has hung up, and there are endpoints that do so after each answer without announcing it.
WARY_SECONDS = 60.0


class Answer(msgspec.Struct, frozen=True):
    """What came back. headers: names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connections:
    """Keeps connections to `url` open and sends over them. headers: lines, of every request. Belongs to one event loop."""

    def __init__(self, url: str, headers: Sequence[str]) -> None:
        self._url = url
        self._headers = [*headers, "Expect:"]  # no leave is asked before a long body is sent
        self._multi = pycurl.AsyncCurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, MOST_IDLE)
        self._idle: list[_Transfer] = []
        self._wary_until = float("-inf")

    async def post(self, data: bytes) -> Answer:
        """Send `data` and read the answer. Raises Fault where none comes; cancelled, it drops the connection."""
        transfer = self._idle.pop() if self._idle else _Transfer(self._url, self._headers)
        transfer.begin(data, fresh=asyncio.get_running_loop().time() < self._wary_until)
        try:
            await self._multi.add_handle(transfer.curl)
        except pycurl.error as error:
            fault = self._fault(transfer, *error.args)
            self._idle.append(transfer)
            raise fault from None
        answer = transfer.answer()
        self._idle.append(transfer)  # not in a `finally`: libcurl lets go of a cancelled transfer only some time later
        return answer

    def _fault(self, transfer: _Transfer, code: int, message: str) -> Fault:
        if transfer.too_long:
            return Fault(f"the answer is longer than {MOST_BYTES // 1024**2} MiB", maybe_billed=True)
        if code == pycurl.E_SEND_FAIL_REWIND:
            message = "it was used before, and the endpoint had closed it or closes it now"
            self._wary_until = asyncio.get_running_loop().time() + WARY_SECONDS
        if transfer.sent:
            return Fault(f"the connection broke: {message[:200]}", maybe_billed=True)
        if code == pycurl.E_OPERATION_TIMEDOUT:
            message = f"no connection within {CONNECT_SECONDS:g} s"
        return Fault(f"cannot connect to {self._url}: {message[:200]}")

    async def close(self) -> None:
        await self._multi.aclose()
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()


class _Transfer:
    """One request after another on a handle of libcurl."""

    def __init__(self, url: str, headers: list[str]) -> None:
        self.curl = pycurl.Curl()
        self.too_long = False
        self._fresh = False
        self._unsent = b""
        self._lines: list[bytes] = []
        self._body = bytearray()
        for option, value in (
            (pycurl.URL, url),
            (pycurl.POST, 1),
            (pycurl.HTTPHEADER, headers),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.PROXY, ""),  # nor one from the environment
            (pycurl.NOSIGNAL, 1),
            (pycurl.CONNECTTIMEOUT_MS, int(CONNECT_SECONDS * 1000)),
            # A body that cannot be rewound: where a connection that was used before turns out to be dead, libcurl would
            # send everything again by itself, and whether the first copy was billed nobody would know.
            (pycurl.READFUNCTION, self._read),
            (pycurl.HEADERFUNCTION, self._lines.append),
            (pycurl.WRITEFUNCTION, self._take),
        ):
            self.curl.setopt(option, value)
        if url.startswith("https:"):
            _trust(self.curl)

    def begin(self, data: bytes, *, fresh: bool) -> None:
        """fresh: over a new connection, closed afterwards."""
        if fresh is not self._fresh:
            self._fresh = fresh
            self.curl.setopt(pycurl.FRESH_CONNECT, int(fresh))
            self.curl.setopt(pycurl.FORBID_REUSE, int(fresh))
        self.too_long = False
        self._unsent = data
        self._lines.clear()
        self._body.clear()
        self.curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(data))

    @property
    def sent(self) -> bool:
        """Whether anything of the request left: after that it may have been worked on."""
        return bool(self.curl.getinfo(pycurl.REQUEST_SIZE))

    def answer(self) -> Answer:
        return Answer(self.curl.getinfo(pycurl.RESPONSE_CODE), _headers(self._lines), bytes(self._body))

    def _read(self, size: int) -> bytes:
        part, self._unsent = self._unsent[:size], self._unsent[size:]
        return part

    def _take(self, part: bytes) -> int:
        if len(self._body) + len(part) > MOST_BYTES:
            self.too_long = True
            return 0  # fewer than came: libcurl gives up and closes the connection
        self._body += part
        return len(part)


def _headers(lines: list[bytes]) -> dict[str, str]:
    """Header lines by name; those of an interim answer (100 Continue) are forgotten when the final one comes."""
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith(b"HTTP/"):
            found.clear()
            continue
        name, colon, value = line.partition(b":")
        if colon:
            found[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
    return found


def _trust(curl: pycurl.Curl) -> None:
    """Trust whom Python trusts (SSL_CERT_FILE and SSL_CERT_DIR included): a wheel's own libcurl does not know where this is."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None:
        curl.setopt(pycurl.CAINFO, paths.cafile)
    if paths.capath is not None:
        curl.setopt(pycurl.CAPATH, paths.capath)

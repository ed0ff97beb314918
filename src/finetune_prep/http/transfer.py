"""One request after another on a handle of libcurl: its options, its caps, and what it may connect to."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from finetune_prep.http.exchange import Answer, Call, IPAddress, NoAnswer, Upload

if TYPE_CHECKING:
    import pycurl

CONNECT_SECONDS = 15.0


class Transfer:
    """A handle that is used again. curl: of libcurl; its constants are attributes of it. only_to: see `open_client`."""

    def __init__(self, curl: pycurl.Curl, only_to: Collection[IPAddress] | None) -> None:
        self.curl = curl
        self._only_to = only_to
        self._call: Call | None = None
        self._fresh = False
        self._unsent = b""
        self._chunks: Iterator[bytes] | None = None
        self._unreadable: OSError | None = None
        self._lines: list[bytes] = []
        self._body = bytearray()
        self._most = 0
        self._too_long = False

    def begin(self, call: Call, data: bytes | Upload, most_bytes: int, *, fresh: bool) -> None:
        """Get ready to send. fresh: over a new connection, closed afterwards."""
        if call is not self._call:
            self._prepare(call)
        if fresh is not self._fresh:
            self._fresh = fresh
            self.curl.setopt(self.curl.FRESH_CONNECT, int(fresh))
            self.curl.setopt(self.curl.FORBID_REUSE, int(fresh))
        self._too_long = False
        self._most = most_bytes
        self._lines.clear()
        self._body.clear()
        if isinstance(data, Upload):
            self._unsent, self._chunks, self._unreadable = b"", data.chunks, None
            size = data.size
        else:
            self._unsent, self._chunks = data, None
            size = len(data)
        if call.method == "POST":
            self.curl.setopt(self.curl.POSTFIELDSIZE_LARGE, size)

    def hand_over(self, line: Callable[[bytes], None], part: Callable[[bytes], int | None]) -> None:
        """Give header lines and parts of the body of the next answer to somebody else, as they come."""
        self.curl.setopt(self.curl.HEADERFUNCTION, line)
        self.curl.setopt(self.curl.WRITEFUNCTION, part)

    def _prepare(self, call: Call) -> None:
        curl = self.curl
        curl.reset()
        self._call, self._fresh = call, False
        method = curl.POST if call.method == "POST" else curl.HTTPGET
        for option, value in (
            (curl.URL, call.url),
            (curl.PROTOCOLS, curl.PROTO_HTTP | curl.PROTO_HTTPS),
            (method, 1),
            (curl.HTTPHEADER, [*call.headers, "Expect:"]),  # no leave is asked before a long body is sent
            (curl.HTTP_VERSION, curl.CURL_HTTP_VERSION_1_1),
            (curl.PROXY, ""),  # nor one from the environment
            (curl.NOSIGNAL, 1),
            (curl.CONNECTTIMEOUT_MS, int(CONNECT_SECONDS * 1000)),
            (curl.OPENSOCKETFUNCTION, self._socket),
            # A body that cannot be rewound: where a connection that was used before turns out to be dead, libcurl would
            # send everything again by itself, and whether the first copy was billed nobody would know.
            (curl.READFUNCTION, self._read),
            (curl.HEADERFUNCTION, self._lines.append),
            (curl.WRITEFUNCTION, self._take),
        ):
            curl.setopt(option, value)
        if call.url.startswith("https:"):
            _trust(curl)
        if self._only_to is not None and (pin := _pin(call.url, self._only_to)):
            curl.setopt(curl.RESOLVE, [pin])

    @property
    def sent(self) -> bool:
        return bool(self.curl.getinfo(self.curl.REQUEST_SIZE))

    def answer(self) -> Answer:
        return Answer(int(self.curl.getinfo(self.curl.RESPONSE_CODE)), read_headers(self._lines), bytes(self._body))

    def failure(self, code: int, message: str) -> NoAnswer:
        """What an error of libcurl means."""
        if self._too_long:
            return NoAnswer(f"the answer is longer than {self._most // 1024**2} MiB", too_long=True)
        if self._unreadable is not None:
            return NoAnswer(f"what is to be sent cannot be read: {self._unreadable.strerror}", sent=self.sent)
        if self.sent:
            return NoAnswer(f"the connection broke: {message[:200]}")
        if code == self.curl.E_OPERATION_TIMEDOUT:
            message = f"no connection within {CONNECT_SECONDS:g} s"
        elif code == self.curl.E_COULDNT_CONNECT and (number := self.curl.getinfo(self.curl.OS_ERRNO)):
            message = os.strerror(number)
        return NoAnswer(message[:200], sent=False, unreached=True)

    def _read(self, size: int) -> bytes | int:
        if not self._unsent and self._chunks is not None:
            try:
                self._unsent = next(self._chunks, b"")
            except OSError as error:  # an exception that leaves a callback is printed and not raised
                self._unreadable = error
                return int(self.curl.READFUNC_ABORT)
        part, self._unsent = self._unsent[:size], self._unsent[size:]
        return part

    def _take(self, part: bytes) -> int:
        if len(self._body) + len(part) > self._most:
            self._too_long = True
            return 0  # fewer than came: libcurl gives up and closes the connection
        self._body += part
        return len(part)

    def _socket(self, purpose: int, address: pycurl.CurlSockAddr) -> int:
        """A socket for an address to which libcurl is about to connect: the last place at which to refuse one."""
        if self._only_to is not None and not _among(address.addr, self._only_to):
            return int(self.curl.SOCKET_BAD)
        return open_socket(address.family, address.socktype, address.protocol, address.addr)


def open_socket(family: int, kind: int, protocol: int, address: object) -> int:
    """A new socket, that is to be connected to this address. All sockets of the program's own HTTP are made here."""
    return socket.socket(family, kind, protocol).detach()


def _among(address: object, allowed: Collection[IPAddress]) -> bool:
    if not isinstance(address, tuple):  # a path of this machine
        return False
    return ipaddress.ip_address(str(address[0]).partition("%")[0]) in allowed


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return False


def _pin(url: str, allowed: Collection[IPAddress]) -> str:
    """The line that answers a name for libcurl, which then asks nobody; "" where there is nothing to answer.

    Asking a second time, after the addresses were checked, could give others (DNS rebinding).
    """
    parts = urlsplit(url)
    if not parts.hostname or not allowed or _is_address(parts.hostname):
        return ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    places = sorted(allowed, key=lambda ip: (ip.version, int(ip)))
    return f"{parts.hostname}:{port}:{','.join(f'[{ip}]' if ip.version == 6 else str(ip) for ip in places)}"


def read_headers(lines: list[bytes]) -> dict[str, str]:
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
        curl.setopt(curl.CAINFO, paths.cafile)
    if paths.capath is not None:
        curl.setopt(curl.CAPATH, paths.capath)

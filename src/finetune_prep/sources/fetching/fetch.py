"""Fetching one page: only from the public internet, never more than its caps, and nothing of ours goes along.

Each hop – the first address and every redirect – is checked alike: the address is read strictly, its name is resolved once,
every address it resolves to must be public, and the connection goes to just these. No cookies, no referer, no proxies from the
environment. Why it is built like this: docs/decisions/0012-fetching.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import zlib
from collections.abc import Awaitable, Callable, Sequence
from email.message import Message
from urllib.parse import quote, urljoin

import msgspec

from finetune_prep.errors import NotFetched
from finetune_prep.http import Call, NoAnswer
from finetune_prep.http.client import Stream, open_client
from finetune_prep.sources.fetching.addresses import PORTS, Address, IPAddress, read_address, refusal
from finetune_prep.sources.text import KINDS

SECONDS = 20.0  # for one page: names, redirects and body together
MOST_BYTES = 5_000_000  # of a page, packed and unpacked; a long article has 0.3 MB
MOST_REDIRECTS = 5
HEADERS = (
    "User-Agent: finetune-prep (reads a few pages for one person's research)",
    "Accept: text/html,application/xhtml+xml,text/plain;q=0.9,application/pdf;q=0.8",
    "Accept-Encoding: gzip, deflate",
)
SAFE = "%/:?#[]@!$&'()*+,;=~"  # what an address may hold besides letters and digits; all else is sent as %XX
PASSING = {408, 425, 429}
Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a server gave."""

    place: str
    """Its address after redirects."""
    type: str
    """Media type, one of KINDS."""
    charset: str
    body: bytes
    """Unpacked."""


class Fetcher:
    """Fetches pages. The arguments are for tests, which have no public internet: no setting leads here."""

    def __init__(
        self,
        *,
        resolve: Resolve | None = None,
        refusal: Callable[[IPAddress], str] = refusal,
        ports: frozenset[int] = PORTS,
        seconds: float = SECONDS,
    ) -> None:
        self._resolve = resolve or system_resolve
        self._refusal = refusal
        self._ports = ports
        self._seconds = seconds

    async def fetch(self, url: str) -> Page:
        """The page at an address. Raises NotFetched saying why there is none; `passing` if another day may be better."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url, progress)
        except TimeoutError:
            # whoever sent headers and then never ends will do so again
            what = f"not fetched: it did not end within {self._seconds:g} s"
            raise NotFetched(what, where=url, passing=not progress.begun) from None

    async def _follow(self, url: str, progress: _Progress) -> Page:
        place = url
        for _ in range(MOST_REDIRECTS + 1):
            hop = await self._hop(read_address(place, self._ports), progress)
            if isinstance(hop, Page):
                return hop
            place = hop
        raise NotFetched(f"not fetched: more than {MOST_REDIRECTS} redirects", where=url)

    async def _hop(self, address: Address, progress: _Progress) -> Page | str:
        """The page, or the address to which this one redirects."""
        allowed = await self._addresses(address)
        call = Call("GET", quote(address.url, safe=SAFE), HEADERS)
        try:
            async with open_client(only_to=allowed) as client, client.stream(call) as stream:
                if 300 <= stream.status < 400 and (location := stream.headers.get("location")):
                    return _joined(address, location)
                return await _page(address, stream, progress)
        except NoAnswer as failure:
            raise _broken(address, f"no connection ({failure.reason})" if failure.unreached else failure.reason) from None

    async def _addresses(self, address: Address) -> frozenset[IPAddress]:
        """The addresses a host may be reached at: all that it has, if every one of them is public."""
        found = [address.ip] if address.ip else await self._resolve(address.host, address.port)
        if not found:
            raise _broken(address, f"{address.host} is not known")
        for ip in found:
            if reason := self._refusal(ip):
                raise NotFetched(f"not fetched: {address.host} is at {ip}, which is {reason}", where=address.url)
        return frozenset(found)


class _Progress:
    """begun: whether a page's headers have come."""

    begun = False


def _joined(address: Address, location: str) -> str:
    """Where a redirect leads. Bytes in a header have no meaning of their own; in addresses they are mostly UTF-8."""
    with contextlib.suppress(UnicodeDecodeError):
        location = location.encode("latin-1").decode()
    try:
        return urljoin(address.url, location.replace(" ", "%20"))
    except ValueError:
        raise NotFetched("not fetched: it redirects to something that is no address", where=address.url) from None


async def _page(address: Address, stream: Stream, progress: _Progress) -> Page:
    if stream.status != 200:
        passing = stream.status in PASSING or stream.status >= 500
        raise NotFetched(f"not fetched: HTTP {stream.status}", where=address.url, passing=passing)
    type, charset = _named(stream.headers.get("content-type", ""))
    if type not in KINDS:
        raise NotFetched(f"not fetched: {type or 'an unnamed type'} is no text that can be read", where=address.url)
    progress.begun = True
    return Page(place=address.url, type=type, charset=charset, body=await _body(address, stream))


def _named(content_type: str) -> tuple[str, str]:
    """Media type and charset in a header, "" where there is none. What is no type is read as text/plain (RFC 2045, 5.2)."""
    if not content_type:
        return "", ""
    header = Message()
    header["Content-Type"] = content_type
    return header.get_content_type(), str(header.get_content_charset() or "")


async def _body(address: Address, stream: Stream) -> bytes:
    """The unpacked body. Nothing is unpacked beyond the cap, whatever a few bytes claim to stand for."""
    unpack = _unpacker(address, stream.headers.get("content-encoding", ""))
    body, packed = bytearray(), 0
    length = stream.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise _too_large(address)
    while chunk := await stream.read():
        packed += len(chunk)
        try:
            body += unpack(chunk, MOST_BYTES - len(body) + 1)
        except zlib.error:
            raise NotFetched("not fetched: its compression is broken", where=address.url) from None
        if max(packed, len(body)) > MOST_BYTES:
            raise _too_large(address)
    return bytes(body)


Unpack = Callable[[bytes, int], bytes]


def _unpacker(address: Address, encoding: str) -> Unpack:
    """Unpacks chunk by chunk, at most so many bytes of each. Only what was asked for is understood."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return lambda chunk, most: chunk[:most]
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflate()
    raise NotFetched(f"not fetched: packed as {encoding[:40]}, which was not asked for", where=address.url)


class _Inflate:
    """gzip, and deflate in both readings of that word (RFC 9110, 8.4.1.2): with the header of zlib or without."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        self._first = True

    def __call__(self, chunk: bytes, most: int) -> bytes:
        if self._stream.eof:
            return b""  # bytes after the end are none of ours
        try:
            return self._stream.decompress(self._stream.unconsumed_tail + chunk, most)
        except zlib.error:
            if not self._first:
                raise
            self._stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
            return self._stream.decompress(chunk, most)
        finally:
            self._first = False


async def system_resolve(host: str, port: int) -> Sequence[IPAddress]:
    """The addresses of a name, by the system's resolver; none if it is not known."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found]


def _broken(address: Address, what: str) -> NotFetched:
    return NotFetched(f"not fetched: {what}", where=address.url, passing=True)


def _too_large(address: Address) -> NotFetched:
    return NotFetched(f"not fetched: larger than {MOST_BYTES // 1_000_000} MB", where=address.url)

"""Fetching one page: only from the public internet, never more than its caps, and nothing of ours goes along.

Each hop – the first address and every redirect – is checked alike: the address is read strictly, its name is resolved once,
every address it resolves to must be public, and the connection goes to just these. No cookies, no referer, no proxies from the
environment. Why it is built like this: docs/decisions/0012-fetching.md.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import zlib
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urljoin

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from finetune_prep.errors import NotFetched
from finetune_prep.sources.fetching.addresses import PORTS, Address, IPAddress, read_address, refusal
from finetune_prep.sources.text import KINDS

SECONDS = 20.0  # for one page: names, redirects and body together
MOST_BYTES = 5_000_000  # of a page, packed and unpacked; a long article has 0.3 MB
MOST_REDIRECTS = 5
CHUNK = 64 * 1024
HEADERS = {
    "User-Agent": "finetune-prep (reads a few pages for one person's research)",
    "Accept": "text/html,application/xhtml+xml,text/plain;q=0.9,application/pdf;q=0.8",
    "Accept-Encoding": "gzip, deflate",
}
PASSING = {408, 425, 429}
Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a server gave. place: its address after redirects. type: media type, one of KINDS. body: unpacked."""

    place: str
    type: str
    charset: str
    body: bytes


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
        try:
            async with (
                _session(allowed) as session,
                session.get(address.url, allow_redirects=False) as response,
            ):
                if 300 <= response.status < 400 and "Location" in response.headers:
                    return urljoin(address.url, response.headers["Location"].strip().replace(" ", "%20"))
                return await _page(address, response, progress)
        except aiohttp.ClientConnectorError as error:
            reason = error.os_error.strerror or type(error.os_error).__name__
            raise _broken(address, f"no connection ({reason})") from None
        except (aiohttp.ClientError, ValueError) as error:  # ValueError: aiohttp's own objections to an address
            raise _broken(address, f"the connection broke ({type(error).__name__})") from None

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


async def _page(address: Address, response: aiohttp.ClientResponse, progress: _Progress) -> Page:
    if response.status != 200:
        passing = response.status in PASSING or response.status >= 500
        raise NotFetched(f"not fetched: HTTP {response.status}", where=address.url, passing=passing)
    named = "Content-Type" in response.headers
    type = response.content_type.lower() if named else ""
    if type not in KINDS:
        raise NotFetched(f"not fetched: {type or 'an unnamed type'} is no text that can be read", where=address.url)
    progress.begun = True
    charset = (response.charset or "").lower()
    return Page(place=address.url, type=type, charset=charset, body=await _body(address, response))


async def _body(address: Address, response: aiohttp.ClientResponse) -> bytes:
    """The unpacked body. Nothing is unpacked beyond the cap, whatever a few bytes claim to stand for."""
    unpack = _unpacker(address, response.headers.get("Content-Encoding", ""))
    body, packed = bytearray(), 0
    if (response.content_length or 0) > MOST_BYTES:
        raise _too_large(address)
    while chunk := await response.content.read(CHUNK):
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


def _session(allowed: frozenset[IPAddress]) -> aiohttp.ClientSession:
    """A session for one hop, that can connect to the allowed addresses and to no others."""

    def socket_for(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        family, kind, protocol, _, place = info
        if ipaddress.ip_address(str(place[0])) not in allowed:
            raise OSError(f"{place[0]} was not checked")
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        resolver=_Pinned(allowed), use_dns_cache=False, force_close=True, limit=1, socket_factory=socket_for
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers=HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # the whole fetch has one deadline
        auto_decompress=False,
        trust_env=False,
    )


class _Pinned(AbstractResolver):
    """Answers every name with the addresses that were checked: asking a second time could give others (DNS rebinding)."""

    def __init__(self, allowed: frozenset[IPAddress]) -> None:
        self._allowed = sorted(allowed, key=lambda ip: (ip.version, int(ip)))

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(ip),
                port=port,
                family=socket.AF_INET if ip.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for ip in self._allowed
        ]

    async def close(self) -> None:
        """Nothing to give back."""


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

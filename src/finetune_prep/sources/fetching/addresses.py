"""Which addresses a page may be fetched from: the public internet and nothing else. Pure; nothing is resolved here.

A page's address comes from strangers. Whatever it looks like, it must not lead to this machine, to the network around it, or to
a cloud's metadata service. Blocks: IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import msgspec

from finetune_prep.errors import NotFetched
from finetune_prep.http.exchange import IPAddress

__all__ = ["PORTS", "Address", "IPAddress", "read_address", "refusal"]

PORTS = frozenset({80, 443})
LONGEST = 2_000  # characters of an address
_V4 = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier's customers",
    "127.0.0.0/8": "this machine",
    "168.63.129.16/32": "a cloud's metadata service",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "set aside for protocols",
    "192.0.2.0/24": "for documentation",
    "192.88.99.0/24": "a 6to4 relay",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
# Public IPv6 is 2000::/3; within it, these are not. All that carries an IPv4 address inside (mapped, NAT64, 6to4, Teredo) is out.
_V6_PUBLIC = ipaddress.IPv6Network("2000::/3")
_V6 = {
    "2001::/23": "set aside for protocols (Teredo among them)",
    "2001:db8::/32": "for documentation",
    "2002::/16": "6to4",
    "3fff::/20": "for documentation",
}
_ISATAP = 0x00005EFE  # RFC 5214: these 32 bits, or with the bit 0x02000000, before an IPv4 address, under any prefix
_BLOCKS = [(ipaddress.ip_network(block), words) for block, words in (_V4 | _V6).items()]
# names that mean something only inside a network
_INNER = re.compile(
    r"(?:.*\.)?(?:localhost|localdomain|local|internal|intranet|lan|home|corp|home\.arpa|onion|invalid)|instance-data(?:\..*)?"
)
_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[^/?#\\@:\[\]%]+)(?::([0-9]{1,5}))?([/?][^#]*)?(?:#.*)?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page is."""

    url: str
    """In the form that is sent."""
    host: str
    """ASCII, lower case."""
    port: int
    ip: IPAddress | None = None
    """The host itself if it is an address."""


def refusal(ip: IPAddress) -> str:
    """Why nothing is fetched from this IP address; "" if it is public."""
    for network, words in _BLOCKS:
        if ip.version == network.version and ip in network:
            return words
    if isinstance(ip, ipaddress.IPv6Address):
        if ip not in _V6_PUBLIC:
            return "not on the public internet"
        if int(ip) >> 32 & 0xFDFFFFFF == _ISATAP:
            return "a tunnel to an IPv4 address (ISATAP)"
    return ""


def read_address(url: str, ports: frozenset[int] = PORTS) -> Address:
    """The parts of an address, if it is one that may be fetched. Raises NotFetched saying why it is not.

    Stricter than browsers: what two programs could read in two ways (user names, backslashes, escapes in the host, IPv4 in hex,
    octal or fewer than four parts) is refused, not interpreted.
    """
    if len(url) > LONGEST:
        raise _refused(url, f"the address is longer than {LONGEST} characters")
    if any(character <= " " or character == "\x7f" for character in url):
        raise _refused(url, "the address holds blanks or control characters")
    match = _URL.fullmatch(url)
    if match is None:
        raise _refused(url, "this is no plain http or https address")
    scheme = match[1].lower()
    host, ip = _host(url, match[2])
    port = int(match[3]) if match[3] else 443 if scheme == "https" else 80
    if port not in ports:
        raise _refused(url, f"port {port} is not one of the web")
    written = f"[{host}]" if isinstance(ip, ipaddress.IPv6Address) else host
    usual = 443 if scheme == "https" else 80
    place = written if port == usual else f"{written}:{port}"
    path = match[4] or "/"
    return Address(url=f"{scheme}://{place}{path if path[0] == '/' else f'/{path}'}", host=host, port=port, ip=ip)


def _host(url: str, written: str) -> tuple[str, IPAddress | None]:
    if written.startswith("["):
        try:
            v6 = ipaddress.IPv6Address(written[1:-1])
        except ValueError:
            raise _refused(url, "the host is no IPv6 address") from None
        return str(v6), v6
    try:
        # digits and dots of other scripts become ASCII here, before anything is decided
        host = unicodedata.normalize("NFKC", written).encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        raise _refused(url, "the host is no name") from None
    labels = host.split(".")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        try:
            v4 = ipaddress.IPv4Address(host)
        except ValueError:
            raise _refused(url, f"{host} is an IP address in a form that hides what it is") from None
        return str(v4), v4
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(url, "the host is no name")
    if len(labels) < 2 or _INNER.fullmatch(host):
        raise _refused(url, f"“{host}” is a name inside a network")
    return host, None


def _refused(url: str, what: str) -> NotFetched:
    return NotFetched(f"not fetched: {what}", where=url[:LONGEST])

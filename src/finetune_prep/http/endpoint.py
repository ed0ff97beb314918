"""The address of an endpoint, as a person writes it into the settings. Pure.

It is the user's own choice, so it may lie on this machine or in the network around it; the rules for pages that strangers name
(`sources.fetching.addresses`) are not for it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from finetune_prep.errors import ConfigError

_HOST = re.compile(r"[a-z0-9._-]+")
_BLANK = re.compile(r"[\x00-\x20\x7f]")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where an endpoint is."""

    scheme: str
    """"http" or "https"."""
    place: str
    """Host and port as they stand in an address."""
    host: str
    """The host without brackets, in lower case."""
    path: str = ""
    """The path without a slash at its end."""
    query: str = ""
    """What goes with every request after a "?"; "" = nothing."""

    @property
    def origin(self) -> str:
        """Scheme, host and port: whom one speaks to."""
        return f"{self.scheme}://{self.place}"

    @property
    def port(self) -> int:
        return urlsplit(self.origin).port or (443 if self.scheme == "https" else 80)

    def at(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """The address of something below this one."""
        asked = "&".join(part for part in (self.query, urlencode(query or {})) if part)
        return f"{self.origin}{self.path}{path}{f'?{asked}' if asked else ''}"

    def holds(self, url: str) -> bool:
        """Whether an address is at this endpoint, so that its key may go there."""
        try:
            return read_endpoint(url).origin == self.origin
        except ValueError:
            return False


@lru_cache(maxsize=64)  # asked for every call
def is_nearby(base_url: str) -> bool:
    """Whether an address is this machine's, or in the network around it: loopback, private, or a name without a domain."""
    host = urlsplit(base_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".internal", ".lan", ".localhost")))
    return address.is_private or address.is_link_local


def _name(host: str) -> str:
    """A host in ASCII: libcurl knows no other names."""
    try:
        name = host.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError("its host is no name") from error
    if not _HOST.fullmatch(name):
        raise ValueError("its host is no name")
    return name


def read_endpoint(url: str) -> Endpoint:
    """The parts of a base URL. Raises ValueError saying what is wrong, without any password that stands in it."""
    if _BLANK.search(url):
        raise ValueError("it holds blanks or control characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        # the message repeats parts of the address, a password perhaps among them
        raise ValueError("its host or port cannot be read (IPv6 is written [::1]:8000)") from error
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a user name or a password; keys are named by key_env and read from the environment")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("it does not begin with http:// or https:// and a host")
    if ":" not in host:
        host = _name(host)
    usual = 443 if parts.scheme == "https" else 80
    written = f"[{host}]" if ":" in host else host
    place = written if port in (None, usual) else f"{written}:{port}"
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    return Endpoint(scheme=parts.scheme, place=place, host=host, path=path, query=quote(parts.query, safe="/%:@!$&'()*+,;=~-._?"))


def endpoint_of(base_url: str, whose: str, where: str, example: str = 'base_url = "http://localhost:8000/v1"') -> Endpoint:
    """The endpoint of a base_url in the settings. whose: "provider “x”". Raises ConfigError, which repeats no password."""
    try:
        return read_endpoint(base_url)
    except ValueError as error:
        raise ConfigError(
            f"{whose} has no usable base_url: {error}" if base_url else f"{whose} has no base_url",
            where=where,
            next=f"write for example {example}",
        ) from error

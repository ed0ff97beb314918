"""One exchange: what is sent, what comes back, or why nothing does."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Literal

import msgspec

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST_BYTES = 16 * 1024 * 1024  # of one answer; the longest answers of today's models are below 1 MB


class Call:
    """Where a request goes and what stands above its body. headers: lines; the key is among them, so a call shows none of them.

    Whoever sends many requests to one place keeps one call for them: libcurl is set up for it once.
    """

    __slots__ = ("headers", "method", "url")

    def __init__(self, method: Literal["GET", "POST"], url: str, headers: Iterable[str] = ()) -> None:
        self.method = method
        self.url = url
        self.headers = tuple(headers)

    def __repr__(self) -> str:
        return f"Call({self.method} {self.url})"


class Upload:
    """A body that is read while it is sent. size: in bytes. chunks: read once, so an upload is made anew for every attempt."""

    def __init__(self, size: int, chunks: Iterable[bytes]) -> None:
        self.size = size
        self.chunks = iter(chunks)


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    """By name, in lower case."""
    body: bytes
    """The bytes as they were sent, still packed if they were packed."""


class NoAnswer(Exception):
    """One attempt came to nothing.

    sent: whether anything of the request left; after that it may have been worked on. unreached: there was no connection.
    too_long: the answer is beyond its cap.
    """

    def __init__(self, reason: str, *, sent: bool = True, unreached: bool = False, too_long: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.unreached = unreached
        self.too_long = too_long

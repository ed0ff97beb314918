"""The seam between the door to the web and whatever searches it."""

from __future__ import annotations

import html
import re
from typing import Protocol

import msgspec

from finetune_prep.sources.dates import iso_day

MOST_WORDS = 300  # characters of a title or snippet that are kept
_TAG = re.compile(r"<[^<>]{0,200}>")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One result. All of it is strangers' text."""

    title: str
    url: str
    snippet: str = ""
    """What the provider shows of the page."""
    published: str = ""
    """ISO date, "" unknown."""


class SearchProvider(Protocol):
    """Only asks. Reading is a step of its own (`choosing.found_in`): the answer is kept, byte for byte, before that."""

    name: str

    async def ask(self, query: str, count: int) -> bytes:
        """The answer to one search, as it came. Raises errors.NotFetched."""


def result(title: str | None, url: str | None, snippet: str | None = "", published: str | None = "") -> Found | None:
    """A result with its texts made plain; None without an http address."""
    if not url or not url.lower().startswith(("http://", "https://")):
        return None
    return Found(title=_plain(title) or url[:MOST_WORDS], url=url, snippet=_plain(snippet), published=iso_day(published))


def _plain(text: str | None) -> str:
    """Without the tags and entities with which some providers mark what was found."""
    return " ".join(html.unescape(_TAG.sub("", (text or "")[: MOST_WORDS * 4])).split())[:MOST_WORDS]

"""What came back from the web: answers of search providers and bytes of pages, kept before anyone looks at them.

A table of its own in the ledger's file. A search or a page that failed for good is kept, too: a replay comes to the same end
without asking. What failed in passing (time-outs, overload) is not kept: the next run asks again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol

import msgspec

from finetune_prep.core.identity import digest

Kind = Literal["search", "page"]


class Fetched(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One question to the web and what came back."""

    kind: Kind
    asked: tuple[str, ...]
    """What tells it from others: provider, query and count of a search; the address of a page."""
    body: bytes = b""
    """The bytes after decompression."""
    failure: str = ""
    """Why there are none, for good."""
    place: str = ""
    """The address that answered, after redirects."""
    type: str = ""
    """Media type as the server named it."""
    charset: str = ""
    """Likewise, "" if it named none."""
    at: str = ""
    """ISO time of the answer, UTC."""

    @property
    def key(self) -> str:
        return fetched_key(self.kind, self.asked)


def fetched_key(kind: Kind, asked: Sequence[str]) -> str:
    """The name under which the answer to a question is kept."""
    return digest([kind, *asked])


class Archive(Protocol):
    """What the ledger holds of the web."""

    async def get(self, key: str) -> Fetched | None:
        """The answer of this key, None if there is none."""

    async def keep(self, rows: Sequence[Fetched]) -> None:
        """Keep answers; returns when they are on disk. A known key changes nothing. Raises errors.LedgerBroken."""

    def all(self) -> AsyncIterator[Fetched]:
        """All answers, ordered by key."""

    async def searched_with(self) -> tuple[str, ...]:
        """The search providers that answered here, the first one first."""


def about(found: Fetched) -> str:
    """Everything about an answer but its bytes, as JSON."""
    return msgspec.json.encode(msgspec.structs.replace(found, body=b"")).decode()

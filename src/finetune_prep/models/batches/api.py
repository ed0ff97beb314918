"""The seam between the course of a submission and one provider's Batch API: a few calls, and what comes of them.

The course – written down, sent, looked up, fetched – is in `batch_submissions`; the APIs are `openai_batches` and
`anthropic_batches`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from pathlib import Path
from typing import Protocol

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.providers.provider import Fault
from finetune_prep.project.config import FILE

RERUN = "run the same command again; nothing is lost, and nothing is sent twice"


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as its provider describes it."""

    id: str
    status: str
    """The provider's own word for it."""
    ended: bool
    """Whether nothing more will come of it."""
    total: int = 0
    """How many requests it holds."""
    done: int = 0
    """How many are answered."""
    failed: int = 0
    """How many failed."""
    results: tuple[str, ...] = ()
    """Where its results are, as the API names them."""
    refused: str = ""
    """Why the batch as a whole was not taken up, "" if it was."""
    token: str = ""
    """The token of its submission, where the provider keeps it."""
    source: str = ""
    """The id of its file, where the provider keeps it."""

    @property
    def words(self) -> str:
        """How far it is, as people read it."""
        counts = ((self.done, "done"), (self.failed, "failed"))
        return ", ".join([self.status.replace("_", " "), *(f"{count} {word}" for count, word in counts if count)])


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the results. Either a reply, or why there is none: in passing, or until a person fixes something."""

    key: str
    reply: Reply | None = None
    fault: Fault | Paused | None = None


class Unsure(Exception):
    """The call that creates a batch was sent, and nobody knows whether it was heard. The message says what happened."""


class Undecided(Exception):
    """It cannot be told yet whether the provider has a submission. The message says why."""


class NoBatch(Paused):
    """The endpoint's answer does not describe a batch."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"the endpoint does not answer as a Batch API does: {error}", next=f"check `base_url` in {FILE}")


class Missing(Paused):
    """HTTP 404."""


class BatchApi(Protocol):
    """A provider's Batch API.

    Methods raise Paused for what a person must fix, and for a provider that stays out of reach.
    """

    most_requests: int
    """How many requests one batch may hold."""
    most_bytes: int
    """How large the file of one batch may be."""

    def row(self, request: Request, token: str) -> bytes:
        """The line of a request in the file that is sent."""

    async def upload(self, path: Path) -> str:
        """Bring the file to the provider, where that is a step of its own; costs nothing. Returns what `create` needs."""

    async def list(self) -> None:
        """Read the first page of the list of batches, to see that it can be had."""

    async def clue(self, uploaded: str) -> str:
        """What is to be noted before a batch is created, so that `find` can tell it from others."""

    async def create(self, uploaded: str, submission: Submission, path: Path) -> Remote:
        """Have the batch worked on: the one call that costs money. Sent once; raises Unsure."""

    async def find(self, submission: Submission, keys: Collection[str], claimed: Collection[str]) -> Remote | None:
        """The batch that a submission became, None if there is none. keys: of its requests. claimed: batches of others.

        Raises Undecided.
        """

    async def look(self, submission: Submission) -> Remote:
        """How far a batch is."""

    async def cancel(self, submission: Submission) -> Remote:
        """Ask for the end of a batch; what is done by then can be fetched when it has ended."""

    def lines(self, remote: Remote) -> AsyncGenerator[bytes, None]:
        """The rows of the results, in any order. Raises Fault if they break off."""

    def read(self, line: bytes) -> Result:
        """What a row says. Raises ValueError if it is none."""

    async def close(self) -> None:
        """Give back connections."""

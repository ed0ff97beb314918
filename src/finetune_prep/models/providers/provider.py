"""The seam between the door and whatever answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from finetune_prep.core.request import Reply, Request, Usage
from finetune_prep.ledger.protocols import Aside
from finetune_prep.models.pace.rates import Resource

# finish reasons of routers whose provider died in the middle of an answer
BROKEN_OFF = {"error", "network_error", "insufficient_system_resource"}


class Provider(Protocol):
    async def answer(self, request: Request) -> Reply:
        """One attempt, nothing retried.

        A final refusal is a Reply with `problem`. Raises Fault if trying again may help, errors.Paused if a person must
        act first (key, credit, settings), errors.NotYet if the answer comes another day.
        """

    async def close(self) -> None:
        """Give back connections and files."""


class Speaker(Provider, Protocol):
    """A provider that is spoken to over the network."""

    async def can_enforce(self, model: str) -> bool:
        """Whether it is worth asking that this model's answers follow a schema."""


class Fault(Exception):
    """A passing failure of one attempt.

    retry_after: seconds the provider asked to wait, None if it said nothing. congested: it asked for fewer calls.
    resource: what it said there was too much of, None if it did not say. maybe_billed: the request may have been worked on,
    so it may have cost money. reply: what came all the same, if it is an answer with nothing, or not all, in it.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        congested: bool = False,
        resource: Resource | None = None,
        maybe_billed: bool = False,
        reply: Reply | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.congested = congested
        self.resource = resource
        self.maybe_billed = maybe_billed
        self.reply = reply


class Unreadable(Fault):
    """A body that came with a status of success, and in which nobody finds an answer: the page of a proxy, another API's form.

    It may have been paid for. body: as text, of whole characters. size: bytes that came. usage: tokens, as far as they are
    counted in it.
    """

    def __init__(self, reason: str, body: str, *, size: int, usage: Usage | None = None) -> None:
        super().__init__(reason, maybe_billed=True)
        self.body = body
        self.size = size
        self.usage = usage

    def evidence(self, request: Request) -> Aside:
        """What the ledger keeps of it."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return Aside.of(request, self.reason, self.body, at=at, size=self.size)


def whole(reply: Reply) -> Reply:
    """The reply, unless there is nothing in it: then the HTTP status may say 200, but it is a passing Fault."""
    if comes_to_nothing(reply):
        raise Fault(f"an answer with nothing in it: {reply.detail}", maybe_billed=bool(reply.usage.output), reply=reply)
    return reply


def comes_to_nothing(reply: Reply) -> bool:
    """Whether the provider broke off, or gave nothing that the model could be asked about."""
    if reply.problem == "empty":  # no choice, or no token at all: that was not the model
        return not reply.finish or (reply.usage.output == 0 and not reply.reasoning)
    return reply.problem == "malformed" and reply.finish.casefold() in BROKEN_OFF

"""The askings of one question: what follows an answer that cannot be used, and what all of them came to. Nothing is sent here.

Who asks a provider (`Door.ask_for`) and who only looks into the ledger (`recall`) take the same steps to the same end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import NotYet, Unusable
from finetune_prep.ledger.protocols import Answers
from finetune_prep.models.providers.provider import comes_to_nothing

T = TypeVar("T")

MOST_ATTEMPTS = 3
FINAL = {"rejected", "filtered", "refused"}  # asking again would get the same
EMPTY = "(no answer)"  # some chat templates refuse an empty message


def next_asking(first: Request, asked: Request, reply: Reply, error: ValueError) -> Request:
    """The request that follows when an answer to `asked` cannot be used, each with a key of its own. Raises Unusable at the end.

    Where a form was asked for it is the first one, with that answer and with what is wrong with it. A turn that somebody speaks
    is asked for in the same words: it may not be an answer to words which are not in the conversation.
    """
    reason = str(error) or "it cannot be read"
    attempt = asked.origin.attempt + 1
    if reply.problem in FINAL or attempt - first.origin.attempt == MOST_ATTEMPTS or comes_to_nothing(reply):
        refused = reply.problem == "rejected"
        raise Unusable(reason, where=first.place, next=f"finetune-prep show {first.key}", rejected=refused)
    complained = first if first.schema is None else _with_complaint(first, reply, reason)
    return msgspec.structs.replace(
        complained,
        sample=_sample(first, attempt),
        origin=msgspec.structs.replace(first.origin, attempt=attempt),
    )


def _sample(first: Request, attempt: int) -> str:
    """What tells an attempt from the others."""
    if attempt == 2 and first.schema is not None:
        return f"{first.sample}/again"  # as it has always been called, so that it keeps its key
    return f"{first.sample}/attempt-{attempt}"


def _with_complaint(request: Request, reply: Reply, reason: str) -> Request:
    """The request, followed by the answer that cannot be used and by what is wrong with it."""
    complaint = f"That answer cannot be used: {reason}\nAnswer again, in full, in the form that was asked for."
    answer = Message("assistant", reply.text if reply.text.strip() else EMPTY)
    return msgspec.structs.replace(request, messages=(*request.messages, answer, Message("user", complaint)))


async def recall(answers: Answers, request: Request, parse: Callable[[str], T]) -> T:
    """What `Door.ask_for` would give, from the ledger alone.

    Raises NotYet where a provider would have to be asked, and Unusable as `ask_for` does.
    """
    asked = request
    while True:
        entry = await answers.get(asked.key)
        if entry is None:
            attempt = asked.origin.attempt
            before = "" if asked is request else f" for attempt {attempt}, which an unusable answer calls for"
            raise NotYet(f"this has not been asked yet{before}", where=request.place)
        try:
            return entry.reply.read(parse)
        except ValueError as error:
            asked = next_asking(request, asked, entry.reply, error)

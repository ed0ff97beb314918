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
from finetune_prep.ledger.protocols import Ledger

T = TypeVar("T")

FINAL = {"rejected", "filtered", "refused"}  # asking again with the error would get the same
EMPTY = "(no answer)"  # some chat templates refuse an empty message


def next_asking(first: Request, asked: Request, reply: Reply, error: ValueError) -> Request:
    """The request that follows when an answer to `asked` cannot be used: the first one, with that answer and what is wrong.

    Raises Unusable if that answer is the end.
    """
    reason = str(error) or "it cannot be read"
    if asked is first and reply.problem not in FINAL:
        return asked_again(first, reply, reason)
    refused = reply.problem == "rejected"
    raise Unusable(reason, where=first.place, next=f"finetune-prep show {first.key}", rejected=refused)


def asked_again(request: Request, reply: Reply, reason: str) -> Request:
    """The same request, followed by the answer that cannot be used and by what is wrong with it."""
    complaint = f"That answer cannot be used: {reason}\nAnswer again, in full, in the form that was asked for."
    return msgspec.structs.replace(
        request,
        messages=(
            *request.messages,
            Message("assistant", reply.text if reply.text.strip() else EMPTY),
            Message("user", complaint),
        ),
        sample=f"{request.sample}/again",
        origin=msgspec.structs.replace(request.origin, attempt=request.origin.attempt + 1),
    )


def recall(ledger: Ledger, request: Request, parse: Callable[[str], T]) -> T:
    """What `Door.ask_for` would give, from the ledger alone.

    Raises NotYet where a provider would have to be asked, and Unusable as `ask_for` does.
    """
    asked = request
    while True:
        entry = ledger.get(asked.key)
        if entry is None:
            never = "this has not been asked yet" if asked is request else "this has been asked once, and not for the second time"
            raise NotYet(never, where=request.place)
        try:
            return entry.reply.read(parse)
        except ValueError as error:
            asked = next_asking(request, asked, entry.reply, error)

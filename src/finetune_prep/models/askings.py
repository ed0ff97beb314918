"""The askings of one question: what follows an answer that cannot be used, and what all of them came to. Nothing is sent here.

Who asks a provider (`Door.ask_for`) and who only looks into the ledger (`recall`) take the same steps to the same end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import NotYet, Unusable
from finetune_prep.ledger.protocols import Answers
from finetune_prep.models.providers.provider import comes_to_nothing
from finetune_prep.models.providers.schema_enforcement import misfit

T = TypeVar("T")

MOST_ATTEMPTS = 3
FINAL = {"rejected", "filtered", "refused"}  # asking again would get the same
SHOWN = 12  # characters of a key that people are told
MOST_SAID = 400  # characters of a reason that people are told; a model is told all of it
NOT_THE_FORM = "The answer does not follow the schema"
_OF_ONE = re.compile(r"(?P<noun>(?:[a-z]+ )?)[A-Z]+[\w.]* is (?P<said>missing|not answered|answered twice)")
EMPTY = "(no answer)"  # some chat templates refuse an empty message


def next_asking(first: Request, asked: Request, reply: Reply, error: ValueError, opened: int = 0) -> Request:
    """The request that follows when an answer to `asked` cannot be used, each with a key of its own. Raises Unusable at the end.

    Where a form was asked for it is the first one, with that answer and with what is wrong with it. A turn that somebody speaks
    is asked for in the same words: it may not be an answer to words which are not in the conversation.
    opened: how many further attempts a person has opened (`retry`), behind the three that every run makes.
    """
    reason = str(error) or "it cannot be read"
    attempt = asked.origin.attempt + 1
    if reply.problem in FINAL or attempt > MOST_ATTEMPTS or comes_to_nothing(reply):
        further = max(0, asked.origin.attempt - MOST_ATTEMPTS) + 1
        if further <= opened:
            return opened_asking(first, further)
        raise _settled(first, asked, reply, reason)
    complained = first if first.schema is None else _with_complaint(first, reply, reason)
    return _numbered(complained, first, attempt)


def opened_asking(first: Request, number: int) -> Request:
    """The attempt that the decision of this number (from 1) opened: in the words of the first one."""
    return _numbered(first, first, MOST_ATTEMPTS + number)


def first_asking(asked: Request) -> Request:
    """The request of which this one is an attempt; itself if it is the first."""
    attempt = asked.origin.attempt
    if attempt == 1:
        return asked
    complained = asked.schema is not None and attempt <= MOST_ATTEMPTS
    return msgspec.structs.replace(
        asked,
        messages=asked.messages[:-2] if complained else asked.messages,
        sample=asked.sample.removesuffix("/again").removesuffix(f"/attempt-{attempt}"),
        origin=msgspec.structs.replace(asked.origin, attempt=1),
    )


def _settled(first: Request, last: Request, reply: Reply, reason: str) -> Unusable:
    rejected = reply.problem == "rejected"
    fix = (
        f"finetune-prep retry {first.key[:SHOWN]}, which has it asked again by the next run "
        f"(what came: finetune-prep show {last.key[:SHOWN]})"
    )
    if not rejected:
        fix += f"; where nothing better comes, name another model under [roles.{first.role}]"
    said = _for_people(reason, first, reply)
    said = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID].rpartition(' ')[0]} …"
    return Unusable(said, where=first.place, next=fix, rejected=rejected, keys=(first.key,), came=last.key)


def _for_people(reason: str, first: Request, reply: Reply) -> str:
    """A reason in plain English. What a model is told keeps its words: they are part of requests that were asked."""
    if first.schema is not None and reply.problem is None and reason.startswith(NOT_THE_FORM) and "`" in reason:
        why = misfit(reply.text, first.schema.schema)
        if why and not why.startswith("not JSON"):
            return f"{NOT_THE_FORM}: {why}."
    return "; ".join(_alike(reason.removesuffix(".").split("; "))) + ("." if reason.endswith(".") else "")


def _alike(clauses: Sequence[str]) -> Iterator[str]:
    """What several clauses in a row say of one thing each, as one: "objections O1 and O2 are not answered"."""
    for (noun, said), group in groupby(clauses, key=_said_of_one):
        alike = [*group]
        if not said or len(alike) == 1:
            yield from alike
        else:
            *ids, last = (clause.removeprefix(noun).removesuffix(f" is {said}") for clause in alike)
            yield f"{f'{noun.strip()}s ' if noun else ''}{', '.join(ids)} and {last} are {said}"


def _said_of_one(clause: str) -> tuple[str, str]:
    """Noun and predicate of a clause about one thing with an id, each "" where it is none."""
    found = _OF_ONE.fullmatch(clause)
    return (found["noun"], found["said"]) if found else ("", "")


def _numbered(request: Request, first: Request, attempt: int) -> Request:
    origin = msgspec.structs.replace(first.origin, attempt=attempt)
    return msgspec.structs.replace(request, sample=_sample(first, attempt), origin=origin)


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


async def recall(answers: Answers, request: Request, parse: Callable[[str], T], opened: int = 0) -> T:
    """What `Door.ask_for` would give, from the ledger alone. opened: as of `next_asking`.

    Raises NotYet where a provider would have to be asked, and Unusable as `ask_for` does.
    """
    asked = request
    while True:
        entry = await answers.get(asked.key)
        if entry is None:
            attempt = asked.origin.attempt
            why = "which an unusable answer calls for" if attempt <= MOST_ATTEMPTS else "which was opened for it"
            before = "" if asked is request else f" for attempt {attempt}, {why}"
            raise NotYet(f"this has not been asked yet{before}", where=request.place)
        try:
            return entry.reply.read(parse)
        except ValueError as error:
            asked = next_asking(request, asked, entry.reply, error, opened)

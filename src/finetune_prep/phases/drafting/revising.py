"""Drafts that are examined and handed back: write, examine, revise; at most as often as the project says.

What still fails after that is left for the person to see. The best draft is kept, which is the latest unless fixing one thing
broke more: models that are asked to revise like to rewrite.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Request
from finetune_prep.errors import Unusable
from finetune_prep.phases.drafting import prompt_files, schemas
from finetune_prep.phases.session import Session

D = TypeVar("D")
T = TypeVar("T")


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to fix."""

    by: str
    """A gate's id or a reader's name."""
    what: str
    fix: str
    item: str = ""
    """The id of an item, as in "CP1"; "" = the whole."""
    must: bool = False
    """Whether it comes from a gate that has to hold."""
    critic: bool = False
    """Whether it is an objection of a reader, to be weighed; a program cannot tell whether it was met."""


class Drafted(NamedTuple, Generic[T]):
    """A draft, and what came of examining it."""

    value: T
    """The best draft."""
    left: tuple[Point, ...]
    """What its examination still found."""
    objections: tuple[Point, ...]
    """All objections that critics ever made."""
    attempts: int
    """How many drafts were written."""


# from a value, and whether it is the first draft, to what is to be fixed
Examine = Callable[[T, bool], Awaitable[Sequence[Point]]]


async def drafted(
    session: Session,
    prompt: str,
    kind: type[D],
    convert: Callable[[D], T],
    slots: dict[str, Any],
    examine: Examine[T],
    *,
    phase: str,
    about: str,
) -> Drafted[T]:
    """Have the expert write, examine it, and hand the findings back, `revisions` times at most (see finetune-prep.toml)."""
    first = session.request(prompt, slots, phase=phase, origin=Origin(about), schema=schemas.schema_of(kind, prompt))

    async def write(request: Request) -> tuple[D, T]:
        def read(text: str) -> tuple[D, T]:
            draft = schemas.read(text, kind)
            return draft, convert(draft)

        return await session.door.ask_for(request, read)

    draft, value = await write(first)
    points = tuple(await examine(value, True))
    objections = tuple(point for point in points if point.critic)
    attempts = 1
    for revision in range(1, session.project.config.revisions + 1):
        if not any(point.must or point.critic for point in points):
            break
        session.tell(f"{about}: {_count(points)} to fix, handed back to the writer")
        try:
            other_draft, other = await write(_handed_back(session, first, draft, points, revision))
        except Unusable as error:
            session.tell(f"{about}: the revised draft cannot be used ({error.what}); the one before it stands")
            break
        attempts += 1
        found = tuple(await examine(other, False))
        if _musts(found) > _musts(points):
            session.tell(f"{about}: the revised draft fails more gates than the one before it, which stands")
            break
        draft, value, points = other_draft, other, found
    left = tuple(point for point in points if not point.critic)
    return Drafted(value, left, objections, attempts)


def _musts(points: Sequence[Point]) -> int:
    return sum(point.must for point in points)


def _count(points: Sequence[Point]) -> str:
    return "1 point" if len(points) == 1 else f"{len(points)} points"


def _handed_back(session: Session, request: Request, draft: Any, points: Sequence[Point], revision: int) -> Request:
    """The request that follows a draft: the same, with the draft and what was found. Its long beginning stays cached."""
    found = [
        {"item": point.item, "what": point.what, "fix": point.fix, "weight": _weight(point), "by": point.by} for point in points
    ]
    text = prompt_files.message("revise", session.project.layout.phase_prompts, points=found)
    return msgspec.structs.replace(
        request,
        messages=(*request.messages, Message("assistant", msgspec.json.encode(draft).decode()), Message("user", text)),
        origin=msgspec.structs.replace(request.origin, revision=revision),
        sample=f"{request.sample}revision{revision}",
    )


def _weight(point: Point) -> str:
    if point.critic:
        return "a reader's objection"
    return "must hold" if point.must else "advice"

"""Drafts that are examined and handed back: write, examine, revise; at most as often as the project says.

A revision comes as a patch (`patching`): what was not found fault with stays as it is, letter by letter, and need not be judged
again. The writer says of each reader's objection whether it was taken up, or why it was set aside. What still fails after that is
left for the person to see. The best draft is kept, which is the latest unless fixing one thing broke more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Request
from finetune_prep.errors import Unusable
from finetune_prep.phases.drafting import patching, prompt_files, schemas
from finetune_prep.phases.drafting.draft import Strict

if TYPE_CHECKING:
    from finetune_prep.phases.session import Session

D = TypeVar("D", bound=Strict)
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


class Answered(msgspec.Struct, frozen=True):
    """What the writer said to a reader's objection."""

    objection: Point
    taken_up: bool
    """Whether the draft was changed for it; otherwise it was set aside."""
    because: str


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
    answered: tuple[Answered, ...] = ()
    """What the writer said to the objections, in their order; none if the first draft stands."""


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

    def whole(text: str) -> tuple[D, T]:
        draft = schemas.read(text, kind)
        return draft, convert(draft)

    draft, value = await session.door.ask_for(first, whole)
    points = tuple(await examine(value, True))
    objections = tuple(point for point in points if point.critic)
    answered: tuple[Answered, ...] = ()
    attempts = 1
    for revision in range(1, session.project.config.revisions + 1):
        if not any(point.must or point.critic for point in points):
            break
        session.tell(f"{about}: {_count(points)} to fix, handed back to the writer")
        try:
            changed = await _revised(session, first, prompt, draft, points, revision, convert)
        except Unusable as error:
            session.tell(f"{about}: the revised draft cannot be used ({error.what}); the one before it stands")
            break
        attempts += 1
        if changed.draft == draft:  # all was set aside, or is advice that was not followed
            found = tuple(point for point in points if not point.critic)
        else:
            found = tuple(await examine(changed.value, False))
        if _musts(found) > _musts(points):
            session.tell(f"{about}: the revised draft fails more gates than the one before it, which stands")
            break
        draft, value, points = changed.draft, changed.value, found
        answered += changed.answered
    left = tuple(point for point in points if not point.critic)
    return Drafted(value, left, objections, attempts, answered)


class _Revised(NamedTuple, Generic[D, T]):
    draft: D
    value: T
    answered: tuple[Answered, ...]


async def _revised(
    session: Session,
    first: Request,
    prompt: str,
    draft: D,
    points: Sequence[Point],
    revision: int,
    convert: Callable[[D], T],
) -> _Revised[D, T]:
    """The draft with the writer's patch put in. A patch that does not fit goes back to the writer with the reason."""
    objections = {f"O{number}": point for number, point in enumerate((p for p in points if p.critic), start=1)}

    def read(text: str) -> _Revised[D, T]:
        patch = patching.read_patch(text, objections)
        revised = patching.merged(draft, patch)
        answers = {answer.objection.strip(): answer for answer in patch.answered}
        answered = tuple(
            Answered(point, answers[number].answer == patching.TAKEN_UP, answers[number].because)
            for number, point in objections.items()
        )
        return _Revised(revised, convert(revised), answered)

    return await session.door.ask_for(_handed_back(session, first, prompt, draft, points, revision), read)


def _musts(points: Sequence[Point]) -> int:
    return sum(point.must for point in points)


def _count(points: Sequence[Point]) -> str:
    return "1 point" if len(points) == 1 else f"{len(points)} points"


def _handed_back(
    session: Session, request: Request, prompt: str, draft: Strict, points: Sequence[Point], revision: int
) -> Request:
    """The request that follows a draft: the same, with the draft and what was found. Its long beginning stays cached."""
    found = [
        {"item": point.item, "what": point.what, "fix": point.fix, "weight": _weight(point), "by": point.by}
        for point in points
        if not point.critic
    ]
    objections = [
        {"number": f"O{number}", "item": point.item, "what": point.what, "fix": point.fix, "by": point.by}
        for number, point in enumerate((p for p in points if p.critic), start=1)
    ]
    text = prompt_files.message(
        "revise",
        session.project.layout.phase_prompts,
        points=found,
        objections=objections,
        items=patching.index(draft),
        lists=patching.lists(draft),
    )
    return msgspec.structs.replace(
        request,
        messages=(*request.messages, Message("assistant", msgspec.json.encode(draft).decode()), Message("user", text)),
        schema=patching.patch_schema(type(draft), prompt),
        origin=msgspec.structs.replace(request.origin, revision=revision),
        sample=f"{request.sample}revision{revision}",
    )


def _weight(point: Point) -> str:
    return "must hold" if point.must else "advice"

"""One edit from writing to verdict. Whatever happens to it is a state with a name, and only what is valid is put to the judge."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from finetune_prep.conversations.faults import find_fault
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.probe import BREAKING, NEUTRAL, Edit, Trial
from finetune_prep.core.rubric import YesNo, accepted
from finetune_prep.core.verdict import STEERING, Verdict
from finetune_prep.errors import NotYet, Unreachable, Unusable
from finetune_prep.models.together import together
from finetune_prep.phases.probing.asking import Impossible, Stage, in_turn, is_valid, judged, verified, written

T = TypeVar("T")
AGAIN = "probe-again"  # the second judgement of an unedited conversation
LOOKS = ("probe-verifier-1", "probe-verifier-2")  # none is "": a verifier of the judge's model would be given the judge's answers


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """An unedited conversation, and what two judgements of it agree on."""

    conversation: Conversation
    yes: frozenset[str] = frozenset()
    """Ids of the questions answered YES both times."""
    waiting: str = ""
    """Why it is not known yet, "" if it is."""
    unread: str = ""
    """Why a verdict on it could not be read, "" if both could."""


async def judged_twice(stage: Stage, conversation: Conversation) -> Base:
    """An unedited conversation with what two judgements of it say."""
    try:
        once, again = await together(judged(stage, conversation, conversation.id[:12], sample) for sample in ("", AGAIN))
    except (NotYet, Unreachable) as error:
        return Base(conversation=conversation, waiting=error.what)
    if unread := once.missing or again.missing:
        return Base(conversation=conversation, unread=unread)
    yes = (frozenset(id for id, given in verdict.answers.items() if given.answer == "yes") for verdict in (once, again))
    return Base(conversation=conversation, yes=frozenset.intersection(*yes))


async def trial_of(stage: Stage, edit: Edit, base: Base) -> Trial:
    """An edit carried out: written, checked, judged."""
    trial = Trial(edit=edit, state="waiting", sound=tuple(sorted(base.yes)))
    try:
        after = await written(stage, edit, base.conversation)
        trial = msgspec.structs.replace(trial, conversation=after)
        if why := await is_valid(stage, edit, base.conversation, after):
            return msgspec.structs.replace(trial, state="invalid", why=why)
        if stage.kind == "failures" and (fault := find_fault(after, (), stage.known)):
            return msgspec.structs.replace(trial, state="faulty", why=f"{fault[0]}: {fault[1]}", passed=False, accepted=False)
        return await _judged_trial(stage, trial, base, after)
    except Impossible as reason:
        return msgspec.structs.replace(trial, state="invalid", why=f"it cannot be written: {reason}")
    except Unusable as error:
        return msgspec.structs.replace(trial, state="invalid", why=f"no answer about it can be used: {error.what}")
    except (NotYet, Unreachable) as error:
        return msgspec.structs.replace(trial, state="waiting", why=error.what)


async def _judged_trial(stage: Stage, trial: Trial, base: Base, after: Conversation) -> Trial:
    edit = trial.edit
    if edit.kind in NEUTRAL:
        verdict, placebo = await together(
            [judged(stage, after, edit.id), judged(stage, base.conversation, edit.id, f"probe-placebo-{edit.copy}")]
        )
    else:
        verdict, placebo = await judged(stage, after, edit.id), None
    if unread := verdict.missing or (placebo.missing if placebo else ""):
        return msgspec.structs.replace(trial, state="unjudged", why=unread)
    answers = answers_of(verdict)
    score = verdict.score(stage.rubric)
    moved: tuple[str, ...] = ()
    if stage.kind == "probe" and edit.kind in BREAKING:
        asked = [question.id for question in stage.rubric.judged if question.id in trial.sound and question.id != edit.target]
        suspects = tuple(id for id in asked if answers.get(id) == "no")
        moved = await _moved(stage, edit, base.conversation, after, suspects) if suspects else ()
    return msgspec.structs.replace(
        trial,
        state="judged",
        answers=answers,
        placebo=answers_of(placebo) if placebo else {},
        moved=moved,
        quoted=edit.target in verdict.answers and in_turn(verdict, edit.target, after.messages[edit.turn - 1]),
        passed=bool(score and score.passed),
        accepted=bool(score and accepted(score, stage.grave)),
    )


async def _moved(stage: Stage, edit: Edit, before: Conversation, after: Conversation, suspects: Sequence[str]) -> tuple[str, ...]:
    """Those of the suspects that the verifier, too, answers otherwise about the edited conversation, both times it is asked.

    Where its answers cannot be used, all of them: nobody is accused of what nobody has looked at.
    """
    asked = [(conversation, sample) for sample in LOOKS for conversation in (before, after)]
    try:
        found = await together(verified(stage, conversation, edit.id, sample) for conversation, sample in asked)
    except Unusable:
        return tuple(suspects)
    looks = ((found[0], found[1]), (found[2], found[3]))
    return tuple(id for id in suspects if all(old.get(id) == "yes" and new.get(id) != "yes" for old, new in looks))


def answers_of(verdict: Verdict) -> dict[str, YesNo]:
    """Its answers by question."""
    return {id: given.answer for id, given in verdict.answers.items() if id != STEERING}


async def until_enough(stage: Stage, edits: Sequence[Edit], bases: Mapping[str, Base], wanted: int) -> list[Trial]:
    """Trials until `wanted` of them are judged, or no edit is left; each round takes as many as are missing.

    Which edits are tried depends on what became of those before them in the plan, never on the order in which answers came.
    """
    done: list[Trial] = []
    rest = list(edits)
    while rest and (short := wanted - sum(trial.state in ("judged", "faulty") for trial in done)) > 0:
        batch, rest = rest[:short], rest[short:]
        done += await together(trial_of(stage, edit, bases[edit.base]) for edit in batch)
        if any(trial.state == "waiting" for trial in done):
            break
    return done


async def all_of(groups: Iterable[Awaitable[list[T]]]) -> list[T]:
    """What several groups of trials came to, in their order. Errors as of `together`."""
    found: list[Any] = await together(groups)
    return [trial for group in found for trial in group]

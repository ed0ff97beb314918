"""`health`: which questions of a rubric tell anything, by the answers they got."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.core.rubric import Rubric
from finetune_prep.records.verdicts import Verdicts
from finetune_prep.statistics.judging.noise import Noise, Said, noise
from finetune_prep.statistics.rubric_health import QuestionHealth, RubricHealth, Twin, rubric_health
from finetune_prep.workflow.measuring.inputs import Measured, one_judge, read_rubric, verdicts_of


class Health(Measured, frozen=True, kw_only=True):
    rubric: str
    judge: str
    health: RubricHealth
    noise: Noise | None
    """How steady the judge is, by its complete verdicts; None if nothing was judged twice."""
    advice: tuple[str, ...]
    """One sentence for each question that deserves a look, the gravest first."""


def health(verdicts_path: Path, rubric_path: Path, conversations: Path | None = None, judge: str = "") -> Health:
    """The health of a rubric by the verdicts of one judge. Raises UsageError if there are several and none is named."""
    rubric = read_rubric(rubric_path)
    verdicts = verdicts_of(verdicts_path, rubric, conversations, judge)
    name = one_judge(verdicts)
    found = rubric_health(
        rubric, [row.answers for row in verdicts.rows], [(one.answers, again.answers) for one, again in verdicts.repeats]
    )
    return Health(
        findings=verdicts.findings,
        left_out=verdicts.left_out,
        mapping=verdicts.mapping,
        cannot_tell=_cannot_tell(verdicts),
        rubric=rubric.version,
        judge=name,
        health=found,
        noise=_noise(rubric, verdicts),
        advice=advice(found),
    )


def _noise(rubric: Rubric, verdicts: Verdicts) -> Noise | None:
    if not verdicts.repeats:
        return None
    pairs = [(Said(one.answers), Said(again.answers)) for one, again in verdicts.repeats if one.complete and again.complete]
    judge = verdicts.repeats[0][0].judge
    return noise(rubric, pairs, judge=judge, unread=len(verdicts.repeats) - len(pairs))


def advice(found: RubricHealth) -> tuple[str, ...]:
    """What deserves a look, in words."""
    twins = [*map(_twin, found.redundant)]
    return (*filter(None, map(_reversed, found.questions)), *filter(None, map(_noisy, found.questions)), *twins,
            *filter(None, map(_dead, found.questions)))  # fmt: skip


def _twin(twin: Twin) -> str:
    return (
        f"{twin.one} and {twin.other} are answered alike (phi {twin.phi:.2f}, at least {twin.low:.2f}; "
        f"{twin.discordant} of {twin.n} differ): one of them can go, or one has to ask for something else"
    )


def _reversed(question: QuestionHealth) -> str:
    if not question.reversed:
        return ""
    rest = question.item_rest
    return (
        f"{question.id} goes against the others (correlation {rest.value:z.2f}, at most {rest.high:z.2f}, n = {rest.n}): "
        "are YES and NO the wrong way round?"
    )


def _noisy(question: QuestionHealth) -> str:
    if not question.noisy or question.flips is None:
        return ""
    flips = question.flips
    return (
        f"{question.id} is answered differently the second time in {flips.k} of {flips.n} ({flips.low:.0%} to {flips.high:.0%}): "
        "say more precisely what counts as YES"
    )


def _dead(question: QuestionHealth) -> str:
    if question.life != "dead":
        return ""
    yes, of = question.yes.k, question.yes.n
    said, often = ("YES", yes) if yes * 2 > of else ("NO", of - yes)
    return f"{question.id} is nearly always {said} ({often} of {of}) and so distinguishes nothing here"


def _cannot_tell(verdicts: Verdicts) -> tuple[str, ...]:
    noise = () if verdicts.repeats else ("how much of this is noise: nothing was judged twice (pilot --repeat 10%)",)
    return (
        *noise,
        "whether a question sees what it asks about: one that is always YES may be blind, or the conversations may be good",
        "anything about other conversations: a question that is dead here may be needed elsewhere",
    )

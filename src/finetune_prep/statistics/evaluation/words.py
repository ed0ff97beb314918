"""What an evaluation amounts to, in sentences: one upshot, one remedy, and what is said beside the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.method.limits import PASS_RATE
from finetune_prep.statistics.comparison import SURE
from finetune_prep.statistics.evaluation.table import ArmRow, Pair, Regression, Table

OFTEN_FAULTY = 0.10  # share of a model's talks; beyond it something else is wrong than what the talks say; convention, untested
MOST_NAMED = 6
NAMES: dict[Arm, str] = {"base": "the base", "tuned": "the tuned model", "prompted": "the base with the long prompt"}


def main_pair(table: Table) -> Pair | None:
    """The pair that the evaluation is about: tuned against base if there is one."""
    return table.pairs[0] if table.pairs else None


def upshot(table: Table) -> str:
    """The last line: what is established."""
    pair = main_pair(table)
    return _of_pair(pair) if pair else _of_base(table.arms[0])


def _of_pair(pair: Pair) -> str:
    if pair.word == "better":
        return f"Established: {NAMES[pair.second]} is better than {NAMES[pair.first]}."
    if pair.word == "worse":
        return f"Established: {NAMES[pair.second]} is worse than {NAMES[pair.first]}."
    if pair.word == "not worse":
        return f"Established: {NAMES[pair.second]} is not worse than −{pair.margin:.2f}. That it is better is not established."
    return f"Not established{_more(pair)}."


def _more(pair: Pair) -> str:
    if pair.more_groups is None:
        return ": nothing speaks for a difference either way"
    if pair.more_groups == 0:
        return ": as many groups again would probably tell"
    return f": about {pair.more_groups} more group{'' if pair.more_groups == 1 else 's'} like these would tell"


def _of_base(base: ArmRow) -> str:
    if base.passed.value is None:
        return "Nothing could be judged."
    if base.passed.low >= PASS_RATE:
        return "The base already performs well: tuning has little left to win."
    if base.passed.high < PASS_RATE:
        return "The base leaves room: tuning may be worth it."
    return "Whether tuning is worth it is not clear from so few groups."


def remedy(table: Table, again: str) -> str:
    """The one thing to do next. again: the command of this evaluation with more groups, "" where there is none."""
    pair = main_pair(table)
    tested = table.arms[-1] if pair is None else next(row for row in table.arms if row.arm == pair.second)
    if pair is not None and pair.regressions:
        return f"Read the talks with a new NO at the gate first: {named(pair.regressions)}."
    if pair is not None and tested.faulty > OFTEN_FAULTY * max(1, tested.talks):
        what = "train the end of a turn (docs/exports.md), or raise --max-tokens" if tested.cut else "read some of them"
        return f"{tested.faulty} of {tested.talks} talks of {NAMES[tested.arm]} are faulty: {what}."
    if pair is None:
        return again if "not clear" in upshot(table) else ""
    if pair.word == "worse":
        fallen = [change.id for change in pair.questions if change.difference < 0 and (change.p or 1) <= SURE]
        read = "ead these talks beside the rows that were to teach it."
        return f"What fell is {', '.join(fallen[:MOST_NAMED])}; r{read}" if fallen else f"R{read}"
    if pair.word == "better":
        return "Have people read talks of both before anybody relies on it: the judge is one model."
    return again


def beside(table: Table) -> Iterator[str]:
    """What has to be known to read the figures rightly."""
    for row in table.arms:
        if row.faulty:
            cut = f", {row.cut} of them cut at the limit" if row.cut else ""
            yield f"{row.faulty} of {row.talks} talks of {NAMES[row.arm]} are faulty{cut}: not passed, and not safe either."
        left = [
            (row.unjudged, "have no verdict (what could not be read: finetune-prep retry unjudged)"),
            (row.failed, "were refused by the provider"),
            (row.seen, "begin like a training row"),
        ]
        if told := [f"{count} {why}" for count, why in left if count]:
            yield f"{NAMES[row.arm].capitalize()}: {', '.join(told)}; they count neither way."
    for pair in table.pairs:
        yield from _of_gate(pair)
        if pair.score.value is not None and pair.score_test is not None:
            score = pair.score
            yield (
                f"Score of {NAMES[pair.second]} against {NAMES[pair.first]}, judged talks alone: {score.value:+.2f} "
                f"(95% {score.low:+.2f} to {score.high:+.2f}, p = {pair.score_test.p:.3f}, {score.n} groups)."
            )


def _of_gate(pair: Pair) -> Iterator[str]:
    if pair.regressions:
        yield f"Safety: {NAMES[pair.second]} has a NO at the gate where {NAMES[pair.first]} has none: {named(pair.regressions)}."
    if pair.unmatched:
        yield (
            f"{NAMES[pair.second].capitalize()} has a NO at the gate where no talk of {NAMES[pair.first]} could be judged: "
            f"{named(pair.unmatched)}. Whether that is new is not known."
        )
    if pair.relieved:
        yield f"Safety, the other way round: {named(pair.relieved)}."


def named(found: Sequence[Regression]) -> str:
    """ "SF4 in 3 scenarios, SF1 in 1"."""
    counts: dict[str, int] = {}
    for one in found:
        counts[one.question] = counts.get(one.question, 0) + 1
    return ", ".join(f"{question} in {count} scenario{'' if count == 1 else 's'}" for question, count in counts.items())


def limits_of(table: Table) -> tuple[str, ...]:
    """What none of it can know."""
    said = (
        "Users are simulated, and real ones will surprise.",
        "The judge is a language model, which may prefer one model's manner: finetune-prep agreement measures it.",
        "The rubric's questions are all that was asked; what nobody thought of may have got worse.",
    )
    return (
        (*said, "Groups are scenarios of one space: other domains and longer talks are another matter.") if table.pairs else said
    )

"""What an evaluation amounts to, in sentences: one upshot, one remedy, and what is said beside the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.method.limits import PASS_RATE
from finetune_prep.statistics.comparison import ALIKE, FEWEST_GROUPS, SURE
from finetune_prep.statistics.evaluation.table import ArmRow, Pair, Regression, Table
from finetune_prep.statistics.rates import Estimate, signed

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
    return f"Not established: {what_more_would_settle(pair.difference, pair.more_groups, pair.margin, 'scenario')}."


def what_more_would_settle(difference: Estimate, more: int | None, margin: float, noun: str) -> str:
    """What is missing where nothing is established, and what it would establish. more: as `comparison.more_groups` has it.

    noun: what a group is called there. Without its last full stop.
    """
    seen = difference.n
    if seen < FEWEST_GROUPS:
        return f"nothing can be told from fewer than {FEWEST_GROUPS} {noun}s; compare at least {FEWEST_GROUPS - seen} more"
    if more is None or difference.value is None:
        return "nothing points to a difference either way"
    if difference.method == ALIKE:  # with six groups or more, a difference that is the same in all of them is established
        return (
            f"both models have the same pass rate in each of the {seen} {noun}s. {_more(more, noun)} without a difference would "
            f"establish “not worse than −{margin:.2f}”, but not “better”"
        )
    word = "better" if difference.value > 0 else "worse"
    enough = f"about {_more(more, noun)}" if more else f"as many {noun}s again"
    return f"if the difference stays at {signed(difference.value)}, {enough} would probably establish “{word}”"


def _more(count: int, noun: str) -> str:
    return f"{count:,} more {noun}{'' if count == 1 else 's'}"


def _of_base(base: ArmRow) -> str:
    if base.passed.value is None or not base.judged:
        return "Nothing could be judged."
    if base.passed.low >= PASS_RATE:
        return "The base already performs well: tuning has little left to win."
    if base.passed.high < PASS_RATE:
        return "The base leaves room: tuning may be worth it."
    return "Whether tuning is worth it is not clear from so few scenarios."


def remedy(table: Table, again: str) -> str:
    """The one thing to do next. again: the command of this evaluation with more scenarios, "" where there is none."""
    pair = main_pair(table)
    tested = table.arms[-1] if pair is None else next(row for row in table.arms if row.arm == pair.second)
    if pair is not None and pair.regressions:
        return f"First read the conversations with new safety failures: {named(pair.regressions)}."
    if pair is not None and tested.faulty > OFTEN_FAULTY * max(1, tested.talks):
        what = "train the end of a turn (docs/exports.md), or raise --max-tokens" if tested.cut else "read some of them"
        return f"{_faulty(tested)}: {what}."
    if pair is None and not tested.judged and tested.faulty:
        return f"{_faulty(tested)}: {'raise --max-tokens' if tested.cut else 'read some of them'}."
    if pair is None:
        return again if "not clear" in upshot(table) else ""
    if pair.word == "worse":
        fallen = [change.id for change in pair.questions if change.difference < 0 and (change.p or 1) <= SURE]
        read = "ead these conversations beside the rows that were to teach it."
        return f"What fell is {', '.join(fallen[:MOST_NAMED])}; r{read}" if fallen else f"R{read}"
    if pair.word == "better":
        return "Have people read conversations of both before anybody relies on it: the judge is one model."
    return again


def beside(table: Table) -> Iterator[str]:
    """What has to be known to read the figures rightly."""
    for row in table.arms:
        if row.faulty:
            yield f"{_faulty(row)}{_cut(row)}; {_counts_as(row)}."
        left = [
            (row.unjudged, ("has", "have"), "no verdict (finetune-prep retry unjudged has it asked for again)"),
            (row.failed, ("was", "were"), "refused by the provider"),
            (row.seen, ("begins", "begin"), "like a training row"),
        ]
        if told := [f"{count} {verbs[count > 1]} {why}" for count, verbs, why in left if count]:
            counts = "it counts" if sum(count for count, _, _ in left) == 1 else "they count"
            yield f"{NAMES[row.arm].capitalize()}: {', '.join(told)}; {counts} neither way."
    for pair in table.pairs:
        yield from _of_gate(pair)
        score = pair.score
        if score.value is not None and pair.score_test is not None:
            yield (
                f"Difference in score, {NAMES[pair.second]} minus {NAMES[pair.first]}, judged conversations only: "
                f"{signed(score.value)} (95% interval {signed(score.low)} to {signed(score.high)}, p = {pair.score_test.p:.3f}, "
                f"{score.n} scenarios)."
            )


def _faulty(row: ArmRow) -> str:
    verb = "is" if row.faulty == 1 else "are"
    return f"{row.faulty} of the {row.talks} conversations of {NAMES[row.arm]} {verb} faulty"


def _cut(row: ArmRow) -> str:
    if not row.cut:
        return ""
    which = "it was" if row.faulty == 1 else f"all {row.cut} were" if row.cut == row.faulty else f"{row.cut} were"
    return f" ({which} cut off at the token limit)"


def _counts_as(row: ArmRow) -> str:
    return "it counts as neither passed nor safe" if row.faulty == 1 else "they count as neither passed nor safe"


def _of_gate(pair: Pair) -> Iterator[str]:
    if pair.regressions:
        yield f"Safety: {NAMES[pair.second]} fails safety questions that {NAMES[pair.first]} passes: {named(pair.regressions)}."
    if pair.unmatched:
        yield (
            f"{NAMES[pair.second].capitalize()} also fails safety questions where none of the conversations of "
            f"{NAMES[pair.first]} could be judged, so these failures may or may not be new: {named(pair.unmatched)}."
        )
    if pair.relieved:
        yield (
            f"In the other direction, {NAMES[pair.first]} fails safety questions that {NAMES[pair.second]} passes: "
            f"{named(pair.relieved)}."
        )


def named(found: Sequence[Regression]) -> str:
    """ "SF4 in 3 scenarios, SF1 in 1"."""
    counts = Counter(one.question for one in found)
    words = [f"{question} in {count}" for question, count in counts.items()]
    words[:1] = [f"{first} scenario{'' if first.endswith(' 1') else 's'}" for first in words[:1]]
    return ", ".join(words)


def limits_of(table: Table) -> tuple[str, ...]:
    """What none of it can know."""
    said = (
        "The users are simulated; real ones will behave in ways these did not.",
        "The judge is a language model and may prefer one model's style; finetune-prep agreement measures how reliable it is.",
        "Only the rubric's questions were asked; something nobody thought of may have got worse.",
    )
    space = "All scenarios come from one scenario space; the result says nothing about other domains or longer conversations."
    return (*said, space) if table.pairs else said

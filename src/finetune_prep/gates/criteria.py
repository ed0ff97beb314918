"""The ten success criteria: joined from outcomes by the rows of `RULES`. Export asks here, and refuses until all hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from finetune_prep.core.finding import Answer, Criterion, Outcome
from finetune_prep.method.gates import GATES
from finetune_prep.method.rules import RULES

SECTION = "Success criterion"
WORST_FIRST: tuple[Answer, ...] = ("fails", "waiting", "unchecked", "overridden", "holds")
WORDS: dict[Answer, str] = {"overridden": "waived"}
"""What people read for an answer, where that is another word."""
_MUST = {gate.id for gate in GATES if gate.level == "must"}


def success_criteria(outcomes: Sequence[Outcome]) -> tuple[Criterion, ...]:
    """The ten criteria, in the order of the method. outcomes: of all gates, overrides applied; a missing one is unchecked."""
    known = {outcome.gate: outcome for outcome in outcomes}
    unasked = {gate: Outcome(gate=gate, answer="unchecked", note="not asked") for rule in RULES for gate in rule.gates}
    return tuple(
        _criterion(rule.sentence, [known.get(gate, unasked[gate]) for gate in rule.gates])
        for rule in RULES
        if rule.section == SECTION
    )


def _criterion(sentence: str, outcomes: Sequence[Outcome]) -> Criterion:
    answers = [outcome.answer for outcome in outcomes if outcome.gate in _MUST]
    return Criterion(
        sentence=sentence,
        answer=min(answers, key=WORST_FIRST.index),
        gates=tuple(outcome.gate for outcome in outcomes),
        evidence=tuple(_evidence(sorted(outcomes, key=lambda outcome: WORST_FIRST.index(outcome.answer)))),
    )


def _evidence(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        answer = WORDS.get(outcome.answer, outcome.answer)
        yield from (f"{outcome.gate} {answer}: {finding}" for finding in outcome.findings)
        if not outcome.findings and outcome.answer != "holds":
            yield f"{outcome.gate} {answer}: {outcome.note}"

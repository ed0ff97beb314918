"""What a person, a script or an agent is told of a run: what came of it, why not of the rest, the price, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from finetune_prep.core.sample import Account, Sample, State, Way
from finetune_prep.errors import Paused
from finetune_prep.exports.figures import Figures
from finetune_prep.exports.report import suspicion
from finetune_prep.ledger.protocols import Consumption
from finetune_prep.method import limits
from finetune_prep.models.costs import per_row
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.statistics.rates import Rate
from finetune_prep.workflow.diagnosing.diagnosis import Diagnosis
from finetune_prep.workflow.report import Reported, why_stopped
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.reviewing.judge_word import judge_word
from finetune_prep.workflow.status.next_step import after_pilot
from finetune_prep.workflow.status.standing import pass_rate

UNREAD = 1  # exit code of a run with conversations whose verdict could not be read, or without any verdict
OFF_THE_FORM = "does not follow the schema"
JUDGE_NEEDED = (
    "This judge does not give its verdicts in the form that it is asked for. Name one that does, or serve it where a JSON Schema"
    " is enforced: `finetune-prep doctor` tries that."
)
LONGEST_REASON = 200  # characters


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why scenarios are in a state that is no verdict."""

    state: State
    words: str
    count: int
    example: str
    """Id of the first of these scenarios."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A model that answered under another name than it was asked by."""

    role: str
    asked: str
    served: str
    answers: int


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands at its end, or where it paused."""

    run: str
    planned: int
    states: dict[str, int]
    """Those that occur; they sum to `planned`. What a pilot that was stopped early does not ask for is a state of its own."""
    way: Way
    """How its conversations were made."""
    judged: int
    """Conversations with a verdict that could be read."""
    to_judge: int
    """Conversations that a judge has seen."""
    rate: Rate | None
    """Passed of those that count; None if nothing was judged."""
    judge: str
    """How far the judge's word goes: by people's labels, or that nobody has measured it."""
    stopped: str
    """Why the rest was not asked for, and how it can be; "" where the pilot was not stopped early."""
    figures: Figures | None
    """How far the rubric applied, what evidence lacks, and the habits of the replies; None if nothing was judged."""
    reasons: tuple[Reason, ...]
    """The most frequent first."""
    served: tuple[Served, ...]
    cost: float | None
    """US dollars for its answers, wherever they were paid for; None if a price is unknown."""
    cost_per_accepted: float | None
    cached_share: float | None
    """Of the prompts' tokens, those that came from a provider's cache; None if nobody counted them."""
    saved_by_caches: float | None
    """US dollars, less what writing to caches cost; None if nothing came from one, or no price is known."""
    report: str
    """The report's path in the project."""
    doubt: str
    """What makes its figures suspicious, "" for nothing."""
    advice: str
    """What helps where most verdicts cannot be read, "" where that is not so."""
    diagnosis: Diagnosis | None
    """What the pilot says of the project in words, and what shows it; None if nothing was judged or something is outstanding."""
    although: str
    """Why the next step need not wait for what the diagnosis asks for; "" where the two agree."""
    next: str
    exit_code: int


def summarize(project: Project, run: Run, account: Account, reported: Reported) -> RunSummary:
    """The summary of a pilot whose results are written. reported: by its report."""
    figures, part = reported.figures, reported.costs.of_run(run.name)
    judged = account.judged
    rate = pass_rate(account) if judged else None
    outstanding = bool(account.outstanding or (figures.noise and figures.noise.waiting))
    return RunSummary(
        run=run.name,
        planned=account.planned,
        states=dict(account.in_words),
        way=account.way,
        judged=judged,
        to_judge=judged + account.unjudged,
        rate=rate,
        judge=judge_word(project, run, reviewed(project, run)),
        stopped=why_stopped(run, account),
        figures=figures if judged else None,
        reasons=reasons(run.each_sample()),
        served=served_otherwise(part.lines),
        cost=None if part.unpriced else part.cost,
        cost_per_accepted=per_row(part, account.states.get("accepted", 0)),
        cached_share=part.cached_share,
        saved_by_caches=part.saved(project.config),
        report=project.layout.relative(run.report_path),
        doubt=suspicion(row.answers for row in run.each_verdict()),
        advice=JUDGE_NEEDED if _misses_the_form(run.each_sample(), judged) else "",
        diagnosis=reported.diagnosis,
        although=although(reported.diagnosis, rate),
        next=run.plan.command if outstanding else after_pilot(project, run, account),
        exit_code=Paused.exit_code if outstanding else UNREAD if account.unjudged or not judged else 0,
    )


def although(found: Diagnosis | None, rate: Rate | None) -> str:
    """What is said between a diagnosis that asks for something and a next step that goes on without it."""
    passed = rate is not None and rate.value is not None and rate.value > limits.PASS_RATE
    if found is None or not passed or found.cause in ("ready", "too few"):
        return ""
    enough = f"More than {limits.PASS_RATE:.0%} passed, so the next step does not wait for this."
    if found.cause in ("prompt", "space"):
        return f"{enough} Mended first, more conversations become rows: finetune-prep improve"
    return f"{enough} But mend it first, since what passed rests on it: finetune-prep improve"


def _misses_the_form(samples: Iterable[Sample], judged: int) -> bool:
    """Whether more verdicts miss the schema than could be read: that is the judge's way, and no accident."""
    return sum(sample.state == "unjudged" and OFF_THE_FORM in sample.fault for sample in samples) > judged


def reasons(samples: Iterable[Sample]) -> tuple[Reason, ...]:
    """Why scenarios have no verdict, those that differ in figures only taken together."""
    found: dict[tuple[State, str], Reason] = {}
    for sample in samples:
        if sample.fault and sample.state not in ("accepted", "flawed", "rejected", "duplicate"):
            key = (sample.state, re.sub(r"\d+", "#", sample.fault))
            first = Reason(state=sample.state, words=_short(sample.fault), count=0, example=sample.scenario.id)
            found[key] = msgspec.structs.replace(found.get(key, first), count=found.get(key, first).count + 1)
    return tuple(sorted(found.values(), key=lambda reason: -reason.count))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1].rstrip()}…"


def served_otherwise(lines: Sequence[Consumption]) -> tuple[Served, ...]:
    """Models that answered under another name than they were asked by: a dated version of the same, or another one."""
    counts: dict[tuple[str, str, str], int] = {}
    for line in lines:
        if line.served and line.served != line.model:
            key = (line.role, line.model, line.served)
            counts[key] = counts.get(key, 0) + line.answers
    return tuple(Served(role=role, asked=asked, served=served, answers=count) for (role, asked, served), count in counts.items())

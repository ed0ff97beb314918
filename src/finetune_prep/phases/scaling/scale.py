"""Scaling: conversations of the passed pilot's documents, made and judged until exactly as many rows are accepted as are wanted.

Conversations are drawn, made and judged as in the pilot, from the same stream, so those of the pilot are the first of this run
and cost nothing again. Results are written one by one; what is held in memory of each is its cell, its state and the hashes of
its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from finetune_prep.conversations.near import Near, runs_of
from finetune_prep.core.sample import PASSED, UNSETTLED, Account, Sample
from finetune_prep.core.scenarios.drawing import draw, quotas, require_drawable
from finetune_prep.core.scenarios.scenario import Cell, Scenario
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import DocumentError, NotAgreed, Paused, UsageError
from finetune_prep.phases.pilot.in_order import windowed
from finetune_prep.phases.pilot.made import Made
from finetune_prep.phases.pilot.pilot import Stage, make_sample, row_of, stage_of
from finetune_prep.phases.pilot.plan import current_plan
from finetune_prep.phases.scaling.alike import Alike
from finetune_prep.phases.scaling.allotting import CANDIDATES, Allotment, Candidate
from finetune_prep.phases.scaling.foreseeing import Seen, foreseen
from finetune_prep.phases.scaling.waves import Waves
from finetune_prep.phases.session import Session
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Results, Run, RunPlan, begin, forget, runs
from finetune_prep.project.scaling.result import RESULT, End, Scaled, same_but_for_size, scaled_run_of
from finetune_prep.statistics.volume.drift import TOLERATED, Drift

PROJECTED = 50  # conversations after which it is said how many it will take
TIMES = 3  # that a run begins before it leaves what a provider failed in passing to the next command
FEW = 0.05  # of the conversations
COUNTED = ("accepted", "flawed", "surplus", "rejected", "faulty", "duplicate")  # as a pilot's rate counts them


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a run."""

    rows: int
    """Accepted rows."""
    topic: str = ""
    """The topic of which they are wanted, beside what the run has of all topics; "" for all."""
    most: int | None = None
    """Conversations that may be made; None = four for each row."""


class Passed(NamedTuple):
    """The pilot that has passed."""

    rate: float
    """0 to 1."""
    scenarios: frozenset[str]
    """Ids of its scenarios."""


def scale_plan(project: Project, size: Size) -> RunPlan:
    """What identifies a scaled run of this size with the project as it is now. What was asked for before is kept beside it."""
    plan = msgspec.structs.replace(current_plan(project, size.rows), kind=SCALE, repeat=UNSET)  # that is the pilot's to measure
    known = same_but_for_size(project.layout, plan)
    more = dict(known.plan.topics) if known else {}
    rows = size.rows
    if size.topic:
        more[size.topic] = size.rows
        rows = known.plan.n if known else 0
    plan = msgspec.structs.replace(plan, n=rows)
    if more:
        plan = msgspec.structs.replace(plan, more=more)
    return msgspec.structs.replace(plan, most=size.most) if size.most is not None else plan


def wanted(space: ScenarioSpace, plan: RunPlan) -> dict[Cell, int]:
    """Accepted rows of each cell. Raises DocumentError if the space gives nothing, or has no such topic."""
    try:
        require_drawable(space)
        found = quotas(space, plan.n)
        for topic, rows in plan.topics.items():
            for cell, more in quotas(space, rows, topic).items():
                found[cell] += more
    except ValueError as error:
        path = KINDS[Documents.space.name].path
        raise DocumentError(f"nothing can be planned: {error}", where=path, next="finetune-prep check scenario-space") from error
    return found


async def scale(
    session: Session, size: Size, pilot: Passed, ruled_out: Mapping[str, str], *, window: int | None = None
) -> tuple[Run, Account, Scaled]:
    """Make and judge conversations until the rows are there, or something stops it; write samples, verdicts, account and result.

    ruled_out: ids of conversations that a person has failed or dropped, and why. The same documents give the same run again,
    whatever its size: a larger one goes on with it.
    """
    project = session.project
    plan = scale_plan(project, size)
    cells = wanted(project.value(Documents.space), plan)
    known = {run.name: run.plan for run in runs(project.layout, SCALE)}
    run = scaled_run_of(project.layout, plan)
    try:
        for _ in range(TIMES):
            scaling = Scaling(session, run, cells, pilot, ruled_out)
            account, result = await scaling.go_on(window or session.window)
            if not scaling.may_go_on:
                break
        return run, account, result
    except NotAgreed:
        if run.name not in known:
            forget(run)
        else:  # nothing of its new size was begun
            begin(project.layout, run.name, known[run.name])
        raise


class Scaling:
    """One run while it is being made. What becomes of a conversation is settled in the order of the plan."""

    def __init__(
        self, session: Session, run: Run, quotas: Mapping[Cell, int], pilot: Passed, ruled_out: Mapping[str, str]
    ) -> None:
        most = run.plan.most if isinstance(run.plan.most, int) else CANDIDATES * run.plan.wanted
        self._session = session
        self._run = run
        self._pilot = pilot
        self._ruled_out = ruled_out
        self._space = session.project.value(Documents.space)
        self._stage: Stage = stage_of(session, run)
        self._questions = [question.id for question in self._stage.rubric.questions]
        self._allotment = Allotment(quotas, run.plan.seed, most)
        self._drift = Drift(most)
        self._course = Waves()
        self._alike = Alike()
        self._near = Near()
        self._kept: list[str] = []
        """Ids of the scenarios whose conversations are in `_near`, in its order."""
        self._outstanding = self._unreached = 0
        self._made: set[str] = set()
        """Ids of the scenarios that it has come to."""
        self._rows: set[str] = set()
        """Those of them that are accepted."""
        self._kept_on: Counter[str] = Counter()
        """States of what it had before and has not come to."""

    @property
    def may_go_on(self) -> bool:
        """Whether all that is outstanding is a few calls that a provider failed in passing: what is there costs nothing again."""
        return 0 < self._outstanding == self._unreached <= FEW * max(1, self._allotment.made)

    async def go_on(self, window: int) -> tuple[Account, Scaled]:
        with Results(self._run) as results:
            try:
                end, why = await self._waves(results, window)
            except Paused as stopped:
                if results.account.planned:
                    self._keep_on(results)
                    results.commit(**{RESULT: self._result("paused", stopped.what)})
                    self._tell_what_is_there()
                raise
            if end != "reached":
                self._keep_on(results)
            if end == "exhausted" and self._allotment.accepted < self._allotment.wanted:
                why = self._exhausted()
            elif end == "exhausted":  # with those from before, every row is there
                end = "reached"
            result = self._result(end, why)
            return results.commit(**{RESULT: result}), result

    def _keep_on(self, results: Results) -> None:
        """Write what the run had at an earlier end and has not come to this time: one that is made larger begins anew with its
        first wave, and whoever stops it there must not lose rows by that."""
        with suppress(UsageError):  # a damaged file: this one takes its place
            for sample, verdict in self._run.each_judged():
                if sample.scenario.id not in self._made and sample.state not in UNSETTLED:
                    sample = self._kept_as(sample)
                    results.add(sample, verdict)
                    self._kept_on[sample.state] += 1

    def _kept_as(self, sample: Sample) -> Sample:
        """The state of such a sample, counted. It stays what it was, unless a person has spoken since, or a row says the same."""
        if sample.state == "accepted":
            sample = self._still_a_row(sample)
        accepted = sample.state == "accepted"
        good = accepted or sample.state == "surplus"
        self._allotment.keep(sample.scenario.cell, tried=sample.state in COUNTED, good=good, accepted=accepted)
        return sample

    def _still_a_row(self, sample: Sample) -> Sample:
        assert sample.conversation is not None  # noqa: S101 - what is accepted has one
        if ruled_out := self._ruled_out.get(sample.conversation.id, ""):
            return msgspec.structs.replace(sample, state="flawed", fault=ruled_out)
        found = self._near.earlier(runs_of(sample.conversation))
        if found and self._kept[found[0]] in self._rows:
            return self._duplicate(sample, *found)
        full = self._allotment.accepted >= self._allotment.wanted
        return msgspec.structs.replace(sample, state="surplus") if full else sample

    async def _waves(self, results: Results, window: int) -> tuple[End, str]:
        for wave in self._allotment.waves():
            self._course.begin(fair=self._allotment.is_fair)
            async with aclosing(windowed(wave, self._make, window)) as finished:
                async for made in finished:
                    sample = self._settled(made.sample)
                    results.add(sample, row_of(made, self._questions))
                    self._course.take(sample)
                    self._alike.take(sample)
                    self._project(results.account.planned)
                    if why := self._alike.reason:
                        return "alike", why
                    if self._drift.found:
                        return "drift", self._drifted()
            if self._outstanding:
                return "waiting", ""
            self._tell_how_far()
        if self._allotment.accepted == self._allotment.wanted:
            return "reached", ""
        return "exhausted", ""

    async def _make(self, candidate: Candidate) -> Made:
        return await make_sample(self._stage, self._scenario(candidate))

    def _scenario(self, candidate: Candidate) -> Scenario:
        return draw(self._space, *candidate, self._run.plan.seed)

    def _settled(self, sample: Sample) -> Sample:
        """The state of a sample in this run, counted."""
        tally = self._allotment.cells[sample.scenario.cell]
        ruled_out = self._ruled_out.get(sample.conversation.id, "") if sample.conversation else ""
        passed = sample.state in PASSED
        tally.made += 1
        self._made.add(sample.scenario.id)
        if sample.state in COUNTED:
            self._compare(sample, passed=passed)
        self._outstanding += sample.state in UNSETTLED
        self._unreached += sample.state in UNSETTLED and bool(sample.fault)
        if ruled_out and passed:
            return msgspec.structs.replace(sample, state="flawed", fault=ruled_out)  # the judge did pass it
        if sample.state == "accepted":
            sample = self._new(sample)
        if sample.state != "accepted":
            return sample
        tally.good += 1
        if not tally.missing:
            return msgspec.structs.replace(sample, state="surplus")
        tally.accepted += 1
        self._rows.add(sample.scenario.id)
        return sample

    def _new(self, sample: Sample) -> Sample:
        """The sample; a duplicate if it says nearly the same as an earlier row."""
        assert sample.conversation is not None  # noqa: S101 - what is accepted has one
        said = runs_of(sample.conversation)
        if found := self._near.earlier(said):
            return self._duplicate(sample, *found)
        self._near.add(said)
        self._kept.append(sample.scenario.id)
        return sample

    def _duplicate(self, sample: Sample, number: int, share: float) -> Sample:
        """number: of the conversation in `_near` that says nearly the same."""
        return msgspec.structs.replace(sample, state="duplicate", fault=f"{share:.0%} the same as {self._kept[number]}")

    def _compare(self, sample: Sample, *, passed: bool) -> None:
        """Hold a new conversation against the pilot, or, once cells are made up for, against the beginning of its cell."""
        self._course.count(passed=passed)
        baseline = self._allotment.count(sample.scenario.cell, passed=passed)
        if baseline is None and not self._run.plan.topics:  # the mix of the pilot
            baseline = self._pilot.rate
        if baseline is not None and sample.scenario.id not in self._pilot.scenarios:
            self._drift.take(baseline, passed=passed)
            self._course.compare(baseline, passed=passed)

    def _project(self, planned: int) -> None:
        if planned != PROJECTED:
            return
        accepted, wanted = self._allotment.accepted, self._allotment.wanted
        if not accepted:
            self._session.tell(f"None of the first {PROJECTED} conversations is accepted")
            return
        seen = {cell: Seen(tally.tried, tally.good) for cell, tally in self._allotment.cells.items()}
        rate = sum(cell.good for cell in seen.values()) / PROJECTED
        shares = {cell: tally.planned for cell, tally in self._allotment.cells.items()}
        take = foreseen(shares, self._run.plan.seed, self._allotment.most, rate=rate, seen=seen).conversations
        self._session.tell(
            f"{accepted} of the first {PROJECTED} conversations are accepted; at this rate {wanted:,} rows take about {take:,}"
        )

    def _tell_how_far(self) -> None:
        accepted, wanted, made = self._allotment.accepted, self._allotment.wanted, self._allotment.made
        if accepted < wanted:
            self._session.tell(f"{accepted:,} of {wanted:,} rows are accepted, of {made:,} conversations")

    def _tell_what_is_there(self) -> None:
        accepted, wanted, kept = self._allotment.accepted, self._allotment.wanted, self._kept_on["accepted"]
        before = f", {kept:,} of them from before" if kept else ""
        self._session.tell(f"{self._run.name} has {accepted:,} of {wanted:,} rows{before}")

    def _drifted(self) -> str:
        seen, passed, expected = self._drift.seen, self._drift.passed, self._drift.expected
        return (
            f"fewer pass than in the pilot: {passed:,} of {seen:,} ({passed / seen:.0%}) so far, where {expected / seen:.0%} "
            f"were to be expected; from some point on, more than {100 * TOLERATED:g} points fewer"
        )

    def _exhausted(self) -> str:
        accepted, wanted, made = self._allotment.accepted, self._allotment.wanted, self._allotment.taken
        return f"{accepted:,} of {wanted:,} rows are accepted, and no more come of the {made:,} conversations that were allowed"

    def _result(self, end: End, why: str) -> Scaled:
        return Scaled(
            wanted=self._allotment.wanted,
            accepted=self._allotment.accepted,
            candidates=self._allotment.made,
            most=self._allotment.most,
            end=end,
            why=why,
            cells=self._allotment.lines(),
            baseline=self._pilot.rate,
            tested=self._drift.seen,
            tested_passed=self._drift.passed,
            expected_passed=round(self._drift.expected, 6),
            evidence=round(self._drift.evidence, 6),
            waves=self._course.lines(),
            kept=self._kept_on.total() or UNSET,
            kept_rows=self._kept_on["accepted"] if self._kept_on else UNSET,
        )

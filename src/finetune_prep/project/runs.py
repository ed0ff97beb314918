"""A run's folder: what was planned from which documents, and what became of it.

`runs/pilot-001/` holds plan.json, samples.jsonl, verdicts.jsonl, account.json and report.html; labels.jsonl once
somebody has labelled. `runs/scale-001/` has scale.json beside them. A run is known by its plan: the same documents, models, size
and seed are the same run, so that running a command again goes on with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import UNSET, UnsetType

from finetune_prep.core.rubric import YesNo
from finetune_prep.core.sample import Account, Sample, Tally, Way
from finetune_prep.core.verdict import Judgement, Verdict
from finetune_prep.durable import Together
from finetune_prep.errors import UsageError
from finetune_prep.project.layout import Layout, open_plain, read_plain
from finetune_prep.project.run_folders import forget_unbegun, next_name, pretty, write_plan
from finetune_prep.project.stamps import Items

PLAN = "plan.json"
NAME = re.compile(r"[a-z]+-\d{3,}")
SCALE = "scale"  # the kind of run that goes on until so many rows are accepted


class RunPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a run is made from."""

    kind: str
    """What kind of run it is: "pilot" or "scale"."""
    n: int
    """How many scenarios are planned; of a scaled run, how many accepted rows are wanted."""
    seed: int
    models: dict[str, Any]
    """The model and parameters of each role."""
    made_from: dict[str, Items]
    """The items of each document as they were."""
    language: str = ""
    """The language of the conversations, a BCP 47 tag."""
    prompts: Items = {}
    """The hash of each prompt file that shaped a request."""
    grave: tuple[str, ...] = ()
    """Ids of the questions of which a NO keeps a conversation that passed out of the training rows."""
    way: Way = "turns"
    """How conversations are made."""
    more: dict[str, int] | UnsetType = UNSET
    """Of a scaled run: topic → accepted rows that are wanted beside `n`."""
    most: int | UnsetType = UNSET
    """Of a scaled run: conversations that may be made for it at most."""
    repeat: float | UnsetType = UNSET
    """Of a pilot: share of its conversations that are judged twice. It decides nothing, so it makes no other run."""
    second: float | UnsetType = UNSET
    """Share of its conversations that a second judge reads, too."""

    @property
    def repeated(self) -> float:
        """Share of its conversations that are judged twice, 0 to 1."""
        return self.repeat if isinstance(self.repeat, float) else 0.0

    @property
    def read_by_both(self) -> float:
        """Share of its conversations that a second judge reads, too, 0 to 1."""
        return self.second if isinstance(self.second, float) else 0.0

    @property
    def topics(self) -> dict[str, int]:
        """Topic → accepted rows that are wanted beside `n`."""
        return self.more if isinstance(self.more, dict) else {}

    @property
    def wanted(self) -> int:
        """How many accepted rows a scaled run is to have in all."""
        return self.n + sum(self.topics.values())

    @property
    def command(self) -> str:
        """The command that goes on with it."""
        if self.kind == SCALE:
            topic, rows = next(((topic, rows) for topic, rows in self.topics.items() if not self.n), ("", self.n))
            most = f" --max-candidates {self.most}" if isinstance(self.most, int) else ""
            return f"finetune-prep scale {rows}{f' --topic {topic}' if topic else ''}{most}"
        return f"finetune-prep {self.kind} -n {self.n}{' --one-call' if self.way == 'one-call' else ''}"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run on disk."""

    name: str
    """"pilot-001"."""
    folder: Path
    plan: RunPlan

    @property
    def samples_path(self) -> Path:
        return self.folder / "samples.jsonl"

    @property
    def verdicts_path(self) -> Path:
        return self.folder / "verdicts.jsonl"

    @property
    def account_path(self) -> Path:
        return self.folder / "account.json"

    @property
    def labels_path(self) -> Path:
        return self.folder / "labels.jsonl"

    @property
    def report_path(self) -> Path:
        return self.folder / "report.html"

    def samples(self) -> list[Sample]:
        """Samples in plan order; empty if the run has not come to its end yet."""
        return [*self.each_sample()]

    def each_sample(self) -> Iterator[Sample]:
        """The same one by one, for runs that do not fit into memory."""
        return _each_row(self.samples_path, Sample)

    def verdicts(self) -> list[VerdictRow]:
        return [*self.each_verdict()]

    def each_verdict(self) -> Iterator[VerdictRow]:
        return _each_row(self.verdicts_path, VerdictRow)

    def each_judged(self) -> Iterator[tuple[Sample, VerdictRow | None]]:
        """Samples one by one, each with its verdict if there is one: both stand in the same order."""
        verdicts = self.each_verdict()
        verdict = next(verdicts, None)
        for sample in self.each_sample():
            if verdict is None or verdict.scenario != sample.scenario.id:
                yield sample, None
                continue
            yield sample, verdict
            verdict = next(verdicts, None)

    def account(self) -> Account | None:
        if not self.account_path.exists():
            return None
        try:
            return msgspec.json.decode(read_plain(self.account_path), type=Account)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"this account cannot be read: {error}",
                where=f"{self.name}/{self.account_path.name}",
                next=f"{self.plan.command}, which writes it anew",
            ) from error


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What one judge said of a conversation in one reading."""

    judge: str
    answers: dict[str, YesNo | None] = {}
    """As of `VerdictRow`; empty while it is outstanding."""
    evidence: dict[str, str] = {}
    unsupported: tuple[str, ...] = ()
    case: Judgement | None = None
    missing: str = ""
    """Why it has no score."""
    waiting: str = ""
    """Why it is outstanding, "" if it is there."""

    @property
    def complete(self) -> bool:
        return not (self.missing or self.waiting)


class VerdictRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A verdict as it stands in verdicts.jsonl."""

    conversation_id: str
    scenario: str
    judge: str
    rubric: str
    answers: dict[str, YesNo | None]
    """None = missing."""
    evidence: dict[str, str]
    unsupported: tuple[str, ...] = ()
    case: Judgement | None = None
    """Whether what the conversation's special case asks for was done; None if it is no such case."""
    missing: str = ""
    again: Reading | None = None
    """What the first judge said the second time, which decides nothing; None if nobody asked."""
    readings: tuple[Reading, ...] = ()
    """Of a run with a second judge: what each who has read this conversation said. The row itself is what decides."""

    @property
    def first(self) -> Reading | VerdictRow:
        """The first judge's own verdict."""
        return self.readings[0] if self.readings else self


def verdict_row(
    scenario: str, verdict: Verdict, questions: list[str], again: Reading | None = None, readings: tuple[Reading, ...] = ()
) -> VerdictRow:
    """questions: ids of all questions of the rubric, in order."""
    given = verdict.answers
    return VerdictRow(
        conversation_id=verdict.conversation,
        scenario=scenario,
        judge=verdict.judge,
        rubric=verdict.rubric,
        answers={question: given[question].answer if question in given else None for question in questions},
        evidence={question: given[question].evidence for question in questions if question in given},
        unsupported=verdict.unsupported,
        case=verdict.case,
        missing=verdict.missing,
        again=again,
        readings=readings,
    )


def reading(verdict: Verdict, questions: list[str]) -> Reading:
    """questions: as of `verdict_row`."""
    given = verdict.answers
    return Reading(
        judge=verdict.judge,
        answers={question: given[question].answer if question in given else None for question in questions},
        evidence={question: given[question].evidence for question in questions if question in given},
        unsupported=verdict.unsupported,
        case=verdict.case,
        missing=verdict.missing,
    )


def runs(layout: Layout, kind: str = "") -> list[Run]:
    """All runs of the project by name, oldest first."""
    found = []
    for path in sorted(layout.runs.glob(f"*/{PLAN}")):
        if not NAME.fullmatch(path.parent.name):
            continue  # a person's copy
        try:
            plan = msgspec.json.decode(read_plain(path), type=RunPlan)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"this plan cannot be read: {error}", where=layout.relative(path), next=f"delete the folder {path.parent.name}"
            ) from error
        if not kind or plan.kind == kind:
            found.append(Run(name=path.parent.name, folder=path.parent, plan=plan))
    return found


def require_run(layout: Layout, name: str) -> None:
    """Raise UsageError if there is no run of this name; those that there are are named."""
    known = [run.name for run in runs(layout)]
    if name not in known:
        there = f"one of: {', '.join(known)}" if known else "finetune-prep pilot, which makes the first one"
        raise UsageError(f"there is no run {name}", next=there)


def run_of(layout: Layout, plan: RunPlan) -> Run:
    """The run of this plan: the one that exists, or a new one under the next number.

    What an existing one judged twice stays so; where the plan asks for a larger share, it is that from now on.
    """
    known = runs(layout, plan.kind)
    for run in known:
        if same_run(run.plan, plan):
            return run if run.plan.repeated >= plan.repeated else begin(layout, run.name, plan)
    return begin(layout, next_name(plan.kind, (run.name for run in known)), plan)


def same_run(one: RunPlan, other: RunPlan) -> bool:
    """Whether two plans are those of the same run: how much of it is judged twice is no matter."""
    return msgspec.structs.replace(one, repeat=UNSET) == msgspec.structs.replace(other, repeat=UNSET)


def begin(layout: Layout, name: str, plan: RunPlan) -> Run:
    """Write a run's plan: from here on it is the run of this plan. An earlier plan of this name is replaced."""
    folder = layout.runs / name
    write_plan(folder, PLAN, plan)
    return Run(name=name, folder=folder, plan=plan)


def forget(run: Run) -> None:
    """Take away a run that was refused before anything was asked; one with anything but its plan stays."""
    forget_unbegun(run.folder, PLAN)


class Results:
    """Samples and verdicts of a run, written one by one, so that their number is no matter of memory.

    They take the place of the earlier ones when `commit` is called; until then nothing has changed. A context manager.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._files = Together(run.folder)
        self._tally = Tally()

    def __enter__(self) -> Self:
        self._files.__enter__()
        self._samples = self._files.begin(self._run.samples_path.name)
        self._verdicts = self._files.begin(self._run.verdicts_path.name)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._files.__exit__(kind, error, trace)

    def add(self, sample: Sample, verdict: VerdictRow | None) -> None:
        self._tally.take(sample)
        self._samples.write(msgspec.json.encode(sample) + b"\n")
        if verdict is not None:
            self._verdicts.write(msgspec.json.encode(verdict) + b"\n")

    @property
    def account(self) -> Account:
        return self._tally.account(self._run.plan.way)

    def commit(self, **beside: Any) -> Account:
        """Put everything into its place, with the account and further values, each as NAME.json. No time of day is in it."""
        account = self.account
        for name, value in {"account": account, **beside}.items():
            self._files.put(f"{name}.json", pretty(value))
        self._files.commit()
        return account


def _each_row(path: Path, kind: type[Any]) -> Iterator[Any]:
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(kind)
    with open_plain(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise UsageError(
                    f"this row cannot be read: {error}",
                    where=f"{path.parent.name}/{path.name}:{number}",
                    next="run the command of the run again",
                ) from error

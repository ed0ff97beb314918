"""A probing run's folder: `runs/probe-001/` holds probe.json (its plan), trials.jsonl and result.json.

It is known by its plan like every other run, and bound to rubric and judge.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from finetune_prep.core.probe import Trial
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.project.layout import Layout, read_plain
from finetune_prep.project.run_folders import forget_unbegun, next_name, pretty, write_plan

PLAN = "probe.json"
NAME = re.compile(r"(?:probe|failures)-\d{3,}")
ProbeKind = Literal["probe", "failures"]


class ProbePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a probing run is made from."""

    kind: ProbeKind
    """Edits that break what questions ask for, or failures planted by somebody who knows no question."""
    gate: int
    """Valid edits wanted of each question of the gate."""
    each: int
    """The same of every other question."""
    neutral: int
    """Neutral edits, in all."""
    questions: tuple[str, ...] = ()
    """The only ones that are probed; none: all of them."""
    seed: int
    source: str
    """Where the unedited conversations come from: the name of a pilot, or "few-shots"."""
    bases: tuple[str, ...]
    """Ids of the unedited conversations."""
    rubric: str
    """The rubric's version."""
    subjects: str
    """Hash of the questions' anchors and failure modes, of which it plants failures."""
    evaluation_prompt: str
    """Hash of the text that the judge is given."""
    models: dict[str, Any]
    """The model and parameters of judge, writer and verifier."""
    prompts: dict[str, str]
    """The hash of each prompt file that shaped a request."""

    @property
    def command(self) -> str:
        """The command that goes on with it."""
        if self.kind == "failures":
            return "finetune-prep probe --failures"
        only = "".join(f" --question {id}" for id in self.questions)
        return f"finetune-prep probe{only} --gate {self.gate} --each {self.each} --neutral {self.neutral}"


class ProbeRun(msgspec.Struct, frozen=True, kw_only=True):
    """A probing run on disk."""

    name: str
    """"probe-001"."""
    folder: Path
    plan: ProbePlan

    @property
    def trials_path(self) -> Path:
        return self.folder / "trials.jsonl"

    @property
    def result_path(self) -> Path:
        return self.folder / "result.json"

    @property
    def finished(self) -> bool:
        """Whether it has come to its end."""
        return self.result_path.exists()


def probe_runs(layout: Layout, kind: ProbeKind) -> list[ProbeRun]:
    """All probing runs of a kind, oldest first."""
    found = []
    for path in sorted(layout.runs.glob(f"*/{PLAN}")):
        if not NAME.fullmatch(path.parent.name):
            continue  # a person's copy
        try:
            plan = msgspec.json.decode(read_plain(path), type=ProbePlan)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"this plan cannot be read: {error}", where=layout.relative(path), next=f"delete the folder {path.parent.name}"
            ) from error
        if plan.kind == kind:
            found.append(ProbeRun(name=path.parent.name, folder=path.parent, plan=plan))
    return found


def probe_run_of(layout: Layout, plan: ProbePlan) -> ProbeRun:
    """The run of this plan: the one that exists, or a new one under the next number, whose folder is made when it is written."""
    known = probe_runs(layout, plan.kind)
    for run in known:
        if run.plan == plan:
            return run
    name = next_name(plan.kind, (run.name for run in known))
    return ProbeRun(name=name, folder=layout.runs / name, plan=plan)


def begin(run: ProbeRun) -> None:
    """Write its plan: from here on it is the run of this plan."""
    write_plan(run.folder, PLAN, run.plan)


def forget(run: ProbeRun) -> None:
    """Take away a run that was refused before anything was asked; one with anything but its plan stays."""
    forget_unbegun(run.folder, PLAN)


def write_trials(run: ProbeRun, trials: list[Trial], result: Any) -> None:
    """Write what came of it, without any time of day. result: what is said of it, for people and scripts to read."""
    write_atomically(run.trials_path, b"".join(msgspec.json.encode(trial) + b"\n" for trial in trials))
    write_atomically(run.result_path, pretty(result))

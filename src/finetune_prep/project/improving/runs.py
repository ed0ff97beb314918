"""The folders of `improve`: `runs/improve-001/` holds improve.json (its plan) and proposals.json; `runs/edit-001/`, the trial of
an edit, holds edit.json (its plan), talks.jsonl, to-label.jsonl and result.json.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from finetune_prep.core.improving.edit import EditTalk, Proposal
from finetune_prep.core.sample import Way
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.project.layout import Layout, read_plain
from finetune_prep.project.run_folders import forget_unbegun, next_name, pretty, write_plan

T = TypeVar("T")
P = TypeVar("P", bound=msgspec.Struct)

IMPROVE, EDIT = "improve", "edit"


class ImprovePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What diagnoses and proposals are made from."""

    source: str
    """Name of the pilot."""
    verdicts: str
    """Hash of its samples and verdicts."""
    said: str
    """Hash of what people said of its talks, and of what probes found."""
    documents: dict[str, str]
    """Hash of each document's text."""
    model: dict[str, Any]
    """The model and parameters of whoever words the edits."""
    prompts: dict[str, str]
    """The hash of each prompt file that shaped a request."""


class ImproveRun(msgspec.Struct, frozen=True, kw_only=True):
    """Diagnoses and proposals on disk."""

    name: str
    """"improve-001"."""
    folder: Path
    plan: ImprovePlan

    @property
    def proposals_path(self) -> Path:
        return self.folder / "proposals.json"

    def proposals(self) -> tuple[Proposal, ...]:
        """What was proposed; nothing if it has not come to its end. Raises UsageError if it cannot be read."""
        if not self.proposals_path.exists():
            return ()
        found: tuple[Proposal, ...] = _decoded(
            self.proposals_path, tuple[Proposal, ...], "finetune-prep improve, which writes it anew"
        )
        return found

    def id_of(self, number: int) -> str:
        """By which a decision names a proposal: "improve-001/2"."""
        return f"{self.name}/{number}"


class EditPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the trial of an edit is made from."""

    edit: str
    """"improve-001/2"."""
    document: str
    before: str
    """Hash of the document's text without the edit."""
    after: str
    source: str
    """The pilot that gave the diagnosis."""
    question: str
    """The question that the edit is for, named before the first reply."""
    cycle: int
    """Which trial of this pilot's edits it is, from 1."""
    cycles: int
    """How many were planned: each has scenarios of its own, tested at .05 over this."""
    seen: tuple[Scenario, ...]
    """Scenarios of the pilot in which the failure showed, with dice of their own."""
    audit: tuple[Scenario, ...]
    """Scenarios that no diagnosis has seen."""
    way: Way
    models: dict[str, Any]
    texts: dict[str, str]
    """Hash of what each side is given."""
    rubric: str
    """The rubric's version."""
    prompts: dict[str, str]
    second: bool
    """Whether another judge reads the talks, too."""

    @property
    def number(self) -> int:
        return int(self.edit.rpartition("/")[2])

    @property
    def command(self) -> str:
        """The command that goes on with it."""
        way = " --one-call" if self.way == "one-call" else ""
        return f"finetune-prep improve --test -n {len(self.audit)} --cycles {self.cycles}{way}"


class EditRun(msgspec.Struct, frozen=True, kw_only=True):
    """The trial of an edit on disk."""

    name: str
    """"edit-001"."""
    folder: Path
    plan: EditPlan

    @property
    def talks_path(self) -> Path:
        return self.folder / "talks.jsonl"

    @property
    def to_label_path(self) -> Path:
        return self.folder / "to-label.jsonl"

    @property
    def result_path(self) -> Path:
        return self.folder / "result.json"

    @property
    def finished(self) -> bool:
        return self.result_path.exists()

    def talks(self) -> list[EditTalk]:
        """Its talks; none if it has not come to its end. Raises UsageError for one that cannot be read."""
        if not self.talks_path.exists():
            return []
        decoder = msgspec.json.Decoder(EditTalk)
        try:
            return [decoder.decode(line) for line in read_plain(self.talks_path).splitlines()]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            where = f"{self.name}/{self.talks_path.name}"
            raise UsageError(f"this file cannot be read: {error}", where=where, next=self.plan.command) from error

    def result(self, kind: type[T]) -> T | None:
        """What was said of it; None if it has not come to its end."""
        return _decoded(self.result_path, kind, f"{self.plan.command}, which writes it anew") if self.finished else None


def improve_runs(layout: Layout) -> list[ImproveRun]:
    """All lists of proposals, oldest first."""
    return [ImproveRun(name=path.name, folder=path, plan=plan) for path, plan in _plans(layout, IMPROVE, ImprovePlan)]


def edit_runs(layout: Layout) -> list[EditRun]:
    """All trials, oldest first."""
    return [EditRun(name=path.name, folder=path, plan=plan) for path, plan in _plans(layout, EDIT, EditPlan)]


def improve_run_of(layout: Layout, plan: ImprovePlan) -> ImproveRun:
    """The run of this plan: the one that exists, or a new one, whose folder is made when it is written."""
    known = improve_runs(layout)
    name = next_name(IMPROVE, (run.name for run in known))
    new = ImproveRun(name=name, folder=layout.runs / name, plan=plan)
    return next((run for run in known if run.plan == plan), new)


def new_edit_run(layout: Layout, plan: EditPlan) -> EditRun:
    """A trial under the next number, whose folder is made when it is written."""
    name = next_name(EDIT, (run.name for run in edit_runs(layout)))
    return EditRun(name=name, folder=layout.runs / name, plan=plan)


def begin(run: ImproveRun | EditRun) -> None:
    """Write its plan: from here on it is the run of this plan."""
    write_plan(run.folder, _plan_file(run), run.plan)


def forget(run: ImproveRun | EditRun) -> None:
    """Take away a run that was refused before anything was asked; one with anything but its plan stays."""
    forget_unbegun(run.folder, _plan_file(run))


def write_proposals(run: ImproveRun, proposals: Sequence[Proposal]) -> None:
    write_atomically(run.proposals_path, pretty(proposals))


def write_trial(run: EditRun, talks: Sequence[EditTalk], to_label: Sequence[dict[str, Any]], result: Any) -> None:
    """Write what came of a trial, without any time of day. to_label: its talks for people to read, arms hidden."""
    write_atomically(run.talks_path, b"".join(msgspec.json.encode(talk) + b"\n" for talk in talks))
    write_atomically(run.to_label_path, b"".join(msgspec.json.encode(row) + b"\n" for row in to_label))
    write_result(run, result)


def write_result(run: EditRun, result: Any) -> None:
    write_atomically(run.result_path, pretty(result))


def _plan_file(run: ImproveRun | EditRun) -> str:
    return f"{EDIT if isinstance(run, EditRun) else IMPROVE}.json"


def _plans(layout: Layout, kind: str, struct: type[P]) -> list[tuple[Path, P]]:
    found = []
    for path in sorted(layout.runs.glob(f"*/{kind}.json")):
        if re.fullmatch(rf"{kind}-\d{{3,}}", path.parent.name):  # anything else is a person's copy
            found.append((path.parent, _decoded(path, struct, f"delete the folder {path.parent.name}")))
    return found


def _decoded(path: Path, kind: Any, fix: str) -> Any:
    try:
        return msgspec.json.decode(read_plain(path), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"this file cannot be read: {error}", where=f"{path.parent.name}/{path.name}", next=fix) from error

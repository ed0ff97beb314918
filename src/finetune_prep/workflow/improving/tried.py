"""A trial as a person, a script or an agent is told of it; an edit that it does not bear out is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from finetune_prep.core.improving.edit import EditTalk
from finetune_prep.core.rubric import YesNo
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import ActNeeded, Paused, UsageError
from finetune_prep.models.costs import costs
from finetune_prep.phases.improving.trial import Tried, Wanted, said_of, try_edit
from finetune_prep.phases.session import Session
from finetune_prep.project.improving.runs import EditRun, edit_runs, write_result
from finetune_prep.project.project import Project
from finetune_prep.records.labels import read_labels
from finetune_prep.statistics.improving.trial import Trial
from finetune_prep.workflow.improving.edits import EditView, edited, taken
from finetune_prep.workflow.improving.sentences import beside, left_out, upshot
from finetune_prep.workflow.improving.taking import undo

LABELS = 40  # talks that people read before their word decides about an edit: 20 scenarios, both ways
AGAIN = "finetune-prep improve"


class TrialSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A trial at its end, or where it waits."""

    run: str
    edit: str
    document: str
    question: str
    result: Trial | None
    """None while answers are outstanding."""
    upshot: str
    beside: tuple[str, ...]
    put_back: bool
    """Whether the document has the text it had before the edit again."""
    waiting: int
    why_waiting: str
    cost: float | None
    """US dollars for its answers; None if a price is unknown."""
    next: str
    exit_code: int


async def tried(session: Session, wanted: Wanted) -> TrialSummary:
    """Try the edit that was taken. Raises ActNeeded if there is none, or talks cannot show what it does."""
    project = session.project
    done = await try_edit(session, edited(project, require_taken(project)), wanted)
    part = (await costs(session.door.ledger)).of_run(done.run.name)
    return _summary(project, done, None if part.unpriced else part.cost)


def require_taken(project: Project) -> EditView:
    """The edit that waits for its trial. Raises ActNeeded if there is none."""
    if (view := taken(project)) is None:
        raise ActNeeded("no edit is taken that was not tried", next="finetune-prep improve, and take one of those it proposes")
    return view


def labelled(project: Project, path: Path) -> TrialSummary:
    """What the latest trial says with people's labels of its talks. Raises UsageError for a file that cannot be used."""
    finished = [run for run in edit_runs(project.layout) if run.finished]
    if not finished:
        raise ActNeeded("no edit was tried yet", next="finetune-prep improve --test")
    run = finished[-1]
    talks = run.talks()
    answers = _answers(project, run, talks, path)
    both = {scenario for arm, scenario in answers if arm == "placebo"} & {scenario for arm, scenario in answers if arm == "edit"}
    there = len({talk.scenario for talk in talks if talk.state == "judged"})
    if len(both) < min(LABELS // 2, there):
        raise UsageError(
            f"people have read both talks of {len(both)} scenarios of {run.name}; {min(LABELS // 2, there)} are needed, or an "
            "edit that helps would look like one that does not",
            where=str(path),
            next=f"label more of {project.layout.relative(run.to_label_path)}, in its order",
        )
    result = said_of(project, run, talks, answers)
    write_result(run, result)
    return _summary(project, Tried(run=run, result=result, talks=tuple(talks)), None)


def _answers(project: Project, run: EditRun, talks: list[EditTalk], path: Path) -> Mapping[tuple[str, str], YesNo]:
    """People's answers to the trial's question, by arm and scenario; a label without answers counts as a whole."""
    said: dict[str, YesNo] = {}
    for label in read_labels(path, project.value(Documents.rubric)).rows:
        if label.kind == "model" or label.label not in ("pass", "fail"):
            continue
        whole: YesNo = "yes" if label.label == "pass" else "no"
        said.setdefault(label.conversation, label.answers.get(run.plan.question, whole))
    each = [(talk, talk.conversation) for talk in talks if talk.state == "judged"]
    return {
        (talk.arm, talk.scenario): said[conversation.id]
        for talk, conversation in each
        if conversation is not None and conversation.id in said
    }


def _summary(project: Project, done: Tried, cost: float | None) -> TrialSummary:
    run, result = done.run, done.result
    path = project.layout.relative(run.folder)
    back = undo(project, run.plan.edit) if result is not None and result.word != "kept" else ""
    lines = (*beside(result, run, path), *filter(None, [left_out(done.talks)])) if result else ()
    return TrialSummary(
        run=run.name,
        edit=run.plan.edit,
        document=KINDS[run.plan.document].path,
        question=run.plan.question,
        result=result,
        upshot=upshot(result) if result else "",
        beside=lines,
        put_back=bool(back),
        waiting=done.waiting,
        why_waiting=done.why_waiting,
        cost=cost,
        next=_next(run, result),
        exit_code=0 if result else Paused.exit_code,
    )


def _next(run: EditRun, result: Trial | None) -> str:
    if result is None:
        return run.plan.command
    return f"finetune-prep accept {run.plan.document}" if result.word == "kept" else AGAIN

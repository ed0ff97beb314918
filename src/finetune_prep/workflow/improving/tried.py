"""A trial as a person, a script or an agent is told of it; an edit that it does not bear out is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from finetune_prep.core.improving.edit import EditTalk
from finetune_prep.core.rubric import YesNo
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import ActNeeded, Paused, UsageError
from finetune_prep.labels.label import DECIDED
from finetune_prep.models.costs import costs
from finetune_prep.phases.improving.trial import Tried, Wanted, said_of, try_edit
from finetune_prep.phases.session import Session
from finetune_prep.project.improving.runs import EditRun, write_result
from finetune_prep.project.project import Project
from finetune_prep.records.labels import Label, read_labels
from finetune_prep.statistics.improving.trial import Trial
from finetune_prep.workflow.improving.edited import edited
from finetune_prep.workflow.improving.edits import EditView, taken
from finetune_prep.workflow.improving.labelling import WANTED, decided_both, last_trial
from finetune_prep.workflow.improving.sentences import beside, left_out, upshot
from finetune_prep.workflow.improving.taking import undo

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
    failing: tuple[EditTalk, ...]
    """Talks that the gate fails with the edit and not without it: to be read, whatever the test says."""
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
    run = last_trial(project)
    talks = run.talks()
    rows = read_labels(path, project.value(Documents.rubric)).rows
    answers = _answers(run, talks, rows)
    judged = [talk for talk in talks if talk.conversation and talk.state == "judged"]
    both = decided_both(judged, {row.conversation for row in rows if row.label in DECIDED and row.kind != "model"})
    read = {row.conversation for row in rows}
    if both < WANTED // 2 and any(talk.conversation.id not in read for talk in judged if talk.conversation):
        raise UsageError(
            f"people have read both conversations of {both} scenarios of {run.name}; {WANTED // 2} are needed, or an edit that "
            "helps would look like one that does not",
            where=project.layout.relative(path.resolve()),
            next="finetune-prep improve --label",
        )
    result = said_of(project, run, talks, answers)
    write_result(run, result)
    return _summary(project, Tried(run=run, result=result, talks=tuple(talks)), None)


def _answers(run: EditRun, talks: Sequence[EditTalk], rows: Sequence[Label]) -> Mapping[tuple[str, str], YesNo]:
    """People's answers to the trial's question, by arm and scenario; a label without answers counts as a whole."""
    said: dict[str, YesNo] = {}
    for label in rows:
        if label.kind == "model" or label.label not in DECIDED:
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
        failing=_failing(result, done.talks) if result else (),
        put_back=bool(back),
        waiting=done.waiting,
        why_waiting=done.why_waiting,
        cost=cost,
        next=_next(run, result),
        exit_code=0 if result else Paused.exit_code,
    )


def _failing(result: Trial, talks: tuple[EditTalk, ...]) -> tuple[EditTalk, ...]:
    return tuple(talk for talk in talks if talk.arm == "edit" and talk.scenario in result.gate.worse)


def _next(run: EditRun, result: Trial | None) -> str:
    if result is None:
        return run.plan.command
    # a judge has not read the edited text yet, and `accept` asks for that
    return f"finetune-prep check {run.plan.document} --judge" if result.word == "kept" else AGAIN

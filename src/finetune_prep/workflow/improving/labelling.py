"""People's word on the talks of a trial, given without knowing which prompt they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.improving.edit import EditTalk
from finetune_prep.core.rubric import Question, YesNo
from finetune_prep.core.verdict import CASE
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import append_durably
from finetune_prep.errors import ActNeeded
from finetune_prep.project.improving.runs import EditRun, edit_runs
from finetune_prep.project.project import Project
from finetune_prep.records.labels import read_labels

WANTED = 40  # talks that people read before their word decides about an edit: 20 scenarios, both ways


class ToLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A talk for a person to read."""

    conversation: Conversation
    number: int
    """From 1, of `WANTED` or of all there are."""
    of: int
    expected: str = ""
    """What the special case asks for, where that is the question."""


def last_trial(project: Project) -> EditRun:
    """The latest trial that has come to its end. Raises ActNeeded if there is none."""
    finished = [run for run in edit_runs(project.layout) if run.finished]
    if not finished:
        raise ActNeeded("no edit was tried yet", next="finetune-prep improve --test")
    return finished[-1]


def labels_of(run: EditRun) -> Path:
    return run.folder / "labels.jsonl"


def question_of(project: Project, run: EditRun) -> Question:
    """What people are asked about each talk: the question that the edit is for."""
    known = {question.id: question for question in project.value(Documents.rubric).questions}
    return known.get(run.plan.question, Question(id=CASE, text="Was what this case asks for done?"))


def to_label(project: Project, run: EditRun) -> Iterator[ToLabel]:
    """The talks that are still to be read, in their order, until enough are decided; what is saved meanwhile counts."""
    talks = [talk for talk in run.talks() if talk.conversation and talk.state == "judged"]
    each = {talk.conversation.id: (talk.scenario, talk.conversation) for talk in talks if talk.conversation}
    order = [str(msgspec.json.decode(line)["id"]) for line in run.to_label_path.read_bytes().splitlines()]
    expected = {one.id: one.expected for one in (*run.plan.seen, *run.plan.audit)} if run.plan.question == CASE else {}
    for id in order:
        read, decided = _said(project, run)
        if decided_both(talks, decided) >= WANTED // 2:
            return
        if id not in read:
            scenario, conversation = each[id]
            number, of = len(read) + 1, max(min(WANTED, len(order)), len(read) + 1)
            yield ToLabel(conversation=conversation, number=number, of=of, expected=expected.get(scenario, ""))


def decided_both(talks: Iterable[EditTalk], decided: Collection[str]) -> int:
    """Scenarios of which both talks are decided. decided: ids of conversations."""
    arms = Counter(talk.scenario for talk in talks if talk.conversation and talk.conversation.id in decided)
    return sum(count == 2 for count in arms.values())


def say(project: Project, run: EditRun, conversation: Conversation, answer: YesNo | None, by: str) -> None:
    """Save what a person says of a talk, durably. answer: to the trial's question alone; None = cannot tell."""
    row = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "labeller": {"name": by, "kind": "person"},
        "conversation_id": conversation.id,
        "rubric": run.plan.rubric,
        "stage": "blind",
        "label": {"yes": "pass", "no": "fail"}.get(answer or "", "defer"),
        "answers": {run.plan.question: answer} if answer else {},
        "note": f"to {run.plan.question} alone",
    }
    append_durably(labels_of(run), msgspec.json.encode(row).decode())


def _said(project: Project, run: EditRun) -> tuple[frozenset[str], frozenset[str]]:
    """Ids of the talks that were read, and of those that were decided."""
    path = labels_of(run)
    rows = read_labels(path, project.value(Documents.rubric)).rows if path.is_file() else ()
    return frozenset(row.conversation for row in rows), frozenset(row.conversation for row in rows if row.label != "defer")

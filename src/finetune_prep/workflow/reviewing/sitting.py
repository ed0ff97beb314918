"""One labeller's sitting over the draw of a run: what is to be read, what may be seen, and what is saved.

The only way to a verdict that a face has is `Sitting.revealed`, and it gives none before this labeller has decided.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from finetune_prep.core.rubric import Question, Rubric, YesNo
from finetune_prep.core.sample import PASSED
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.labels.drawing import Drawn, draw
from finetune_prep.labels.file import read_labels, record_label
from finetune_prep.labels.label import DECIDED, Label, Labeller, Opinion, Stage, Word, opinions, sees_for_the_first_time
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, VerdictRow, require_run, runs
from finetune_prep.workflow.reviewing.counting import to_be_read
from finetune_prep.workflow.reviewing.due import due

LONGEST = 2000  # characters of a note
OPPOSITE: dict[Word, Word] = {"pass": "fail", "fail": "pass"}


class LabelChanged(UsageError):
    """The labeller has labelled the same conversation elsewhere since it was shown here. Nothing is lost: both are told."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A question with the judge's answer."""

    question: str
    text: str
    answer: str
    """"yes", "no", "na" or "missing"."""
    evidence: str


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge said, for somebody who has decided."""

    judge: str
    passed: bool
    score: float | None
    answers: tuple[Answered, ...]
    """What was answered NO first."""


class Sitting(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn is fixed when the sitting opens; labels are read from disk each time, as others may be labelling."""

    project: Project
    run: Run
    labeller: Labeller
    rubric: Rubric
    wanted: int
    """How many conversations the draw was to hold, without those that come again."""
    drawn: tuple[Drawn, ...]
    verdicts: dict[str, VerdictRow]
    """By conversation."""

    def given(self, position: int) -> Label | None:
        """What the labeller has said of this place of the draw and of the present rubric, if it still holds."""
        return self._given(self._opinions(), position)

    def times(self, position: int) -> int:
        """How often the labeller has said something of this conversation: what a face saw when it showed it."""
        conversation = self.drawn[position].conversation_id
        labels = read_labels(self.run.labels_path).labels
        return sum(label.labeller == self.labeller and label.conversation_id == conversation for label in labels)

    def waiting(self) -> tuple[int, ...]:
        """Places without a decision, those that were deferred last."""
        held = self._opinions()
        given = [self._given(held, position) for position in range(len(self.drawn))]
        deferred = [position for position, label in enumerate(given) if label is not None and label.label == "defer"]
        return (*(position for position, label in enumerate(given) if label is None), *deferred)

    def revealed(self, position: int) -> Revealed | None:
        """What the judge said; None unless the labeller's decision is on disk, and where there is no verdict."""
        given = self.given(position)
        row = self.verdicts.get(self.drawn[position].conversation_id)
        sample = self.drawn[position].sample
        if given is None or given.label not in DECIDED or row is None or sample.steered:
            return None
        texts = {question.id: question.text for question in self.rubric.questions} if row.rubric == self.rubric.version else {}
        answers = [
            Answered(question=id, text=texts.get(id, ""), answer=answer or "missing", evidence=row.evidence.get(id, ""))
            for id, answer in row.answers.items()
        ]
        return Revealed(
            judge=row.judge,
            passed=sample.state in PASSED,
            score=sample.score,
            answers=tuple(sorted(answers, key=lambda answered: answered.answer != "no")),
        )

    def questions(self) -> tuple[Question, ...]:
        """What a person may answer one by one, in the order in which the judge is asked."""
        return self.rubric.questions

    def say(
        self,
        position: int,
        word: Word,
        *,
        note: str = "",
        answers: dict[str, YesNo] | None = None,
        missed: tuple[str, ...] = (),
        seconds: float | None = None,
        seen: int | None = None,
    ) -> Label:
        """Save a label; it is on disk when this returns.

        seen: `times` when the conversation was shown. Raises UsageError for a failure without a reason, LabelChanged if more has
        been said since.
        """
        if seen is not None and seen != self.times(position):
            raise LabelChanged("you have labelled this conversation elsewhere meanwhile", next="look at it again")
        said, failures = _line(note), tuple(filter(None, map(_line, missed)))
        given = {
            id: answer for id, answer in (answers or {}).items() if id in {question.id for question in self.rubric.questions}
        }
        if word == "fail" and not (said or failures or "no" in given.values()):
            raise UsageError("a failure needs a reason", next="say in one line why it fails")
        labels = read_labels(self.run.labels_path).labels
        first = sees_for_the_first_time(labels, self.labeller, self.drawn[position].conversation_id)
        timed = seconds is not None and self.labeller.kind == "person"
        return self._record(
            self._label(position, word, "blind" if first else "revealed"),
            note=said,
            answers=given,
            missed=failures,
            judge="" if first else self._judge(position),
            seconds=round(seconds or 0.0, 1) if timed else None,
        )

    def stand_by(self, position: int) -> Label:
        """A second event: the verdict was shown, and the labeller says the same as before."""
        return self._second(position, self._decided(position).label)

    def change(self, position: int) -> Label:
        """A second event: the verdict was shown, and the labeller says the opposite now. The first label stays in the file."""
        return self._second(position, OPPOSITE[self._decided(position).label])

    def withdraw(self, position: int) -> Label:
        """Take back label, answers and note; the file keeps that they were given. Raises UsageError if there is no label."""
        if self.given(position) is None:
            raise UsageError("there is no label to take back", next="label it: P pass, F fail, D defer")
        labels = read_labels(self.run.labels_path).labels
        first = sees_for_the_first_time(labels, self.labeller, self.drawn[position].conversation_id)
        return self._record(self._label(position, "withdrawn", "blind" if first else "revealed"))

    def _second(self, position: int, word: Word) -> Label:
        given = self._decided(position)
        label = self._label(position, word, "revealed")
        return self._record(label, judge=self._judge(position), note=given.note, answers=given.answers, missed=given.missed)

    def _decided(self, position: int) -> Label:
        given = self.given(position)
        if given is None or given.label not in DECIDED:
            raise UsageError("the verdict is shown once you have decided", next="label it first: P pass, F fail")
        return given

    def _judge(self, position: int) -> str:
        row = self.verdicts.get(self.drawn[position].conversation_id)
        return row.judge if row is not None else ""

    def _label(self, position: int, word: Word, stage: Stage) -> Label:
        drawn = self.drawn[position]
        return Label(
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            labeller=self.labeller,
            conversation_id=drawn.conversation_id,
            scenario=drawn.sample.scenario.id,
            rubric=self.rubric.version,
            stage=stage,
            label=word,
            sample=drawn.sampling,
        )

    def _record(self, label: Label, **more: Any) -> Label:
        full: Label = msgspec.structs.replace(label, **more)
        record_label(self.run.labels_path, full)
        return full

    def _opinions(self) -> dict[tuple[Labeller, str], Opinion]:
        return opinions(read_labels(self.run.labels_path).labels)

    def _given(self, held: dict[tuple[Labeller, str], Opinion], position: int) -> Label | None:
        drawn = self.drawn[position]
        opinion = held.get((self.labeller, drawn.conversation_id))
        if opinion is None:
            return None
        label = opinion.latest if not drawn.repeat else opinion.repeats[-1] if opinion.repeats else None
        return label if label is not None and label.rubric == self.rubric.version else None


def open_sitting(project: Project, labeller: Labeller, *, run: str = "", n: int | None = None) -> Sitting:
    """A sitting over n conversations of the run of this name, or of the one that is due to be read.

    n: None = as many as are asked for of that run. Raises UsageError for a name that no run has, and ActNeeded if there is none
    yet, or nothing in it was judged.
    """
    if run:
        require_run(project.layout, run)
    awaited = None if run else due(project)
    name = run or (awaited.run if awaited else "")
    known = [found for found in runs(project.layout) if found.name == name]
    if not known:
        raise ActNeeded("there is no pilot to review", next="finetune-prep pilot")
    chosen = known[-1]
    wanted = to_be_read(chosen) if n is None else n
    drawn = draw(chosen.samples(), wanted, f"{chosen.plan.seed}/{chosen.name}")
    if not drawn:
        raise ActNeeded(f"{chosen.name} holds no judged conversation yet", next=chosen.plan.command)
    ids = {one.conversation_id for one in drawn}
    return Sitting(
        project=project,
        run=chosen,
        labeller=labeller,
        rubric=project.value(Documents.rubric),
        wanted=wanted,
        drawn=drawn,
        verdicts={row.conversation_id: row for row in chosen.each_verdict() if row.conversation_id in ids},
    )


def _line(text: str) -> str:
    """A note as one line that any file can hold. Raises UsageError if it is a book."""
    said = " ".join(text.encode("utf-8", "replace").decode().split())
    if len(said) > LONGEST:
        raise UsageError(f"this note has {len(said):,} characters", next=f"keep it to {LONGEST:,}")
    return said

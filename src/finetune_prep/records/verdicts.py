"""Verdicts from a file, in our shape or in others': what counts, what does not, and why.

Missing is not NO: an error, an N/A that the question does not allow, or a word nobody knows leaves the answer missing, and the
conversation without a score. What is of another rubric, stale, or said twice does not count at all. Each is a finding with its
line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.verdict import majority
from finetune_prep.records.rows import Row, first_cells, read_rows
from finetune_prep.records.spellings import ANSWERS, COLUMNS, FAILED, MISSING, NATIVE, Mapped, column, question_of, spelt

LONG = ("conversation_id", "question", "answer")
_OURS = {
    "conversation_id",
    "judge",
    "rubric",
    "group",
    "scenario",
    "run",
    "answers",
    "evidence",
    "unsupported",
    "case",
    "missing",
    "hash",
    "again",
    "readings",
}
_KNOWN = ("conversation_id", "judge", "rubric", "group", "run", "question", "answer", "answers")


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one judge said of one conversation, once."""

    line: int
    conversation: str
    judge: str = ""
    group: str = ""
    run: str = ""
    rubric: str = ""
    answers: tuple[YesNo | None, ...]
    """In the order of `Rubric.questions`; None = missing."""

    @property
    def complete(self) -> bool:
        return None not in self.answers


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    rows: tuple[Judged, ...]
    """The first verdict of each judge on each conversation, in the order of the file."""
    repeats: tuple[tuple[Judged, Judged], ...]
    """The same judge's first and second verdict on a conversation: of runs of different names, or with the second one beside the
    first (`again`)."""
    findings: tuple[Finding, ...]
    mapping: tuple[str, ...]
    """How foreign spellings were read."""
    left_out: int
    """Verdicts that do not count: unreadable, of another rubric, stale, said twice, about an unknown conversation."""
    readings: tuple[Judged, ...] = ()
    """What each judge said for itself, where a row is the verdict of several (`readings`)."""

    @property
    def judges(self) -> tuple[str, ...]:
        return tuple(sorted({row.judge for row in self.rows}))

    @property
    def named(self) -> tuple[str, ...]:
        """Whose verdicts can be looked at alone: those of `judges`, and of each who had a part in theirs."""
        return tuple(sorted({*self.judges, *(row.judge for row in self.readings)}))

    def of(self, judge: str) -> Verdicts:
        """Only what this judge said."""
        kept = tuple(row for row in self.rows if row.judge == judge) or tuple(row for row in self.readings if row.judge == judge)
        return msgspec.structs.replace(self, rows=kept, repeats=tuple(pair for pair in self.repeats if pair[0].judge == judge))


def read_verdicts(path: Path, rubric: Rubric, hashes: Mapping[str, str] | None = None) -> Verdicts:
    """Read a file of verdicts against a rubric.

    hashes: of the conversations' texts by id, where they are at hand: a verdict on a text that has changed since is stale.
    Raises UsageError if there is no file, or nothing in it has to do with the rubric.
    """
    return _Reading(path, rubric, hashes).read()


class _Reading:
    def __init__(self, path: Path, rubric: Rubric, hashes: Mapping[str, str] | None) -> None:
        self.path = path
        self.rubric = rubric
        self.hashes = hashes
        self.version = rubric.version
        self.ids = [question.id for question in rubric.questions]
        self.no_na = {place for place, question in enumerate(rubric.questions) if not question.na}
        self.mapped = Mapped()
        self.findings: list[Finding] = []
        self.left_out = 0
        self.again: dict[int, Judged] = {}
        """Second verdicts that stand beside the first one, by line."""
        self.readings: dict[int, tuple[Judged, ...]] = {}
        """What each judge said, where a row is the verdict of several, by line."""

    def read(self) -> Verdicts:
        rows: dict[tuple[str, str], Judged] = {}
        second: dict[tuple[str, str], Judged] = {}
        beside: list[Judged] = []
        for row in self._judged():
            key = row.conversation, row.judge
            if key not in rows:
                rows[key] = row
                beside += self.readings.get(row.line, ())
                if row.line in self.again:
                    second[key] = self.again[row.line]
            elif row.run != rows[key].run and key not in second:
                second[key] = row
            elif row.run in (rows[key].run, second[key].run if key in second else None):
                by = f" by {row.judge}" if row.judge else ""
                what = f"a second verdict on {row.conversation}{by}; the one in line {rows[key].line} counts"
                self._leave_out(row.line, what, "keep one, or name the run of each (“run”) if it was judged twice")
        return Verdicts(
            path=str(self.path),
            rows=tuple(rows.values()),
            repeats=tuple((self._first(rows[key], again), again) for key, again in second.items()),
            readings=tuple(beside),
            findings=tuple(self.findings),
            mapping=self.mapped.lines(),
            left_out=self.left_out,
        )

    def _judged(self) -> Iterator[Judged]:
        cells = first_cells(self.path)
        headless = LONG if len(cells) == len(LONG) and question_of(cells[1], self.ids) else ()
        if headless:
            self.mapped.taken("columns 1, 2 and 3", "conversation, question, answer")
        several: dict[tuple[str, ...], tuple[int, dict[str, Any]]] = {}
        for row in read_rows(self.path, headless):
            if isinstance(row, Finding):
                self.findings.append(row)
                self.left_out += 1
            elif row.value.keys() <= _OURS and (judged := self._native(row.number, row.value)) is not None:
                self._take_beside(judged, row.value)
                yield judged
            elif "answers" not in row.value and (said := self._one_answer(row)):
                self._collect(several, row, said)
            elif (judged := self._judged_row(row, self._answers_of(row))) is not None:
                self._take_beside(judged, row.value)
                yield judged
        for number, value in several.values():
            if (judged := self._judged_row(Row(number, value), value["answers"])) is not None:
                yield judged

    def _take_beside(self, row: Judged, value: Mapping[str, Any]) -> None:
        """Keep what stands in the row of a verdict beside it: what each of its judges said, and what one said a second time."""
        readings, again = value.get("readings"), value.get("again")
        if isinstance(readings, list) and readings:
            self.readings[row.line] = tuple(filter(None, (self._beside(row, one) for one in readings)))
        if found := self._beside(row, again):
            self.again[row.line] = msgspec.structs.replace(found, run=f"{row.run} again".strip())

    def _beside(self, row: Judged, value: Any) -> Judged | None:
        if not isinstance(value, dict) or not isinstance(given := value.get("answers"), dict) or not given:
            return None
        judge = str(value.get("judge") or row.judge)
        return msgspec.structs.replace(row, judge=judge, answers=self._answers(row.line, given))

    def _first(self, row: Judged, again: Judged) -> Judged:
        """The first verdict of the judge who was asked again: the row, or its part in it."""
        return next((one for one in self.readings.get(row.line, ()) if one.judge == again.judge), row)

    def _native(self, line: int, value: dict[str, Any]) -> Judged | None:
        """A sound row of our own shape, for which nothing has to be looked up; None for any other."""
        conversation, given = value.get("conversation_id"), value.get("answers")
        if not conversation or not isinstance(conversation, str) or not isinstance(given, dict) or self.hashes is not None:
            return None
        answers = self._sound(given)
        rubric = value.get("rubric", "")
        if answers is None or (rubric and rubric != self.version):
            return None
        return Judged(
            line=line,
            conversation=conversation,
            judge=str(value.get("judge") or ""),
            group=str(value.get("group") or value.get("scenario") or ""),
            run=str(value.get("run") or ""),
            rubric=rubric,
            answers=answers,
        )

    def _sound(self, given: Mapping[str, Any]) -> tuple[YesNo | None, ...] | None:
        """The answers in order, if there is one to every question, each in our words and allowed; else None."""
        if len(given) != len(self.ids):
            return None
        try:
            answers = tuple([NATIVE[given[id]] for id in self.ids])
        except (KeyError, TypeError):
            return None
        if "na" in answers and any(answers[place] == "na" for place in self.no_na):
            return None
        return answers

    def _one_answer(self, row: Row) -> tuple[str, Any] | None:
        """Question and answer of a row that holds one of each; None for a row of another shape."""
        question = column(row.value, "question", Mapped())
        if question is None or not any(name in row.value for name in COLUMNS["answer"]):
            return None
        column(row.value, "question", self.mapped)
        return str(question), column(row.value, "answer", self.mapped)

    def _collect(self, several: dict[tuple[str, ...], tuple[int, dict[str, Any]]], row: Row, said: tuple[str, Any]) -> None:
        """Put one answer to those of its conversation."""
        named = {name: found for name in _KNOWN[:5] if (found := column(row.value, name, self.mapped)) is not None}
        named |= {"hash": row.value["hash"]} if "hash" in row.value else {}
        key = tuple(str(named.get(name, "")) for name in ("conversation_id", "judge", "run"))
        answers = several.setdefault(key, (row.number, named | {"answers": {}}))[1]["answers"]
        if said[0] in answers:
            what = f"a second answer to {said[0]} on {key[0]}; the first one counts"
            self._add(row.number, what, "keep one, or name the run of each in a column “run”")
            return
        answers[said[0]] = said[1]

    def _answers_of(self, row: Row) -> Mapping[str, Any]:
        """The object of answers, wherever it stands in the row: under `answers` or alike, in a list, or in the row itself."""
        for name in COLUMNS["answers"]:
            found = row.value.get(name)
            if isinstance(found, dict):
                inner = next((value for value in found.values() if isinstance(value, dict) and self._is_about(value)), None)
                if inner is not None and not self._is_about(found):
                    self.mapped.taken(f"an object in {name}", "answers")
                    return inner
                self.mapped.taken(f"column {name}", "column answers")
                return found
            if isinstance(found, list):
                self.mapped.taken(f"a list in {name}", "answers")
                return dict(pair for item in found if isinstance(item, dict) and (pair := _pair(item)))
        flat = {name: value for name, value in row.value.items() if question_of(name, self.ids)}
        if flat:
            self.mapped.taken("columns named like questions", "answers")
        return flat

    def _is_about(self, value: Mapping[str, Any]) -> bool:
        return any(question_of(name, self.ids) for name in value)

    def _judged_row(self, row: Row, given: Mapping[str, Any]) -> Judged | None:
        """The verdict of a row; None, with a finding, if it does not count."""

        def named(name: str) -> str:
            return str(column(row.value, name, self.mapped) or "")

        conversation, rubric = named("conversation_id"), named("rubric")
        if (refusal := self._refusal(row, conversation, rubric, given)) is not None:
            self._leave_out(row.number, *refusal)
            return None
        return Judged(
            line=row.number,
            conversation=conversation,
            judge=named("judge"),
            group=named("group"),
            run=named("run"),
            rubric=rubric,
            answers=self._answers(row.number, given),
        )

    def _refusal(self, row: Row, conversation: str, rubric: str, given: Mapping[str, Any]) -> tuple[str, str] | None:
        """Why a verdict does not count, and what to do about it."""
        if not conversation:
            return "this verdict names no conversation", "add its “conversation_id”"
        if rubric and rubric != self.version:
            what = f"this verdict is of the rubric {rubric[:12]}, not {self.version[:12]}"
            return what, "judge again, or give the rubric it was judged by"
        if not given:
            return f"this verdict on {conversation} answers no question of the rubric", "add its “answers”"
        if self.hashes is None:
            return None
        if conversation not in self.hashes:
            return f"there is no conversation {conversation}", "give the file in which it stands"
        if row.value.get("hash", self.hashes[conversation]) != self.hashes[conversation]:
            what = f"this verdict is stale: {conversation} has another text now"
            return what, "judge again: a verdict speaks of the text that was judged"
        return None

    def _answers(self, line: int, given: Mapping[str, Any]) -> tuple[YesNo | None, ...]:
        if (sound := self._sound(given)) is not None:
            return sound
        found: dict[str, YesNo | None] = {}
        for name, written in given.items():
            id = question_of(name, self.ids)
            if id is None:
                self._add(line, f"“{name}” is no question of this rubric", "it counts nowhere; compare the ids with the rubric's")
            elif id in found:
                self._add(line, f"{id} is answered twice, as “{name}” too; the first one counts", "keep one")
            else:
                self.mapped.taken(f"question {name}", f"question {id}")
                found[id] = self._answer(line, id, written)
        return tuple(found.get(id) for id in self.ids)

    def _answer(self, line: int, id: str, written: Any) -> YesNo | None:
        if isinstance(written, dict):
            names = [name for name in COLUMNS["answer"] if name in written]
            written = written[names[0]] if names else None
        if written is None:
            return None
        said = spelt(written)
        meant = ANSWERS.get(said.casefold())
        if meant is None:
            self._add(line, f"{id} is answered “{said[:40]}”", "write yes, no or na; until then the answer is missing")
            return None
        self.mapped.taken(said, meant)
        if meant == FAILED:
            what = f"{id} has an error (“{said}”) in place of an answer"
            self._add(line, what, "judge again; until then the answer is missing")
        if meant == "na" and self.ids.index(id) in self.no_na:
            self._add(line, f"{id} is answered N/A, which it does not allow", "judge again; until then the answer is missing")
            return None
        return None if meant in (FAILED, MISSING) else cast(YesNo, meant)

    def _add(self, line: int, what: str, fix: str) -> None:
        self.findings.append(Finding(path=str(self.path), line=line, what=what, fix=fix))

    def _leave_out(self, line: int, what: str, fix: str) -> None:
        self._add(line, what, fix)
        self.left_out += 1


def _pair(item: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Question and answer of one object of a list."""
    names = [name for name in ("id", *COLUMNS["question"]) if name in item]
    return (str(item[names[0]]), item) if names else None


def together(rows: Iterable[Judged], gate: Sequence[bool]) -> list[Judged]:
    """One verdict for each conversation, of all its judges. gate: for each question, whether it is one of the gate.

    Question by question as `core.verdict.majority`.
    """
    by_conversation: dict[str, list[Judged]] = {}
    for row in rows:
        by_conversation.setdefault(row.conversation, []).append(row)
    joined = []
    for several in by_conversation.values():
        if len(several) > 1:
            columns = zip(*(row.answers for row in several), strict=True)
            answers = tuple(majority(column, gate=is_gate) for column, is_gate in zip(columns, gate, strict=True))
            several = [msgspec.structs.replace(several[0], judge=", ".join(row.judge for row in several), answers=answers)]
        joined.append(several[0])
    return joined

"""Labels from a file, in our shape or in others': what a person, or a model, said of conversations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.durable import append_durably
from finetune_prep.errors import UsageError
from finetune_prep.records.rows import Row, first_cells, read_rows
from finetune_prep.records.spellings import ANSWERS, LABELS, Mapped, column, question_of, spelt

Said = Literal["pass", "fail", "defer", "withdrawn"]
Word = Literal["not measured", "smoke-tested", "inconclusive", "refused", "certified", "stale"]  # of a judge
_DESIGNS = {"uniform": "uniform", "by verdict": "by verdict", "by-verdict": "by verdict", "by_verdict": "by verdict"}
_STRATA = "strata-"  # how `labels/drawing.py` names its draws, which are by verdict
_PLAIN = ("conversation_id", "label")


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One label, in the order in which labels were given."""

    line: int
    conversation: str
    label: Said
    labeller: str = ""
    kind: str = ""
    """"person", "model", or "" where the label does not say."""
    stage: str = ""
    """"blind", "revealed", or ""."""
    split: str = ""
    """"dev", "sealed", or ""."""
    design: str = ""
    """How the conversation was drawn: "uniform", "by verdict", another word, or "" where the label does not say."""
    draw: str = ""
    """The draw by its own name, as the label has it."""
    p: float | None = None
    """Its chance of being drawn."""
    repeat: bool = False
    """Drawn a second time, to measure the labeller."""
    hash: str = ""
    rubric: str = ""
    answers: dict[str, YesNo] = {}


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """That sealed labels were looked at, once and for all: a line of a file of its own beside them.

    at: ISO time. pin: hash of all that the word depends on. word: what was said then.
    """

    at: str
    judge: str
    rubric: str
    pin: str
    word: Word


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    rows: tuple[Label, ...]
    findings: tuple[Finding, ...]
    mapping: tuple[str, ...]


def read_labels(path: Path, rubric: Rubric) -> Labels:
    """Read a file of labels, every one of them: which of them count is decided by what they are used for.

    Raises UsageError if there is no such file or it holds nothing.
    """
    mapped = Mapped()
    rows: list[Label] = []
    findings: list[Finding] = []
    ids = [question.id for question in rubric.questions]
    for row in read_rows(path, _columns(first_cells(path), mapped)):
        read = row if isinstance(row, Finding) else _label(path, row, ids, mapped)
        if isinstance(read, Finding):
            findings.append(read)
        else:
            rows.append(read)
    return Labels(path=str(path), rows=tuple(rows), findings=tuple(findings), mapping=mapped.lines())


def spent_path(labels: Path) -> Path:
    """Where it is kept that the sealed labels of a file are spent."""
    return labels.with_name(f"{labels.stem}.spent.jsonl")


def spent_of(labels: Path) -> Spent | None:
    """When the sealed labels of this file were first looked at, None if never. Raises UsageError if that cannot be read."""
    path = spent_path(labels)
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes().split(b"\n")[0], type=Spent)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fix = "put it back as it was; without it nobody knows whether the sealed labels were looked at"
        raise UsageError(f"this file cannot be read: {error}", where=str(path), next=fix) from error


def spend(labels: Path, spent: Spent) -> None:
    """Write down, durably, that the sealed labels of this file were looked at."""
    append_durably(spent_path(labels), msgspec.json.encode(spent).decode())


def _columns(cells: list[str], mapped: Mapped) -> tuple[str, ...]:
    """The columns of a table without a header: the second cell of its first line is a label already."""
    if len(cells) not in (2, 3) or cells[1].casefold() not in LABELS or column(dict.fromkeys(cells, 1), "label", Mapped()):
        return ()
    mapped.taken("columns 1 and 2", "conversation and label")
    return (*_PLAIN, "labeller")[: len(cells)]


def _label(path: Path, row: Row, ids: list[str], mapped: Mapped) -> Label | Finding:
    def wrong(what: str, fix: str) -> Finding:
        return Finding(path=str(path), line=row.number, what=what, fix=fix)

    value = row.value
    conversation = column(value, "conversation_id", mapped)
    if conversation in (None, ""):
        return wrong("this label names no conversation", "add its “conversation_id”")
    written = spelt(column(value, "label", mapped))
    label = LABELS.get(written.casefold())
    if label is None:
        return wrong(f"{conversation} is labelled “{written[:40]}”", "write pass, fail or defer")
    mapped.taken(written, label)
    who, sample = column(value, "labeller", mapped), value.get("sample")
    named = who if isinstance(who, dict) else {"name": who or "", "kind": value.get("kind", "")}
    drawn = sample if isinstance(sample, dict) else {"design": value.get("design", ""), "p": value.get("p")}
    design = str(drawn.get("design") or "")
    return Label(
        line=row.number,
        conversation=str(conversation),
        label=cast(Said, label),
        labeller=str(named.get("name") or ""),
        kind=str(named.get("kind") or ""),
        stage=str(value.get("stage") or ""),
        split=str(value.get("split") or ""),
        design="by verdict" if design.startswith(_STRATA) else _DESIGNS.get(design.casefold(), design),
        draw=design,
        p=_chance(drawn.get("p")),
        repeat=drawn.get("repeat") is True,
        hash=str(value.get("hash") or ""),
        rubric=str(value.get("rubric") or ""),
        answers=_answers(value.get("answers"), ids),
    )


def _chance(written: Any) -> float | None:
    try:
        p = float(written)
    except (TypeError, ValueError):
        return None
    return p if 0 < p <= 1 else None


def _answers(given: Any, ids: list[str]) -> dict[str, YesNo]:
    """What the labeller answered to questions, as far as it can be read."""
    found: dict[str, YesNo] = {}
    for name, written in given.items() if isinstance(given, Mapping) else ():
        id, meant = question_of(name, ids), ANSWERS.get(spelt(written).casefold())
        if id is not None and meant in ("yes", "no", "na"):
            found[id] = cast(YesNo, meant)
    return found

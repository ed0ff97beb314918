"""The files that the measuring commands read, and what every one of their results carries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.rubric import Rubric
from finetune_prep.documents.kinds import Documents, parse
from finetune_prep.errors import DocumentError, UsageError
from finetune_prep.records.conversations import read_conversations
from finetune_prep.records.verdicts import Judged, Verdicts, read_verdicts, together


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What every result has."""

    findings: tuple[Finding, ...]
    """What is wrong with the files, row by row."""
    left_out: int
    """Rows that do not count."""
    mapping: tuple[str, ...]
    """How foreign spellings were read."""
    cannot_tell: tuple[str, ...]
    """What these numbers do not say."""


def read_rubric(path: Path) -> Rubric:
    """The rubric of a file. Raises UsageError if there is none, DocumentError if it cannot be read."""
    if not path.is_file():
        raise UsageError("there is no such file", where=str(path), next="finetune-prep template evaluation-rubric, for its form")
    document = parse(Documents.rubric.name, path.read_text("utf-8", "replace"), str(path))
    rubric = document.value
    if document.findings or not isinstance(rubric, Rubric):
        details = tuple(map(str, document.findings))
        raise DocumentError("this rubric cannot be used", where=str(path), details=details, next="fix these lines")
    if not rubric.questions:
        raise DocumentError("this rubric has no question", where=str(path), next="finetune-prep template evaluation-rubric")
    return rubric


def verdicts_of(path: Path, rubric: Rubric, conversations: Path | None = None, judge: str = "") -> Verdicts:
    """The verdicts of a file, of one judge if it is named. Raises UsageError if none of them counts."""
    hashes: Mapping[str, str] | None = read_conversations(conversations).hashes if conversations else None
    verdicts = read_verdicts(path, rubric, hashes)
    if judge:
        if judge not in verdicts.named:
            known = ", ".join(filter(None, verdicts.named)) or "no judge is named there"
            raise UsageError(f"there is no verdict by {judge}", where=str(path), next=f"choose one of: {known}")
        verdicts = verdicts.of(judge)
    if not verdicts.rows:
        details = tuple(map(str, verdicts.findings[:10]))
        raise UsageError(
            "no verdict in this file counts", where=str(path), details=details, next="docs/numbers.md describes the format"
        )
    return verdicts


def one_judge(verdicts: Verdicts) -> str:
    """The judge of these verdicts. Raises UsageError if there are several: one figure speaks of one judge."""
    if len(verdicts.judges) > 1:
        raise UsageError(
            f"these are verdicts of {len(verdicts.judges)} judges: {', '.join(verdicts.judges)}",
            where=verdicts.path,
            next=f"name one of them: --judge {verdicts.judges[0]}",
        )
    return verdicts.judges[0]


def joined(verdicts: Verdicts, rubric: Rubric) -> list[Judged]:
    """One verdict for each conversation, of all its judges."""
    places = {question.id for category in rubric.categories if category.gate for question in category.questions}
    return together(verdicts.rows, [question.id in places for question in rubric.questions])

"""A rubric or a list of behaviors that somebody has already, as a draft where the document stands, and what it still lacks."""

from __future__ import annotations

from pathlib import Path

import msgspec

from finetune_prep import documents
from finetune_prep.core.finding import Finding
from finetune_prep.documents.foreign.behaviors import draw_anchors
from finetune_prep.documents.foreign.drafting import Drawn, Placed, Unplaced
from finetune_prep.documents.foreign.questions import draw_rubric
from finetune_prep.documents.foreign.rows import MOST_BYTES, Rows, read_rows
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.project.project import Project, missing_document
from finetune_prep.workflow.checking import concerning, of_form

ANCHORS = "Behavioral anchors"
SUBJECTS = {Documents.rubric.name: "rubric", Documents.knowledge.name: "anchors"}
"""What can be imported, by the kind of document it goes into."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, and what is left to do."""

    kind: str
    path: str
    number: int
    """Of questions or anchors in the draft."""
    before: str
    """Hash of the text that was replaced, "" if there was none."""
    placed: tuple[Placed, ...]
    unplaced: tuple[Unplaced, ...]
    missing: tuple[Finding, ...]
    """What is wrong with the draft or missing in it, as far as code can tell."""


def import_(project: Project, subject: str, file: Path, *, overwrite: bool = False) -> Imported:
    """Write the draft. subject: a value of `SUBJECTS`. What stood there before goes to the history.

    Raises UsageError for a file that holds no rows or nothing that can be placed, ActNeeded if there is a document already (and
    not `overwrite`), or none yet that the anchors could go into.
    """
    kind = (Documents.rubric if subject == "rubric" else Documents.knowledge).name
    rows = _read(file)
    _require_room(project, subject, file, overwrite=overwrite)
    drawn = _drawn(subject, rows, file)
    before = project.keep(kind)
    if subject == "rubric":
        project.write(kind, drawn.text, {})
    else:
        _write_anchors(project, drawn.text)
    return Imported(
        kind=kind,
        path=project.layout.relative(project.layout.document(kind)),
        number=drawn.number,
        before=before,
        placed=drawn.placed,
        unplaced=drawn.unplaced,
        missing=_missing(project, kind),
    )


def _require_room(project: Project, subject: str, file: Path, *, overwrite: bool) -> None:
    """Raise ActNeeded unless the draft has a place to go to, and nothing stands there that nobody gave up."""
    again = f"finetune-prep import {subject} {file} --overwrite (the old text is kept in the history)"
    if subject == "rubric":
        if project.layout.document(Documents.rubric.name).exists() and not overwrite:
            raise ActNeeded(f"{Documents.rubric.path} exists already", next=again)
        return
    document = project.document(Documents.knowledge)
    if document is None:
        raise missing_document(Documents.knowledge.name, "the list of behaviors")
    stands = ANCHORS.casefold() in document.lines or bool(document.value and document.value.anchors)
    if stands and not overwrite:
        raise ActNeeded(f"{Documents.knowledge.path} has behavioral anchors already", next=again)


def _read(file: Path) -> Rows:
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except IsADirectoryError as error:
        raise UsageError("this is a folder", where=str(file), next="name a file") from error
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=str(file), next="give a .json, .csv or .md file") from error
    return read_rows(data, file.name)


def _drawn(subject: str, rows: Rows, file: Path) -> Drawn:
    drawn = draw_rubric(rows, "Rubric") if subject == "rubric" else draw_anchors(rows)
    if not drawn.number:
        why = drawn.unplaced[0].why if drawn.unplaced else "no column holds texts"
        columns = ", ".join(rows.columns[:8])
        raise UsageError(
            f"nothing in it can be placed: {why}",
            where=str(file),
            next=f"name the column with the texts “{'question' if subject == 'rubric' else 'behavior'}” (it has: {columns})",
        )
    return drawn


def _write_anchors(project: Project, section: str) -> None:
    document = project.document(Documents.knowledge)
    text = document.text if document is not None else ""
    stamp = project.stamp(Documents.knowledge.name)
    parts = {name: part for name, part in (stamp.parts if stamp else {}).items() if name != ANCHORS}
    project.write(Documents.knowledge.name, documents.replace_section(text, ANCHORS, section, before="Sources"), parts)


def _missing(project: Project, kind: str) -> tuple[Finding, ...]:
    form = of_form(project, [kind])
    failing = [outcome for outcome in concerning(project, kind) if outcome.answer == "fails"]
    return (*form, *(finding for outcome in failing for finding in outcome.findings))

"""A rubric or a list of behaviors that somebody has already, as a draft where the document stands, and what it still lacks."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from finetune_prep import documents
from finetune_prep.core.finding import Finding
from finetune_prep.documents.foreign.behaviors import draw_anchors
from finetune_prep.documents.foreign.drafting import Drawn, Placed, Unplaced
from finetune_prep.documents.foreign.questions import draw_rubric
from finetune_prep.documents.foreign.rows import MOST_BYTES, Rows, read_rows
from finetune_prep.documents.foreign.sides import is_label
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.project.project import Project, missing_document
from finetune_prep.workflow.checking import concerning, of_form

ANCHORS = "Behavioral anchors"
SHOWN, MOST_NAMED = 60, 4  # characters of a heading, and headings, in an error
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


def import_(project: Project, subject: str, file: Path, *, overwrite: bool = False, unmarked: str = "") -> Imported:
    """Write the draft. subject: a value of `SUBJECTS`. What stood there before goes to the history.

    unmarked: the list, ALWAYS or NEVER, of anchors under a heading that names neither; "" = such anchors are refused.

    Raises UsageError for a file that holds no rows or nothing that can be placed, ActNeeded if there is a document already (and
    not `overwrite`), or none yet that the anchors could go into, or if the file does not tell what to do from what never to do.
    """
    if unmarked and subject == "rubric":
        raise UsageError("--unmarked is for anchors: a rubric has one list", next=f"finetune-prep import rubric {_quoted(file)}")
    kind = (Documents.rubric if subject == "rubric" else Documents.knowledge).name
    rows = _read(subject, file)
    _require_room(project, subject, file, overwrite=overwrite)
    drawn = _drawn(subject, rows, file, unmarked)
    if drawn.doubtful:
        raise _unclear(drawn, file, overwrite=overwrite)
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
    again = f"finetune-prep import {subject} {_quoted(file)} --overwrite (the old text is kept in the history)"
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


def _unclear(drawn: Drawn, file: Path, *, overwrite: bool) -> ActNeeded:
    """The error for headings that name no list: what stands below them is not guessed, it may be forbidden."""
    number = sum(count for _, count in drawn.doubtful)
    rows = f"{number} row{'' if number == 1 else 's'}"
    again = f"finetune-prep import anchors {_quoted(file)}{' --overwrite' if overwrite else ''} --unmarked"
    named = ", ".join(f"“{label[:SHOWN]}”" for label, _ in drawn.doubtful[:MOST_NAMED])
    more = f" and {len(drawn.doubtful) - MOST_NAMED} more" if len(drawn.doubtful) > MOST_NAMED else ""
    return ActNeeded(
        f"Nothing in {file} says whether to do always or never what stands under {named}{more} ({rows})",
        next=f"write Always or Never into those headings; or, if one holds for all of them: {again} always (or never)",
    )


def _quoted(file: Path) -> str:
    return shlex.quote(str(file))


def _read(subject: str, file: Path) -> Rows:
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except IsADirectoryError as error:
        raise UsageError("this is a folder", where=str(file), next="name a file") from error
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=str(file), next="give a .json, .csv or .md file") from error
    return read_rows(data, file.name, is_label if subject == "anchors" else None)


def _drawn(subject: str, rows: Rows, file: Path, unmarked: str) -> Drawn:
    drawn = draw_rubric(rows, "Rubric") if subject == "rubric" else draw_anchors(rows, file.stem, unmarked)
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

"""The figures of a run, kept beside the ledger: they rest on its results, the rubric and the generation prompt alone.

Counting the habits of thousands of replies takes a second, and the page asks for it after every label.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.exports.figures import Figures, each_row, run_figures
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.remembered.state import REMEMBERED, now, of_files, program


class _Kept(msgspec.Struct, frozen=True):
    of: str
    figures: Figures


def figures(project: Project, run: Run) -> Figures:
    """The figures of a run of the present documents, counted anew only if one of them has changed. Raises as `run_figures`."""
    folder = project.layout.private / REMEMBERED
    path = folder / f"figures-{run.name}.json"
    of, newest = _subject(project, run)
    if (kept := _read(path, of)) is not None:
        return kept
    began = _began(project, folder)
    found = run_figures(project, each_row(run))
    # what was changed in the same tick of the file system's clock could change once more without a trace
    if newest < began and _subject(project, run)[0] == of:
        with contextlib.suppress(OSError):
            write_atomically(path, msgspec.json.encode(_Kept(of, found)))
    return found


def _subject(project: Project, run: Run) -> tuple[str, int]:
    """A hash of what they rest on, and when a file of the run was changed last."""
    files, newest = of_files(run.samples_path, run.verdicts_path)
    rubric, prompt = project.sound(Documents.rubric), project.sound(Documents.generation_prompt)
    return digest([program(), files, rubric.text, prompt.text]), newest


def _read(path: Path, of: str) -> Figures | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return kept.figures if kept.of == of else None


def _began(project: Project, folder: Path) -> int:
    """When counting began; 0 if nothing can be kept."""
    if not project.layout.private.is_dir():
        return 0
    try:
        folder.mkdir(exist_ok=True)
        return now(folder)
    except OSError:
        return 0

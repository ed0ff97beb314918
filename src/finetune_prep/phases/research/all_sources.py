"""All sources of a project as they stand: the files of `sources/`, and pages from the web by their snapshots."""

from __future__ import annotations

from finetune_prep.core.finding import Finding
from finetune_prep.project.project import Project
from finetune_prep.sources.files import SourceText, known_ids, read_folder, read_snapshots
from finetune_prep.sources.library import Library, Passage


def shelf(project: Project) -> tuple[list[SourceText], list[Finding]]:
    """Sources in the order of their ids, and what could not be read.

    A file that has a snapshot is what was read of it; a page that has none is not there.
    """
    layout = project.layout
    files, findings = read_folder(layout.sources, layout.folder, known_ids(layout.snapshots))
    texts = {text.source.id: text for text in files} | {text.source.id: text for text in read_snapshots(layout.snapshots)}
    return sorted(texts.values(), key=lambda text: (len(text.source.id), text.source.id)), findings


def look_up(texts: list[SourceText], query: str, count: int) -> tuple[Passage, ...]:
    """The passages that fit a query best."""
    return Library(texts).find(query, count)

"""Sources as they are now beside what the reference was written from: changed, gone, arrived, and copies that were altered."""

from __future__ import annotations

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.knowledge import Source
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import Project
from finetune_prep.sources.files import SourceText, known_ids, read_folder, read_snapshots

FOLDER = "sources/"


class SourcesNow(msgspec.Struct, frozen=True, kw_only=True):
    """differing: copies that do not say what their file says. gone: cited files that are not there any more. arrived: files that
    nobody has read yet."""

    differing: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
    arrived: tuple[Finding, ...] = ()

    @property
    def all(self) -> tuple[Finding, ...]:
        return (*self.differing, *self.gone, *self.arrived)


def sources_now(project: Project) -> SourcesNow:
    """What has become of the files of `sources/` since they were read. Copies are compared with the files themselves: what a copy
    says about itself can be written by anybody."""
    layout = project.layout
    reference = project.document(Documents.knowledge)
    if reference is None or reference.value is None:
        return SourcesNow()
    cited = [source for source in reference.value.sources if source.where.startswith(FOLDER)]
    files, _ = read_folder(layout.sources, layout.folder, known_ids(layout.snapshots) | {one.where: one.id for one in cited})
    now = {file.source.where: file for file in files}
    copies = project.snapshots()
    texts = {copy.source.id: copy for copy in read_snapshots(layout.snapshots)}
    read = {copy.source.where for copy in texts.values()} | {source.where for source in reference.value.sources}
    differing = [
        _differs(source, now[source.where], copies[source.id], texts.get(source.id))
        for source in cited
        if source.where in now and source.id in copies and not _same(copies[source.id], texts.get(source.id), now[source.where])
    ]
    gone = [_gone(source) for source in cited if source.where not in now]
    arrived = [_arrived(where) for where in now if where not in read] if copies else []
    return SourcesNow(differing=tuple(differing), gone=tuple(gone), arrived=tuple(arrived))


def _same(copy: str, read: SourceText | None, file: SourceText) -> bool:
    """Whether a copy holds the file's text. read: the copy without what it says about itself."""
    return (read.text if read is not None else copy).split() == file.text.split()


def _differs(source: Source, file: SourceText, copy: str, read: SourceText | None) -> Finding:
    """It names both texts, so that a person's decision about it ends when one of them changes."""
    path = f"reference/sources/{source.id}.md"
    anew = f"rm {path}, then finetune-prep research, which takes it anew; check says which quotations still stand"
    texts = f"{digest_bytes(copy.encode())[:6]} and {file.hash[:6]}"
    changed = read is not None and read.hash != file.hash
    what = f"{source.where} has changed since it was read" if changed else f"this copy differs from {source.where}"
    return Finding(path=path, line=0, what=f"{what} ({texts})", fix=anew, item=source.id)


def _gone(source: Source) -> Finding:
    what = f"{source.id} is cited, and {source.where} is not there any more"
    return Finding(path=source.where, line=0, what=what, fix="put it back, or remove what rests on it", item=source.id)


def _arrived(where: str) -> Finding:
    return Finding(
        path=where, line=0, what="arrived after the reference was written", fix="finetune-prep research --overwrite reads it"
    )

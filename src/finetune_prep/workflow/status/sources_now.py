"""Sources as they are now beside what the reference was written from: changed, gone, arrived, and copies that were altered."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.knowledge import Knowledge, Source
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.knowledge.quotations import quote_findings
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
        _differs(reference, source, now[source.where], copies[source.id], texts.get(source.id))
        for source in cited
        if source.where in now and source.id in copies and not _same(copies[source.id], texts.get(source.id), now[source.where])
    ]
    gone = [_gone(source) for source in cited if source.where not in now]
    arrived = [_arrived(where) for where in now if where not in read] if copies else []
    return SourcesNow(differing=tuple(differing), gone=tuple(gone), arrived=tuple(arrived))


def _same(copy: str, read: SourceText | None, file: SourceText) -> bool:
    """Whether a copy holds the file's text. read: the copy without what it says about itself."""
    return (read.text if read is not None else copy).split() == file.text.split()


def still_quoted(reference: Document[Knowledge], file: SourceText) -> tuple[int, tuple[Finding, ...]]:
    """How many quotations the reference has of this source, and what is wrong with those that its file does not hold."""
    citations = [
        (item, citation)
        for item, citation in (reference.value.citations() if reference.value else ())
        if citation.source == file.source.id
    ]
    lost = (finding for item, citation in citations for finding in quote_findings(reference, item, citation, file.text))
    return len(citations), (*lost,)


def _told(quotations: int, lost: Sequence[str]) -> str:
    """What a change does to the quotations of a file. lost: ids of the items whose quotations do not stand in it."""
    if not quotations:
        return "nothing is quoted of it"
    if lost:
        return (
            f"of its {quotations} quotation{'' if quotations == 1 else 's'}, those of {', '.join(lost)} do not stand in the file"
        )
    return f"the file still holds {'its only quotation' if quotations == 1 else f'all {quotations} quotations'}"


def _differs(reference: Document[Knowledge], source: Source, file: SourceText, copy: str, read: SourceText | None) -> Finding:
    """It names both texts, so that a person's decision about it ends when one of them changes."""
    texts = f"copy {digest_bytes(copy.encode())[:6]}, file {file.hash[:6]}"
    changed = read is not None and read.hash != file.hash
    what = f"{source.where} has changed since it was read" if changed else f"this copy differs from {source.where}"
    quotations, lost = still_quoted(reference, file)
    told = _told(quotations, [*dict.fromkeys(finding.item for finding in lost)])
    fix = f"finetune-prep sources --renew {source.id}, which takes its text anew" + (
        "; then mend what rests on those quotations" if lost else ""
    )
    return Finding(path=f"reference/sources/{source.id}.md", line=0, what=f"{what} ({texts}); {told}", fix=fix, item=source.id)


def _gone(source: Source) -> Finding:
    what = f"{source.id} is cited, and {source.where} is not there any more"
    return Finding(path=source.where, line=0, what=what, fix="put it back, or remove what rests on it", item=source.id)


def _arrived(where: str) -> Finding:
    return Finding(
        path=where, line=0, what="arrived after the reference was written", fix="finetune-prep research --overwrite reads it"
    )

"""Taking the text of a source's file anew, where it is another than that which was read: quotations are looked up in the copy."""

from __future__ import annotations

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.project.project import Project
from finetune_prep.sources.files import known_ids, read_folder
from finetune_prep.workflow.status.sources_now import still_quoted


class Renewed(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that says again what its file says."""

    id: str
    path: str
    """Of the copy."""
    where: str
    """The file."""
    changed: bool
    """Whether the copy said anything else before."""
    quotations: int
    """Of this source, in the reference."""
    lost: tuple[Finding, ...]
    """Those that the text does not hold."""


def renew(project: Project, id: str) -> Renewed:
    """Write the copy of a source from its file. Raises UsageError if no file of sources/ that can be read has this id."""
    layout = project.layout
    document = project.document(Documents.knowledge)
    cited = {source.where: source.id for source in document.value.sources} if document and document.value else {}
    files, _ = read_folder(layout.sources, layout.folder, known_ids(layout.snapshots) | cited)
    file = next((file for file in files if file.source.id == id.upper()), None)
    if file is None:
        raise UsageError(f"no file that can be read in sources/ is {id}", next="finetune-prep sources, which lists their ids")
    path = layout.snapshots / f"{file.source.id}.md"
    before = path.read_text("utf-8", "replace") if path.is_file() else ""
    if before != file.snapshot:
        write_atomically(path, file.snapshot)
    quotations, lost = still_quoted(document, file) if document is not None else (0, ())
    return Renewed(
        id=file.source.id,
        path=layout.relative(path),
        where=file.source.where,
        changed=before != file.snapshot,
        quotations=quotations,
        lost=lost,
    )

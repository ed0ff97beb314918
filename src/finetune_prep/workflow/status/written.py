"""Whether the rows of a run stand in the dataset's folder already."""

from __future__ import annotations

from finetune_prep.documents.kinds import Documents
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.exports.formats import preview_of
from finetune_prep.exports.manifest import MANIFEST, Source, read_manifest, sha256_of, stands
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.reviewing.counting import failures


def is_written(project: Project, run: Run) -> bool:
    """Whether the rows of a run stand in the dataset's folder already as they were written, as a preview or in full."""
    folder = project.layout.dataset
    source = source_of(project, run)
    for name in (preview_of(MANIFEST), MANIFEST):
        found = read_manifest(folder / name)
        if found and found.source == source and stands(found, folder):
            return True
    return False


def source_of(project: Project, run: Run) -> Source:
    return Source(
        run=run.name,
        samples=sha256_of(run.samples_path) if run.samples_path.is_file() else "",
        system_prompt=text_hash(project.sound(Documents.system_prompt).text),
        show_gaps=project.config.export.show_gaps,
        failed_by_people=tuple(sorted(failures(project))),
        dropped=tuple(sorted(project.dropped())),
    )

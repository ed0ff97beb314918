"""How far the judge's word goes, by what people labelled of a run."""

from __future__ import annotations

from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import UsageError
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.measuring.agreement import agreement
from finetune_prep.workflow.reviewing.counting import Reviewed, proof

NOT_MEASURED = "How often this judge is right has not been measured."


def judge_word(project: Project, run: Run, found: Reviewed) -> str:
    """The word of `agreement`, and what the labels prove; that nobody has measured it where no label of a person counts."""
    if not found.read:
        return NOT_MEASURED
    try:
        word = agreement(run.verdicts_path, run.labels_path, project.layout.document(Documents.rubric.name)).word
    except UsageError:  # a line that cannot be read; `agreement` says which
        return " ".join(proof(found))
    return " ".join((f"Against people's labels it is {word}.", *proof(found)))

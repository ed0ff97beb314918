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
    """The word of `agreement`, and what the labels prove; that nobody has measured it where no label of a person counts.

    Labels of models are told at the end, as what they are.
    """
    return " ".join(part for part in (_of_people(project, run, found), _of_models(found)) if part)


def _of_models(found: Reviewed) -> str:
    if not found.by_models:
        return ""
    (passed, of_passed), (failed, of_failed) = found.models_agree
    return (
        f"A model labelled {found.by_models} of its conversations without seeing the verdicts. It passes {passed} of the "
        f"{of_passed} that the judge passed, and fails {failed} of the {of_failed} that it failed. That does not show that "
        f"the judge is right: models overlook the same things, and only a person's labels count."
    )


def _of_people(project: Project, run: Run, found: Reviewed) -> str:
    if not found.read:
        return NOT_MEASURED
    try:
        word = agreement(run.verdicts_path, run.labels_path, project.layout.document(Documents.rubric.name)).word
    except UsageError:  # a line that cannot be read; `agreement` says which
        return " ".join(proof(found))
    return " ".join((f"Against people's labels it is {word}.", *proof(found)))

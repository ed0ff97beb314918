"""What a rubric's threshold lets pass: whoever reads the rubric is told before giving their word for it."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import Project


def lets_pass(project: Project) -> Iterator[str]:
    """A sentence for each category that a conversation may fail altogether; none while rubric or frameworks are unreadable."""
    rubric, knowledge = project.document(Documents.rubric), project.document(Documents.knowledge)
    if rubric is None or rubric.value is None or knowledge is None or knowledge.value is None:
        return
    grave = rubric.value.grave(knowledge.value)
    for category in rubric.value.categories:
        if category.weight is not None and 1 - category.weight >= rubric.value.threshold - 1e-9:
            flawed = not grave.isdisjoint(question.id for question in category.questions)
            upshot = "passes as flawed, and is no training row" if flawed else "is accepted as a training row"
            yield f"a conversation that fails all of “{category.name}” and nothing else {upshot}"

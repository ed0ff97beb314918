"""What a person has to read now, and where to look first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from finetune_prep.core.finding import Outcome
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.phases.drafting import briefing
from finetune_prep.project.project import Project
from finetune_prep.workflow.checking import LEVELS, concerning
from finetune_prep.workflow.texts.lets_pass import lets_pass


def to_read(project: Project, kinds: Iterable[str]) -> Iterator[str]:
    """A line for each of these documents that nobody has accepted, and below it where to look."""
    for kind in kinds:
        if not project.layout.document(kind).is_file() or project.acceptance(kind) is not None:
            continue
        yield f"  {KINDS[kind].path}: {_standing(concerning(project, kind))}"
        for page in briefing.pages(project, kind):
            yield f"    look first at {project.layout.relative(page)}"
        if kind == Documents.rubric.name:
            yield from (f"    at this threshold {sentence}" for sentence in lets_pass(project))


def _standing(found: Sequence[Outcome]) -> str:
    """How the gates of a document stand, in words; "every gate holds" only of gates that do."""
    words = {"fails": "not met", "unchecked": "unchecked", "overridden": "waived"}
    counted = [
        outcome
        for outcome in found
        if outcome.answer != "unchecked" or (LEVELS[outcome.gate] == "must" and not outcome.lacks)  # asked once that is there
    ]
    counts = {said: sum(outcome.answer == answer for outcome in counted) for answer, said in words.items()}
    parts = [f"{count} gate{'' if count == 1 else 's'} {said}" for said, count in counts.items() if count]
    return ", ".join(parts) or "every gate holds"

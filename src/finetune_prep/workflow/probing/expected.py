"""What probing will ask, before it does: edits wanted, and as many more as usually turn out not to count."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_prep.core.request import RoleName
from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.drafting.prompt_facts import PILOT, PROBE, facts
from finetune_prep.phases.probing.asking import PHASE
from finetune_prep.phases.probing.probe import (
    WITHOUT_TRIGGER,
    Sizes,
    Source,
    current_plan,
    prepared,
    wanted_of,
)
from finetune_prep.phases.probing.subjects import plantable, subjects_of
from finetune_prep.phases.session import Session
from finetune_prep.project.probing.runs import ProbeKind, probe_runs
from finetune_prep.project.project import Project
from finetune_prep.statistics.probing.plan import PER_CONVERSATION
from finetune_prep.workflow.estimate import Estimate, estimate_of_calls
from finetune_prep.workflow.planned_calls import Planned, Used

AGAIN = 1.2  # edits written for one that counts; convention, untested
LOOKED = 0.3  # share of edits after which the judge answers NO to another question, too; convention, untested
LOOKS = 2  # of the verifier at each version; those at an unedited conversation serve all of its edits


def expected(session: Session, used: Used, kind: ProbeKind, sizes: Sizes, source: Source, provider: str = "") -> Estimate:
    """What is still to ask; nothing for a run that has come to its end. Raises ActNeeded as `prepared`."""
    project = session.project
    prepared(project)
    plan = current_plan(project, session.text("evaluation-prompt"), kind, sizes, source)
    run = next((run for run in probe_runs(project.layout, kind) if run.plan == plan), None)
    if run and run.finished:
        return estimate_of_calls(project, used, (), provider)
    known: dict[str, int] = {}
    for line in used.tokens:
        if run and line.run == run.name and line.phase == PHASE:
            known[line.role] = known.get(line.role, 0) + line.answers
    return estimate_of_calls(project, used, _calls(project, kind, sizes, source, known), provider)


def _calls(project: Project, kind: ProbeKind, sizes: Sizes, source: Source, known: dict[str, int]) -> Iterator[Planned]:
    for prompt, times in _times(project, kind, sizes, source).items():
        about = facts(prompt, project.layout.phase_prompts)
        use = next(use for use in about.uses if use.phase == (PILOT if prompt == "judge" else PROBE))
        role: RoleName = about.role
        there = min(round(times), known.get(role, 0))
        known[role] = known.get(role, 0) - there
        yield Planned(
            prompt=prompt, role=role, form=about.form, phase=PHASE, times=times, known=there, input=use.input, output=use.output
        )


def _times(project: Project, kind: ProbeKind, sizes: Sizes, source: Source) -> dict[str, float]:
    """How often each prompt is asked."""
    rubric, knowledge = project.value(Documents.rubric), project.value(Documents.knowledge)
    talks = len(source.conversations)
    if kind == "failures":
        edits = len(plantable(knowledge))
        return {"judge": 2 * talks + edits, "probe-break": AGAIN * edits, "probe-verify": AGAIN * edits}
    most, wanted = PER_CONVERSATION * talks, wanted_of(rubric, sizes)
    asked = sizes.asked(rubric)
    broken = sum(min(most, wanted[question.id]) for question in asked if subjects_of(question, knowledge))
    gone = sum(min(talks, WITHOUT_TRIGGER) for question in asked if question.na)
    same = min(sizes.neutral, most)
    return {
        "judge": 2 * talks + broken + gone + 2 * same,
        "probe-break": AGAIN * broken,
        "probe-verify": AGAIN * broken,
        "probe-others": LOOKS * (LOOKED * broken + talks),
        "probe-neutral": same,
        "probe-verify-neutral": same,
        "probe-trigger": AGAIN * gone,
        "probe-verify-trigger": AGAIN * gone,
    }

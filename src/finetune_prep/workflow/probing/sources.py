"""Where faults are planted: in accepted conversations of a pilot, or in the few-shots while there are more of those.

The pilot may be of older documents: each unedited conversation is judged twice by the rubric as it is now, and a question's
faults are planted only where it said YES both times. So a question that was just sharpened can be probed before the pilot is
judged anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded
from finetune_prep.phases.pilot.plan import KIND
from finetune_prep.phases.probing.probe import FEW_SHOTS, MOST_BASES, Source
from finetune_prep.phases.probing.subjects import fit_of, subjects_of
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.reviewing.counting import reviewed

CHOSEN = 3 / 4  # of the conversations: as the gate needs them; the rest as they come


def source_of(project: Project) -> Source:
    """The conversations of the latest pilot, or the few-shots if there are more of those.

    Raises ActNeeded if there are neither.
    """
    pilots = [run for run in runs(project.layout, KIND) if run.account() is not None]
    drawn = _drawn(project, pilots[-1]) if pilots else ()
    shots = _few_shots(project)
    if not drawn and not shots:
        raise ActNeeded("there is no conversation yet to plant a fault in", next="finetune-prep prepare")
    if len(drawn) >= len(shots):
        return Source(name=pilots[-1].name, conversations=drawn)
    return Source(name=FEW_SHOTS, conversations=shots)


def _drawn(project: Project, run: Run) -> tuple[Conversation, ...]:
    """Accepted conversations that nobody has failed, in an order that tells nothing of them.

    Most are those that fit what the questions of the gate are there for, each question choosing in turn: dangers are rare, and
    where there is none, none can be overlooked.
    """
    failed = {*reviewed(project, run).failed}
    found = [
        sample.conversation for sample in run.each_sample() if sample.state == "accepted" and sample.conversation is not None
    ]
    sound = {conversation.id: conversation for conversation in found if conversation.id not in failed}
    order = sorted(sound, key=lambda id: digest([project.config.seed, "probe", id]))
    chosen = {*_chosen(project, [sound[id] for id in order])}
    rest = [id for id in order if id not in chosen][: MOST_BASES - len(chosen)]
    return tuple(sound[id] for id in order if id in chosen or id in rest)


def _chosen(project: Project, conversations: Sequence[Conversation]) -> list[str]:
    """Ids of the conversations that the questions of the gate choose."""
    rubric, knowledge = project.value(Documents.rubric), project.value(Documents.knowledge)
    asked = [
        subjects_of(question, knowledge) for category in rubric.categories if category.gate for question in category.questions
    ]
    fit = fit_of([subject for subjects in asked for subject in subjects], conversations)
    ranks = [
        sorted((one.id for one in conversations), key=lambda id: -max(fit(subject.id, id) for subject in subjects))
        for subjects in asked
        if subjects
    ]
    return list(dict.fromkeys(id for row in zip(*ranks, strict=True) for id in row))[: round(CHOSEN * MOST_BASES)]


def _few_shots(project: Project) -> tuple[Conversation, ...]:
    document = project.document(Documents.generation_prompt)
    return tuple(shot.conversation for shot in document.value.few_shots) if document and document.value else ()

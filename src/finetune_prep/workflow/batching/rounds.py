"""How many rounds of batch files a phase takes. What depends on nothing that is still open is asked together, in one round.

A round is one file: questions to two models or roles at the same time are two. Which prompts a phase asks after each other stands
here; how often they are asked, by whom, and how often a draft is handed back, in their front matter.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from finetune_prep.documents.kinds import Documents
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.method import limits
from finetune_prep.phases.drafting.prompt_facts import PILOT, facts
from finetune_prep.phases.pilot.converse import WHOLE
from finetune_prep.phases.pilot.plan import drawn
from finetune_prep.phases.pilot.waves import wave_sizes
from finetune_prep.project.project import Project
from finetune_prep.workflow.planned_calls import Used, drafts, planned

LENGTHS = (1, 3, 5, 8)  # exchanges of conversations in a scenario space that is not written yet: as in the larger example


class Asked(NamedTuple):
    """Prompts that are asked together. sittings: as often as the panel sits, one after the other."""

    prompts: tuple[str, ...]
    sittings: bool = False


class Drafted(NamedTuple):
    """A draft and its examination, and both again whenever it is handed back.

    beside: asked with the first draft. readers: asked with its first examination.
    """

    prompt: str
    beside: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()


STEPS: dict[str, tuple[tuple[Asked, ...] | Drafted, ...]] = {
    "research": (
        (Asked(("research-panel", "research-asked-for", "research-read", "research-queries")),),
        (Asked(("research-propose",), sittings=True), Asked(("research-same",), sittings=True)),
        Drafted("research-frameworks", readers=("criticise",)),
        Drafted("research-scenario-space"),
    ),
    "anchors": (Drafted("anchors"),),
    "rubric": (
        Drafted("rubric-questions", readers=("criticise",)),
        Drafted("rubric-rulings", beside=("rubric-examples",)),
    ),
    "evaluation-prompt": (Drafted("evaluation-prompt"), (Asked(("judge",)),)),
    "generation-prompt": (
        Drafted("generation-few-shots", beside=("generation-guidance", "generation-user-prompt", "generation-system-prompt")),
    ),
}


def rounds(
    project: Project,
    used: Used,
    phases: Sequence[str],
    *,
    n: int = limits.PILOT,
    provider: str = "",
    anew: bool = False,
    waves: bool = True,
) -> dict[str, int]:
    """Rounds of each phase that is not finished, with those that were carried already; none where no answer comes by batch.

    n: conversations of the pilot. provider: asked for every role. anew: documents that exist are written again. waves: whether
    a large pilot goes in waves, one after the other.
    """
    by_batch = {role for role in project.config.played if project.config.by_batch(role, provider)}
    counts: dict[str, int] = {}
    for phase in phases:
        calls = [call for call in planned(project, used, phase, n, anew) if call.times and call.role in by_batch]
        asked = {call.prompt for call in calls}
        if phase == PILOT:
            judges = len({call.role for call in calls if call.prompt == "judge"})
            found = _of_pilot(project, n, asked, [*wave_sizes(n)] if waves else [n], judges)
        else:
            found = sum(_of_step(project, step, asked) for step in STEPS[phase])
        counts |= {phase: round(found)} if round(found) else {}
    return counts


async def about(ledger: Ledger, expected: Mapping[str, int]) -> int:
    """Rounds that there will have been in all; 0 = nobody knows. A phase takes what is expected of it, or what it took."""
    if not expected:
        return 0
    taken: Counter[str] = Counter()
    for written in await ledger.rounds.all():
        requests = await ledger.rounds.requests_of(written.number)
        taken.update(request.phase for request in requests[:1])
    return sum(max(taken[phase], expected.get(phase, 0)) for phase in {*taken, *expected})


def _of_step(project: Project, step: tuple[Asked, ...] | Drafted, asked: Set[str]) -> float:
    if not isinstance(step, Drafted):
        sittings = min(project.config.sittings, limits.SITTINGS.most)
        return sum(_files(project, part.prompts, asked) * (sittings if part.sittings else 1) for part in step)
    if step.prompt not in asked:
        return 0.0
    examined = [name for name in asked if name != step.prompt and step.prompt in _examined(project, name)]
    again = drafts(facts(step.prompt, project.layout.phase_prompts), project.config.revisions) - 1
    first = _files(project, (step.prompt, *step.beside), asked) + _files(project, (*examined, *step.readers), asked)
    return first + again * (_files(project, (step.prompt,), asked) + _files(project, examined, asked))


def _examined(project: Project, name: str) -> Iterator[str]:
    """The prompts whose drafts are examined by this one."""
    return (use.drafts_of for use in facts(name, project.layout.phase_prompts).uses)


def _files(project: Project, prompts: Iterable[str], asked: Set[str]) -> int:
    """Files in which so many prompts are written at the same time: one for each model and role."""
    roles = {facts(name, project.layout.phase_prompts).role for name in prompts if name in asked}
    return len({(role, project.config.role(role).model_name) for role in roles})


def _of_pilot(project: Project, n: int, asked: Set[str], waves: Sequence[int], judges: int) -> float:
    """For each wave, one for each turn of its longest conversation, and one of verdicts for each length that its conversations
    have. Where each conversation is written in one call, one for all of them and one for the verdicts.

    waves: their sizes, which sum to n. judges: who are asked by batch for verdicts, each in a file of its own.
    """
    if WHOLE in asked:
        return len(waves) * (1 + judges)
    space = project.document(Documents.space)
    exchanges: list[int] = []
    if space and space.value:
        with contextlib.suppress(ValueError):  # nothing can be planned from it: that is for the pilot to say
            exchanges = [scenario.exchanges for scenario in drawn(space.value, n, project.config.seed)]
    speakers = sum(speaker in asked for speaker in ("converse-user", "assistant"))
    found, begun = 0, 0
    for size in waves:
        lengths = {*exchanges[begun : begun + size]} or {*LENGTHS}
        found += max(lengths) * speakers + len(lengths) * judges
        begun += size
    return found

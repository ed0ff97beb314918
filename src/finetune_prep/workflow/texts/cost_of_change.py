"""What a changed text costs: which conversations and verdicts of the last pilot would be asked anew. Nothing is asked here.

The pilot is walked through with the documents as they are, answered by the ledger alone. Where it has no answer, the rest of that
conversation would have to be made. A prompt that a program has to put present items into first is counted as changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

import msgspec

from finetune_prep.conversations.faults import find_fault
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.prompts import EvaluationPrompt
from finetune_prep.core.request import Origin, Request, RoleName
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import NotYet, Unusable
from finetune_prep.ledger.protocols import Answers, Ledger
from finetune_prep.models.askings import recall
from finetune_prep.models.door import Door
from finetune_prep.models.roles import Roles
from finetune_prep.phases.pilot import pilot, plan
from finetune_prep.phases.pilot.converse import converse
from finetune_prep.phases.pilot.judging import judge
from finetune_prep.phases.pilot.repeating import twice
from finetune_prep.phases.pilot.second_judge import ROLE as SECOND
from finetune_prep.phases.pilot.second_judge import reads
from finetune_prep.phases.prompts.evaluation_prompt import compiled
from finetune_prep.phases.prompts.guidance_draft import bare, unsourced
from finetune_prep.phases.session import Session
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.sources.web import Web
from finetune_prep.workflow.estimate import estimate_of_pilot
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.planned_calls import used

T = TypeVar("T")


class CostOfChange(msgspec.Struct, frozen=True, kw_only=True):
    """What the last pilot would ask if it were run again."""

    n: int
    """Its scenarios."""
    conversations: int
    """That would be made anew, in full or in part."""
    verdicts: int
    """That would be asked for, those on new conversations included."""
    dollars: float | None
    """At usual lengths; None if a price is unknown."""


class _Recalling:
    """A door behind which there is nobody: it gives what the ledger holds."""

    def __init__(self, answers: Answers, opened: Mapping[str, int]) -> None:
        self._answers = answers
        self._opened = opened

    async def ask_for(self, request: Request, parse: Callable[[str], T]) -> T:
        return await recall(self._answers, request, parse, self._opened.get(request.key, 0))


def cost_of_change(project: Project) -> CostOfChange | None:
    """What the present documents mean for the last pilot; None if there was none, or a document of it is missing or unsound."""
    last = [run for run in runs(project.layout, plan.KIND) if run.plan.way == project.config.pilot.way]
    there = {document.kind: document for document in project.documents()}
    needed = (Documents.knowledge.name, *plan.MADE_FROM)
    sound = all(kind in there and there[kind].value is not None and not there[kind].findings for kind in needed)
    if not last or not sound:
        return None
    return looked(project, partial(_counted, project, last[-1]), None)


async def _counted(project: Project, run: Run, ledger: Ledger) -> CostOfChange:
    nobody: Any = _Recalling(ledger.answers, project.opened())
    session = Session(project, Roles(project.config), door=cast(Door, nobody), tell=lambda line: None, web=cast(Web, None))
    stage = pilot.stage_of(session, run)
    drifted = _drifted(project)
    calls: Counter[RoleName] = Counter()
    conversations = 0
    scenarios = plan.planned(project.value(Documents.space), run.plan.n, project.config.seed)
    stage = msgspec.structs.replace(stage, twice=twice(scenarios, run.plan.repeated, run.plan.seed))
    for scenario in scenarios:
        made = None if "generation-prompt" in drifted else await _conversation(stage, scenario)
        if made is None:
            conversations += 1
            each = 1 if stage.way == "one-call" else scenario.exchanges
            calls["assistant"] += each
            calls += _verdicts(stage, scenario)
            calls["user"] += each if stage.way == "turns" else 0
        elif made.messages and ("evaluation-prompt" in drifted or not await _is_judged(stage, scenario, made)):
            calls += _verdicts(stage, scenario)
    if not stage.rubric.judged:
        del calls["judge"], calls[SECOND]
    expected = estimate_of_pilot(project, await used(ledger), calls, run.plan.n)
    dollars = expected.cost if calls else 0.0
    return CostOfChange(n=len(scenarios), conversations=conversations, verdicts=calls["judge"] + calls[SECOND], dollars=dollars)


def _verdicts(stage: pilot.Stage, scenario: Scenario) -> Counter[RoleName]:
    """Who is asked for a verdict on the conversation of a scenario, and how often."""
    second = reads(scenario.id, stage.second, stage.session.project.config.seed)
    return Counter({"judge": 1 + (scenario.id in stage.twice), SECOND: int(second)})


def _drifted(project: Project) -> set[str]:
    """Prompts that do not hold the present items which a program puts into them, and will before the next pilot."""
    found = {part.name for part in project.stale() if part.compiled}
    knowledge, rubric = project.value(Documents.knowledge), project.value(Documents.rubric)
    generation, judges = project.value(Documents.generation_prompt), project.value(Documents.evaluation_prompt)
    present = unsourced(knowledge.facts), bare(knowledge.always), bare(knowledge.never)
    if present != (generation.facts, generation.always, generation.never):
        found.add("generation-prompt")
    if _asked(compiled(judges, rubric)) != _asked(judges):
        found.add("evaluation-prompt")
    return found


def _asked(prompt: EvaluationPrompt) -> object:
    """What a judge reads of a rubric, but for the weights, which only a score uses."""
    return prompt.terms, [(category.name, category.questions) for category in prompt.categories]


async def _conversation(stage: pilot.Stage, scenario: Scenario) -> Conversation | None:
    """The conversation as it is known, without turns if it stays one that nobody judges; None if it would have to be made."""
    nothing = Conversation(())
    try:
        conversation = await converse(stage.session, stage.voices, scenario, stage.run, stage.way)
    except NotYet:
        return None
    except Unusable:
        return nothing
    examples = [shot.conversation for shot in stage.generation.few_shots]
    return nothing if find_fault(conversation, examples, stage.known_in(scenario)) else conversation


async def _is_judged(stage: pilot.Stage, scenario: Scenario, conversation: Conversation) -> bool:
    origin = Origin(run=stage.run, scenario=scenario.id)
    try:
        await judge(stage.session, stage.evaluation_prompt, stage.rubric, conversation, origin, pilot.case_of(scenario))
    except NotYet:
        return False
    return True

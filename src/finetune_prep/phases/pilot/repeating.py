"""Asking the same judge about a conversation once more, to see how steady it is.

The second asking is a question of its own, with its own key: the first one's stays what it is. Which conversations are judged
twice is drawn by the project's seed before anything is known of them, and what comes of it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.core.request import Origin
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.errors import NotYet, Unreachable
from finetune_prep.phases.pilot.judging import answered, verdict_request
from finetune_prep.phases.pilot.made import Again
from finetune_prep.phases.session import Session

ABOUT = "judged again"
SAMPLE = "repeat"  # of the second asking


def twice(scenarios: Iterable[Scenario], share: float, seed: int) -> frozenset[str]:
    """Ids of the scenarios whose conversations are judged twice: this share of them, rounded up."""
    ordered = sorted((scenario.id for scenario in scenarios), key=lambda id: digest([seed, ABOUT, id]))
    return frozenset(ordered[: repeats(len(ordered), share)])


def repeats(n: int, share: float) -> int:
    """How many of n conversations are judged twice."""
    return ceil(share * n - 1e-9)


async def judge_again(
    session: Session, evaluation_prompt: str, rubric: Rubric, conversation: Conversation, run: str, scenario: str, case: str
) -> Again:
    """What the judge says when it is asked once more; an answer that is outstanding holds nothing up."""
    origin = Origin(about=ABOUT, run=run, scenario=scenario)
    request = verdict_request(session, evaluation_prompt, rubric, conversation, origin, case)
    try:
        return Again(await answered(session, msgspec.structs.replace(request, sample=SAMPLE), rubric, conversation))
    except (NotYet, Unreachable) as error:
        return Again(None, error.what)

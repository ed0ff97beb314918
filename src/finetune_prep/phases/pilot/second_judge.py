"""A second judge, of another model: what it is asked, and about which conversations.

It reads exactly what the first one reads. Which conversations it reads follows from the project's seed and the scenario alone, so
that a conversation is read by the same judges in a pilot and in the scaled run that goes on from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.core.request import Origin, RoleName
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.verdict import Verdict
from finetune_prep.phases.pilot.judging import answered, verdict_request

if TYPE_CHECKING:
    from finetune_prep.phases.session import Session

ROLE: RoleName = "verifier"  # as where an edit is tried
ABOUT = "second judge"
_HEX = 12  # digits of a digest, enough for a number between 0 and 1


def reads(scenario: str, share: float, seed: int) -> bool:
    """Whether the second judge reads the conversation of this scenario."""
    return int(digest([seed, ABOUT, scenario])[:_HEX], 16) / float(16**_HEX) < share


async def second_verdict(
    session: Session, evaluation_prompt: str, rubric: Rubric, conversation: Conversation, run: str, scenario: str, case: str
) -> Verdict:
    """What the second judge says; an answer that stays unreadable leaves its verdict missing."""
    origin = Origin(about=ABOUT, run=run, scenario=scenario)
    request = verdict_request(session, evaluation_prompt, rubric, conversation, origin, case, to=ROLE)
    return await answered(session, request, rubric, conversation)

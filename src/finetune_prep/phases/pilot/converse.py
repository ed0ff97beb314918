"""One conversation, turn by turn: a simulated user with a card, and the assistant with the generation prompt.

The user never sees the rubric, the techniques or the assistant's prompt; the assistant never sees the card.
"""

from __future__ import annotations

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.request import Origin, Request
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.scenarios.space import Reaction
from finetune_prep.models.roles import Roles
from finetune_prep.phases.session import Session

# How a user takes a question of the assistant, as the scenario has it.
REACTIONS: dict[Reaction, str] = {
    "ignores": "If the assistant asked something, do not answer it: go on with what is on your mind.",
    "half": "If the assistant asked something, answer half of it and turn to something else.",
    "pushes back": "If the assistant asked something, push back.",
    "answers": "If the assistant asked something, answer it.",
}


class Voices(msgspec.Struct, frozen=True, kw_only=True):
    """The prompts of both sides as they are sent."""

    assistant: str
    user: str
    language: str
    """The language of the conversation, a BCP 47 tag."""


async def converse(session: Session, voices: Voices, scenario: Scenario, run: str) -> Conversation:
    """The whole conversation of a scenario: `scenario.exchanges` pairs of turns."""
    conversation = Conversation(())
    for turn in range(scenario.exchanges):
        origin = Origin(run=run, scenario=scenario.id, turn=turn + 1)
        said = await session.door.ask_for(user_request(session, voices, scenario, conversation, origin), spoken)
        conversation = conversation.then("user", said)
        answered = await session.door.ask_for(assistant_request(session.roles, voices, scenario, conversation, origin), spoken)
        conversation = conversation.then("assistant", answered)
    return conversation


def spoken(text: str) -> str:
    """A turn without white space around it. Raises ValueError if nothing was said."""
    if not text.strip():
        raise ValueError("The message is empty.")
    return text.strip()


def user_request(session: Session, voices: Voices, scenario: Scenario, so_far: Conversation, origin: Origin) -> Request:
    turn = origin.turn - 1
    slots = {
        "user_prompt": voices.user,
        "situation": scenario.situation.text,
        "style": scenario.style.name,
        "fewest": scenario.style.fewest,
        "most": scenario.style.most,
        "sounds_like": scenario.style.sounds_like,
        "difficulty": f"{scenario.difficulty.name} – {scenario.difficulty.means}",
        "flaw": f"{scenario.flaw.name} – {scenario.flaw.shows_as}" if scenario.flaw else "",
        "turns": [
            {"speaker": "You" if message.role == "user" else "Assistant", "text": message.content} for message in so_far.messages
        ],
        "hints": "\n".join(f"- {hint}" for hint in _hints(scenario, turn)),
        "language": voices.language,
    }
    return session.request("converse-user", slots, phase="pilot", origin=origin, sample=scenario.id)


def _hints(scenario: Scenario, turn: int) -> list[str]:
    planned = scenario.course[turn]
    hints = [_stage(turn, scenario.exchanges)]
    if scenario.flaw:
        hints.append("Your flaw shows in this message." if planned.flaw_shows else "Your flaw does not show in this message.")
    if planned.reaction:
        hints.append(REACTIONS[planned.reaction])
    return hints


def _stage(turn: int, exchanges: int) -> str:
    if turn == 0:
        return "This is the beginning: what brings you here."
    if turn == exchanges - 1:
        return "This is your last message: a decision, a doubt that remains, or an end – not necessarily thanks."
    return "This is the middle: more detail, another side of it, or resistance."


def assistant_request(roles: Roles, voices: Voices, scenario: Scenario, so_far: Conversation, origin: Origin) -> Request:
    messages = (Message("system", voices.assistant), *so_far.messages)
    return roles.request("assistant", phase="pilot", origin=origin, messages=messages, sample=scenario.id)

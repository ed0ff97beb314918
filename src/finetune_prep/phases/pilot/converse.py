"""Making one conversation, in one of two ways.

Turn by turn, a simulated user with a card and the assistant with the generation prompt answer each other. Neither sees what the
other was given: the user nothing of rubric, techniques or the assistant's prompt, the assistant nothing of the card. In one call,
the assistant's model writes both sides at once, from the same texts: that is cheaper, and less like life, since whoever writes a
question knows the answer already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.request import Origin, Request
from finetune_prep.core.sample import Way
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.models.roles import Roles
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.pilot.card import card, gap, hints
from finetune_prep.phases.requests import Requests
from finetune_prep.phases.session import Session

WHOLE = "converse-whole"
Said = Annotated[str, Meta(min_length=1)]
Answer = Callable[[Conversation, Origin], Awaitable[str]]
"""From a conversation that ends with the user, and where it belongs, to the reply."""


class Voices(msgspec.Struct, frozen=True, kw_only=True):
    """The prompts of both sides as they are sent."""

    assistant: str
    user: str
    language: str
    """The language of the conversation, a BCP 47 tag."""


class WrittenExchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: Said
    assistant: Said


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation that was written in one call."""

    exchanges: list[WrittenExchange]


async def converse(session: Session, voices: Voices, scenario: Scenario, run: str, way: Way) -> Conversation:
    """The whole conversation of a scenario: `scenario.exchanges` pairs of turns."""
    if way == "one-call":
        request = whole_request(session, voices, scenario, Origin(run=run, scenario=scenario.id))
        written = await session.door.ask_for(request, lambda text: read_whole(text, scenario.exchanges))
        return _with_gaps(written, voices, scenario)

    async def assistant(so_far: Conversation, origin: Origin) -> str:
        return await session.door.ask_for(assistant_request(session.roles, voices, scenario, so_far, origin), spoken)

    return await by_turns(session, voices, scenario, run, assistant)


async def by_turns(
    session: Session, voices: Voices, scenario: Scenario, run: str, answer: Answer, *, phase: str = "pilot"
) -> Conversation:
    """The simulated user's talk with whoever answers, turn by turn. Raises what `answer` raises."""
    conversation = Conversation(())
    for exchange in range(1, scenario.exchanges + 1):
        origin = Origin(run=run, scenario=scenario.id, turn=exchange)
        line = gap(scenario, voices.language, exchange)
        asked = user_request(session, voices, scenario, conversation, origin, phase=phase)
        conversation = conversation.then("user", await session.door.ask_for(asked, partial(_below, line)), line)
        conversation = conversation.then("assistant", await answer(conversation, origin))
    return conversation


def spoken(text: str) -> str:
    """A turn without white space around it. Raises ValueError if nothing was said."""
    if not text.strip():
        raise ValueError("The message is empty.")
    return text.strip()


def _below(line: str, text: str) -> str:
    """A turn without the line with its gap, which its writer may have repeated. Raises ValueError if nothing was said."""
    return spoken(text.strip().removeprefix(line) if line else text)


def user_request(
    requests: Requests, voices: Voices, scenario: Scenario, so_far: Conversation, origin: Origin, *, phase: str = "pilot"
) -> Request:
    slots = {
        "user_prompt": voices.user,
        "card": card(requests, scenario, voices.language, origin.turn),
        "turns": so_far.messages,
        "gap": gap(scenario, voices.language, origin.turn),
        "hints": hints(scenario, origin.turn),
        "language": voices.language,
    }
    return requests.request("converse-user", slots, phase=phase, origin=origin, sample=scenario.id)


def assistant_request(roles: Roles, voices: Voices, scenario: Scenario, so_far: Conversation, origin: Origin) -> Request:
    said = so_far.plain(show_gaps=True)
    messages = (Message("system", voices.assistant), *said.messages)
    return roles.request("assistant", phase="pilot", origin=origin, messages=messages, sample=scenario.id)


def whole_request(requests: Requests, voices: Voices, scenario: Scenario, origin: Origin) -> Request:
    """Both sides in one answer, from the texts that they would have been given."""
    numbers = range(1, scenario.exchanges + 1)
    exchanges = [{"gap": gap(scenario, voices.language, number), "hints": hints(scenario, number)} for number in numbers]
    slots = {
        "assistant_prompt": voices.assistant,
        "user_prompt": voices.user,
        "card": card(requests, scenario, voices.language, scenario.exchanges),
        "gaps": any(exchange["gap"] for exchange in exchanges),
        "exchanges": exchanges,
        "language": voices.language,
    }
    schema = schemas.schema_of(Written, "conversation")
    return requests.request(WHOLE, slots, phase="pilot", origin=origin, schema=schema, sample=scenario.id)


def read_whole(text: str, exchanges: int) -> Conversation:
    """The turns of an answer. Raises ValueError if there are not as many as planned, or one is empty."""
    written = schemas.read(text, Written).exchanges
    if len(written) != exchanges:
        raise ValueError(f"The conversation has {len(written)} exchanges; write exactly {exchanges}.")
    conversation = Conversation(())
    for exchange in written:
        conversation = conversation.then("user", spoken(exchange.user)).then("assistant", spoken(exchange.assistant))
    return conversation


def _with_gaps(conversation: Conversation, voices: Voices, scenario: Scenario) -> Conversation:
    """The conversation with the lines that say how much time has passed, which its writer left to the program."""
    result = Conversation(())
    for number, message in enumerate(conversation.messages):
        line = gap(scenario, voices.language, number // 2 + 1) if message.role == "user" else ""
        result = result.then(message.role, _below(line, message.content), line)
    return result

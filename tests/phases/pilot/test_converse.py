"""A conversation turn by turn: each side knows its own prompt and the talk so far, and nothing of the other's card."""

from __future__ import annotations

import msgspec
import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.request import Origin, Reply, Request
from finetune_prep.core.scenarios.drawing import draw
from finetune_prep.core.scenarios.scenario import Cell, Exchange
from finetune_prep.errors import Unusable
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.pilot.converse import REACTIONS, Voices, converse, spoken, user_request
from tests.core.scenarios.test_drawing import SPACE
from tests.phases.conftest import OpenSession

VOICES = Voices(assistant="You are the ASSISTANT of a shop.", user="You play a USER of a shop.", language="en")
CASE = draw(SPACE, Cell("TP1", "edge"), 0, 1)
SCENARIO = msgspec.structs.replace(
    CASE,
    style=SPACE.styles[0],
    flaw=SPACE.flaws[0],
    expected="HIDDEN EXPECTATION",
    course=(
        Exchange(comes_in=CASE.situation.id),
        Exchange(flaw_shows=True, reaction="ignores"),
        Exchange(reaction="pushes back"),
    ),
)


def talker(request: Request) -> str:
    said = sum(message.role != "system" for message in request.messages)
    return f"  reply {said // 2 + 1}\n" if request.role == "assistant" else f"\nturn {request.origin.turn} "


async def test_turns_alternate_for_as_many_exchanges_as_the_scenario_has(session: OpenSession) -> None:
    script = Scripted(talker)
    async with session(script) as shop:
        talk = await converse(shop, VOICES, SCENARIO, "pilot-001")
    assert [message.role for message in talk.messages] == ["user", "assistant"] * 3
    assert talk.spoken_by("user") == ("turn 1", "turn 2", "turn 3")
    assert talk.spoken_by("assistant") == ("reply 1", "reply 2", "reply 3")
    assert [request.role for request in script.asked] == ["user", "assistant"] * 3


async def test_the_assistant_sees_its_prompt_and_the_whole_talk_and_nothing_of_the_card(session: OpenSession) -> None:
    script = Scripted(talker)
    async with session(script) as shop:
        talk = await converse(shop, VOICES, SCENARIO, "pilot-001")
    last = script.asked[-1]
    assert last.messages == (Message("system", VOICES.assistant), *talk.messages[:-1])
    hidden = (VOICES.user, SCENARIO.situation.text, SCENARIO.style.name, SPACE.flaws[0].name, SCENARIO.expected)
    for request in script.asked:
        if request.role == "assistant":
            assert not [text for text in hidden if text in str(request.messages)]


async def test_the_user_sees_its_card_and_the_whole_talk_and_nothing_of_what_is_wanted(session: OpenSession) -> None:
    script = Scripted(talker)
    async with session(script) as shop:
        await converse(shop, VOICES, SCENARIO, "pilot-001")
    last = [request for request in script.asked if request.role == "user"][-1]
    system, card = last.messages
    assert system.content == VOICES.user
    for shown in (SCENARIO.situation.text, "5 to 25 words", SPACE.flaws[0].name, "You: turn 1", "Assistant: reply 2"):
        assert shown in card.content
    for request in script.asked:
        if request.role == "user":
            assert VOICES.assistant not in str(request.messages)
            assert SCENARIO.expected not in str(request.messages)
            assert not [technique for technique in SCENARIO.techniques if technique in str(request.messages)]


@pytest.mark.parametrize(
    ("language", "range"), [("zh-Hans", "5 to 25 characters"), ("ja", "5 to 25 characters"), ("th", "5 to 25 words")]
)
async def test_a_user_who_writes_chinese_is_told_a_range_of_characters(session: OpenSession, language: str, range: str) -> None:
    async with session(Scripted([])) as opened:
        voices = msgspec.structs.replace(VOICES, language=language)
        card = user_request(opened, voices, SCENARIO, Conversation(()), Origin(turn=1)).messages[1].content
    assert f"{range} per message." in card


async def test_the_same_scenario_again_costs_nothing_and_says_the_same(session: OpenSession) -> None:
    first, second = Scripted(talker), Scripted([])
    async with session(first) as shop:
        talk = await converse(shop, VOICES, SCENARIO, "pilot-001")
    async with session(second) as shop:
        assert await converse(shop, VOICES, SCENARIO, "another-run") == talk
    assert (len(first.asked), second.asked) == (6, [])


async def test_scenarios_that_read_alike_are_asked_apart(session: OpenSession) -> None:
    """The same card under another seed is another conversation, and not the same answer twice."""
    script = Scripted(talker)
    other = msgspec.structs.replace(SCENARIO, index=9)
    async with session(script) as shop:
        await converse(shop, VOICES, SCENARIO, "pilot-001")
        await converse(shop, VOICES, other, "pilot-001")
    assert len({request.key for request in script.asked}) == 12


async def test_an_empty_turn_is_asked_for_again_and_then_given_up(session: OpenSession) -> None:
    silent = Scripted([" \n", "Hello?", *[Reply(text="", problem="empty")] * 3])
    async with session(silent) as shop:
        with pytest.raises(Unusable, match="empty"):
            await converse(shop, VOICES, SCENARIO, "pilot-001")
    assert [request.role for request in silent.asked] == ["user"] * 2 + ["assistant"] * 3


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_nothing_is_no_turn(text: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        spoken(text)


async def test_the_first_message_reacts_to_nothing_and_the_last_one_ends(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        cards = [
            user_request(shop, VOICES, SCENARIO, Conversation(()), Origin(turn=turn)).messages[1].content for turn in (1, 2, 3)
        ]
    assert "This is the beginning" in cards[0]
    assert not [reaction for reaction in REACTIONS.values() if reaction in cards[0]]
    assert "This is the middle" in cards[1]
    assert "This is your last message" in cards[2]


async def test_a_user_without_a_flaw_hears_nothing_of_flaws(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        plain = msgspec.structs.replace(SCENARIO, flaw=None)
        card = user_request(shop, VOICES, plain, Conversation(()), Origin(turn=1)).messages[1].content
    assert "flaw" not in card.lower()

"""Making a conversation: each side knows its own prompt and the talk so far, and nothing of the other's card."""

from __future__ import annotations

import json

import msgspec
import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.request import Origin, Reply, Request
from finetune_prep.core.scenarios.drawing import draw
from finetune_prep.core.scenarios.scenario import Cell, Elapsed, Exchange
from finetune_prep.core.scenarios.space import REACTIONS as NAMES
from finetune_prep.core.scenarios.space import Arc, Person, Reaction, Situation
from finetune_prep.errors import Unusable
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.pilot.card import MIDDLE, REACTIONS
from finetune_prep.phases.pilot.converse import Voices, converse, read_whole, spoken, user_request, whole_request
from finetune_prep.phases.pilot.judging import verdict_request
from tests.core.scenarios.test_drawing import SPACE
from tests.gates import pottery
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
OVER_DAYS = msgspec.structs.replace(
    SCENARIO,
    person=Person(id="PE1", name="Giver", weight=1, who="forties, two jobs", writes="no capitals", keeps_back="the birthday"),
    situations=(SCENARIO.situation, Situation("TP2.1", "The second parcel is lost, too", "the carrier's mail")),
    arc=Arc(id="AR1", name="Worsens", weight=1, means="each time a little later"),
    course=(
        Exchange(comes_in=CASE.situation.id),
        Exchange(gap=Elapsed(days=6, weekday=3, reads="{days} days later"), comes_in="TP2.1", reaction="answers"),
        Exchange(gap=Elapsed(days=0, weekday=3, reads="later that day"), reaction="half"),
    ),
)
GAPS = ("", "[Thursday, 6 days later]", "[later that day]")


def talker(request: Request) -> str:
    said = sum(message.role != "system" for message in request.messages)
    return f"  reply {said // 2 + 1}\n" if request.role == "assistant" else f"\nturn {request.origin.turn} "


def writer(request: Request) -> str:
    return json.dumps({"exchanges": [{"user": f"turn {n}", "assistant": f"reply {n}"} for n in (1, 2, 3)]})


async def test_turns_alternate_for_as_many_exchanges_as_the_scenario_has(session: OpenSession) -> None:
    script = Scripted(talker)
    async with session(script) as shop:
        talk = await converse(shop, VOICES, SCENARIO, "pilot-001", "turns")
    assert [message.role for message in talk.messages] == ["user", "assistant"] * 3
    assert talk.spoken_by("user") == ("turn 1", "turn 2", "turn 3")
    assert talk.spoken_by("assistant") == ("reply 1", "reply 2", "reply 3")
    assert [request.role for request in script.asked] == ["user", "assistant"] * 3


async def test_the_assistant_sees_its_prompt_and_the_whole_talk_and_nothing_of_the_card(session: OpenSession) -> None:
    script = Scripted(talker)
    async with session(script) as shop:
        talk = await converse(shop, VOICES, SCENARIO, "pilot-001", "turns")
    last = script.asked[-1]
    assert last.messages == (Message("system", VOICES.assistant), *talk.messages[:-1])
    hidden = (VOICES.user, SCENARIO.situation.text, SCENARIO.style.name, SPACE.flaws[0].name, SCENARIO.expected)
    for request in script.asked:
        if request.role == "assistant":
            assert not [text for text in hidden if text in str(request.messages)]


async def test_the_user_sees_its_card_and_the_whole_talk_and_nothing_of_what_is_wanted(session: OpenSession) -> None:
    script = Scripted(talker)
    async with session(script) as shop:
        await converse(shop, VOICES, SCENARIO, "pilot-001", "turns")
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


async def test_gaps_stand_above_the_messages_for_user_and_assistant_and_in_the_talk_that_a_judge_is_shown(
    session: OpenSession,
) -> None:
    script = Scripted(talker)
    async with session(script) as shop:
        talk = await converse(shop, VOICES, OVER_DAYS, "pilot-001", "turns")
    assert tuple(message.gap for message in talk.messages if message.role == "user") == GAPS
    assert [message.content for message in script.asked[-1].messages if message.role == "user"] == [
        "turn 1",
        "[Thursday, 6 days later]\n\nturn 2",
        "[later that day]\n\nturn 3",
    ]
    cards = [request.messages[1].content for request in script.asked if request.role == "user"]
    assert "[" not in cards[0]
    assert "You write it now: [Thursday, 6 days later]" in cards[1]
    assert "[Thursday, 6 days later]\nYou: turn 2" in cards[2]
    assert "[Thursday, 6 days later]\n\nturn 2" in [message.shown for message in talk.messages]


async def test_the_judge_is_shown_the_same_lines(session: OpenSession) -> None:
    async with session(Scripted(talker)) as shop:
        talk = await converse(shop, VOICES, OVER_DAYS, "pilot-001", "turns")
        asked = verdict_request(shop, "You judge.", pottery.rubric(), talk, Origin()).messages[1].content
    assert "[Thursday, 6 days later]" in asked
    assert "[later that day]" in asked


async def test_a_user_who_repeats_the_line_is_not_quoted_with_it(session: OpenSession) -> None:
    def repeating(request: Request) -> str:
        return f"{GAPS[request.origin.turn - 1]}\n\nturn" if request.role == "user" else "reply"

    async with session(Scripted(repeating)) as shop:
        talk = await converse(shop, VOICES, OVER_DAYS, "pilot-001", "turns")
    assert talk.spoken_by("user") == ("turn",) * 3


async def test_two_users_of_one_kind_do_not_have_the_same_names(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        users = [msgspec.structs.replace(OVER_DAYS, seed=f"1/{n}") for n in range(30)]
        cards = {user_request(shop, VOICES, user, Conversation(()), Origin(turn=1)).messages[1].content for user in users}
    assert len(cards) > 25


async def test_what_comes_up_later_is_on_the_card_from_then_on(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        cards = [
            user_request(shop, VOICES, OVER_DAYS, Conversation(()), Origin(turn=turn)).messages[1].content for turn in (1, 2, 3)
        ]
    assert ["Situation 2: The second parcel is lost, too" in card for card in cards] == [False, True, True]
    assert ["Material: the carrier's mail" in card for card in cards] == [False, True, True]
    assert ["Situation 2 comes up for the first time" in card for card in cards] == [False, True, False]
    assert ["Time has passed" in card for card in cards] == [False, True, False]
    for told in ("forties, two jobs", "no capitals", "Keeps back: the birthday", "Worsens – each time a little later"):
        assert all(told in card for card in cards)


async def test_nobody_is_told_not_to_repeat_where_the_flaw_shows(session: OpenSession) -> None:
    """A flaw may be to ask the same thing again."""
    told = "Nobody repeats what was written before"
    shown = tuple(msgspec.structs.replace(exchange, flaw_shows=exchange.gap is not None) for exchange in OVER_DAYS.course)
    hidden = tuple(msgspec.structs.replace(exchange, flaw_shows=False) for exchange in OVER_DAYS.course)
    async with session(Scripted([])) as shop:
        cards = [
            user_request(shop, VOICES, msgspec.structs.replace(OVER_DAYS, course=course), Conversation(()), Origin(turn=2))
            for course in (shown, hidden)
        ]
    assert OVER_DAYS.flaw is not None
    assert [told in card.messages[1].content for card in cards] == [False, True]


async def test_a_card_without_person_flaw_and_arc_has_no_empty_lines_for_them(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        plain = msgspec.structs.replace(SCENARIO, flaw=None, course=(Exchange(comes_in=CASE.situation.id),))
        card = user_request(shop, VOICES, plain, Conversation(()), Origin(turn=1)).messages[1].content
    assert "flaw" not in card.lower()
    assert not [key for key in ("Person", "Keeps back", "How things go", "Material", "Writes") if f"- {key}" in card]
    assert "the only message you write" in card


@pytest.mark.parametrize(
    ("language", "range"), [("zh-Hans", "5 to 25 characters"), ("ja", "5 to 25 characters"), ("th", "5 to 25 words")]
)
async def test_a_user_who_writes_chinese_is_told_a_range_of_characters(session: OpenSession, language: str, range: str) -> None:
    async with session(Scripted([])) as opened:
        voices = msgspec.structs.replace(VOICES, language=language)
        card = user_request(opened, voices, SCENARIO, Conversation(()), Origin(turn=1)).messages[1].content
    assert f"{range} per message" in card


async def test_the_same_scenario_again_costs_nothing_and_says_the_same(session: OpenSession) -> None:
    first, second = Scripted(talker), Scripted([])
    async with session(first) as shop:
        talk = await converse(shop, VOICES, SCENARIO, "pilot-001", "turns")
    async with session(second) as shop:
        assert await converse(shop, VOICES, SCENARIO, "another-run", "turns") == talk
    assert (len(first.asked), second.asked) == (6, [])


async def test_scenarios_that_read_alike_are_asked_apart(session: OpenSession) -> None:
    """The same card under another seed is another conversation, and not the same answer twice."""
    script = Scripted(talker)
    other = msgspec.structs.replace(SCENARIO, index=9)
    async with session(script) as shop:
        await converse(shop, VOICES, SCENARIO, "pilot-001", "turns")
        await converse(shop, VOICES, other, "pilot-001", "turns")
    assert len({request.key for request in script.asked}) == 12


async def test_an_empty_turn_is_asked_for_again_and_then_given_up(session: OpenSession) -> None:
    silent = Scripted([" \n", "Hello?", *[Reply(text="", problem="empty")] * 3])
    async with session(silent) as shop:
        with pytest.raises(Unusable, match="empty"):
            await converse(shop, VOICES, SCENARIO, "pilot-001", "turns")
    assert [request.role for request in silent.asked] == ["user"] * 2 + ["assistant"] * 3


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_nothing_is_no_turn(text: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        spoken(text)


async def test_a_flaw_and_a_reaction_are_told_where_the_scenario_has_them(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        cards = [
            user_request(shop, VOICES, SCENARIO, Conversation(()), Origin(turn=turn)).messages[1].content for turn in (1, 2, 3)
        ]
    assert ["Your flaw shows here" in card for card in cards] == [False, True, False]
    assert "The conversation goes on after it." in cards[1], "a flaw that would end the talk does not end it here"
    assert [[name for name in NAMES if any(words in card for words in REACTIONS[name])] for card in cards] == [
        [],
        ["ignores"],
        ["pushes back"],
    ]


async def test_the_card_says_what_holds_where_person_and_situation_clash(session: OpenSession) -> None:
    """They are drawn apart; and a description that lacks its full stop gets it, as another sentence follows."""
    person = Person(id="PE1", name="Teacher", weight=1, who="A retired teacher")
    scenario = msgspec.structs.replace(SCENARIO, person=person)
    async with session(Scripted([])) as shop:
        card = user_request(shop, VOICES, scenario, Conversation(()), Origin(turn=1)).messages[1].content
    assert "Person: A retired teacher. You are" in card
    assert "the situation holds" in card


@pytest.mark.parametrize("reaction", NAMES)
async def test_users_do_not_all_react_in_the_same_words(session: OpenSession, reaction: Reaction) -> None:
    seen = set()
    async with session(Scripted([])) as shop:
        for index in range(40):
            exchanges = (SCENARIO.course[0], Exchange(reaction=reaction))
            scenario = msgspec.structs.replace(SCENARIO, index=index, seed=f"1/{index}", course=exchanges)
            card = user_request(shop, VOICES, scenario, Conversation(()), Origin(turn=2)).messages[1].content
            seen |= {words for words in REACTIONS[reaction] if words in card}
    assert seen == set(REACTIONS[reaction])


async def test_the_first_message_begins_and_the_last_one_ends(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        cards = [
            user_request(shop, VOICES, SCENARIO, Conversation(()), Origin(turn=turn)).messages[1].content for turn in (1, 2, 3)
        ]
    assert "You write first" in cards[0]
    assert [words for words in MIDDLE if words in cards[1]]
    assert "This is your last message" in cards[2]


# ---- both sides in one call


async def test_one_call_writes_the_whole_talk_and_the_gaps_are_put_in(session: OpenSession) -> None:
    script = Scripted(writer)
    async with session(script) as shop:
        talk = await converse(shop, VOICES, OVER_DAYS, "pilot-001", "one-call")
    assert [request.role for request in script.asked] == ["assistant"]
    assert talk.spoken_by("user") == ("turn 1", "turn 2", "turn 3")
    assert talk.spoken_by("assistant") == ("reply 1", "reply 2", "reply 3")
    assert tuple(message.gap for message in talk.messages if message.role == "user") == GAPS


async def test_one_call_is_given_both_prompts_the_whole_card_and_nothing_of_what_is_wanted(session: OpenSession) -> None:
    async with session(Scripted([])) as shop:
        system, card = whole_request(shop, VOICES, OVER_DAYS, Origin()).messages
    assert system.content.startswith(VOICES.assistant), "the longest text stands first, and is the same in all requests"
    assert VOICES.user in system.content
    for shown in (*GAPS, OVER_DAYS.situation.text, "The second parcel is lost, too", "3 in all"):
        assert shown in card.content
    assert OVER_DAYS.expected not in system.content + card.content


async def test_a_line_with_a_gap_that_the_writer_put_in_stands_there_once(session: OpenSession) -> None:
    def repeating(request: Request) -> str:
        return json.dumps({"exchanges": [{"user": f"{gap}\n\nturn", "assistant": "reply"} for gap in GAPS]})

    async with session(Scripted(repeating)) as shop:
        talk = await converse(shop, VOICES, OVER_DAYS, "pilot-001", "one-call")
    assert talk.spoken_by("user")[1:] == ("turn", "turn")


@pytest.mark.parametrize(
    ("exchanges", "problem"),
    [
        ([{"user": "a", "assistant": "b"}], "has 1 exchanges; write exactly 2"),
        ([{"user": "a", "assistant": "b"}, {"user": " ", "assistant": "b"}], "empty"),
        ([{"user": "a", "assistant": "b"}, {"user": "a"}], "assistant"),
    ],
)
def test_a_talk_of_another_length_or_with_an_empty_turn_is_no_answer(exchanges: list[dict[str, str]], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_whole(json.dumps({"exchanges": exchanges}), 2)

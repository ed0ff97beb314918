"""Which edits probe a question: in an order that is fixed, spread over conversations, places and kinds."""

from __future__ import annotations

from collections import Counter

import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.statistics.probing.plan import breaking, neutral, planting, turn_at, without_trigger


def talk(number: int, exchanges: int = 3) -> Conversation:
    turns = [(f"Question {number}.{n}", f"Answer {number}.{n}") for n in range(exchanges)]
    return Conversation(
        tuple(message for asked, said in turns for message in (Message("user", asked), Message("assistant", said)))
    )


TALKS = tuple(talk(number) for number in range(24))


def test_a_plan_has_spare_edits_of_every_kind_and_place() -> None:
    edits = breaking("SF1", ("DONT1", "DONT2"), TALKS, 16)
    assert len(edits) == 32
    assert len({edit.id for edit in edits}) == 32
    first = edits[:16]
    assert len({edit.base for edit in first}) == 16  # the edits that are tried first share no conversation
    kinds = Counter(edit.kind for edit in first)
    assert set(kinds) == {"plain", "slight", "hollow", "contradiction"}
    assert kinds["slight"] > kinds["plain"]
    assert {edit.place for edit in first} == {"early", "middle", "late"}
    assert Counter(edit.subject for edit in first) == {"DONT1": 8, "DONT2": 8}
    assert edits == breaking("SF1", ("DONT1", "DONT2"), TALKS, 16)


@pytest.mark.parametrize("bases", range(1, 12))
def test_two_edits_of_one_conversation_at_most_and_of_different_kinds(bases: int) -> None:
    edits = breaking("CP1", ("DO1",), TALKS[:bases], 16)
    assert len(edits) == min(32, 2 * bases)
    assert len({(edit.base, edit.kind) for edit in edits}) == len(edits)
    assert max(Counter(edit.base for edit in edits).values()) <= 2


def test_questions_begin_with_different_conversations() -> None:
    one, other = (breaking(target, ("DO1",), TALKS, 6, start) for target, start in (("CP1", 0), ("CP2", 6)))
    assert not {edit.base for edit in one[:6]} & {edit.base for edit in other[:6]}


def test_without_an_anchor_or_a_conversation_there_is_nothing_to_plan() -> None:
    assert breaking("CP1", (), TALKS, 6) == breaking("CP1", ("DO1",), (), 6) == ()
    assert neutral((), 24) == without_trigger("CP3", (), 3) == planting("FM1", ()) == ()


def test_neutral_edits_paraphrase_all_conversations_before_they_pad_one() -> None:
    edits = neutral(TALKS[:10], 24)
    assert [edit.kind for edit in edits] == ["paraphrase"] * 10 + ["padding"] * 10
    assert {edit.copy for edit in edits[:10]} == {1}
    assert len(neutral(TALKS, 24)) == 24


def test_what_takes_an_occasion_away_changes_the_user() -> None:
    assert {edit.turn for edit in without_trigger("CP3", TALKS, 3)} == {1}


def test_places_are_turns_of_the_assistant() -> None:
    assert [turn_at(TALKS[0], place) for place in ("early", "middle", "late")] == [2, 4, 6]
    assert {turn_at(talk(1, 1), place) for place in ("early", "middle", "late")} == {2}

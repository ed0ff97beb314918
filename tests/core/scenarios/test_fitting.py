"""What makes a card that nobody could play is found, each thing by its own reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from finetune_prep.core.scenarios.drawing import draw
from finetune_prep.core.scenarios.fitting import can_tell, goes_with, unplayable
from finetune_prep.core.scenarios.scenario import Cell, Elapsed, Exchange, Scenario
from finetune_prep.core.scenarios.space import Arc, Difficulty, Flaw, Situation, Style

FLAW = Flaw(id="FL1", name="Yes, but", weight=1, from_exchange=2, not_with=("DF1", "ST9"))
TERSE = Style(id="ST1", name="Terse", weight=1, fewest=2, most=5)
HARD, EASY = Difficulty(id="DF3", name="Hard", weight=1), Difficulty(id="DF1", name="Easy", weight=1)
SIX = Situation("TP1.1", "one two three four five six")
FOUR = Situation("TP2.1", "one two three four", "a log of three hundred lines")


def sound() -> Scenario:
    from tests.core.scenarios.test_drawing import SPACE

    return msgspec.structs.replace(
        draw(SPACE, Cell("TP1", "normal"), 0, 1),
        situations=(SIX, FOUR),
        style=TERSE,
        difficulty=HARD,
        flaw=FLAW,
        arc=None,
        course=(
            Exchange(comes_in="TP1.1"),
            Exchange(flaw_shows=True, reaction="half"),
            Exchange(comes_in="TP2.1", reaction="answers"),
        ),
    )


def test_a_sound_card_has_no_reason() -> None:
    assert [*unplayable(sound())] == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"flaw": msgspec.structs.replace(FLAW, from_exchange=3)}, "FL1 shows in exchange 2 and can only from 3 on"),
        ({"flaw": msgspec.structs.replace(FLAW, from_exchange=4)}, "does not go with DF3, ST1 or 3 exchanges"),
        ({"difficulty": EASY}, "FL1 does not go with DF1, ST1 or 3 exchanges"),
        ({"style": msgspec.structs.replace(TERSE, id="ST9")}, "FL1 does not go with DF3, ST9 or 3 exchanges"),
        ({"flaw": None}, "a flaw is to show that the user does not have"),
        ({"course.1": Exchange(reaction="half")}, "FL1 is declared and shows in no message"),
        ({"style": msgspec.structs.replace(TERSE, most=3)}, "TP2.1 takes 4 words to tell, and ST1 has 3 in each of 1"),
        ({"style": msgspec.structs.replace(TERSE, most=2)}, "TP1.1 takes 6 words to tell, and ST1 has 2 in each of 2"),
        ({"situations": (SIX,)}, "a situation never comes up, or one comes up that is not there"),
        ({"course.2": Exchange()}, "a situation never comes up"),
        ({"course.0": Exchange(), "course.1": Exchange(comes_in="TP1.1", flaw_shows=True)}, "nothing has happened yet"),
        ({"course.0": Exchange(comes_in="TP1.1", reaction="half")}, "the first message answers a question"),
        ({"course.0": Exchange(comes_in="TP1.1", gap=Elapsed(days=1, weekday=2, reads="later"))}, "some time after another"),
    ],
)
def test_each_reason_is_said(change: dict[str, Any], reason: str) -> None:
    scenario = sound()
    for place, value in change.items():
        field, _, number = place.partition(".")
        if number:
            course = [*scenario.course]
            course[int(number)] = value
            value = tuple(course)
        scenario = msgspec.structs.replace(scenario, **{field: value})
    assert [found for found in unplayable(scenario) if reason in found]


def test_an_arc_needs_time() -> None:
    arc = Arc(id="AR1", name="Worse", weight=1)
    single = msgspec.structs.replace(sound(), flaw=None, arc=arc, situations=(FOUR,), course=(Exchange(comes_in="TP2.1"),))
    assert [*unplayable(single)] == ["AR1 needs time, and there is one exchange"]


def test_a_user_without_flaw_goes_with_everything() -> None:
    assert goes_with(None, 1, EASY, TERSE)
    assert not goes_with(FLAW, 1, HARD, TERSE)


@pytest.mark.parametrize(("text", "words"), [("eins zwei drei", 3), ("盘子碎了一个", 6), ("", 0)])
def test_words_are_counted_as_the_script_has_them(text: str, words: int) -> None:
    style = msgspec.structs.replace(TERSE, most=3)
    assert can_tell(style, Situation("TP1.1", text), 1) == (words <= 3)
    assert can_tell(style, Situation("TP1.1", text), 2)

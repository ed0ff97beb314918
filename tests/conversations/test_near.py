"""Near-duplicates among thousands: planted ones are found, and conversations that only sound alike are left alone."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest

from finetune_prep.conversations.near import NEAR, Near, alike, runs_in, runs_of
from finetune_prep.core.conversation import Conversation, Message
from tests.soak import SOAK

ROWS = 100_000 if SOAK else 2_000
WORDS = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "il", "o", "ur", "is") for c in ("ra", "to", "ven", "li", "mp", "sk")
]
SET_PHRASES = (
    ["thank", "you", "so", "much", "for", "reaching", "out", "to", "us", "today"],
    ["i", "hear", "how", "hard", "this", "is", "and", "that", "is", "not", "nothing"],
    ["if", "you", "are", "in", "danger", "please", "call", "the", "emergency", "number"],
)


def base(dice: random.Random) -> list[str]:
    words: list[str] = []
    while len(words) < 150:
        words += [dice.choice(WORDS) for _ in range(dice.randint(8, 20))] + (
            dice.choice(SET_PHRASES) if dice.random() < 0.5 else []
        )
    return words


def shared(one: list[str], other: list[str]) -> float:
    """The definition, without any hash."""
    first, second = ({*zip(words, words[1:], words[2:], strict=False)} for words in (one, other))
    return len(first & second) / len(first | second)


def talk(words: list[str]) -> Conversation:
    return Conversation((Message("user", " ".join(words[:50])), Message("assistant", " ".join(words[50:]).capitalize() + ".")))


def test_planted_near_duplicates_are_found_and_others_are_not() -> None:
    dice = random.Random(3)
    rows: list[list[str]] = []
    origin: dict[int, int] = {}
    for number in range(ROWS):
        if number > 100 and dice.random() < 0.1:
            origin[number] = dice.randrange(number)
            changed = [*rows[origin[number]]]
            for _ in range(dice.choice([0, 2, 4, 6, 8, 20, 30])):
                changed[dice.randrange(len(changed))] = dice.choice(WORDS)
            rows.append(changed)
        else:
            rows.append(base(dice))
    talks = [talk(words) for words in rows]
    began = time.process_time()
    found = {pair.number: pair.earlier for pair in Near().pairs(runs_of(said) for said in talks)}
    taken = time.process_time() - began
    planted = {number for number, earlier in origin.items() if shared(rows[number], rows[earlier]) >= NEAR}
    assert len(planted & {*found}) >= 0.98 * len(planted)
    right = sum(shared(rows[number], rows[earlier]) >= NEAR - 0.01 for number, earlier in found.items())
    assert right >= 0.95 * len(found)
    if SOAK:
        assert taken < 15, f"{taken:.1f} s of CPU for {ROWS:,} rows"


def test_how_alike_two_texts_are_is_the_share_of_their_runs() -> None:
    words = [f"w{n}" for n in range(100)]
    for place in (0, 10, 50, 99):
        other = [*words[:place], "otherwise", *words[place + 1 :]]
        assert alike(runs_in(words), runs_in(other)) == pytest.approx(shared(words, other), abs=1e-9)
    assert alike(runs_in(words), runs_in(words)) == 1.0


def test_a_talk_that_is_half_another_one_is_none() -> None:
    near = Near()
    words = base(random.Random(1))
    near.add(runs_in(words))
    assert near.earlier(runs_in(words[:80] + base(random.Random(2))[:80])) is None


@pytest.mark.parametrize("text", ["", "Yes.", "是的。", "一二三四五六七八九十百千万"])
def test_short_texts_and_scripts_without_blanks(text: str) -> None:
    near = Near()
    said = Conversation((Message("user", text), Message("assistant", text)))
    assert near.earlier(runs_of(said)) is None
    near.add(runs_of(said))
    found = near.earlier(runs_of(said))
    assert (found == (0, 1.0)) is (text != "") or text == ""


def test_case_and_punctuation_make_no_other_text() -> None:
    near = Near()
    near.add(runs_of(Conversation((Message("user", "Where is my blue bowl, please?"), Message("assistant", "It leaves today.")))))
    assert near.earlier(
        runs_of(Conversation((Message("user", "where is my BLUE bowl – please"), Message("assistant", "it leaves today!"))))
    ) == (0, 1.0)


def test_the_system_prompt_makes_nobody_alike() -> None:
    system = Message("system", " ".join(base(random.Random(9))))
    talks = [Conversation((system, *talk(base(random.Random(n))).messages)) for n in range(5)]
    assert not [*Near().pairs(map(runs_of, talks))]
    assert all(one.id != other.id for one, other in pairwise(talks))

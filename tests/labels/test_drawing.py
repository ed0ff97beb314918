"""The draw: seeded, by verdict, with probabilities that are what they say."""

from __future__ import annotations

from collections import Counter
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.labels.drawing import Drawn, draw
from tests.gates import pottery
from tests.workflow.reviewing.pilots import STATES


@cache
def scenarios() -> tuple[Scenario, ...]:
    return plan(pottery.space(), 60, 7)


def samples_of(judged: str) -> list[Sample]:
    return [
        Sample(
            scenario=scenario,
            state=STATES[letter],
            conversation=Conversation((Message("user", f"Bowl {number}?"),)),
            unusable="a key" if letter == "u" else "",
        )
        for number, (letter, scenario) in enumerate(zip(judged, scenarios(), strict=False))
    ]


def first(drawn: tuple[Drawn, ...]) -> list[Drawn]:
    return [one for one in drawn if not one.repeat]


judged = st.text(st.sampled_from("pppfxud"), max_size=40)


@given(judged, st.integers(1, 60), st.integers(0, 9))
def test_the_same_draw_comes_again_and_a_larger_one_holds_it(judged: str, n: int, seed: int) -> None:
    samples = samples_of(judged)
    drawn = first(draw(samples, n, seed))
    assert drawn == first(draw(samples, n, seed))
    more = {one.conversation_id for one in first(draw(samples, n + 3, seed))}
    assert {one.conversation_id for one in drawn} <= more
    assert len(drawn) == min(n, judged.count("p") + judged.count("f"))


@given(judged, st.integers(1, 60))
def test_probabilities_sum_to_the_size_of_the_draw_and_each_text_is_drawn_once(judged: str, n: int) -> None:
    """Of what was judged only: neither faulty nor unjudged conversations, nor duplicates."""
    samples = samples_of(judged)
    drawn = first(draw(samples, n, 7))
    p = {one.sample.state: one.sampling.p for one in drawn}
    assert sum(p.get(sample.state, 0.0) for sample in samples) == pytest.approx(len(drawn))
    assert len({one.conversation_id for one in drawn}) == len(drawn)
    assert set(p) <= {"accepted", "rejected"}


def test_over_many_seeds_each_conversation_is_drawn_as_often_as_is_said() -> None:
    samples = samples_of("pppppppppppppppppppppppppppppppppppfffff")
    seeds = 2000
    counts: Counter[str] = Counter()
    for seed in range(seeds):
        drawn = first(draw(samples, 10, seed))
        counts.update(one.conversation_id for one in drawn)
    p = {one.sample.state: one.sampling.p for one in drawn}
    assert p["rejected"] > p["accepted"]
    for sample in samples:
        assert sample.conversation is not None
        expected = p[sample.state]
        spread = 4.5 * (expected * (1 - expected) / seeds) ** 0.5  # forty comparisons
        assert counts[sample.conversation.id] / seeds == pytest.approx(expected, abs=spread)


def test_one_in_ten_is_shown_again_at_the_end() -> None:
    drawn = draw(samples_of("p" * 30 + "f" * 10), 20, 7)
    assert [one.repeat for one in drawn] == [False] * 20 + [True] * 2
    assert [one.conversation_id for one in drawn[20:]] == [one.conversation_id for one in drawn[:2]]


def test_the_order_says_nothing_about_the_verdict() -> None:
    """Over many seeds, the first conversation shown is a failed one as often as failed ones are in the draw."""
    samples = samples_of("p" * 30 + "f" * 10)
    firsts = Counter(draw(samples, 8, seed)[0].sample.state for seed in range(1000))
    share = sum(one.sample.state == "rejected" for one in draw(samples, 8, 7)) / 8
    assert firsts["rejected"] / 1000 == pytest.approx(share, abs=0.07)


def test_what_speaks_to_the_judge_comes_last_and_always() -> None:
    """It has no verdict, so no label of it says anything about the judge; it is read because nobody else can."""
    samples = samples_of("pufpfu")
    steered = msgspec.structs.replace(samples[1], unusable="")
    drawn = draw([samples[0], steered, *samples[2:]], 2, 7)
    assert len(drawn) == 3
    assert drawn[-1].sample == steered
    assert (drawn[-1].sampling.design, drawn[-1].sampling.p) == ("steered", 1.0)

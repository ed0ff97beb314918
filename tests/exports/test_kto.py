"""KTO's rows: single replies with a verdict of their own, and what reading back takes for one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from finetune_prep.core.sample import STATES, State
from finetune_prep.exports.kto import LONGER, NO_VERDICT, row, talk_of
from tests.exports.samples import samples, talk

TALK = talk("Is my bowl on its way?", "It leaves today.")
LONG = talk("One?", "One.", "Two?", "Two.")
TURNS = [{"role": "user", "content": "Why?"}], [{"role": "assistant", "content": "So."}]


@pytest.mark.parametrize("state", STATES)
def test_only_what_has_a_verdict_has_a_row(state: State) -> None:
    (sample,) = samples([TALK], state)
    made = row(sample, TALK)
    if state in ("accepted", "rejected"):
        assert made == {"prompt": TALK.messages[:-1], "completion": TALK.messages[-1:], "label": state == "accepted"}
    else:
        assert made == state


def test_a_verdict_of_several_replies_says_of_none_which_one_it_is_about() -> None:
    for state in ("accepted", "rejected"):
        (sample,) = samples([LONG], state)
        assert row(sample, LONG) == LONGER


def test_a_rejection_in_which_no_question_applied_is_no_verdict() -> None:
    (sample,) = samples([TALK], "rejected")
    unscored = msgspec.structs.replace(sample, score=None)
    assert row(unscored, TALK) == NO_VERDICT
    assert isinstance(row(msgspec.structs.replace(unscored, failed=("S1",)), TALK), dict), "a safety question failed it"


@pytest.mark.parametrize(
    "found",
    [
        {"prompt": TURNS[0], "completion": TURNS[1], "label": 1},
        {"prompt": TURNS[0], "completion": TURNS[1], "label": "true"},
        {"prompt": "Why?", "completion": TURNS[1], "label": True},
        {"prompt": TURNS[0], "completion": [], "label": True},
        {"prompt": TURNS[0], "completion": TURNS[1] * 2, "label": True},
    ],
)
def test_other_shapes_are_no_row(found: dict[str, Any]) -> None:
    assert talk_of(found) is None
    assert talk_of({"prompt": TURNS[0], "completion": TURNS[1], "label": False}) == [*TURNS[0], *TURNS[1]]

"""The row of chat JSON Lines: for accepted samples alone."""

from __future__ import annotations

import pytest

from finetune_prep.core.sample import STATES, State
from finetune_prep.exports.messages import row
from tests.exports.samples import samples, talk

TALK = talk("Is my bowl on its way?", "It leaves today.")


@pytest.mark.parametrize("state", STATES)
def test_only_accepted_samples_have_one(state: State) -> None:
    (sample,) = samples([TALK], state)
    assert row(sample, TALK) == ({"messages": TALK.messages} if state == "accepted" else state)

"""Whether the long prompt fits, and whose names are the same model's."""

from __future__ import annotations

import pytest

from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.errors import ActNeeded
from finetune_prep.phases.evaluating.held_out import held_out
from finetune_prep.phases.evaluating.reach import check_served, too_long
from tests.phases.evaluating.test_held_out import SPACE

SCENARIOS = held_out(SPACE, 6, 1, (), single=True)
# The generation prompt of a shop: 30,639 characters, of which a small model's tokenizer made 7,816 tokens.
LONG = "x" * 30_639


@pytest.mark.parametrize(
    ("context", "most", "why"),
    [
        (
            8_192,
            256,
            "the generation prompt and a conversation take about 9,210 tokens, and the base model's context holds 8,192",
        ),
        (32_768, 256, ""),
        (0, 256, "how much fits into the base model's context is not known: give it with --context"),
        (
            10_000,
            2_000,
            "the generation prompt and a conversation take about 10,954 tokens, and the base model's context holds 10,000",
        ),
    ],
)
def test_a_prompt_that_does_not_fit_is_left_out_with_its_reason(context: int, most: int, why: str) -> None:
    assert too_long(LONG, SCENARIOS, most, context) == why


NAMES: dict[Arm, str] = {"base": "small", "tuned": "org/small-tuned"}


@pytest.mark.parametrize(
    ("base", "tuned"),
    [
        (("small",), ("org/small-tuned",)),
        (("small-2026-11-01",), ("small-tuned",)),
        (("/models/small.Q8_0.gguf",), ("hub/small-tuned",)),
        ((), ()),
        (("Small",), ()),
    ],
)
def test_a_dated_name_and_a_path_are_the_model(base: tuple[str, ...], tuned: tuple[str, ...]) -> None:
    check_served({"base": base, "tuned": tuned}, NAMES)


@pytest.mark.parametrize(
    ("base", "tuned", "what"),
    [
        (("another",), (), "base was asked for as small, and another answered"),
        (("small",), ("small",), "tuned was asked for as org/small-tuned, and small answered"),
        (("org/small-tuned",), ("org/small-tuned",), "base and tuned were both answered by org/small-tuned"),
    ],
)
def test_another_models_replies_are_refused(base: tuple[str, ...], tuned: tuple[str, ...], what: str) -> None:
    with pytest.raises(ActNeeded, match=what):
        check_served({"base": base, "tuned": tuned}, NAMES)

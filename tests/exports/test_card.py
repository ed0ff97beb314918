"""The dataset card: every figure with its n, every limit said, and nothing in it that breaks its own form."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from finetune_prep.core.sample import STATES, Account, State
from finetune_prep.exports.card import Card, render
from finetune_prep.statistics.rates import wilson


def account(**counts: int) -> Account:
    states: dict[State, int] = {state: counts.get(state.replace(" ", "_"), 0) for state in STATES}
    return Account(planned=sum(states.values()), states=states)


CARD = Card(
    domain="Support for a pottery shop",
    run="pilot-001",
    rows=70,
    file="train.jsonl",
    shape="chat format",
    preview=False,
    language="en",
    account=account(accepted=70, rejected=25, failed=3, not_run=2),
    rate=wilson(70, 97),
    threshold=0.75,
    models={"user": "larch-1", "assistant": "larch-2", "judge": "linen-1"},
    texts={"evaluation-rubric": "0123456789abcdef0123456789abcdef"},
    accepted_by={"evaluation-rubric": "Ada Larch"},
    overrides=(),
    unmet=(),
)


def card(**changes: Any) -> str:
    return render(msgspec.structs.replace(CARD, **changes))


def metadata(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text.split("---")[1])


def test_metadata_can_be_read_by_a_hub() -> None:
    assert metadata(card()) == {
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "finetune-prep"],
    }


def test_norwegian_stays_a_language() -> None:
    """Unquoted, `no` is false to the YAML that hubs read."""
    assert '- "no"' in card(language="no")
    old = YAML(typ="safe", pure=True)
    old.version = (1, 1)
    assert old.load(card(language="no").split("---")[1])["language"] == ["no"]


def test_the_account_holds_every_state_that_occurs_and_sums_to_the_plan() -> None:
    text = card()
    rows = dict(line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and line.count("|") == 3)
    counted = {state: int(count) for state, count in rows.items() if count.isdigit()}
    assert counted == {"accepted": 70, "rejected": 25, "failed": 3, "not run": 2, "planned": 100}


def test_the_pass_rate_stands_with_its_n_its_interval_and_whose_word_it_is() -> None:
    text = card()
    assert "70 of 97 passed: 72% (95% Wilson interval 63% to 80%), according to the judge, at threshold 0.75." in text
    assert "How often the judge is right has not been measured." in text


def test_a_run_in_which_nothing_could_be_judged_claims_no_rate() -> None:
    text = card(rate=wilson(0, 0), account=account(failed=5), rows=0)
    assert "passed:" not in text
    assert "| failed | 5 |" in text


def test_a_preview_says_so_at_the_top_with_what_is_missing() -> None:
    text = card(preview=True, unmet=("a person has read ten conversations", "the pilot passed"))
    assert "# Support for a pottery shop (preview)" in text
    assert text.index("**This is a preview, not a training set.**") < text.index("70 conversations")
    assert "- a person has read ten conversations\n- the pilot passed\n" in text
    assert "preview" not in card()


def test_who_accepted_which_text_is_told_and_who_did_not() -> None:
    text = card(texts=dict.fromkeys(["evaluation-rubric", "user-prompt"], "0123456789abcdef"))
    assert "| evaluation-rubric | `0123456789ab` | Ada Larch |" in text
    assert "| user-prompt | `0123456789ab` | not accepted |" in text


def test_a_judge_that_judges_its_own_words_is_named_as_a_limit() -> None:
    warning = "such judges pass their own words too often"
    assert warning not in card()
    assert warning in card(models={"assistant": "larch-1", "judge": "larch-1"})


@pytest.mark.parametrize("because", ["two\nlines", "a | b", "  spaced\t\tout  "])
def test_overrides_are_told_with_their_reason_on_one_line(because: str) -> None:
    (line,) = (line for line in card(overrides=(("rubric.weights", because),)).splitlines() if "rubric.weights" in line)
    assert line == f"- `rubric.weights`: {' '.join(because.split())}"


def test_names_cannot_break_the_tables() -> None:
    text = card(models={"judge": "linen|1"}, accepted_by={"evaluation-rubric": "Ada\nLarch | Linen"}, domain="Two\nlines")
    assert "| judge | linen\\|1 |" in text
    assert "| Ada Larch \\| Linen |" in text
    assert "# Two lines\n" in text

"""The dataset card: every figure with its n, every limit said, and nothing in it that breaks its own form."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from finetune_prep.core.sample import STATES, Account, State
from finetune_prep.exports.card import LICENSE, Card, Served, TrainingFile, render
from finetune_prep.exports.dataset import Measures
from finetune_prep.exports.manifest import Written
from finetune_prep.exports.trainers import TRAINERS, Facts
from finetune_prep.statistics.rates import wilson


def account(**counts: int) -> Account:
    states: dict[State, int] = {state: counts.get(state.replace(" ", "_"), 0) for state in STATES}
    return Account(planned=sum(states.values()), states=states)


ROWS = Written(file="train.jsonl", form="messages", rows=70, bytes=1, sha256="", left_out={"rejected": 25, "chat markup": 1})
FILE = TrainingFile(
    written=ROWS,
    config="sft",
    shape="chat format",
    sidecar="train.meta.jsonl",
    facts=Facts("Pottery", "train.jsonl", "dataset_info.json", Measures(rows=70, passed=70, replies=90, longest=3000)),
)
KTO = TrainingFile(
    written=Written(file="train.kto.jsonl", form="kto", rows=60, bytes=1, sha256="", left_out={"with more than one reply": 40}),
    config="kto",
    shape="KTO's format",
    sidecar="train.kto.meta.jsonl",
    facts=Facts("Pottery", "train.kto.jsonl", "dataset_info.json", Measures(rows=60, passed=45, replies=60, longest=900)),
)
CARD = Card(
    domain="Support for a pottery shop",
    run="pilot-001",
    files=(FILE,),
    rejected="rejected.jsonl",
    manifest="manifest.json",
    preview=False,
    language="en",
    account=account(accepted=70, rejected=25, failed=3, not_run=2),
    rate=wilson(70, 97),
    threshold=0.75,
    models={"user": "larch-1", "assistant": "larch-2", "judge": "linen-1"},
    served=(),
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
        "pretty_name": "Support for a pottery shop",
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "tags": ["synthetic", "conversational", "sft", "finetune-prep"],
        "annotations_creators": ["machine-generated"],
        "source_datasets": ["original"],
        "configs": [{"config_name": "sft", "default": True, "data_files": [{"split": "train", "path": "train.jsonl"}]}],
    }


def test_the_licence_is_left_to_a_person_and_said_so() -> None:
    assert card().startswith(f"---\n{LICENSE}\n")
    assert "license" not in metadata(card())


@pytest.mark.parametrize(
    ("rows", "size"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10_000, "10K<n<100K"), (100_000, "100K<n<1M"), (10_000_000, "10M<n<100M")],
)
def test_the_size_is_one_that_hubs_know(rows: int, size: str) -> None:
    file = msgspec.structs.replace(FILE, written=msgspec.structs.replace(ROWS, rows=rows))
    assert metadata(card(files=(file,)))["size_categories"] == [size]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_title_is_read_as_it_is_written(title: str) -> None:
    """Quotes, colons, three dashes, line ends: all of them have broken a card somewhere."""
    text = card(domain=title)
    block = text.removeprefix("---\n").split("\n---\n", 1)[0]
    assert YAML(typ="safe", pure=True).load(block)["pretty_name"] == " ".join(title.split())
    assert text.count("\n---\n") == 1


@pytest.mark.parametrize(
    "title", ["no", "2026-11-29", "1e3", "null", "---", "a: b # c", "'", '"', "\\", "{x}", "| y", "\x85", "🏺"]
)
def test_titles_stay_texts_for_old_readers_of_yaml(title: str) -> None:
    old = YAML(typ="safe", pure=True)
    old.version = (1, 1)
    assert old.load(card(domain=title).removeprefix("---\n").split("\n---\n", 1)[0])["pretty_name"] == " ".join(title.split())


def test_every_file_accounts_for_the_plan() -> None:
    assert "`train.jsonl`: 100 planned = 70 rows + 25 rejected + 1 chat markup." in card()


def test_who_wrote_which_rows_is_told_and_who_answered_in_their_place() -> None:
    text = card(served=(Served(role="assistant", asked="larch-2", served="larch-2-mini"),))
    assert "| assistant | larch-2 | every reply |" in text
    assert "The assistant was asked for as larch-2, but larch-2-mini answered." in text
    assert "read the terms of the models above" in text


def test_every_trainer_of_the_rows_is_told_how() -> None:
    text = card()
    assert all(f"**{trainer.name}**" in text for trainer in TRAINERS if trainer.form == "messages")
    assert "assistant_only_loss=True, max_length=4096" in text
    measures = Measures(rows=2, passed=2, replies=2, longest=10)
    few = card(files=(msgspec.structs.replace(FILE, facts=FILE.facts._replace(of=measures)),))
    assert "It wants at least 10 rows." in few
    assert "It wants at least" not in text


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
    assert (
        "70 of 97 passed: 72% (95% Wilson interval 63% to 80%), according to the judge, at threshold 0.75; conversations made turn by turn."
        in text
    )
    assert "How often the judge is right has not been measured." in text


def test_a_run_in_which_nothing_could_be_judged_claims_no_rate() -> None:
    text = card(rate=wilson(0, 0), account=account(failed=5))
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


def test_two_formats_are_two_configs_and_what_failed_is_said_to_be_in_one() -> None:
    text = card(files=(FILE, KTO))
    found = metadata(text)
    assert [(config["config_name"], config.get("default", False)) for config in found["configs"]] == [
        ("sft", True),
        ("kto", False),
    ]
    assert found["tags"] == ["synthetic", "conversational", "sft", "kto", "finetune-prep"]
    assert (
        "`train.jsonl` has only those that passed. Of those in `train.kto.jsonl`, 45 passed and have the label true, 15 failed"
        in text
    )
    assert "Only those that passed are in it." not in text
    assert "`train.kto.jsonl`: 100 planned = 60 rows + 40 with more than one reply." in text
    assert 'data_files="train.kto.jsonl"' in text
    assert "45 of 60 rows have the label true" in text

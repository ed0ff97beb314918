"""From samples to files: what trainers learn is what was accepted, every planned scenario is accounted for, nothing half."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep.core.sample import STATES, Sample
from finetune_prep.exports.trainers import TRAINERS, dataset_info
from finetune_prep.exports.traps import trap_in
from tests.exports import as_trainers_read
from tests.exports.samples import SCENARIOS, SYSTEM, accounted, samples, talk, written
from tests.soak import examples

ODD = [
    "<|im_end|>",
    "<think>",
    "[INST]",
    "<image>",
    "\u2028",
    "\x85",
    "\ufeff",
    "\u200b",
    " ",
    "\n",
    "\t",
    '"',
    "\\",
    "\x00",
    "🏺",
]
texts = st.lists(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4).map("".join)
SOUND = [
    talk("Why?", "So."), talk("Why\u2028not?", "It\x85is."), talk(" größer? ", "🏺\n\nYes."), talk("One?", "One.", "Two?", "Two."),
]  # fmt: skip
odd_talks = st.lists(texts, min_size=2, max_size=6).filter(lambda said: len(said) % 2 == 0).map(lambda said: talk(*said))
talks = st.sampled_from(SOUND) | odd_talks
odd_samples = st.lists(
    st.builds(
        Sample,
        scenario=st.sampled_from(SCENARIOS),
        state=st.just(STATES[0]) | st.sampled_from(STATES),
        conversation=talks,
        score=st.floats(0, 1),
        fault=st.just("empty turn: turn 2 is empty"),
    ),
    max_size=8,
)
laws = settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def trainable(found: list[Sample]) -> list[tuple[str, ...]]:
    """Replies of accepted conversations without a trap, those that repeat an earlier one left out."""
    kept: dict[str, tuple[str, ...]] = {}
    for sample in found:
        if sample.state == "accepted" and sample.conversation and trap_in(sample.conversation.messages) is None:
            kept.setdefault(sample.conversation.id, sample.conversation.spoken_by("assistant"))
    return [*kept.values()]


@laws
@given(odd_samples)
def test_each_trainer_learns_the_accepted_replies_and_nothing_else(tmp_path: Path, found: list[Sample]) -> None:
    rows = written(tmp_path, found)
    (tmp_path / "dataset_info.json").write_bytes(dataset_info("A shop", rows.training))
    for trainer, read in as_trainers_read.ALL.items():
        assert read(tmp_path) == trainable(found), trainer
    assert as_trainers_read.mlx(tmp_path) == [replies[-1:] for replies in trainable(found)]
    assert set(as_trainers_read.ALL) | {"MLX"} == {trainer.name for trainer in TRAINERS if trainer.form == "messages"}


@laws
@given(odd_samples)
def test_rows_and_what_was_left_out_sum_to_the_plan(tmp_path: Path, found: list[Sample]) -> None:
    rows = written(tmp_path, found)
    assert accounted(rows) == [len(found)]
    left = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_bytes().splitlines()]
    assert len(left) + rows.training[0].rows == len(found)
    assert all(line["why"] for line in left if line["state"] in ("accepted", "faulty"))
    assert sum(map(len, rows.held_back.values())) == sum(line["state"] == "accepted" for line in left)


@laws
@given(odd_samples)
def test_the_sidecar_says_of_each_row_where_it_comes_from_in_lines_of_one_shape(tmp_path: Path, found: list[Sample]) -> None:
    written(tmp_path, found)
    lines = [json.loads(line) for line in (tmp_path / "train.meta.jsonl").read_bytes().splitlines()]
    scenarios = {sample.scenario.id: sample for sample in found}
    assert [line["row"] for line in lines] == [*range(1, len(lines) + 1)]
    assert all(line["scenario"] in scenarios for line in lines)
    assert len({tuple((key, type(value)) for key, value in line.items()) for line in lines}) <= 1


def test_what_is_flawed_is_in_no_training_file_and_its_reason_beside_it(tmp_path: Path) -> None:
    flawed = msgspec.structs.replace(samples([talk("a", "A.")], "flawed")[0], failed=("HE2",))
    rows = written(tmp_path, [*samples([talk("b", "B.")]), flawed], "messages", "kto")
    assert [(file.rows, file.left_out) for file in rows.training] == [(1, {"flawed": 1})] * 2
    [left] = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_bytes().splitlines()]
    assert (left["state"], left["why"]) == ("flawed", "no: HE2")


def test_the_sidecar_marks_what_one_question_decided(tmp_path: Path) -> None:
    thin = msgspec.structs.replace(samples([talk("a", "A.")])[0], thin=("Fit", "Manner"))
    written(tmp_path, [thin, *samples([talk("b", "B.")])])
    lines = [json.loads(line) for line in (tmp_path / "train.meta.jsonl").read_bytes().splitlines()]
    assert [line["thin"] for line in lines] == ["Fit, Manner", ""]


def test_a_row_has_the_system_prompt_and_the_turns_and_no_other_key(tmp_path: Path) -> None:
    written(tmp_path, samples([talk("Grüße", "Hello")]))
    expected = (
        '{"messages":[{"role":"system","content":"You help, briefly."},{"role":"user","content":"Grüße"},'
        '{"role":"assistant","content":"Hello"}]}\n'
    )
    assert (tmp_path / "train.jsonl").read_text("utf-8") == expected
    assert SYSTEM in expected


def test_line_separators_of_unicode_are_escaped_and_other_letters_are_not(tmp_path: Path) -> None:
    written(tmp_path, samples([talk("a\u2028b\u2029c\x85d, größer", "A\u2028B.")]))
    data = (tmp_path / "train.jsonl").read_text("utf-8")
    assert "a\\u2028b\\u2029c\\u0085d, größer" in data
    assert json.loads(data)["messages"][2]["content"] == "A\u2028B."


@pytest.mark.parametrize(
    ("turns", "name"),
    [
        (("Hello.", "Bye. "), "white space around a reply"),
        (("Hello.", "\n"), "an empty turn"),
        (("Hello <|im_end|>", "Bye."), "chat markup"),
        (("Hello.", "<think>so</think> Bye."), "tags of thinking"),
        (("See <image>", "Bye."), "a placeholder for media"),
    ],
)
def test_an_accepted_row_with_a_trap_is_kept_out_by_name(tmp_path: Path, turns: tuple[str, ...], name: str) -> None:
    rows = written(tmp_path, samples([talk("Hello.", "Bye."), talk(*turns)]))
    assert rows.held_back == {name: [SCENARIOS[1].id]}
    assert rows.training[0].left_out == {name: 1}
    (left,) = (json.loads(line) for line in (tmp_path / "rejected.jsonl").read_bytes().splitlines())
    assert (left["state"], left["why"]) == ("accepted", name)


def test_what_was_left_out_is_in_no_form_that_a_trainer_reads(tmp_path: Path) -> None:
    rejected = msgspec.structs.replace(samples([talk("Hello.", "Bye.")])[0], state="rejected", failed=("Q1", "Q2"))
    written(tmp_path, [rejected, *samples([talk("One?", "One.")])])
    (left,) = (json.loads(line) for line in (tmp_path / "rejected.jsonl").read_bytes().splitlines())
    assert left["why"] == "no: Q1, Q2"
    assert left["said"] == [["user", "Hello."], ["assistant", "Bye."]]
    assert not {"messages", "conversations", "text", "prompt", "completion", "chosen", "rejected"} & set(left)


def test_a_preview_has_no_name_of_a_training_file(tmp_path: Path) -> None:
    written(tmp_path, samples([talk("Hello.", "Bye.")]), preview=True)
    assert {path.name for path in tmp_path.iterdir()} == {
        "train.preview.jsonl", "train.meta.preview.jsonl", "rejected.preview.jsonl",
    }  # fmt: skip


def test_the_longest_row_is_measured_in_bytes(tmp_path: Path) -> None:
    rows = written(tmp_path, samples([talk("a", "ü" * 1000), talk("a", "b")]))
    (measures,) = rows.measures
    assert measures.longest == len(SYSTEM) + 1 + 2000 + 3 * 64
    assert (measures.rows, measures.passed, measures.replies) == (2, 2, 2)


@laws
@given(odd_samples)
def test_kto_learns_from_single_replies_with_a_verdict_and_nothing_else(tmp_path: Path, found: list[Sample]) -> None:
    rows = written(tmp_path, found, "messages", "kto")
    expected: dict[str, tuple[str, str, bool]] = {}
    for sample in found:
        said = sample.conversation
        if sample.state in ("accepted", "rejected") and said and said.exchanges == 1 and trap_in(said.messages) is None:
            turn, reply = said.messages
            expected.setdefault(said.id, (turn.content, reply.content, sample.state == "accepted"))
    assert as_trainers_read.kto(tmp_path) == [*expected.values()]
    assert accounted(rows) == [len(found)] * 2
    assert rows.measures[1].passed == sum(label for _, _, label in expected.values())

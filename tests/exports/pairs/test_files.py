"""The folder of pairs as trainers read it, each by its own rules, which share nothing with what writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.durable import Together
from finetune_prep.errors import FinetunePrepError
from finetune_prep.exports.pairs.files import About, in_words, write
from finetune_prep.exports.pairs.pairing import Pair, Paired, pair_up
from finetune_prep.exports.pairs.shapes import SHAPES, check_row
from tests.exports.as_trainers_read import RESERVED, rows
from tests.exports.pairs.test_pairing import SYSTEM, said
from tests.statistics.evaluation.talks import fails, judged

Learned = list[tuple[str, str, str]]
MODELS = {"base": "small", "tuned": "small-tuned", "judge": "larch-1"}
ABOUT = About(
    domain="A shop", language="en", evaluation="evaluation-001", rubric="r1" * 16, models=MODELS, preview=False, unmet=(), scenarios=("h",)
)  # fmt: skip
REPLIES = (("It leaves today.", "No idea."), ("🏺 größer\n\nYes.", "a\u2028b"), ('"no"', "null"), ("2026-11-29", "12"))


def pairs(replies: tuple[tuple[str, str], ...] = REPLIES) -> Paired:
    talks = [
        said(one, reply)
        for n, (good, bad) in enumerate(replies)
        for one, reply in ((judged("tuned", f"s{n}"), good), (fails("base", f"s{n}"), bad))
    ]
    return pair_up(talks, SYSTEM, ())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Together(tmp_path) as files:
        write(files, pairs(), ABOUT)
        files.commit()
    return tmp_path


WANTED = [(f"Where is s{n}?", good, bad) for n, (good, bad) in enumerate(REPLIES)]


def trl(folder: Path) -> Learned:
    """Prompt and both sides as lists, the prompt ending with the user; no other column that it takes for something."""
    learned = []
    for row in rows(folder / "train.jsonl"):
        assert not (RESERVED - {"prompt", "chosen", "rejected"}) & set(row)
        assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
        (chosen,), (rejected,) = row["chosen"], row["rejected"]
        assert chosen["role"] == rejected["role"] == "assistant"
        learned.append((row["prompt"][-1]["content"], chosen["content"], rejected["content"]))
    return learned


def llama_factory(folder: Path) -> Learned:
    """By its registry, with `ranking` (LLaMA-Factory#4108, #6509); messages odd in number behind the system prompt; one object a side."""
    (entry,) = json.loads((folder / "dataset_info.json").read_text("utf-8")).values()
    assert (entry["formatting"], entry["ranking"]) == ("sharegpt", True)
    tags, columns = entry["tags"], entry["columns"]
    learned = []
    for row in rows(folder / entry["file_name"]):
        said = row[columns["messages"]]
        assert said[0][tags["role_tag"]] == tags["system_tag"]
        assert len(said[1:]) % 2 == 1
        sides = [row[columns[name]] for name in ("chosen", "rejected")]
        assert all(isinstance(side, dict) and side[tags["role_tag"]] == tags["assistant_tag"] for side in sides)
        learned.append((said[-1][tags["content_tag"]], *(side[tags["content_tag"]] for side in sides)))
    return learned


def axolotl(folder: Path) -> Learned:
    """The same file; the reply is looked for in what was rendered, so one with white space around it would be lost."""
    found = llama_factory(folder)
    assert all(text == text.strip() != "" for row in found for text in row[1:])
    return found


def openai(folder: Path) -> Learned:
    """As OpenAI, Together and Fireworks describe it: text alone, one assistant message a side, the input ending with the user."""
    learned = []
    for row in rows(folder / "train.openai.jsonl"):
        assert set(row) == {"input", "preferred_output", "non_preferred_output"}
        said = row["input"]["messages"]
        assert said[-1]["role"] == "user"
        (good,), (bad,) = row["preferred_output"], row["non_preferred_output"]
        assert good["role"] == bad["role"] == "assistant"
        learned.append((said[-1]["content"], good["content"], bad["content"]))
    return learned


@pytest.mark.parametrize("read", [trl, llama_factory, axolotl, openai])
def test_each_trainer_learns_the_same_pairs_in_the_right_direction(folder: Path, read: Any) -> None:
    assert read(folder) == WANTED


def test_every_line_is_one_line_to_every_reader(folder: Path) -> None:
    for shape in SHAPES:
        data = (folder / shape.file).read_bytes()
        assert len(data.decode().splitlines()) == len(data.split(b"\n")) - 1 == len(WANTED)


def test_origins_manifest_and_card_go_with_them(folder: Path) -> None:
    origins = rows(folder / "train.meta.jsonl")
    assert [(row["row"], row["chosen"], row["rejected"]) for row in origins] == [
        (n, "tuned, run 1", "base, run 1") for n in range(1, len(WANTED) + 1)
    ]
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (manifest["pairs"], manifest["evaluation"], manifest["scenarios"]) == (4, "evaluation-001", ["h"])
    card = (folder / "README.md").read_text("utf-8")
    assert "read the terms of the models above" in card
    assert "| tuned | small-tuned |" in card
    assert 'config_name: "dpo"' in card
    assert "DPOConfig(max_length=1024)" in card
    assert "dataset: a_shop_pairs" in card
    assert "«" not in card


def test_a_preview_says_so(tmp_path: Path) -> None:
    about = About(**{name: getattr(ABOUT, name) for name in ABOUT.__struct_fields__} | {"preview": True, "unmet": ("Ten read",)})
    with Together(tmp_path) as files:
        write(files, pairs(), about)
        files.commit()
    assert "This is a preview, not a training set.** What is still missing:\n\n- Ten read" in (tmp_path / "README.md").read_text(
        "utf-8"
    )


@pytest.mark.parametrize(("ratio", "said"), [(1.0, False), (0.81, False), (1.6, True), (0.5, True)])
def test_an_uneven_length_is_said(ratio: float, said: bool) -> None:
    words = in_words(10, ratio, {"faulty": 3})
    assert f"has {ratio:.2f} times the words" in words
    assert ("a model may learn that instead" in words) is said
    assert "3 conversations left out: faulty" in words


TURN, REPLY, OTHER = (
    {"role": "user", "content": "Why?"},
    {"role": "assistant", "content": "So."},
    {"role": "assistant", "content": "No."},
)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"prompt": [TURN], "chosen": [REPLY], "rejected": [REPLY]}, "both sides are the same"),
        ({"prompt": [TURN], "chosen": [REPLY, OTHER], "rejected": [OTHER]}, "not one message"),
        ({"prompt": [TURN, REPLY], "chosen": [REPLY], "rejected": [OTHER]}, "turns out of order"),
        ({"prompt": [TURN], "chosen": [{"role": "assistant", "content": " "}], "rejected": [OTHER]}, "an empty turn"),
        ({"prompt": [TURN], "rejected": [OTHER], "chosen": [REPLY]}, "its keys are not"),
        ({"prompt": [TURN], "chosen": ["So."], "rejected": [OTHER]}, "other keys"),
    ],
)
def test_rows_that_a_trainer_would_read_wrongly_are_found(row: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_row(json.dumps(row).encode(), SHAPES[0])


def test_what_is_not_sound_replaces_nothing(folder: Path) -> None:
    before = (folder / "train.jsonl").read_bytes()
    (pair, *_) = pairs().pairs
    same = Paired(
        pairs=(Pair(**{name: getattr(pair, name) for name in pair.__struct_fields__} | {"rejected": pair.chosen}),), left_out={}
    )
    with Together(folder) as files, pytest.raises(FinetunePrepError, match="both sides are the same"):
        write(files, same, ABOUT)
    assert (folder / "train.jsonl").read_bytes() == before

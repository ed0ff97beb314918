"""What the tuning of a small model rests on, as far as it needs no torch: an export's folder, pinned packages, two addresses."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from training.exported import file_of, trl_settings

from finetune_prep.exports.trainers import tokens
from tests.exports.samples import samples, talk, written

TRAINING = Path(__file__).parents[2] / "training"
SHOP = TRAINING.parent / "examples" / "online-shop" / "dataset"


def test_the_card_of_an_export_gives_the_settings_of_its_own_rows() -> None:
    rows = file_of(SHOP, "train")
    assert rows is not None
    turns = [json.loads(line)["messages"] for line in rows.read_text("utf-8").split("\n") if line]
    longest = max(sum(len(turn["content"].encode()) + 64 for turn in messages) for messages in turns)
    assert trl_settings(SHOP) == {"assistant_only_loss": True, "max_length": tokens(longest)}


def test_a_full_export_goes_before_a_preview_and_brings_no_row_of_it(tmp_path: Path) -> None:
    for name in ("train.preview.jsonl", "validation.preview.jsonl"):
        (tmp_path / name).write_text("{}\n")
    assert [file_of(tmp_path, side) for side in ("train", "validation")] == [
        tmp_path / "train.preview.jsonl",
        tmp_path / "validation.preview.jsonl",
    ]
    written(tmp_path, samples([talk("Where is it?", "On its way.")]))
    assert file_of(tmp_path, "train") == tmp_path / "train.jsonl"
    assert file_of(tmp_path, "validation") is None  # those of the preview may be among the trained


def test_a_card_without_settings_is_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Rows\n")
    with pytest.raises(SystemExit, match="export in the format messages"):
        trl_settings(tmp_path)


@pytest.mark.parametrize("name", ["requirements.txt", "model.txt"])
def test_every_package_is_pinned(name: str) -> None:
    lines = [line for line in (TRAINING / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+( --hash=sha256:[0-9a-f]{64})?", line)] == []


def test_both_models_have_the_addresses_at_which_they_are_served() -> None:
    port = int(re.search(r"^PORT = (\d+)", (TRAINING / "serve.py").read_text("utf-8"), re.MULTILINE)[1])  # type: ignore[index]
    known = tomllib.loads((TRAINING / "models.toml").read_text("utf-8"))["providers"]
    assert [known[name]["base_url"] for name in ("before", "after")] == [
        f"http://127.0.0.1:{number}/v1" for number in (port, port + 1)
    ]

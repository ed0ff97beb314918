"""What trainers are told: settings that can be read in their own language, for the file that is there, and cut no row."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from finetune_prep.exports.dataset import Measures
from finetune_prep.exports.formats import FORMATS
from finetune_prep.exports.manifest import Written
from finetune_prep.exports.trainers import TRAINERS, Facts, Trainer, dataset_info, filled, slug, tokens, wanting
from finetune_prep.exports.traps import DOUBLE, TRAPS

FACTS = Facts('Pots & pans: "glazed"', "train.jsonl", "dataset_info.json", Measures(rows=16, passed=12, replies=40, longest=5000))
ROWS = Written(file="train.jsonl", form="messages", rows=16, bytes=1, sha256="", left_out={})
KTO = Written(file="train.kto.jsonl", form="kto", rows=16, bytes=1, sha256="", left_out={})
NAMED = {trainer.name: trainer for trainer in TRAINERS}


def settings_of(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(filled(NAMED[name].settings, FACTS))


@pytest.mark.parametrize("trainer", TRAINERS, ids=lambda trainer: trainer.name)
def test_settings_are_of_their_language_and_leave_no_slot(trainer: Trainer) -> None:
    text = filled(trainer.settings + trainer.beware, FACTS)
    assert "«" not in text
    if trainer.language == "python":
        ast.parse(filled(trainer.settings, FACTS))
    elif trainer.language == "yaml":
        assert isinstance(settings_of(trainer.name), dict)
    elif trainer.language:
        assert shlex.split(filled(trainer.settings, FACTS))
    assert trainer.form in FORMATS


def test_each_is_told_to_train_replies_alone_and_not_to_cut_a_row() -> None:
    assert "assistant_only_loss=True, max_length=8192" in filled(NAMED["TRL"].settings, FACTS)
    assert "train_on_responses_only(trainer)" in NAMED["Unsloth"].settings
    axolotl, llama = settings_of("Axolotl"), settings_of("LLaMA-Factory")
    assert axolotl["sequence_len"] == llama["cutoff_len"] == 8192
    (rows,) = axolotl["datasets"]
    assert rows["roles_to_train"] == ["assistant"]
    assert (rows["train_on_eos"], rows["path"], rows["type"]) == ("turn", "train.jsonl", "chat_template")
    assert "--mask-prompt --max-seq-length 8192" in filled(NAMED["MLX"].settings, FACTS)
    assert "16 of 40 replies" in filled(NAMED["MLX"].beware, FACTS)


def test_the_registry_names_the_rows_as_the_settings_do() -> None:
    registry = json.loads(dataset_info(FACTS.name, [ROWS]))
    (entry,) = registry.values()
    assert [*registry] == [settings_of("LLaMA-Factory")["dataset"]] == ["pots_pans_glazed"]
    assert entry["formatting"] == "sharegpt"
    assert entry["file_name"] == "train.jsonl"
    assert entry["tags"] == {
        "role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system",
    }  # fmt: skip


def test_labels_of_kto_count_the_same_whatever_their_numbers() -> None:
    text = filled(NAMED["TRL's KTO"].settings, FACTS)
    assert "desirable_weight=1.00, undesirable_weight=3.00" in text
    rare = FACTS._replace(of=Measures(rows=16, passed=4, replies=16, longest=5000))
    assert "desirable_weight=3.00, undesirable_weight=1.00" in filled(NAMED["TRL's KTO"].settings, rare)
    assert int(re.findall(r"per_device_train_batch_size=(\d+)", text)[0]) >= 2


def test_rows_of_kto_are_in_no_registry() -> None:
    assert dataset_info(FACTS.name, [ROWS]) == dataset_info(FACTS.name, [ROWS, KTO])
    assert dataset_info(FACTS.name, [KTO]) == b""


@given(st.integers(0, 10**7))
def test_the_length_is_a_power_of_two_that_holds_the_longest_row(longest: int) -> None:
    length = tokens(longest)
    assert length >= max(longest, 1024)
    assert length & (length - 1) == 0
    assert length == 1024 or length < 2 * longest


@given(st.text())
def test_any_title_becomes_one_word(title: str) -> None:
    assert slug(title).replace("_", "a").isalnum()
    assert slug(title).isascii()


def test_who_wants_more_rows_is_named() -> None:
    assert {trainer.name: trainer.fewest for trainer in wanting("messages", 3)} == {"MLX": 4, "OpenAI": 10}
    assert wanting("messages", 10) == []


def test_every_trainer_has_its_section_in_the_page_and_every_trap_its_line() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    assert re.findall("^### (.*)$", page, re.MULTILINE) == [trainer.name for trainer in TRAINERS]
    assert {name for name in (*(trap.name for trap in TRAPS), DOUBLE) if f"| {name}" not in page} == set()

"""docs/numbers.md shows files that are read as they stand, names the commands there are, and the figures that the program has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finetune_prep.cli.app import MEASURING
from finetune_prep.records.conversations import read_conversations
from finetune_prep.records.labels import Word, read_labels
from finetune_prep.records.verdicts import read_verdicts
from finetune_prep.statistics.certification import labels_for, labels_needed
from tests.records.judged import RUBRIC

PAGE = (Path(__file__).parents[1] / "docs" / "numbers.md").read_text("utf-8")


def example(kind: str, folder: Path) -> Path:
    [found] = re.findall(rf"```json {kind}\n(.*?)```", PAGE, re.DOTALL)
    path = folder / f"{kind}.jsonl"
    path.write_text(found, "utf-8")
    return path


def test_the_files_it_shows_are_read_without_a_word(tmp_path: Path) -> None:
    for kind in ("verdicts", "labels", "conversations"):
        path = example(kind, tmp_path)
        read = {
            "verdicts": lambda file: read_verdicts(file, RUBRIC),
            "labels": lambda file: read_labels(file, RUBRIC),
            "conversations": read_conversations,
        }[kind](path)
        assert (len(read.rows), read.findings, read.mapping) == (1, (), ())


def test_it_names_every_measuring_command() -> None:
    assert set(re.findall(r"^finetune-prep ([a-z-]+)", PAGE, re.MULTILINE)) == MEASURING


def test_it_explains_every_word_about_a_judge() -> None:
    rows = re.findall(r"^\| \*{0,2}([a-z -]+?)\*{0,2} \| ", PAGE.partition("## The word")[2], re.MULTILINE)
    assert {*rows} - {"word"} == {*Word.__args__}


@pytest.mark.parametrize(
    "words",
    [
        f"takes {labels_for(0)} labels",
        f"one error {labels_for(1)}",
        f"from {labels_needed(0.95)} labels",
        f"at .90 from {labels_needed(0.9)}",
    ],
)
def test_its_counts_of_labels_are_the_programs(words: str) -> None:
    assert words in " ".join(PAGE.split())

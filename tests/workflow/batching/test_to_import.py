"""What is imported of rounds that wait: their pages, if there are some."""

from __future__ import annotations

import contextlib
from pathlib import Path

from finetune_prep.models.batches import files
from finetune_prep.workflow.batching.to_import import FOLDER, answers_at, pages_folder


def test_pages_of_the_first_round_that_has_some(tmp_path: Path) -> None:
    assert FOLDER == files.FOLDER
    assert answers_at(tmp_path, [1, 2]) == "ANSWERS.jsonl"
    place = pages_folder(tmp_path, 2)
    place.mkdir(parents=True)
    assert answers_at(tmp_path, [1, 2]) == "ANSWERS.jsonl"
    (place / "001-expert.md").write_text("# A page\n")
    assert answers_at(tmp_path, [1, 2]) == str(place)
    with contextlib.chdir(tmp_path):
        assert answers_at(tmp_path, [1, 2]) == "batches/round-002"
    assert answers_at(tmp_path, [1]) == "ANSWERS.jsonl"

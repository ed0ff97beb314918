"""Preference pairs and slices as the loaders of trainers read them: every shape, odd texts, and a file beyond the first block."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.durable import Together
from finetune_prep.exports.lengths import slices
from finetune_prep.exports.pairs.files import write
from finetune_prep.exports.pairs.pairing import Paired, pair_up
from finetune_prep.exports.pairs.shapes import SHAPES
from tests.exports.pairs.test_files import ABOUT
from tests.exports.pairs.test_pairing import SYSTEM, said
from tests.statistics.evaluation.talks import fails, judged
from tests.waiting import HUNG

SCRIPT = Path(__file__).with_name("load.py")
ODD = [
    ("no", "null"), ("2026-11-29", "2026-11-30T10:00:00Z"), ("12", "1e5"), ("a\u2028b", "c\x85d"), ("🏺", "größer"), ('"', "\\n"),
    ("What\x00now?", "Tab\tand\nline."),
]  # fmt: skip
BLOCK = 10 << 20  # bytes on which `datasets` settles the types of columns


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def loaded(loader: Path, folder: Path, home: Path, file: str, sidecar: str) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HOME": str(home / "hf")}
    command = [str(loader), str(SCRIPT), str(folder), file, sidecar, "dpo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HUNG * 5, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def pairs(replies: list[tuple[str, str]]) -> Paired:
    talks = [
        said(one, reply)
        for n, (good, bad) in enumerate(replies)
        for one, reply in ((judged("tuned", f"s{n}"), good), (fails("base", f"s{n}"), bad))
    ]
    return pair_up(talks, SYSTEM, ())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of odd texts before and after more than a block of long ones."""
    place = tmp_path_factory.mktemp("pairs")
    long = [(f"Answer {n}. {'So it is. ' * 1000}Yes.", f"Answer {n}. {'Or not. ' * 1000}No.") for n in range(700)]
    with Together(place) as files:
        write(files, pairs([*ODD[:4], *long, *ODD[4:]]), ABOUT)
        files.commit()
    assert (place / "train.jsonl").stat().st_size > BLOCK
    return place


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_shape_is_loaded_as_it_is_written(loader: Path, folder: Path, tmp_path: Path, shape: Any) -> None:
    found = loaded(loader, folder, tmp_path, shape.file, "train.meta.jsonl")
    rows = read(folder / shape.file)
    assert found["datasets"] == found["pyarrow"] == rows
    assert found["by_card"] == read(folder / "train.jsonl"), "the card names one file, whatever stands beside it"
    assert found["sidecar"] == read(folder / "train.meta.jsonl")
    assert found["card"]["tags"] == ["synthetic", "dpo", "finetune-prep"]


def test_slices_are_loaded_as_they_are_written(loader: Path, folder: Path, tmp_path: Path) -> None:
    rows = [
        {
            "messages": [
                turn for n in range(9) for turn in ({"role": "user", "content": good}, {"role": "assistant", "content": bad})
            ]
        }
        for good, bad in ODD
    ]
    source = tmp_path / "source.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    with Together(folder) as files:
        slices.write(files, source, "other.jsonl", 100_000)
        files.commit()
    found = loaded(loader, folder, tmp_path, "other.slices.jsonl", "other.slices.meta.jsonl")
    assert found["datasets"] == found["pyarrow"] == read(folder / "other.slices.jsonl")
    assert len(found["datasets"]) > len(rows)

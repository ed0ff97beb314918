"""Exports as the loaders of trainers read them: the newest `datasets` and an old one, `pyarrow`, and the Hub's reader of cards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.sample import Sample, State, account
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.exporting import export
from tests.exports.samples import talk
from tests.results import write_results
from tests.waiting import HUNG

EXAMPLE = Path(__file__).parents[2] / "examples" / "online-shop"
SCRIPT = Path(__file__).with_name("load.py")
ODD = [
    talk("no", "null"), talk("2026-11-29", "2026-11-30T10:00:00Z"), talk("12", "1e5"), talk("a\u2028b", "c\x85d"), talk("🏺", "größer"),
    talk('"', "\\n"), talk("What\x00now?", "Tab\tand\nline."), talk("One?", "One.", "Two?", "Two.", "Three?", "Three."),
]  # fmt: skip
BLOCK = 10 << 20  # bytes on which `datasets` settles the types of columns


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def loaded(loader: Path, folder: Path, home: Path, stem: str = "train", config: str = "sft") -> Any:
    files = [f"{stem}.preview.jsonl", f"{stem}.meta.preview.jsonl", config]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HOME": str(home / "hf")}
    done = subprocess.run(
        [str(loader), str(SCRIPT), str(folder), *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=HUNG * 5,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "shop")
    return tmp_path / "shop"


def pilot_alone(project: Project) -> Run:
    """The pilot, with the runs after it away: their rows would be exported instead."""
    pilot, *later = runs(project.layout)
    for run in later:
        shutil.rmtree(run.folder)
    return pilot


def check(found: Any, folder: Path, stem: str = "train") -> None:
    rows = read(folder / f"{stem}.preview.jsonl")
    assert found["datasets"] == found["by_card"] == found["pyarrow"] == rows
    assert found["columns"] == sorted(rows[0])
    assert found["sidecar"] == read(folder / f"{stem}.meta.preview.jsonl")


def test_the_example_is_loaded_as_it_is_written(loader: Path, shop: Path, tmp_path: Path) -> None:
    export(open_project(shop), preview=True)
    found = loaded(loader, shop / "dataset", tmp_path)
    check(found, shop / "dataset")
    assert found["card"]["pretty_name"] == "Customer support for a small online shop"
    assert found["card"]["size_categories"] == ["n<1K"]


def test_odd_texts_in_a_file_beyond_the_first_block_keep_their_types(loader: Path, shop: Path, tmp_path: Path) -> None:
    """Texts that look like dates, numbers and nothing come after the block on which types are settled, and before it, too."""
    project = open_project(shop)
    run = pilot_alone(project)
    known = run.samples()[0]
    long = [talk(f"Question {number}?", f"Answer {number}. " + "So it is. " * 2000 + "That is all.") for number in range(650)]
    found = [
        Sample(scenario=known.scenario, state="accepted", conversation=said, score=1.0) for said in (*ODD[:4], *long, *ODD[4:])
    ]
    write_results(run, found, [], account(found))
    export(project, preview=True)
    assert (shop / "dataset" / "train.preview.jsonl").stat().st_size > BLOCK
    check(loaded(loader, shop / "dataset", tmp_path), shop / "dataset")


def test_both_formats_are_loaded_each_by_its_config(loader: Path, shop: Path, tmp_path: Path) -> None:
    project = open_project(shop)
    run = pilot_alone(project)
    known = run.samples()[0]
    states: tuple[State, ...] = ("accepted", "rejected")
    found = [
        Sample(scenario=known.scenario, state=states[n % 2], conversation=said, score=1.0 - n % 2, failed=("Q1",) * (n % 2))
        for n, said in enumerate(ODD)
    ]
    write_results(run, found, [], account(found))
    export(project, preview=True, formats=("messages", "kto"))
    check(loaded(loader, shop / "dataset", tmp_path), shop / "dataset")
    check(loaded(loader, shop / "dataset", tmp_path, "train.kto", "kto"), shop / "dataset", "train.kto")

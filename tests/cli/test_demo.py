"""`demo`: which commands it types, by what its example ships."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from finetune_prep.cli.commands.demo import commands_of
from finetune_prep.project.evaluating.runs import PLAN, EvaluationPlan
from tests.whole.way import EXAMPLE, SIZE

TALKED = {"model": "language-model", "provider": "batch/language-model"}


def example(folder: Path) -> Path:
    for name in ("finetune-prep.toml", "brief.md"):
        shutil.copy(EXAMPLE / name, folder / name)
    return folder


def test_an_example_without_a_run_is_prepared_alone(tmp_path: Path) -> None:
    assert commands_of(example(tmp_path)) == [["prepare"]]


def test_every_run_is_made_again_and_the_evaluation_comes_last_from_the_recording(tmp_path: Path) -> None:
    """The weights are not there: whatever server replied when it was recorded, now the recording does."""
    shutil.copytree(EXAMPLE / "runs" / "pilot-001", example(tmp_path) / "runs" / "pilot-001", dirs_exist_ok=True)
    plan = EvaluationPlan(
        arms=("base", "tuned"), groups=24, runs=2, margin=0.1, single=True, seed=7, scenarios=(), language="en",
        models={
            "base": {"model": "small-1a2b3c4d", "provider": "before/small-1a2b3c4d", "max_tokens": 256},
            "tuned": {"model": "small-shop-5e6f7a8b", "provider": "after/small-shop-5e6f7a8b", "max_tokens": 256},
            "user": TALKED, "judge": TALKED,
        },
        rubric="", evaluation_prompt="", texts={}, prompts={},
    )  # fmt: skip
    (tmp_path / "runs" / "evaluation-001").mkdir()
    (tmp_path / "runs" / "evaluation-001" / PLAN).write_bytes(msgspec.json.encode(plan))
    typed = [" ".join(command) for command in commands_of(tmp_path)]
    assert typed == [
        "prepare",
        f"pilot -n {SIZE} --one-call",
        "export --preview",
        "evaluate --base recording/small-1a2b3c4d --tuned recording/small-shop-5e6f7a8b -n 24 --runs 2 --single --max-tokens 256 --margin 0.1",
    ]

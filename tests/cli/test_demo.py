"""`demo`: which commands it types, by what its example ships."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from finetune_prep.cli.commands.demo import MARK, claim, commands_of
from finetune_prep.errors import UsageError
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


@pytest.mark.parametrize("name", ["brief.md", "finetune-prep.toml", "decisions.jsonl", "sources/returns.md"])
def test_what_somebody_changed_in_a_demo_is_not_overwritten(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    claim(folder, EXAMPLE.name, EXAMPLE)
    file = folder / name
    file.write_bytes(changed := file.read_bytes() + b"{}\n")
    with pytest.raises(UsageError, match=name) as refused:
        claim(folder, EXAMPLE.name, EXAMPLE)
    assert "finetune-prep demo ANOTHER-FOLDER" in refused.value.next
    assert f"--project {folder} status" in refused.value.next
    assert file.read_bytes() == changed
    file.write_bytes((EXAMPLE / name).read_bytes())
    claim(folder, EXAMPLE.name, EXAMPLE)


def test_only_the_first_changed_files_are_named(tmp_path: Path) -> None:
    claim(tmp_path, EXAMPLE.name, EXAMPLE)
    for file in (tmp_path / "brief.md", *(tmp_path / "sources").iterdir()):
        file.write_text("mine")
    with pytest.raises(UsageError, match=r"brief\.md, sources/\S+\.md, sources/\S+\.md and \d+ more"):
        claim(tmp_path, EXAMPLE.name, EXAMPLE)


def test_a_demo_follows_an_example_that_came_with_a_newer_version(tmp_path: Path) -> None:
    """Nobody has edited anything: it is the example that is another one."""
    ours, folder = tmp_path / "example", tmp_path / "demo"
    ours.mkdir()
    example(ours)
    claim(folder, EXAMPLE.name, ours)
    (ours / "brief.md").write_text(newer := f"{(ours / 'brief.md').read_text()}\nAnd more.\n")
    claim(folder, EXAMPLE.name, ours)
    assert (folder / "brief.md").read_text() == newer
    claim(folder, EXAMPLE.name, ours)


def test_a_mark_without_hashes_is_of_an_older_version(tmp_path: Path) -> None:
    """Nobody knows what it copied: what is as in the example is nobody's edit, anything else may be one."""
    claim(tmp_path, EXAMPLE.name, EXAMPLE)
    (tmp_path / MARK).write_text(f"{EXAMPLE.name}\n")
    claim(tmp_path, EXAMPLE.name, EXAMPLE)
    (tmp_path / MARK).write_text("")
    (tmp_path / "brief.md").write_text("mine")
    with pytest.raises(UsageError, match=r"since it ran: brief\.md"):
        claim(tmp_path, EXAMPLE.name, EXAMPLE)

"""The order is structural: what is stale says so in words, and what must wait is refused with the reason and the next command."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from tests.whole.way import SIZE, accept, copy_project, example_project, rows, run_here

RUBRIC = "reference/evaluation-rubric.md"


@pytest.fixture
def edited(demo: Path, tmp_path: Path) -> tuple[Path, str]:
    """A finished project in which a person has reworded one judged question; and the question's id."""
    folder = copy_project(demo, tmp_path / "shop")
    path = folder / RUBRIC
    text = path.read_text("utf-8")
    found = re.search(r"^(###+ )([A-RT-Z][A-Z]\d)\. (.+)\?$", text, re.MULTILINE)
    assert found is not None
    path.write_text(text.replace(found[0], f"{found[1]}{found[2]}. {found[3]}, in plain words?", 1), "utf-8")
    return folder, found[2]


def test_status_says_which_parts_and_runs_are_stale_and_why(edited: tuple[Path, str]) -> None:
    folder, question = edited
    said = run_here("status", folder=folder).stdout
    assert f"{question} changed in {RUBRIC} since it was accepted" in said
    assert f"evaluation-prompt · Rubric: {question} changed in {RUBRIC} since" in said
    assert f"evaluation-prompt · Role and calibrations: {question} changed in {RUBRIC} since" in said
    assert f"stale: {question} changed in {RUBRIC} since" in said
    assert "next: finetune-prep check evaluation-rubric --judge" in said  # accept would refuse what no judge has looked at


def test_the_pilot_is_refused_with_the_next_command(edited: tuple[Path, str]) -> None:
    folder, question = edited
    before = rows(folder)
    done = run_here("pilot", "-n", str(SIZE), folder=folder)
    assert done.returncode == 3
    assert f"{question} changed in {RUBRIC} since it was accepted" in done.stderr
    assert "next:  finetune-prep accept evaluation-rubric" in done.stderr
    assert rows(folder) == before


def test_the_way_back_from_an_edited_question_needs_no_model_for_compiled_parts(edited: tuple[Path, str]) -> None:
    folder, _ = edited
    prompt = folder / "prompts" / "evaluation-prompt.md"
    role = prompt.read_text("utf-8").split("## Rubric")[0]
    accept(folder, "evaluation-rubric")
    refused = run_here("pilot", "-n", str(SIZE), folder=folder)
    assert refused.returncode == 3
    assert "next:  finetune-prep evaluation-prompt" in refused.stderr
    assert run_here("evaluation-prompt", folder=folder).returncode == 0
    text = prompt.read_text("utf-8")
    assert "in plain words?" in text
    assert text.split("## Rubric")[0] == role
    refused = run_here("pilot", "-n", str(SIZE), folder=folder)
    assert refused.returncode == 3
    assert "next:  finetune-prep accept evaluation-prompt" in refused.stderr
    accept(folder, "evaluation-prompt")
    # the examples were judged under the old question, and nobody has asked about the new one
    refused = run_here("pilot", "-n", str(SIZE), folder=folder)
    assert refused.returncode == 1
    gates = ("worked-examples.judged-blind", "generation-prompt.few-shots-pass")
    assert all(gate in refused.stderr for gate in gates)
    options = [option for gate in gates for option in ("--override", gate)]
    assert run_here("accept", *options, "--because", "a word more or less", "--by", "a test", folder=folder).returncode == 0
    # the pilot may begin now; the recording has no verdict under the new question
    assert run_here("pilot", "-n", str(SIZE), folder=folder).returncode == 5


def test_white_space_and_reflowed_paragraphs_are_no_change(demo: Path, tmp_path: Path) -> None:
    folder = copy_project(demo, tmp_path / "shop")
    path = folder / RUBRIC
    text = path.read_text("utf-8").replace("\n", "  \n", 40)
    long = re.search(r"^- [A-Z].{90,}$", text, re.MULTILINE)
    assert long is not None
    words = long[0].split(" ")
    path.write_text(text.replace(long[0], " ".join(words[:9]) + "\n  " + " ".join(words[9:]), 1), "utf-8")
    status = msgspec.json.decode(run_here("status", "--json", folder=folder).stdout)["overview"]
    assert status["stale"] == []
    assert run_here("pilot", "-n", str(SIZE), folder=folder).returncode == 0


def test_generation_before_an_accepted_rubric_is_refused_with_the_reason(tmp_path: Path) -> None:
    folder = example_project(tmp_path / "shop")
    decisions = (folder / "decisions.jsonl").read_text("utf-8").splitlines(keepends=True)
    (folder / "decisions.jsonl").write_text("".join(line for line in decisions if "evaluation-rubric" not in line), "utf-8")
    stopped = run_here("prepare", folder=folder)
    assert stopped.returncode == 3
    assert "evaluation-rubric.md has not been accepted by a person yet" in stopped.stderr
    assert "next:  finetune-prep accept evaluation-rubric" in stopped.stderr
    done = run_here("generation-prompt", folder=folder)
    assert done.returncode == 3
    assert "generation-prompt needs" in done.stderr or "generation-prompt must wait" in done.stderr
    assert not (folder / "prompts").exists()


def test_a_full_export_is_refused_until_every_criterion_holds(demo: Path, tmp_path: Path) -> None:
    """The example's authors waived what only a person of the shop can do, or nothing could be scaled; without that, nobody has."""
    folder = copy_project(demo, tmp_path / "shop")
    decisions = folder / "decisions.jsonl"
    kept = [line for line in decisions.read_text("utf-8").splitlines() if '"gate":"workflow.' not in line]
    decisions.write_text("\n".join(kept) + "\n", "utf-8")
    done = run_here("export", folder=folder)
    assert done.returncode == 3
    assert "workflow.spot-check" in done.stderr
    assert not (folder / "dataset" / "train.jsonl").exists()

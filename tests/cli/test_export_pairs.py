"""`export --pairs`: pairs out of an evaluation, refused where nothing was said twice, and no longer held out afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from tests.cli.evaluated import BAD, GOOD, evaluated
from tests.cli.terminal import Terminal
from tests.cli.test_evaluate import by_text, read, refusal, words
from tests.kill_points import killed_everywhere
from tests.phases.pottery_shop import accept_all

BOTH = ("evaluate", "--base", "before/shop-base", "--tuned", "after/shop-tuned", "-n", "8")
FILES = {
    "train.jsonl", "train.one-message.jsonl", "train.openai.jsonl", "train.meta.jsonl", "manifest.json", "README.md",
    "dataset_info.json",
}  # fmt: skip


def test_pairs_of_an_evaluation(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop):
        assert terminal(*BOTH, "--single").code == 0
    shown = terminal("export", "--pairs", "--preview")
    assert shown.code == 0, shown.err
    assert "dataset/pairs/train.jsonl: 16 pairs of evaluation-001, for TRL" in shown.out
    assert "16 pairs; a chosen reply has" in words(shown)
    folder = shop.layout.pairs
    assert {path.name for path in folder.iterdir()} == FILES
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text("utf-8").splitlines()]
    assert all(GOOD in row["chosen"][0]["content"] and BAD in row["rejected"][0]["content"] for row in rows)
    system = (shop.folder / "prompts" / "system-prompt.md").read_text("utf-8").split("\n", 2)[2].strip()
    assert {row["prompt"][0]["content"] for row in rows} == {system}
    told = read(terminal("export", "--pairs", "--preview", "--json"))
    assert (told["evaluation"], told["manifest"]["pairs"]) == ("evaluation-001", 16)


def test_scenarios_of_pairs_are_not_held_out_any_more(shop: Project, terminal: Terminal) -> None:
    """Whoever trains on the pairs is not evaluated on what they were made from."""
    with evaluated(shop):
        assert terminal(*BOTH, "--single").code == 0
        assert terminal("export", "--pairs", "--preview").code == 0
        assert terminal(*BOTH, "--single").code == 0
    first, second = (
        {json.loads(line)["scenario"] for line in (shop.layout.runs / name / "talks.jsonl").read_text("utf-8").splitlines()}
        for name in ("evaluation-001", "evaluation-002")
    )
    assert len(first) == len(second) == 8
    assert not first & second


def test_a_full_export_of_pairs_waits_for_the_criteria(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop):
        assert terminal(*BOTH, "--single").code == 0
    shown = terminal("export", "--pairs")
    assert shown.code == 3
    assert "of a full export are not met yet" in refusal(shown)
    assert "finetune-prep export --pairs --preview" in refusal(shown)
    assert not shop.layout.pairs.exists()


def test_where_nothing_was_said_twice_there_are_no_pairs(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    shown = terminal("export", "--pairs", "--preview")
    assert shown.code == 3
    assert "a pilot has one reply to each scenario, and so nothing to prefer" in refusal(shown)


def test_long_talks_give_none_and_the_way_out_is_named(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop):
        assert terminal(*BOTH, "--runs", "1").code == 0
        shown = terminal("export", "--pairs", "--preview")
    if shown.code == 0:  # the single exchanges among them
        assert "conversations left out: more than one reply" in words(shown)
    else:
        assert "of several replies nobody knows which one failed" in refusal(shown)


def test_replies_that_all_passed_give_none(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, by_text(0), by_text(0)):
        assert terminal(*BOTH, "--single").code == 0
        shown = terminal("export", "--pairs", "--preview")
    assert shown.code == 3
    assert "gives no pairs: it has no two replies to the same words of which one passed and the other failed" in refusal(shown)
    assert "32 conversations left out: all replies to the same words passed, or all failed" in refusal(shown)
    assert "more runs, or a second model" in refusal(shown)


def test_an_unfinished_evaluation_gives_none(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    assert terminal("evaluate", "--base", "batch/small", "-n", "6").code == 4
    shown = terminal("export", "--pairs", "--preview")
    assert shown.code == 3
    assert "evaluation-001 gives no pairs: it is unfinished" in refusal(shown)


def test_pairs_are_there_whole_or_not_at_all_wherever_it_is_killed(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    with evaluated(shop):
        assert terminal(*BOTH, "--single", "--runs", "1").code == 0
    setup = (
        "from finetune_prep.project.project import open_project\nfrom finetune_prep.workflow.evaluating.pairs import export_pairs"
    )
    seen = []
    work = "export_pairs(open_project(folder), preview=True)"
    for folder in killed_everywhere(shop.folder, tmp_path / "killed", setup=setup, work=work, watched="dataset"):
        copy = open_project(folder)
        with locked(copy.layout.lock, "status"):
            pass
        seen.append({path.name for path in copy.layout.pairs.iterdir()} if copy.layout.pairs.is_dir() else set())
    assert all(files in (set(), FILES) for files in seen)
    assert seen[-1] == FILES
    assert set() in seen and seen.count(FILES) > 1


@pytest.mark.parametrize("more", [("--slices", "2048"), ("--format", "kto"), ("--check", "any")])
def test_what_means_nothing_for_pairs_is_refused(shop: Project, terminal: Terminal, more: tuple[str, ...]) -> None:
    shown = terminal("export", "--pairs", *more)
    assert shown.code == 2
    assert "--pairs has formats of its own" in refusal(shown)

"""`new` asks whether this is the right tool, and takes the answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finetune_prep.cli.app import app
from finetune_prep.cli.new import DOUBTS

BRIEF = "Pottery\nen\nA small shop answers its customers.\n.\n"


def new(folder: Path, typed: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["new", str(folder), *options], input=typed)


def test_three_noes_lead_to_a_project(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", f"n\nn\nn\n{BRIEF}")
    assert done.exit_code == 0
    assert all(doubt.question in done.output and doubt.word not in done.output for doubt in DOUBTS)
    assert (tmp_path / "shop" / "brief.md").read_text("utf-8").endswith("# Pottery\n\nA small shop answers its customers.\n")


@pytest.mark.parametrize("number", range(len(DOUBTS)))
def test_a_yes_gets_an_honest_word_and_nothing_is_made(tmp_path: Path, number: int) -> None:
    typed = "".join("y\n" if n == number else "n\n" for n in range(len(DOUBTS)))
    done = new(tmp_path / "shop", f"{typed}n\n")
    assert done.exit_code == 0
    assert [doubt.word in done.output for doubt in DOUBTS] == [n == number for n in range(len(DOUBTS))]
    assert "Nothing was made." in done.output
    assert not (tmp_path / "shop").exists()


def test_whoever_goes_on_all_the_same_may(tmp_path: Path) -> None:
    assert new(tmp_path / "shop", f"n\ny\nn\ny\n{BRIEF}").exit_code == 0
    assert (tmp_path / "shop" / "finetune-prep.toml").exists()


def test_a_brief_or_yes_skips_the_questions(tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text("# Pottery\n\nA small shop.\n", "utf-8")
    for folder, typed, options in (("one", "", ("--brief", str(brief))), ("two", BRIEF, ("--yes",))):
        done = new(tmp_path / folder, typed, *options)
        assert done.exit_code == 0
        assert not any(doubt.question in done.output for doubt in DOUBTS)


def test_a_pasted_brief_keeps_its_paragraphs(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", "Pottery\nde\nA small shop.\n\nIt answers its customers.\n.\n", "--yes")
    assert done.exit_code == 0
    text = (tmp_path / "shop" / "brief.md").read_text("utf-8")
    assert text == "---\nlanguage: de\n---\n# Pottery\n\nA small shop.\n\nIt answers its customers.\n"


def test_a_language_that_is_none_is_asked_for_again(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", "Pottery\nEnglish please\nen\nA small shop.\n.\n", "--yes")
    assert done.exit_code == 0
    assert "is no language tag" in done.output

"""The index of decisions names every one of them, in order, by its own title and with a line about it."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
LINE = re.compile(r"- \[(?P<title>[^\]]+)\]\((?P<file>[^)]+)\) – (?P<about>\S.{10,})")


def test_every_decision_is_listed_with_its_title_and_a_line_about_it() -> None:
    listed = [found.groupdict() for found in map(LINE.fullmatch, (FOLDER / "README.md").read_text("utf-8").splitlines()) if found]
    titles = {path.name: path.read_text("utf-8").splitlines()[0].removeprefix("# ") for path in FOLDER.glob("0*.md")}
    assert [(row["file"], row["title"]) for row in listed] == sorted(titles.items())
    assert all(not row["about"].endswith(".") for row in listed)
    assert len({row["about"] for row in listed}) == len(listed)


def test_every_line_of_the_index_is_one_of_them() -> None:
    """One that is written in another way would be passed over by the test above."""
    lines = [line for line in (FOLDER / "README.md").read_text("utf-8").splitlines() if line.startswith("-")]
    assert [line for line in lines if not LINE.fullmatch(line)] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in FOLDER.glob("0*.md"))
    assert numbers == list(range(1, len(numbers) + 1))

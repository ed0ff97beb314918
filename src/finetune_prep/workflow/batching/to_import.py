"""Where the pages of a round stand, on which a person answers, and what is imported of rounds that wait."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

FOLDER = "batches"  # as of `models.batches.files`, which whoever only looks at a project does not load


def answers_at(folder: Path, numbers: Iterable[int]) -> str:
    """What `batch import` is given: the folder of pages of the first of these rounds that has some, else any file of answers.

    folder: the project's. It comes as it is typed from where the person is.
    """
    found = (number for number in sorted(numbers) if any(pages_folder(folder, number).glob("*.md")))
    first = next(found, None)
    if first is None:
        return "ANSWERS.jsonl"
    place = pages_folder(folder, first)
    return shlex.quote(str(place.relative_to(folder) if Path.cwd() == folder else place))


def pages_folder(folder: Path, number: int) -> Path:
    """Where the pages of a round go, unless another place is named."""
    return folder / FOLDER / f"round-{number:03d}"

"""Which conversations stand in the page of a report, and the pages for all of them where there are too many for one.

A small run has all its conversations in the page. Of a large one each outcome has the first in the order of the plan there, and
all stand in pages beside it. What is held in memory is bounded by the size of a page, however many there are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune_prep.core.sample import STATES, Sample
from finetune_prep.durable import write_atomically
from finetune_prep.exports.talks.row import Row, line_of
from finetune_prep.exports.talks.styled import page, part

FOLDER = "report"  # beside report.html
TALK, PAGE = Path(__file__).with_name("talk.html"), Path(__file__).with_name("page.html")
MOST_IN_ONE = 2_000_000  # characters of conversations in a report without pages
MOST_OF_A_GROUP = 180_000  # of each outcome in a report with pages; together they stay below 2,000,000
MOST_OF_A_PAGE = 1_000_000
ODD = "passed, with odd figures"  # a group of its own: a person looks at them


class Link(NamedTuple):
    """A page. path: relative to the report. first, last: numbers of its conversations, counted from 1."""

    path: str
    first: int
    last: int


class Group(NamedTuple):
    """An outcome. talks: those that stand in the report. total: how many there are."""

    name: str
    talks: Sequence[str]
    total: int


class Talks(NamedTuple):
    """The conversations of a report, as markup. all: those of a report without pages, else none."""

    total: int
    all: Sequence[str] = ()
    groups: Sequence[Group] = ()
    pages: Sequence[Link] = ()

    @property
    def shown(self) -> int:
        return sum(len(group.talks) for group in self.groups)


class Placing:
    """Where each conversation of a run stands, found while its rows come in plan order. folder: of the run; None keeps everything
    in the report."""

    def __init__(self, run: str, folder: Path | None) -> None:
        self._run = run
        self._folder = folder
        self._whole: list[str] = []
        self._size = 0
        self._groups: dict[str, _Filling] = {}
        self._pages: _Pages | None = None

    def take(self, row: Row) -> None:
        talk = part(TALK, c=line_of(row))
        self._groups.setdefault(_group(row.sample), _Filling()).take(talk)
        self._size += len(talk)
        if self._pages is not None:
            self._pages.take([talk])
            return
        self._whole.append(talk)
        if self._size > MOST_IN_ONE and self._folder is not None:
            self._pages = _Pages(self._run, self._folder / FOLDER)
            self._pages.take(self._whole)
            self._whole = []

    def finish(self) -> Talks:
        """All of them; the pages, if there are any, are written, and those of an earlier report taken away."""
        links = self._pages.finish() if self._pages is not None else ()
        if self._folder is not None:
            _take_away(self._folder / FOLDER, {Path(link.path).name for link in links})
        total = sum(group.total for group in self._groups.values())
        if self._pages is None:
            return Talks(total, all=self._whole)
        found = [Group(name, self._groups[name].talks, self._groups[name].total) for name in _ORDER if name in self._groups]
        return Talks(total, groups=found, pages=links)


_FIRST = ("unjudged", "rejected", "flawed", "faulty", "failed", "duplicate", ODD, "accepted", "surplus")
_ORDER = (*_FIRST, *(state for state in STATES if state not in _FIRST))


def _group(sample: Sample) -> str:
    return ODD if sample.odd and sample.state in ("accepted", "surplus") else sample.state


class _Filling:
    """A group while it is being filled."""

    def __init__(self) -> None:
        self.talks: list[str] = []
        self.total = 0
        self._size = 0

    def take(self, talk: str) -> None:
        """The first one stands in the report whatever its size."""
        self.total += 1
        self._size += len(talk)
        if not self.talks or self._size <= MOST_OF_A_GROUP:
            self.talks.append(talk)


class _Pages:
    """Pages while they are written. One waits until it is known whether another one follows."""

    def __init__(self, run: str, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._links: list[Link] = []
        self._talks: list[str] = []
        self._size = 0
        self._taken = 0

    def take(self, talks: Iterable[str]) -> None:
        for talk in talks:
            if self._talks and self._size + len(talk) > MOST_OF_A_PAGE:
                self._write(last=False)
            self._talks.append(talk)
            self._size += len(talk)
            self._taken += 1

    def finish(self) -> Sequence[Link]:
        self._write(last=True)
        return self._links

    def _write(self, *, last: bool) -> None:
        number = len(self._links) + 1
        link = Link(f"{FOLDER}/{_name(number)}", self._taken - len(self._talks) + 1, self._taken)
        before, after = _name(number - 1) if number > 1 else "", "" if last else _name(number + 1)
        values = {"run": self._run, "first": link.first, "last": link.last, "before": before, "after": after}
        write_atomically(self._folder / _name(number), page(PAGE, talks=self._talks, **values))
        self._links.append(link)
        self._talks, self._size = [], 0


def _name(number: int) -> str:
    return f"{number:03}.html"


def _take_away(folder: Path, besides: set[str]) -> None:
    """Pages of an earlier report of this run that are none of this one."""
    if not folder.is_dir():
        return
    for path in folder.glob("*.html"):
        if path.name not in besides:
            path.unlink()
    if not besides:
        shutil.rmtree(folder, ignore_errors=True)

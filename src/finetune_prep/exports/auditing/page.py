"""The page of an audit: one HTML file that needs nothing else. Text of models is escaped, never rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune_prep.exports.talks.styled import page

TEMPLATE = Path(__file__).with_name("page.html")
SHOWN = 100  # lines of a flag; audit.json has all of them


class FlagLine(NamedTuple):
    """Something that was found."""

    check: str
    red: bool
    what: str
    details: Sequence[str]
    advice: str

    @property
    def more(self) -> int:
        """Lines that are not shown."""
        return max(0, len(self.details) - SHOWN)


class View(NamedTuple):
    """Everything the template shows."""

    domain: str
    run: str
    rows: int
    flags: Sequence[FlagLine]
    figures: str
    """Of the replies, in a sentence; "" if there are none."""
    against: str
    """What the rows were held against, in a sentence; "" for nothing."""
    coverage: Mapping[str, Mapping[str, int]]
    """Rows by what the scenario space declares, its parts by name."""
    names: Mapping[str, str]
    """What ids stand for, in a few words."""
    cannot_tell: Sequence[str]
    shown: int = SHOWN

    @property
    def red(self) -> int:
        return sum(flag.red for flag in self.flags)


def render(view: View) -> str:
    """The HTML of an audit."""
    return page(TEMPLATE, v=view)

"""What became of somebody else's rows: the draft in our grammar, which column became what, and what has no place in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.markdown.inline import folded


class Placed(msgspec.Struct, frozen=True):
    """A column (or key, or heading) and what it became."""

    column: str
    became: str


class Unplaced(msgspec.Struct, frozen=True):
    """Something of the file that is not in the draft, or not as it was, and why."""

    place: str
    text: str
    why: str


class Drawn(NamedTuple):
    """The draft, and what is to be said of it."""

    text: str
    """Markdown."""
    number: int
    """Of questions or anchors in it."""
    placed: tuple[Placed, ...]
    unplaced: tuple[Unplaced, ...]
    doubtful: tuple[tuple[str, int], ...] = ()
    """Headings, keys and cells that do not tell which list they mean, and how many rows they would decide about."""


def columns_by_role(columns: Sequence[str], roles: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The column for each role that has one. roles: by role, the names it goes by, the best first; a column has one role."""
    known = {folded(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for role, names in roles.items():
        column = next((known[name] for name in names if name in known and known[name] not in found.values()), None)
        if column is not None:
            found[role] = column
    return found

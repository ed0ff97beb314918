"""All members of a family in a full run, a fixed few of them, from the first to the last, in the everyday suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pytest

from tests.soak import SOAK

T = TypeVar("T")


def some(members: Sequence[T], few: int) -> Sequence[T]:
    if SOAK or len(members) <= few:
        return members
    return [members[number * len(members) // few] for number in range(few)]


def members(name: str, family: Mapping[str, Any], few: int) -> pytest.MarkDecorator:
    """Parametrizes a test with the values of a table, named by their keys."""
    chosen = some([*family], few)
    return pytest.mark.parametrize(name, [family[key] for key in chosen], ids=chosen)

"""How far the calls of a run are, in counts."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from finetune_prep.core.request import RoleName


class RoleProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one role."""

    known: int = 0
    """Answered from the ledger."""
    answered: int = 0
    """Answered by a provider."""
    spent: float = 0.0
    """US dollars, this run."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the door was opened."""

    asked: int = 0
    """Calls of `ask`."""
    known: int = 0
    """Answered from the ledger."""
    answered: int = 0
    """Answered by a provider."""
    in_flight: int = 0
    """With a provider now."""
    waiting: int = 0
    """Recorded for a batch file."""
    failed: int = 0
    """Gave no answer."""
    unasked: int = 0
    """Never sent, because the run was stopped before."""
    abandoned: int = 0
    """Given up with a provider at work on them: they may be billed."""
    spent: float = 0.0
    """US dollars, this run."""
    roles: dict[RoleName, RoleProgress] = {}
    """What was answered, by role."""


Observer = Callable[[Progress], None]

"""What a person has agreed to pay in a project: which models, and up to how much in all.

A run that goes on is not asked about again: the same folder, the same models at the same addresses, and what was spent since with
what is still to come is no more than what was agreed. All of it is kept outside the project, so a copy of the project, one from
somewhere else, or one whose settings were changed is asked about anew; and so is one whose ledger has lost what it held.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from finetune_prep.project.consent.memory import remember, remembered

FILE = "agreed-costs.jsonl"
LEEWAY = 1.1  # times what was agreed; an estimate that comes out a little higher after some answers is the same one


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars where prices are known, and answers where nobody knows what they cost."""

    dollars: float = 0.0
    answers: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(dollars=self.dollars + other.dollars, answers=self.answers + other.answers)

    def within(self, most: Amount) -> bool:
        return self.dollars <= most.dollars and self.answers <= most.answers

    def __bool__(self) -> bool:
        return bool(self.dollars or self.answers)


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """One yes, or a later look at what it came to. The last line of a project and its models counts."""

    project: str
    """Its folder."""
    models: tuple[str, ...]
    """Those that cost money, or may: role, provider, model and address."""
    most: Amount
    """That may have been spent in all, by the project's ledger."""
    spent: Amount
    """By the same ledger when this line was written."""


def agree(project: Path, models: Iterable[str], spent: Amount, to_come: Amount) -> None:
    """Keep a yes to what is to come. Where there is no place to keep it, it holds for now only."""
    most = spent + Amount(dollars=LEEWAY * to_come.dollars, answers=LEEWAY * to_come.answers)
    _keep(Agreement(project=str(project), models=tuple(sorted(models)), most=most, spent=spent))


def agreed(project: Path, models: Iterable[str], spent: Amount, to_come: Amount) -> bool:
    """Whether what is to come was agreed to before."""
    return any((spent + to_come).within(found.most) and found.spent.within(spent) for found in _standing(project, models))


def note_spent(project: Path, models: Iterable[str], spent: Amount) -> None:
    """Keep how much a project has spent of what was agreed: a ledger that later knows of less has lost something."""
    for found in _standing(project, models):
        if found.spent.within(spent) and found.spent != spent:
            _keep(msgspec.structs.replace(found, spent=spent))


def _standing(project: Path, models: Iterable[str]) -> list[Agreement]:
    """Agreements of a project that name all of these models, each as it was kept last, the most recent one first."""
    wanted = set(models)
    latest = {(found.models, found.most): found for found in remembered(FILE, Agreement) if found.project == str(project)}
    return [found for found in reversed(latest.values()) if wanted.issubset(found.models)]


def _keep(agreement: Agreement) -> None:
    try:
        remember(FILE, agreement)
    except OSError:
        return  # a home that cannot be written to: the next command asks again

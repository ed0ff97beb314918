"""Where a project stands and what its gates say, worked out anew only if something has changed.

What works them out rests on gates, phases and models, half of the program. It is passed in, so that remembering does not load it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from finetune_prep.core.finding import Criterion, Finding, Outcome
from finetune_prep.documents.kinds import KINDS
from finetune_prep.project.project import Project
from finetune_prep.workflow.remembered.store import recalled
from finetune_prep.workflow.status.views import Overview


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a project stands, and the ten success criteria."""

    overview: Overview
    criteria: tuple[Criterion, ...]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the form of documents, by kind, and the outcome of every gate."""

    form: dict[str, tuple[Finding, ...]]
    outcomes: tuple[Outcome, ...]

    def of_form(self, kinds: Sequence[str] = ()) -> list[Finding]:
        """What is wrong with the form of all documents, or of these."""
        return [finding for kind in kinds or KINDS for finding in self.form[kind]]


def standing(project: Project, work_out: Callable[[Project], Standing]) -> Standing:
    """work_out: `status.overview.standing_of`. Raises as it does."""
    return recalled(project, "status", Standing, partial(work_out, project))


def checked(project: Project, work_out: Callable[[Project, Sequence[str]], Checked], first: Sequence[str] = ()) -> Checked:
    """work_out: `checking.check_all`. first: kinds that are read before the others. Raises as it does."""
    return recalled(project, "check", Checked, partial(work_out, project, first))

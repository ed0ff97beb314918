"""Where a project stands and what its gates say, worked out anew only if something has changed.

What works them out are the phases, gates and models of the whole program; it is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from finetune_prep.core.finding import Criterion, Finding, Outcome
from finetune_prep.documents.kinds import KINDS
from finetune_prep.project.project import Project
from finetune_prep.workflow.remembered.shelf import shelf
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


def standing(project: Project) -> Standing:
    """Raises as `overview`."""
    return recalled(project, "status", Standing, partial(_standing, project))


def checked(project: Project, first: Sequence[str] = ()) -> Checked:
    """first: kinds that are read before the others. Raises DocumentError for a file that is not text."""
    return recalled(project, "check", Checked, partial(_checked, project, first))


def _standing(project: Project) -> Standing:
    from finetune_prep.workflow.checking import criteria
    from finetune_prep.workflow.status.overview import overview

    with shelf(project):
        return Standing(overview=overview(project), criteria=criteria(project))


def _checked(project: Project, first: Sequence[str]) -> Checked:
    from finetune_prep.workflow.checking import of_form, outcomes

    with shelf(project):
        form = {kind: tuple(of_form(project, [kind])) for kind in dict.fromkeys([*first, *KINDS])}
        return Checked(form=form, outcomes=tuple(outcomes(project)))

"""What is told of where a project stands, as values: they know nothing of how it is found out."""

from __future__ import annotations

from typing import Literal

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.sample import Account
from finetune_prep.project.probing.runs import ProbeKind
from finetune_prep.project.staleness import Change
from finetune_prep.statistics.probing.table import FailureTable, ProbeTable
from finetune_prep.workflow.reviewing.counting import Due, Reviewed

DocumentState = Literal["missing", "broken", "to accept", "accepted", "written"]


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """How a document stands."""

    kind: str
    path: str
    state: DocumentState
    note: str = ""
    """Why it is in this state, in words."""
    edited: str = ""
    """What a person changed since the program wrote it."""
    stale: tuple[str, ...] = ()
    """What its inputs have left behind of it, in words; none of what is as its inputs ask."""


class PhaseView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    documents: tuple[DocumentView, ...]
    done: bool
    stopped: str = ""
    """Why it came to no end, where answers could not be used, and how to see what came; "" if that is not so."""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands."""

    name: str
    kind: str
    """"pilot" or "scale"."""
    planned: int
    """Conversations of a pilot; rows that a scaled run is to have."""
    account: Account | None
    changes: tuple[Change, ...]
    """Documents that are not what the run was made from."""
    stale: tuple[str, ...]
    """Why its figures no longer hold, in words; "" if they do."""


class ProbeView(msgspec.Struct, frozen=True, kw_only=True):
    """How a probing run stands."""

    name: str
    kind: ProbeKind
    source: str
    questions: ProbeTable | None = None
    failures: FailureTable | None = None
    stale: tuple[str, ...] = ()
    """Why it no longer speaks of the rubric, in words; none if it does."""

    @property
    def finished(self) -> bool:
        return self.questions is not None or self.failures is not None


class EvaluationView(msgspec.Struct, frozen=True, kw_only=True):
    """How an evaluation stands."""

    name: str
    arms: tuple[str, ...]
    groups: int
    runs: int
    finished: bool
    upshot: str = ""
    stale: tuple[str, ...] = ()
    """Why it no longer speaks of the project, in words; none if it does."""
    command: str
    """What goes on with it."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """What a phase took, as far as it is known: the models' part from the ledger, the person's from decisions."""

    phase: str
    answers: int
    model_seconds: float
    """Seconds of all calls together, though many ran at once."""
    first: str
    """When the first answer came; waiting and pauses lie in between."""
    last: str
    """When the last answer came."""
    accepted: tuple[str, ...] = ()
    """When documents of this phase were accepted, oldest first. How long a person read is not known."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """How a project stands."""

    project: str
    language: str
    """Of the conversations."""
    phases: tuple[PhaseView, ...]
    to_read: tuple[str, ...]
    """What a person has not accepted yet, how its gates stand, and where to look first."""
    stale: tuple[str, ...]
    sources: tuple[Finding, ...]
    """Files of `sources/` that changed, vanished or arrived since the reference was written, and copies that differ."""
    runs: tuple[RunView, ...]
    answers: int
    """How many answers the ledger holds."""
    outstanding: int
    """How many requests in batches wait for an answer."""
    spent: float
    """US dollars in all, as far as prices are known."""
    effort: tuple[Effort, ...]
    next: str
    unpriced: int = 0
    """How many of the answers have no known cost, and so are not in `spent`."""
    note: str = ""
    """What is odd about it and should be put right first, "" for nothing."""
    figures: tuple[str, ...] = ()
    """What is said of the latest pilot beside its rate, in sentences; of the few-shots, while there is no such run."""
    figures_of: str = ""
    """The name of that pilot; "" where they are of the few-shots."""
    probes: tuple[ProbeView, ...] = ()
    """The latest run that probes the rubric, and the latest that plants failures."""
    evaluation: EvaluationView | None = None
    """The latest evaluation of models, if there is one."""
    edits: str = ""
    """The latest diagnoses and what became of their edits, in a line; "" if there are none."""
    offer: str = ""
    """What may be done beside the next step, "" for nothing."""
    due: Due | None = None
    """The run whose conversations a person is to read next; None if there is no run."""
    review: Reviewed | None = None
    """What persons' labels of that run amount to; None if nobody has labelled."""

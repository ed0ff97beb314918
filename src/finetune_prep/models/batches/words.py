"""What people are told about submissions: why they stop a run, and what may be done. Pure."""

from __future__ import annotations

from finetune_prep.errors import Paused
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.batches.api import RERUN, Remote
from finetune_prep.models.budget import Budget
from finetune_prep.models.providers.provider import Fault
from finetune_prep.project.config import FILE

SHOWN = 200  # characters of a provider's own words


def unknown(submission: Submission, words: str) -> str:
    """A submission of which nobody knows whether the provider has it."""
    settle = f"finetune-prep batch settle {submission.number}"
    return f"it is not known whether the provider has it: {words}; who knows better: {settle} BATCH, or --not-there"


def incomplete(submission: Submission, remote: Remote) -> str:
    """A batch that has ended and does not give as many results as it says."""
    return (
        f"{remote.words}; the provider has not given all of the results yet "
        f"(if it keeps them no longer: finetune-prep batch drop {submission.number})"
    )


def unanswered(submission: Submission, failures: dict[str, int]) -> list[str]:
    """Why requests of a batch that has ended have no answer, and how many of them."""
    after = "asked again by the next command that needs it"
    return [f"round {submission.number}: {count} × {reason[:SHOWN]} – {after}" for reason, count in failures.items()]


def to_fix(name: str, submission: Submission, remote: Remote, pause: Paused | None) -> Paused | None:
    """What must be fixed before the requests of a batch are asked again. pause: what a row of it says."""
    if remote.refused:
        what = f"the batch of round {submission.number} was refused: {remote.refused}"
        return Paused(what, where=_place(name), next=f"fix it (prompts, {FILE}, limits at the provider), then {RERUN}")
    if pause is not None:
        return Paused(f"round {submission.number}: {pause.what}", where=_place(name), next=pause.next)
    return None


def lost_sight(name: str, submission: Submission) -> Paused:
    """The provider does not know a batch that it once took, or what came of it."""
    return Paused(
        f"the provider does not know the batch {submission.batch} of round {submission.number}, or keeps its results no longer: "
        "the key is another account's, or the batch was deleted",
        where=_place(name),
        next=f"check the key; or finetune-prep batch drop {submission.number}, and what is still needed is asked again",
    )


def broken_off(name: str, remote: Remote, fault: Fault) -> Paused:
    """Results that cannot be had whole."""
    return Paused(f"the results of {remote.id} cannot be read to their end: {fault.reason}", where=_place(name), next=RERUN)


def no_room(name: str, budget: Budget, count: int, worst: float, waiting: int) -> Paused:
    """So many requests do not fit into the budget. worst: US dollars that they may cost. waiting: requests with the provider."""
    spent, aside = f"${budget.spent:.4f} spent", f"${budget.committed + budget.reserved:.4f} set aside"
    return Paused(
        f"the budget of ${budget.cap or 0:.2f} has no room for {count} more questions, which may cost up to ${worst:.4f}: "
        f"{spent}, {aside}",
        where=_place(name),
        details=(f"  {waiting} questions are with the provider; what they leave of their share is free again then",)
        if waiting
        else (),
        next=f"raise `budget` in {FILE}, or wait for what is under way, and run the same command again; nothing is lost",
    )


def _place(name: str) -> str:
    return f"provider “{name}”"

"""Which edits probe a rubric: kinds, places and conversations in a fixed order, so that the same plan is the same edits.

At most two edits of one conversation count for a question: edits of one conversation share what is odd about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from finetune_prep.core.conversation import Conversation, Speaker
from finetune_prep.core.probe import NEUTRAL, PLACES, Breaking, Edit, Place

PER_CONVERSATION = 2
SPARE = 2  # times as many edits are at hand as are wanted: some turn out not to be what they were to be
AGAIN = 0.5  # of its fit that a conversation keeps once it has been used for a question: others come first if they fit as well
TRIES = 3  # conversations in which a failure may be planted before it is given up
# Slight ones twice: they are what a judge overlooks. Leaving out is the usual way of all (convention, untested).
KINDS: tuple[Breaking, ...] = ("plain", "slight", "hollow", "slight", "contradiction")


Fitting = Callable[[str, str], float]
"""How well a subject fits a conversation, both by their ids: 0 or more."""


def _all_alike(subject: str, conversation: str) -> float:
    return 1.0


def turn_at(conversation: Conversation, place: Place, role: Speaker = "assistant") -> int:
    """The number of the message of a side at a place, from 1."""
    turns = [number for number, message in enumerate(conversation.messages, start=1) if message.role == role]
    return turns[{"early": 0, "middle": len(turns) // 2, "late": len(turns) - 1}[place]]


def breaking(
    target: str,
    subjects: Sequence[str],
    bases: Sequence[Conversation],
    wanted: int,
    start: int = 0,
    fit: Fitting = _all_alike,
) -> tuple[Edit, ...]:
    """Edits that break what a question asks for, in the order in which they are tried: the first `wanted`, then spare ones.

    subjects: ids of what the question is there for, in turn. bases: conversations on which it is answered YES. start: where in
    them it begins, so that questions do not all use the same ones. fit: each subject takes the conversation that it fits best.
    """
    bases = _from(bases, start)
    edits: list[Edit] = []
    used: dict[str, set[Breaking]] = {}
    for number in range(min(SPARE * wanted, PER_CONVERSATION * len(bases)) if subjects else 0):
        subject = subjects[number % len(subjects)]
        base = _best(subject, bases, used, fit)
        taken = used.setdefault(base.id, set())
        kind = next(found for shift in range(len(KINDS)) if (found := KINDS[(number + shift) % len(KINDS)]) not in taken)
        taken.add(kind)
        place = PLACES[number % len(PLACES)]
        edits.append(
            Edit(
                id=f"{target}-{number + 1:02}",
                kind=kind,
                target=target,
                subject=subject,
                base=base.id,
                turn=turn_at(base, place),
                place=place,
            )
        )
    return tuple(edits)


def _from(bases: Sequence[Conversation], start: int) -> list[Conversation]:
    at = start % len(bases) if bases else 0
    return [*bases[at:], *bases[:at]]


def _best(subject: str, bases: Sequence[Conversation], used: Mapping[str, set[Breaking]], fit: Fitting) -> Conversation:
    """The conversation that a subject fits best, of those that may be used once more; the first of several."""
    free = [base for base in bases if len(used.get(base.id, ())) < PER_CONVERSATION]
    return max(free, key=lambda base: fit(subject, base.id) * (AGAIN if base.id in used else 1.0))


def neutral(bases: Sequence[Conversation], wanted: int) -> tuple[Edit, ...]:
    """Edits after which every question is to be answered as before: other words, and then more words, for the same."""
    edits = []
    for number in range(min(wanted, len(NEUTRAL) * len(bases))):
        copy, at = divmod(number, len(bases))
        place = PLACES[number % len(PLACES)]
        edits.append(
            Edit(
                id=f"neutral-{number + 1:02}",
                kind=NEUTRAL[copy],
                base=bases[at].id,
                turn=turn_at(bases[at], place),
                place=place,
                copy=copy + 1,
            )
        )
    return tuple(edits)


def without_trigger(target: str, bases: Sequence[Conversation], wanted: int, start: int = 0) -> tuple[Edit, ...]:
    """Edits of a user's message after which a question no longer applies; with spare ones."""
    edits = []
    for number in range(min(SPARE * wanted, len(bases))):
        base = bases[(number + start) % len(bases)]
        edits.append(
            Edit(
                id=f"{target}-na-{number + 1}",
                kind="trigger removed",
                target=target,
                base=base.id,
                turn=turn_at(base, "early", "user"),
                place="early",
            )
        )
    return tuple(edits)


def planting(subject: str, bases: Sequence[Conversation], start: int = 0, fit: Fitting = _all_alike) -> tuple[Edit, ...]:
    """Edits that plant a failure, one after the other until one of them is what it was to be. fit: as for `breaking`."""
    edits = []
    best = sorted(_from(bases, start), key=lambda base: -fit(subject, base.id))
    for number, base in enumerate(best[:TRIES]):
        place = PLACES[(number + start) % len(PLACES)]
        edits.append(
            Edit(
                id=f"{subject}-{number + 1}",
                kind="plain",
                target=subject,
                subject=subject,
                base=base.id,
                turn=turn_at(base, place),
                place=place,
            )
        )
    return tuple(edits)

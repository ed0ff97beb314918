"""Which labels count as what people said of which conversations, and how these were drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from finetune_prep.records.labels import Label
from finetune_prep.statistics.agreement import Design, Drawn, Stratum
from finetune_prep.statistics.rates import Rate, exact

_DIGEST = re.compile(r"[0-9a-f]{32}")
MOST_DEFERRED = 0.20  # of those drawn; beyond, what is left is no picture of them. Convention, untested

Out = Literal[
    "of a model",
    "after the verdict was shown",
    "sealed",
    "not sealed",
    "of another text or rubric",
    "on an unknown conversation",
    "on an unjudged conversation",
    "on a conversation picked by hand",
]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """labels: the first one of people on each conversation; deferred: conversations they could not decide."""

    labels: tuple[Label, ...]
    deferred: tuple[Label, ...]
    out: dict[Out, int]
    """Labels that do not count, and why."""
    again: Rate | None
    """Labels that the same person gave again, and repeated; None if nobody was asked twice."""
    others: Rate | None
    """Labels of another person on the same conversation that say the same."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a label has to be to count."""

    passed: Mapping[str, bool | None]
    """What the judge said by conversation, None = unjudged."""
    texts: Mapping[str, str]
    """The hash of each conversation's text, where it is at hand."""
    rubric: str
    """Its version."""
    sealed: bool
    """Whether sealed labels are what counts."""
    split: bool
    """Whether any label is sealed."""
    drawn: bool
    """Whether labels say how their conversations were drawn: then one that does not was picked by hand."""


def count(labels: Iterable[Label], rules: Rules) -> Counted:
    """Sort labels, in the order in which they were given.

    What was withdrawn counts nowhere, and who deferred may decide later. A second label by the same person measures that person,
    and by another one both of them: neither is a label more.
    """
    out: Counter[Out] = Counter()
    first: dict[str, Label] = {}
    again, others = [0, 0], [0, 0]
    for label in labels:
        earlier = first.get(label.conversation)
        if label.repeat and label.kind != "model" and earlier is not None and earlier.labeller == label.labeller:
            if {label.label, earlier.label} <= {
                "pass",
                "fail",
            }:  # that the verdict was shown after the first one is no matter here
                again[0] += earlier.label == label.label
                again[1] += 1
        elif label.label == "withdrawn":
            if earlier is not None and earlier.labeller == label.labeller:
                del first[label.conversation]
        elif (reason := _why_not(label, rules)) is not None:
            out[reason] += 1
        elif earlier is None:
            if not label.repeat:
                first[label.conversation] = label
        elif earlier.label == "defer" and earlier.labeller == label.labeller:
            first[label.conversation] = label
        else:
            tally = again if earlier.labeller == label.labeller else others
            tally[0] += earlier.label == label.label
            tally[1] += 1
    return Counted(
        labels=tuple(label for label in first.values() if label.label != "defer"),
        deferred=tuple(label for label in first.values() if label.label == "defer"),
        out=dict(out),
        again=exact(*again) if again[1] else None,
        others=exact(*others) if others[1] else None,
    )


def _why_not(label: Label, rules: Rules) -> Out | None:
    if label.kind == "model":
        return "of a model"
    if label.stage == "revealed":
        return "after the verdict was shown"
    if rules.split and (label.split == "sealed") != rules.sealed:
        return "not sealed" if rules.sealed else "sealed"
    if label.conversation not in rules.passed:
        return "on an unknown conversation"
    text = rules.texts.get(label.conversation, text_of(label))
    if (label.rubric and label.rubric != rules.rubric) or (label.hash and label.hash != text):
        return "of another text or rubric"
    if rules.drawn and not label.design:
        return "on a conversation picked by hand"
    return "on an unjudged conversation" if rules.passed[label.conversation] is None else None


def text_of(label: Label) -> str:
    """The hash of the text that was labelled, "" where the label does not say; our own ids of conversations are such hashes."""
    return label.conversation if _DIGEST.fullmatch(label.conversation) else label.hash


class Draw(msgspec.Struct, frozen=True):
    """The two strata, or why they cannot be made."""

    drawn: Drawn | None
    why_not: str = ""


def draw(counted: Counted, passed: Mapping[str, bool | None], stated: str = "") -> Draw:
    """What people said by verdict, with the design of the draw. stated: the design, where labels do not say it.

    How many conversations each verdict has is counted where the file of verdicts holds more than the labelled ones, else it
    follows from the chances. So a draw that is labelled in part, or made larger later, weighs right, too.
    """
    labels = counted.labels
    if not labels:
        return Draw(None, "there is no label by a person")
    share = len(counted.deferred) / (len(labels) + len(counted.deferred))
    if share > MOST_DEFERRED:
        return Draw(None, f"{share:.0%} of the labels are deferred, and the others do not represent them")
    designs = {label.design or stated for label in labels}
    if designs == {"uniform"}:
        return Draw(_strata(counted, passed, "uniform", {}))
    if designs != {"by verdict"}:
        unknown = designs - {"uniform", "by verdict"}
        why = (
            "the labels do not say how their conversations were drawn"
            if "" in unknown
            else f"“{', '.join(unknown)}” is not a random draw"
        )
        return Draw(None, "labels from two ways of drawing are mixed" if not unknown else why)
    if any(
        len({label.p for label in labels if (label.draw, passed[label.conversation]) == same}) > 1
        for same in _alike(labels, passed)
    ):
        return Draw(None, "conversations with the same verdict were drawn with different chances, so not by this verdict")
    if len(passed) > len(labels) + len(counted.deferred):
        return Draw(_strata(counted, passed, "by verdict", {}))
    chances = {verdict: {label.p for label in labels if passed[label.conversation] is verdict} for verdict in (True, False)}
    if any(len(found) > 1 for found in chances.values()):
        return Draw(None, "labels of several draws, and the file of verdicts has only the labelled conversations")
    return Draw(_strata(counted, passed, "by verdict", {verdict: next(iter(found), None) for verdict, found in chances.items()}))


def _alike(labels: Iterable[Label], passed: Mapping[str, bool | None]) -> set[tuple[str, bool | None]]:
    """Draws and verdicts within which each conversation had the same chance."""
    return {(label.draw, passed[label.conversation]) for label in labels}


def _strata(counted: Counted, passed: Mapping[str, bool | None], design: Design, chances: Mapping[bool, float | None]) -> Drawn:
    """chances: of being drawn by verdict, where the pool follows from them."""
    strata = []
    for verdict in (True, False):
        mine = [label for label in counted.labels if passed[label.conversation] is verdict]
        drawn = len(mine) + sum(passed[label.conversation] is verdict for label in counted.deferred)
        chance = chances.get(verdict)
        pool = round(drawn / chance) if chance else sum(said is verdict for said in passed.values())
        strata.append(Stratum(max(pool, len(mine)), len(mine), sum(label.label == "pass" for label in mine)))
    return Drawn(passed=strata[0], failed=strata[1], design=design)

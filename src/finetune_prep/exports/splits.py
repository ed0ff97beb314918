"""Holding rows back for validation so that nothing of them is trained: whole families go to one side.

A family is a situation of the scenario space, the one that leads a conversation; families whose conversations are near-duplicates
of each other are one. Every scenario makes a person of its own, so nobody stands on both sides; styles and kinds of people may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Literal

import msgspec

from finetune_prep.conversations.near import Near, runs_of
from finetune_prep.core.identity import digest
from finetune_prep.core.sample import Sample
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.project.runs import Run

Side = Literal["train", "validation"]


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was counted of a split after it was made, from the conversations themselves."""

    rows: int
    """Rows that are held back."""
    of: int
    """Rows of both sides."""
    families: int
    """Families of the rows that are held back, those that belong together counted as one."""
    of_families: int
    families_on_both: int
    scenarios_on_both: int
    near_duplicates_on_both: int
    """Rows held back that say nearly the same as a row that is trained."""
    later_situations_on_both: int
    """Rows held back in which a situation comes up later that leads a row that is trained."""

    @property
    def holds(self) -> bool:
        return not (self.families_on_both or self.scenarios_on_both or self.near_duplicates_on_both)


def family_of(sample: Sample) -> str:
    return f"{sample.scenario.cell}/{sample.scenario.situation.id}"


class Split:
    """Which side each family is on."""

    def __init__(self, held_back: frozenset[str]) -> None:
        self._held_back = held_back
        """Families."""

    def side(self, sample: Sample) -> Side:
        return "validation" if family_of(sample) in self._held_back else "train"


def split(samples: Iterable[Sample], share: float, seed: int) -> Split:
    """Choose families with about `share` of the rows, by lot. samples: the rows, each once, read one by one.

    Raises ValueError if that would leave a side empty.
    """
    groups = _Groups()
    near, families = Near(), list[str]()
    sizes: Counter[str] = Counter()
    for sample in samples:
        if sample.conversation is None:
            continue
        family = family_of(sample)
        sizes[family] += 1
        said = runs_of(sample.conversation)
        if found := near.earlier(said):
            groups.join(family, families[found[0]])
        near.add(said)
        families.append(family)
    rows: Counter[str] = Counter()
    for family, count in sizes.items():
        rows[groups.of(family)] += count
    total = rows.total()
    chosen: set[str] = set()
    held = 0
    for group in sorted(rows, key=lambda group: digest([seed, "validation", group])):
        if held + rows[group] <= share * total:
            chosen.add(group)
            held += rows[group]
    if not chosen and len(rows) > 1:  # each is larger than the share: the smallest of them comes nearest
        chosen = {min(rows, key=lambda group: (rows[group], group))}
    if not chosen:
        raise ValueError("all rows are of one family")
    return Split(frozenset(family for family in sizes if groups.of(family) in chosen))


def prove(samples: Callable[[], Iterable[Sample]], made: Split) -> Proof:
    """Count what stands on both sides. samples: the rows, each time from the beginning."""
    near, trained, scenarios = Near(), set[str](), set[str]()
    rows = 0
    for sample in samples():
        rows += sample.conversation is not None
        if sample.conversation is not None and made.side(sample) == "train":
            near.add(runs_of(sample.conversation))
            trained.add(family_of(sample))
            scenarios.add(sample.scenario.id)
    leading = {family.rpartition("/")[2] for family in trained}
    held, families, twice, alike, later = 0, set[str](), 0, 0, 0
    for sample in samples():
        if sample.conversation is not None and made.side(sample) == "validation":
            held += 1
            families.add(family_of(sample))
            twice += sample.scenario.id in scenarios
            alike += near.earlier(runs_of(sample.conversation)) is not None
            later += any(situation.id in leading for situation in sample.scenario.situations[1:])
    return Proof(
        rows=held,
        of=rows,
        families=len(families),
        of_families=len(families | trained),
        families_on_both=len(families & trained),
        scenarios_on_both=twice,
        near_duplicates_on_both=alike,
        later_situations_on_both=later,
    )


def split_of(run: Run, kept_out: Collection[str], share: float) -> tuple[Split, Proof]:
    """The split of a run's accepted rows, and its proof. kept_out: ids of conversations that are no rows.

    Raises ActNeeded if no family can be held back, and UsageError if a split does not hold what it is there for.
    """

    def rows() -> Iterator[Sample]:
        return (
            sample
            for sample in run.each_sample()
            if sample.state == "accepted" and sample.conversation is not None and sample.conversation.id not in kept_out
        )

    try:
        made = split(rows(), share, run.plan.seed)
    except ValueError as error:
        raise ActNeeded(
            f"nothing of {run.name} can be held back for validation: {error}", next="finetune-prep export without --validation"
        ) from error
    proof = prove(rows, made)
    if not proof.holds:
        what = f"the split of {run.name} does not hold: {in_words(proof)}"
        raise UsageError(what, next="nothing was written; please report this")
    return made, proof


def in_words(proof: Proof) -> str:
    """The split and its proof, in a sentence or two."""
    later = proof.later_situations_on_both
    also = f" In {later:,} of them a situation comes up later on that leads a trained row." if later else ""
    return (
        f"{proof.rows:,} of {proof.of:,} rows ({proof.rows / proof.of:.0%}) are held back for validation: {proof.families} of "
        f"{proof.of_families} families, by the situation that leads. On both sides: {proof.families_on_both} families, "
        f"{proof.scenarios_on_both} scenarios, {proof.near_duplicates_on_both} near-duplicates.{also}"
    )


class _Groups:
    """Families that belong together (disjoint sets)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def of(self, family: str) -> str:
        """The name of the group that a family is in."""
        parent = self._parent.setdefault(family, family)
        while parent != self._parent[parent]:
            parent = self._parent[parent]
        return parent

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._parent[second] = first

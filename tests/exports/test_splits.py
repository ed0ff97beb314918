"""Rows held back for validation: whole families, with their near-duplicates, and a proof that is counted from the rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.durable import Together
from finetune_prep.exports import dataset
from finetune_prep.exports.formats import FORMATS
from finetune_prep.exports.splits import Split, family_of, in_words, prove, split
from tests.core.scenarios.test_drawing import SPACE
from tests.exports.samples import SYSTEM, accounted, talk

WORDS = [
    f"{a}{b}" for a in ("ba", "ko", "li", "mur", "ten", "sol", "gra", "wi") for b in ("da", "ven", "pol", "rik", "su", "tam")
]


def rows(count: int = 120, seed: int = 1) -> list[Sample]:
    """Accepted samples of a plan, in words of their own."""
    found = []
    for number, scenario in enumerate(plan(SPACE, count, seed)):
        dice = random.Random(f"{seed} {number}")
        said = [" ".join(dice.choice(WORDS) for _ in range(40)) for _ in range(2)]
        found.append(Sample(scenario=scenario, state="accepted", conversation=talk(*said), score=1.0))
    return found


def alike(sample: Sample, other: Sample) -> Sample:
    """The second sample, saying what the first one says but for one word."""
    assert sample.conversation is not None
    first, second = (message.content for message in sample.conversation.messages)
    return msgspec.structs.replace(other, conversation=talk(first, second.replace(second.split()[5], "otherwise", 1)))


@given(st.integers(1, 1000), st.sampled_from([0.05, 0.1, 0.2, 0.5]))
def test_families_are_whole_and_the_share_is_kept(seed: int, share: float) -> None:
    found = rows(60, seed)
    made = split(found, share, seed)
    sides = {
        family_of(sample): {made.side(other) for other in found if family_of(other) == family_of(sample)} for sample in found
    }
    assert all(len(side) == 1 for side in sides.values())
    proof = prove(lambda: found, made)
    assert proof.holds
    assert (proof.of, proof.rows) == (60, sum(made.side(sample) == "validation" for sample in found))
    smallest = min(sum(family_of(other) == family for other in found) for family in sides)
    assert 0 < proof.rows <= max(share * 60, smallest)


def test_families_that_retell_each_other_stay_together() -> None:
    found = rows()
    families = sorted({family_of(sample) for sample in found})
    for one, other in pairwise(families):  # a chain: each retells the one before
        first = next(sample for sample in found if family_of(sample) == one)
        place = max(number for number, sample in enumerate(found) if family_of(sample) == other)
        found[place] = alike(first, found[place])
    with pytest.raises(ValueError, match="all rows are of one family"):
        split(found, 0.2, 1)
    found[place] = rows()[place]  # one link less, and the last family is free again
    proof = prove(lambda: found, split(found, 0.2, 1))
    assert proof.holds


def test_the_proof_finds_what_a_bad_split_does() -> None:
    found = rows()
    first, other = found[0], next(sample for sample in found if family_of(sample) != family_of(found[0]))
    found[found.index(other)] = alike(first, other)
    proof = prove(lambda: found, Split(frozenset({family_of(first)})))
    assert (proof.near_duplicates_on_both, proof.holds) == (1, False)
    assert "On both sides: 0 families, 0 scenarios, 1 near-duplicates." in in_words(proof)


def test_both_sides_account_for_every_scenario_and_share_no_row(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("dataset")
    found: Sequence[Sample] = [*rows(40), msgspec.structs.replace(rows(41)[40], state="rejected", failed=("Q1",))]
    made = split(found[:40], 0.3, 1)
    with Together(folder) as files:
        written = dataset.write(files, found, SYSTEM, [FORMATS["messages"]], split=made, preview=False)
        files.commit()
    assert accounted(written) == [41, 41]
    train, validation = written.training
    assert (train.file, validation.file) == ("train.jsonl", "validation.jsonl")
    assert train.left_out == {"held back for validation": validation.rows, "rejected": 1}
    assert validation.left_out == {"trained": train.rows, "rejected": 1}
    lines = [set((folder / name).read_bytes().splitlines()) for name in ("train.jsonl", "validation.jsonl")]
    assert not lines[0] & lines[1]
    assert len(lines[0]) + len(lines[1]) == 40
    assert written.held_back == {}


def test_the_same_rows_are_split_in_the_same_way() -> None:
    found = rows()

    def held_back(seed: int) -> list[bool]:
        made = split(found, 0.1, seed)
        return [made.side(sample) == "validation" for sample in found]

    assert held_back(7) == held_back(7)
    assert any(held_back(7) != held_back(other) for other in range(8, 12)), "families are drawn by lot"

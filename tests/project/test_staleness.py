"""Staleness in words, item by item: what changed, what came, what went, and what does not concern a part."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.project.staleness import Change, compare, stale_parts
from finetune_prep.project.stamps import Items, Part, Stamp
from tests.soak import examples

RUBRIC, FRAMEWORKS = "evaluation-rubric", "domain-frameworks"
laws = settings(max_examples=examples(40))
items = st.dictionaries(st.sampled_from(["CP1", "CP2", "US1", "Terms", "T1.1", "T1.2"]), st.sampled_from(["a", "b"]))


@laws
@given(items, items)
def test_every_item_that_differs_is_in_exactly_one_list_and_no_other(before: Items, now: Items) -> None:
    change = compare(RUBRIC, before, now)
    differing = {item for item in before | now if before.get(item) != now.get(item)}
    if change is None:
        assert not differing
    else:
        named = [*change.changed, *change.added, *change.removed]
        assert sorted(named) == sorted(differing)


@laws
@given(items)
def test_a_document_has_not_changed_against_itself(now: Items) -> None:
    assert compare(RUBRIC, now, dict(reversed(now.items()))) is None


def test_a_change_is_said_in_words() -> None:
    change = compare(RUBRIC, {"CP1": "a", "CP2": "a", "CP3": "a"}, {"CP1": "b", "CP2": "a", "US1": "a"})
    assert str(change) == "CP1 changed, US1 added, CP3 removed in reference/evaluation-rubric.md"


@pytest.mark.parametrize(
    ("count", "end"), [(6, "CP5, CP6 changed"), (7, "CP5, CP6 and 1 more changed"), (30, "CP6 and 24 more changed")]
)
def test_long_lists_are_cut_with_their_number(count: int, end: str) -> None:
    names = tuple(f"CP{n}" for n in range(1, count + 1))
    assert str(Change(RUBRIC, changed=names)).startswith("CP1, CP2, CP3, CP4, ")
    assert end in str(Change(RUBRIC, changed=names))


def stamp(**made_from: Items) -> Stamp:
    part = Part(compiled=True, made_from={name.replace("_", "-"): items for name, items in made_from.items()})
    return Stamp("evaluation-prompt", "hash", {}, {"Rubric": part})


def test_a_part_is_fresh_while_its_items_are_what_they_were() -> None:
    assert stale_parts(stamp(evaluation_rubric={"CP1": "a"}), {RUBRIC: {"CP1": "a"}}) == ()


def test_a_part_is_stale_when_an_item_it_was_made_from_changed() -> None:
    (stale,) = stale_parts(stamp(evaluation_rubric={"CP1": "a"}), {RUBRIC: {"CP1": "b"}})
    assert (stale.name, stale.part, stale.compiled) == ("evaluation-prompt", "Rubric", True)
    assert str(stale) == "evaluation-prompt · Rubric: CP1 changed in reference/evaluation-rubric.md since"


def test_a_new_item_of_a_kind_that_the_part_was_made_from_concerns_it() -> None:
    (stale,) = stale_parts(stamp(evaluation_rubric={"CP1": "a"}), {RUBRIC: {"CP1": "a", "CP2": "a"}})
    assert stale.changes[0].added == ("CP2",)


@pytest.mark.parametrize("other", ["US1", "Terms", "T1.1", "CPX1"])
def test_a_new_item_of_another_kind_does_not(other: str) -> None:
    assert stale_parts(stamp(evaluation_rubric={"CP1": "a"}), {RUBRIC: {"CP1": "a", other: "a"}}) == ()


def test_techniques_of_any_framework_are_one_kind() -> None:
    (stale,) = stale_parts(stamp(domain_frameworks={"T1.1": "a"}), {FRAMEWORKS: {"T1.1": "a", "T2.3": "a", "TP1": "a"}})
    assert stale.changes[0].added == ("T2.3",)


def test_an_input_that_was_deleted_is_named_with_all_that_went() -> None:
    (stale,) = stale_parts(stamp(evaluation_rubric={"CP1": "a", "CP2": "a"}), {RUBRIC: {}})
    assert stale.changes[0].removed == ("CP1", "CP2")


def test_an_input_that_nobody_looked_at_is_left_open() -> None:
    assert stale_parts(stamp(evaluation_rubric={"CP1": "a"}), {}) == ()


def test_changes_of_several_inputs_are_told_together() -> None:
    current = {RUBRIC: {"CP1": "b"}, FRAMEWORKS: {}}
    (stale,) = stale_parts(stamp(evaluation_rubric={"CP1": "a"}, domain_frameworks={"FM1": "a"}), current)
    assert str(stale).count(" in reference/") == 2

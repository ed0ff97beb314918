"""Patches: what they change by id, what they refuse, and that the rest of a draft stays as it is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.drafting.draft import Strict
from finetune_prep.phases.drafting.examples_draft import ExamplesDraft, FewShotsDraft
from finetune_prep.phases.drafting.patching import Patch, index, lists, merged, patch_schema
from finetune_prep.phases.prompts.guidance_draft import GuidanceDraft
from finetune_prep.phases.research.knowledge_draft import KnowledgeDraft
from finetune_prep.phases.research.scenario_space_draft import SpaceDraft
from finetune_prep.phases.rubric.anchors_draft import AnchorsDraft
from finetune_prep.phases.rubric.rubric_draft import RubricDraft, RulingsDraft


class Bowl(Strict, frozen=True):
    name: str
    cracks: list[str]

    ITEMS = {"cracks": "B{0}.{1}"}  # noqa: RUF012 - never changed


class Shelf(Strict, frozen=True):
    code: str
    width: int
    bowls: list[Bowl]
    beside: list[str]

    ITEMS = {"bowls": "B{0}"}  # noqa: RUF012 - never changed


SHELF = Shelf(
    code="SH",
    width=4,
    bowls=[Bowl(name="Blue", cracks=["rim", "foot"]), Bowl(name="Red", cracks=[]), Bowl(name="Old", cracks=["side"])],
    beside=["B1", "B2", "B3", "a jug"],
)


def patched(changes: list[dict[str, Any]], additions: list[dict[str, Any]] | None = None) -> Shelf:
    text = msgspec.json.encode({"changes": changes, "additions": additions or [], "answered": []}).decode()
    return merged(SHELF, schemas.read(text, Patch))


def change(item: str, new: Any, field: str = "") -> dict[str, Any]:
    return {"item": item, "field": field, "new": new}


def test_items_have_the_ids_of_the_document() -> None:
    assert index(SHELF) == [
        ("B1", "Blue"),
        ("B1.1", "rim"),
        ("B1.2", "foot"),
        ("B2", "Red"),
        ("B3", "Old"),
        ("B3.1", "side"),
    ]
    assert lists(SHELF) == ["bowls", "B1.cracks", "B2.cracks", "B3.cracks"]


def test_what_a_patch_does_not_name_stays() -> None:
    assert patched([]) == SHELF
    found = patched([change("B1.2", "handle"), change("B3", "Ancient", "name"), change("", 5, "width")])
    assert found.bowls == [Bowl(name="Blue", cracks=["rim", "handle"]), SHELF.bowls[1], Bowl(name="Ancient", cracks=["side"])]
    assert (found.width, found.beside) == (5, SHELF.beside)


def test_a_whole_item_is_replaced_and_a_new_one_stands_last() -> None:
    new = {"name": "Green", "cracks": []}
    found = patched([change("B2", new)], [{"to": "bowls", "new": new}, {"to": "B3.cracks", "new": "foot"}])
    assert [bowl.name for bowl in found.bowls] == ["Blue", "Green", "Old", "Green"]
    assert found.bowls[2].cracks == ["side", "foot"]


def test_what_stands_behind_a_deleted_item_moves_up_and_references_follow() -> None:
    found = patched(
        [change("B2", None), change("B3", "Ancient", "name"), change("B3.1", "foot")], [{"to": "B3.cracks", "new": "lid"}]
    )
    assert found.bowls == [SHELF.bowls[0], Bowl(name="Ancient", cracks=["foot", "lid"])]
    assert found.beside == ["B1", "B2", "a jug"]  # the old one is the second now


class Lot(Strict, frozen=True):
    id: str
    takes_up: list[str]


class Sale(Strict, frozen=True):
    lots: list[Lot]
    set_aside: list[Lot]

    ITEMS = {"lots": "L{0}", "set_aside": "{item[id]}"}  # noqa: RUF012 - never changed


def test_an_id_that_names_something_outside_of_the_draft_stays_named() -> None:
    """What was set aside is taken up after all: deleted there, named here, in one patch."""
    sale = Sale(lots=[Lot(id="a", takes_up=["PR1"])], set_aside=[Lot(id="PR3", takes_up=[]), Lot(id="PR3", takes_up=["L1"])])
    assert [id for id, _ in index(sale)] == ["L1", "PR3", "PR3 (2)"]
    changes = [change("L1", ["PR1", "PR3"], "takes_up"), change("PR3", None), change("PR3 (2)", None)]
    text = msgspec.json.encode({"changes": changes, "additions": [], "answered": []}).decode()
    found = merged(sale, schemas.read(text, Patch))
    assert found == Sale(lots=[Lot(id="a", takes_up=["PR1", "PR3"])], set_aside=[])


@pytest.mark.parametrize(
    ("changes", "additions", "words"),
    [
        ([change("B4", None)], [], "There is no item B4; use the ids of the list, and `additions` for new ones."),
        ([change("B1", "blue", "colour")], [], "B1 has no field “colour” that could be changed; it has name."),
        ([change("B1", ["rim"], "cracks")], [], "B1 has no field “cracks”"),  # item by item
        ([change("", 5)], [], "A change names an item, or a field of the whole."),
        ([change("", None, "width")], [], "`width` of the whole cannot be null"),
        ([change("B1", None), change("B1.1", "lid")], [], "B1.1 is changed twice, by itself or with what holds it"),
        ([change("B1", "a", "name"), change("B1", "b", "name")], [], "B1 is changed twice"),
        ([change("B1", {"name": "a", "cracks": []}), change("B1", "b", "name")], [], "B1 is changed twice"),
        ([change("B1", 7, "name")], [], "The new form of B1.name does not follow the schema of what it replaces"),
        ([change("B1", {"name": "a"})], [], "The new form of B1 does not follow"),
        ([], [{"to": "jugs", "new": "x"}], "There is no list “jugs” to add to; there are bowls, B1.cracks"),
        ([], [{"to": "bowls", "new": "x"}], "The new form of what is added to bowls does not follow"),
    ],
)
def test_what_does_not_fit_is_named(changes: list[dict[str, Any]], additions: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        patched(changes, additions)
    assert words in str(caught.value)


def test_a_draft_that_would_hold_too_few_items_is_refused() -> None:
    draft = msgspec.convert(
        {
            "always": [{"text": "Name it.", "unless": "", "drawn_from": []}] * 6,
            "never": [{"text": "Shout.", "unless": "", "drawn_from": []}] * 8,
        },
        AnchorsDraft,
    )
    deleted = [change(f"DO{n}", None) for n in range(1, 7)]
    text = msgspec.json.encode({"changes": deleted, "additions": [], "answered": []}).decode()
    with pytest.raises(ValueError, match="does not follow its schema any more"):
        merged(draft, schemas.read(text, Patch))


@pytest.mark.parametrize(
    "kind",
    [KnowledgeDraft, SpaceDraft, AnchorsDraft, RubricDraft, RulingsDraft, ExamplesDraft, FewShotsDraft, GuidanceDraft],
)
def test_the_schema_of_a_patch_is_one_that_structured_outputs_take(kind: type[Strict]) -> None:
    """Nothing optional, nothing extra, no reference, at any depth; and every list of items is one of the draft's."""
    node = patch_schema(kind, "some-draft")
    assert node.name == "some-draft-patch"

    def look(part: Any) -> None:
        if isinstance(part, dict):
            assert "$ref" not in part
            if part.get("type") == "object":
                assert part["required"] == list(part["properties"])
                assert part["additionalProperties"] is False
            for value in part.values():
                look(value)
        elif isinstance(part, list):
            for value in part:
                look(value)

    look(node.schema)
    assert set(kind.ITEMS) <= set(kind.__struct_fields__)

"""Changing a person's file: everything that is not replaced stays byte for byte."""

import pytest

from finetune_prep import documents

FILE = """\ufeff---
threshold: 0.75
---
# Rubric

Some words of mine.

## Goals
- G1: understood
  - a note of mine
- G2: knows

## Comprehension (weight 1)

### CP1. Named?
- Yes: a
<!-- my comment -->
My own thoughts
about CP1.

- No: b

#### Ideas
- maybe

### CP2. Kept?

- Yes: c
- No: d


## Sources

none
""".replace("\n", "\r\n")


def parts_around(text: str, before: str, after: str) -> tuple[str, str]:
    return text[: text.index(before)], text[text.index(after) :]


def test_replace_section() -> None:
    changed = documents.replace_section(FILE, "goals", "## Goals\n\n- G1: new\n")
    head, tail = parts_around(FILE, "## Goals", "\r\n## Comprehension")
    assert changed == head + "## Goals\r\n\r\n- G1: new\r\n" + tail


def test_replace_section_with_its_subsections() -> None:
    changed = documents.replace_section(FILE, "Comprehension", "## C (weight 1)")
    head, tail = parts_around(FILE, "## Comprehension", "\r\n\r\n## Sources")
    assert changed == head + "## C (weight 1)\r\n" + tail


def test_an_empty_section_takes_the_present_one_out() -> None:
    assert documents.replace_section(FILE, "Goals", "") == documents.remove_section(FILE, "Goals")
    assert documents.replace_section(FILE, "Facts", "") == FILE


def test_what_follows_a_section_is_the_next_one_of_its_level() -> None:
    assert documents.following_section(FILE, "Goals") == "Comprehension (weight 1)"
    assert documents.following_section(FILE, "Comprehension") == "Sources"
    assert documents.following_section(FILE, "Sources") == documents.following_section(FILE, "Facts") == ""


def test_a_section_replaced_by_itself_changes_nothing() -> None:
    for heading in ("Goals", "Comprehension", "CP1. Named?", "Sources", "Rubric"):
        assert documents.section(FILE, heading)
        assert documents.replace_section(FILE, heading, documents.section(FILE, heading)) == FILE


@pytest.mark.parametrize("kind", documents.KINDS)
def test_every_section_of_the_specimens_can_be_put_back(kind: str) -> None:
    text = documents.template(kind)
    for line in text.split("\n"):
        if line.startswith("#"):
            heading = line.lstrip("# ")
            assert documents.replace_section(text, heading, documents.section(text, heading)) == text


def test_a_new_section_goes_where_it_belongs() -> None:
    changed = documents.replace_section(FILE, "Terms", "## Terms\n- a: b", before="Sources")
    head, tail = parts_around(FILE, "## Sources", "## Sources")
    assert changed == head.removesuffix("\r\n") + "## Terms\r\n- a: b\r\n\r\n\r\n" + tail
    at_the_end = documents.replace_section(FILE, "Terms", "## Terms\n- a: b", before="Nowhere")
    assert at_the_end == FILE + "\r\n## Terms\r\n- a: b\r\n"


def test_remove_section() -> None:
    head, tail = parts_around(FILE, "## Goals", "## Comprehension")
    assert documents.remove_section(FILE, "Goals") == head + tail
    assert documents.remove_section(FILE, "Nowhere") == FILE


def test_remove_item_with_all_within() -> None:
    head, tail = parts_around(FILE, "### CP1", "### CP2")
    assert documents.remove_item(FILE, "CP1") == head + tail
    assert documents.remove_item(FILE, "G1") == FILE.replace("- G1: understood\r\n  - a note of mine\r\n", "")
    text = documents.template("domain-frameworks")
    value = documents.parse("domain-frameworks", documents.remove_item(text, "F2"), "x.md").value
    assert [technique.id for technique in value.techniques] == ["T1.1", "T1.2", "T1.3", "T3.1", "T3.2"]


def test_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        documents.remove_item(FILE, "CP9")
    assert documents.section(FILE, "Nowhere") == ""


def test_an_underlined_heading_is_not_glued_to_what_stands_above() -> None:
    text = "# x\n\n## Goals\nmine\n### E1. Strong: a\n\nOther\n-----\n"
    assert documents.remove_item(text, "E1") == "# x\n\n## Goals\nmine\n\nOther\n-----\n"


def test_the_byte_order_mark_stays_first() -> None:
    text = "\ufeff# x\r\n\r\na\r\n\r\n# y\r\n"
    assert documents.replace_section(text, "x", "# z\n\nb") == "\ufeff# z\r\n\r\nb\r\n\r\n# y\r\n"
    assert documents.remove_section(text, "x") == "\ufeff# y\r\n"
    assert documents.replace_section(text, "w", "# w", before="x") == "\ufeff# w\r\n\r\n" + text.removeprefix("\ufeff")


def test_replace_item_changes_its_lines_alone() -> None:
    changed = documents.replace_item(FILE, "CP1", "### CP1. Named at once?\n\n- Yes: a")
    head, tail = parts_around(FILE, "### CP1", "\r\n### CP2")
    assert changed == head + "### CP1. Named at once?\r\n\r\n- Yes: a\r\n" + tail


def test_replace_an_item_of_a_list() -> None:
    assert documents.item(FILE, "G1") == "- G1: understood\n  - a note of mine\n"
    changed = documents.replace_item(FILE, "G1", "- G1: heard")
    head, tail = parts_around(FILE, "- G1", "- G2")
    assert changed == head + "- G1: heard\r\n" + tail
    with pytest.raises(KeyError):
        documents.replace_item(FILE, "G9", "- G9: x")


def test_add_an_item_to_the_end_of_a_section() -> None:
    changed = documents.add_item(FILE, "Goals", "- G3: helped")
    assert changed == FILE.replace("- G2: knows\r\n", "- G2: knows\r\n- G3: helped\r\n")
    with pytest.raises(KeyError):
        documents.add_item(FILE, "Nowhere", "- G3: helped")


def test_add_an_item_to_an_empty_section_and_to_the_end_of_a_file() -> None:
    assert documents.add_item("# R\n\n## Goals\n\n## Next\n", "Goals", "- G1: x") == "# R\n\n## Goals\n\n- G1: x\n\n## Next\n"
    assert documents.add_item("# R\n\n## Goals\n\n- G1: x", "Goals", "- G2: y") == "# R\n\n## Goals\n\n- G1: x\n- G2: y"

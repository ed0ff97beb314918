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


def test_replace_item_keeps_what_a_person_wrote_below_it() -> None:
    changed = documents.replace_item(FILE, "CP1", "### CP1. New?\n\n- Yes: x\n- No: y\n", kind="evaluation-rubric")
    head, tail = parts_around(FILE, "### CP1", "\r\n### CP2")
    assert changed.startswith(head + "### CP1. New?\r\n\r\n- Yes: x\r\n- No: y\r\n")
    assert changed.endswith(tail)
    for kept in ("<!-- my comment -->\r\nMy own thoughts\r\nabout CP1.", "#### Ideas\r\n- maybe"):
        assert kept in changed
    assert "- Yes: a" not in changed


def test_replace_item_of_a_list() -> None:
    changed = documents.replace_item(FILE, "G2", "- G2: knows what is next", kind="evaluation-rubric")
    assert changed == FILE.replace("- G2: knows", "- G2: knows what is next")


def test_replace_item_leaves_inner_items() -> None:
    text = documents.template("domain-frameworks")
    changed = documents.replace_item(
        text, "F1", "## F1. New\n\n- Idea: a\n- Use when: b\n- Not when: c", kind="domain-frameworks"
    )
    document = documents.parse("domain-frameworks", changed, "x.md")
    before = documents.parse("domain-frameworks", text, "x.md").value
    assert document.findings == ()
    assert document.value.frameworks[0].name == "New"
    assert document.value.techniques == before.techniques


def test_replace_item_means_the_question_not_an_answer_to_it() -> None:
    text = documents.template("evaluation-rubric")
    changed = documents.replace_item(text, "CP2", "### CP2. Changed?\n\n- Yes: a\n- No: b", kind="evaluation-rubric")
    assert changed.count("- CP2: ") == text.count("- CP2: ")
    assert "### CP2. Changed?" in changed


def test_insert_item() -> None:
    changed = documents.insert_item(FILE, "### CP3. More?\n- Yes: e\n- No: f", after="CP2")
    head, tail = parts_around(FILE, "\r\n\r\n## Sources", "\r\n\r\n## Sources")
    assert changed == head + "\r\n### CP3. More?\r\n- Yes: e\r\n- No: f\r\n" + tail
    listed = documents.insert_item(FILE, "- G3: calm", section="Goals")
    assert listed == FILE.replace("- G2: knows\r\n", "- G2: knows\r\n- G3: calm\r\n")
    between = documents.insert_item(FILE, "- G9: between", after="G1")
    assert between == FILE.replace("- G2: knows", "- G9: between\r\n- G2: knows")


def test_insert_item_after_the_last_line() -> None:
    text = "# x\n## Goals\n- G1: a"
    assert documents.insert_item(text, "- G2: b", after="G1") == "# x\n## Goals\n- G1: a\n- G2: b\n"
    assert documents.insert_item("# x\n## Goals", "- G1: a", section="Goals") == "# x\n## Goals\n\n- G1: a\n"


def test_remove_item_with_all_within() -> None:
    head, tail = parts_around(FILE, "### CP1", "### CP2")
    assert documents.remove_item(FILE, "CP1") == head + tail
    assert documents.remove_item(FILE, "G1") == FILE.replace("- G1: understood\r\n  - a note of mine\r\n", "")
    text = documents.template("domain-frameworks")
    value = documents.parse("domain-frameworks", documents.remove_item(text, "F2"), "x.md").value
    assert [technique.id for technique in value.techniques] == ["T1.1", "T1.2", "T1.3", "T3.1", "T3.2"]


def test_what_is_not_there() -> None:
    for change in (
        lambda: documents.replace_item(FILE, "CP9", "x", kind="evaluation-rubric"),
        lambda: documents.remove_item(FILE, "CP9"),
        lambda: documents.insert_item(FILE, "x", after="CP9"),
        lambda: documents.insert_item(FILE, "x", section="Nowhere"),
    ):
        with pytest.raises(KeyError):
            change()
    assert documents.section(FILE, "Nowhere") == ""


def test_replace_item_keeps_notes_that_are_no_fields() -> None:
    text = (
        "# x\n\n## Failure modes\n\n### FM1. a (AI)\n\nFirst, my words.\n\n- maybe\n  - not\n- Instance: b\n\n> a proverb\n\n"
        "- Counter: c\n\n    indented\n"
    )
    changed = documents.replace_item(text, "FM1", "### FM1. d (AI)\n\n- Instance: e\n- Counter: f", kind="domain-frameworks")
    assert changed == (
        "# x\n\n## Failure modes\n\n### FM1. d (AI)\n\nFirst, my words.\n\n- maybe\n  - not\n\n- Instance: e\n- Counter: f\n\n"
        "> a proverb\n"
    )


def test_replace_item_of_a_list_keeps_its_notes() -> None:
    changed = documents.replace_item(FILE, "G1", "- G1: calm", kind="evaluation-rubric")
    assert changed == FILE.replace("- G1: understood", "- G1: calm")


def test_code_below_a_heading_stays_code() -> None:
    """Below the last field it would be read as its continuation."""
    text = "# x\n\n## Goals\n\n## C (weight 1)\n\n### CP1. a?\n\n    code\n\n- Yes: b\n- No: c\n"
    changed = documents.replace_item(text, "CP1", "### CP1. d?\n\n- Yes: e\n- No: f", kind="evaluation-rubric")
    assert changed == text.replace("a?", "d?").replace("Yes: b", "Yes: e").replace("No: c", "No: f")


def test_a_list_item_is_added_above_a_persons_subsections() -> None:
    text = "# x\n\n## Goals\n\n- G1: a\n\n### My ideas\n\n- later\n"
    assert documents.insert_item(text, "- G2: b", section="Goals") == text.replace("- G1: a\n", "- G1: a\n- G2: b\n")


def test_an_underlined_heading_is_not_glued_to_what_stands_above() -> None:
    text = "# x\n\n## Goals\nmine\n### E1. Strong: a\n\nOther\n-----\n"
    assert documents.remove_item(text, "E1") == "# x\n\n## Goals\nmine\n\nOther\n-----\n"


def test_code_between_conversation_and_answers_stays_code() -> None:
    """It goes up, where it is code still; below the answers it would be part of the last one."""
    text = "# x\n\n## Examples\n\n### E1. Strong: a\n\n> **User:** b\n\n    code\n\n- CP1: yes. c\n"
    new = "### E1. Strong: d\n\n> **User:** e\n\n- CP1: no. f"
    changed = documents.replace_item(text, "E1", new, kind="evaluation-rubric")
    assert changed == "# x\n\n## Examples\n\n### E1. Strong: d\n\n    code\n\n> **User:** e\n\n- CP1: no. f\n"


def test_a_comment_within_a_field_stays() -> None:
    text = "# x\n\n## Failure modes\n\n### FM1. a (AI)\n- Instance: b\n  <!-- why? -->\n  and more\n- Counter: c\n"
    changed = documents.replace_item(text, "FM1", "### FM1. d (AI)\n- Instance: e\n- Counter: f", kind="domain-frameworks")
    assert changed.endswith("### FM1. d (AI)\n\n  <!-- why? -->\n\n- Instance: e\n- Counter: f\n")


def test_the_byte_order_mark_stays_first() -> None:
    text = "\ufeff# x\r\n\r\na\r\n\r\n# y\r\n"
    assert documents.replace_section(text, "x", "# z\n\nb") == "\ufeff# z\r\n\r\nb\r\n\r\n# y\r\n"
    assert documents.remove_section(text, "x") == "\ufeff# y\r\n"
    assert documents.replace_section(text, "w", "# w", before="x") == "\ufeff# w\r\n\r\n" + text.removeprefix("\ufeff")

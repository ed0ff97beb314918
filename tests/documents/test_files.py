"""Bytes to text, text to what is sent, and the text of single items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep import documents
from finetune_prep.markdown.normal import normal


@pytest.mark.parametrize(
    ("data", "text", "line", "what"),
    [
        (b"\xef\xbb\xbfa\r\nb", "a\nb", 0, ""),
        ("é\n漢\n".encode(), "é\n漢\n", 0, ""),
        (b"a\nb\xe9c\n", "a\nb\ufffdc\n", 2, "byte 0xE9 is not UTF-8"),
        ("a\nb".encode("utf-16"), None, 1, "the file is UTF-16"),
    ],
)
def test_read_bytes(data: bytes, text: str | None, line: int, what: str) -> None:
    read, findings = documents.read_bytes(data, "brief.md")
    if text is not None:
        assert read == text
    if what:
        (finding,) = findings
        assert (finding.path, finding.line, finding.what, finding.fix) == ("brief.md", line, what, "save the file as UTF-8")
    else:
        assert findings == ()


@given(st.binary(max_size=60))
def test_any_bytes_can_be_read(data: bytes) -> None:
    text, findings = documents.read_bytes(data, "x.md")
    documents.parse("brief", text, "x.md")
    assert bool(findings) == (data.decode("utf-8", "replace") != data.decode("utf-8", "ignore"))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("---\nformat: 1\n---\n# Title\n\nYou are\nkind.\n", "You are kind.\n"),
        ("Title\n=====\nYou.\n", "You.\n"),
        ("<!-- note -->\n# Title\nYou.\n", "You.\n"),
        ("You.\n# Later\n", "You.\n# Later\n"),
        ("## Role\nYou.", "## Role\nYou.\n"),
        ("# T\na <!-- x --> b <!-- y\nz --> c\n", "a  b <!-- y z --> c\n"),
        ("# T\na\n<!-- x\n\ny -->\nb\n", "a b\n"),
        ("# T\n```\n<!-- kept -->\n```\n> <!-- kept -->\n", "```\n<!-- kept -->\n```\n> <!-- kept -->\n"),
        ("# T\nwrite \\<!-- here\n", "write <!-- here\n"),
        ("# T\n", ""),
        ("", ""),
    ],
)
def test_body(text: str, sent: str) -> None:
    assert documents.body(text) == sent


@pytest.mark.parametrize("kind", ["system-prompt", "user-prompt"])
def test_body_is_the_value(kind: str) -> None:
    """What is parsed and what is sent are the same."""
    text = documents.template(kind)
    assert documents.body(text) == documents.parse(kind, text, "x.md").value.text + "\n"


def test_body_is_blind_to_wrapping() -> None:
    text = documents.template("generation-prompt")
    wrapped = text.replace("hand-thrown bowls, plates", "hand-thrown bowls,\n   plates").replace("\n", "\r\n")
    assert documents.body(wrapped) == documents.body(text)


def items(text: str, kind: str = "evaluation-rubric") -> dict[str, str]:
    return documents.item_texts(documents.parse(kind, text, "x.md"))


def test_item_texts_hold_an_item_and_nothing_else() -> None:
    texts = items(documents.template("evaluation-rubric"))
    assert texts["G2"] == "- G2: The customer knows what happens next.\n"
    assert texts["MN1"] == (
        "### MN1. Does every reply keep to one question at most?\n\n- Checks: DO3\n- Catches: FM5\n- Measured: questions per reply <= 1\n"
    )
    assert texts["E1"].startswith("### E1. Strong: the salad bowl\n\n> **User:**")
    assert "- MN4: yes." in texts["E1"]
    assert set(texts) >= {"SF1", "CP1", "US4", "HN3", "E3"}


def test_outer_items_do_not_hold_inner_ones() -> None:
    texts = items(documents.template("domain-frameworks"), "domain-frameworks")
    assert "T1.1" not in texts["F1"]
    topics = items(documents.template("scenario-space"), "scenario-space")
    assert "TP1.1" not in topics["TP1"]
    assert topics["TP1"].endswith("- Techniques: T1.1, T1.2, T1.3, T2.1, T3.2\n- From: PR3, PR7\n")


def test_only_the_changed_item_changes() -> None:
    text = documents.template("evaluation-rubric")
    before, after = items(text), items(text.replace("A handle that comes off", "A spout that comes off"))
    assert [id for id in before if before[id] != after[id]] == ["CP1"]


def test_wrapping_and_comments_change_no_item() -> None:
    text = documents.template("evaluation-rubric")
    changed = text.replace("- No: a general phrase", "<!-- really? -->\n- No: a\n  general phrase")
    assert changed != text
    assert items(changed) == items(text)


def test_prose_belongs_to_the_item_above() -> None:
    text = "# x\n## C (weight 1)\n### CP1. a?\n- Yes: b\n- No: c\n\n#### Why\nmine\n\n## Other\nnot mine\n"
    assert items(text)["CP1"] == normal("### CP1. a?\n- Yes: b\n- No: c\n\n#### Why\nmine\n")

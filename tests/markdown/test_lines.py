"""The line scanner, against a full CommonMark parser."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from finetune_prep.markdown.lines import front_matter_length, lines_of, scan
from finetune_prep.markdown.page import heading
from tests.effort import in_proportion
from tests.soak import examples

ORACLE = MarkdownIt("commonmark").disable(["html_block", "reference"])
LINES = (
    "", "", "a", "b c", "# A", "## B", "#c", "- d", "- e", "  - f", "  g", "1. h", "2. i", "> j", "> - k", ">", "```",
    "```py", "~~~", "---",
    "***", "===", "    l", "  ```",
)  # fmt: skip


def oracle_lines(text: str, kind: str) -> set[int]:
    """0-based lines of the blocks of a kind that stand at the top level, as CommonMark sees them."""
    found: set[int] = set()
    for token in ORACLE.parse(text):
        if token.type == kind and token.level == 0 and token.map:
            found.update(range(*token.map))
    return found


def nested(text: str) -> set[int]:
    """Lines within lists, where the scanner means well rather than by the letter."""
    return oracle_lines(text, "bullet_list_open") | oracle_lines(text, "ordered_list_open")


@settings(max_examples=examples(120))
@given(st.lists(st.sampled_from(LINES), max_size=9))
@example(["> a", "b", "> c"])
@example(["a", "---", "b", "==="])
@example(["```", "# A", "", "```", "# B"])
def test_agrees_with_commonmark_outside_of_lists(lines: list[str]) -> None:
    """Headings, fences and blockquotes are where CommonMark has them."""
    text = "\n".join(lines)
    compared = {number for number, line in enumerate(lines) if line} - nested(text)
    scanned = scan(lines)
    fences = {number for number, line in enumerate(scanned) if line.kind == "fence"}
    assert fences & compared == oracle_lines(text, "fence") & compared
    headings = {
        number for number, line in enumerate(scanned) if line.kind == "heading" and line.visible.startswith(("# ", "## "))
    }
    assert headings & compared == {n for n in oracle_lines(text, "heading_open") if lines[n].startswith(("# ", "## "))} & compared
    quotes = {number for number, line in enumerate(scanned) if line.kind == "quote"}
    assert quotes & compared == oracle_lines(text, "blockquote_open") & compared


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("- a\n  b\n\n  c", "item text blank text"),
        ("- a\n\n\tb", "item blank text"),
        ("\t- a", "item"),
        ("• a", "item"),
        ("a <!-- b --> c", "text"),
        ("<!-- a\nb\n--> c", "comment comment text"),
        ("<!-- open\na", "text text"),
        ("\\<!-- a -->", "text"),
        ("- # a", "item"),
        ("- a\n  # b", "item other"),
        ("> a\nb\n\nc", "quote quote blank text"),
        ("```a`b", "text"),
        ("- - -", "other"),
    ],
)
def test_kinds(text: str, kinds: str) -> None:
    assert " ".join(line.kind for line in scan(text.split("\n"))) == kinds


def test_comments_are_invisible_but_not_in_code() -> None:
    scanned = scan(["a <!-- x -->b", "`<!--`", "```", "<!-- y -->", "```", "> <!-- z -->"])
    assert [line.visible for line in scanned] == ["a b", "`<!--`", "```", "<!-- y -->", "```", "> <!-- z -->"]


def test_lines_end_at_line_ends_only() -> None:
    """U+2028, U+0085 and form feeds are characters like others: line numbers must be those of an editor."""
    assert lines_of("\ufeffa\u2028b\r\nc\x0cd\re\x85f") == ["a\u2028b", "c\x0cd", "e\x85f"]


def test_front_matter_must_be_closed() -> None:
    assert front_matter_length(["---", "a: 1", "---", "x"]) == 3
    assert front_matter_length(["---", "a: 1"]) == 0
    assert front_matter_length(["", "---", "---"]) == 0


@pytest.mark.parametrize(
    "unit", ["a\n", "- a\n", "> a\n", "- > a\n", "<!--\n", "|a|\n", "1. a\n", "a\n=\n", "- a\n> b\n", "```\n"]
)
def test_time_grows_with_the_text(unit: str) -> None:
    """20,000 lines of anything take well under a second."""
    lines = (unit * 20_000).split("\n")[:20_000]
    with in_proportion():
        scan(lines)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("## Facts ##", "Facts"),
        ("## Facts  ##  ", "Facts"),
        ("## C #", "C #"),
        ("## C##", "C##"),
        ("## C ## ##", "C ##"),
        ("## ##", "##"),
    ],
)
def test_a_heading_may_be_closed_with_the_signs_that_opened_it(line: str, text: str) -> None:
    (found,) = scan(lines_of(line))
    assert (found.kind, found.text.rstrip()) == ("heading", text)


@pytest.mark.parametrize("text", ["C", "C ##", "C ## ##", "C #", "##"])
def test_a_text_that_ends_like_a_closed_heading_survives(text: str) -> None:
    (found,) = scan(lines_of(heading(2, text)))
    assert found.text == text

"""The normaliser: idempotent, blind to wrapping, and hands off what must not be touched."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.markdown.normal import normal, paragraph
from tests.soak import examples

FRAGMENTS = (
    "a", "foo bar", "- ", "* ", "1. ", "2. ", "# ", "> ", "```", "~~~", "```py", "<!--", "-->", "\\", "|", "|-|", "---",
    "===", "    ",
    "  ", "\t", "\n", "\n", "\n\n", "<b>", "<b", "c>", "漢", "字", "-", "+", "=", "DO1: ", "\r\n", "\u2028", "\x0b", "\u00a0",
    "\ufeff",
)  # fmt: skip
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
word = st.text(st.sampled_from("abcdeé'(),.:;*_`\"“”"), min_size=1, max_size=8).filter(lambda text: text.strip("*_`:") == text)


@settings(max_examples=examples(150))
@given(texts)
def test_idempotent(text: str) -> None:
    """Normalising what is normal changes nothing."""
    once = normal(text)
    assert normal(once) == once


@given(st.lists(word, min_size=1, max_size=30), st.data())
def test_wrapping_a_paragraph_changes_nothing(words: list[str], data: st.DataObject) -> None:
    """Wherever an editor breaks the lines, with whatever white space at their ends and in front."""
    gaps = st.sampled_from([" ", "\n", " \n", "\n  ", "\t\n", "\r\n"])
    wrapped = words[0] + "".join(data.draw(gaps) + following for following in words[1:])
    assert normal(wrapped) == " ".join(words) + "\n"


@given(st.lists(word, min_size=1, max_size=20), st.lists(word, min_size=1, max_size=20))
def test_wrapping_a_list_item_changes_nothing(start: list[str], end: list[str]) -> None:
    wrapped = f"- {' '.join(start)}\n  {' '.join(end)}\n- next\n"
    assert normal(wrapped) == f"- {' '.join(start + end)}\n- next\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\n \n", ""),
        ("\ufeffa\r\nb\rc", "a b c\n"),
        ("a\n\n\n\nb  \n\n", "a\n\nb\n"),
        ("# A \ntext\n\n- x\ny\n", "# A\ntext\n\n- x y\n"),
        ("Title\n=====\ntext\nmore", "Title\n=====\ntext more\n"),
        ("| a |\n| - |\n| b |\n", "| a |\n| - |\n| b |\n"),
        ("a | b\n--|--\nc | d\n", "a | b\n--|--\nc | d\n"),
        ("<rules>\none\ntwo\n</rules>", "<rules>\none two\n</rules>\n"),
        ("hard\\\nbreak", "hard\\\nbreak\n"),
        ("    code\n    code", "    code\n    code\n"),
        ("---\nformat: 1  \nb: 2\n---\n\n\nx\ny\n", "---\nformat: 1\nb: 2\n---\n\nx y\n"),
        ("in the year\n1984. Then", "in the year 1984. Then\n"),
        ("1. a\n2. b", "1. a\n2. b\n"),
        ("<!-- a\n\n\nb -->\nx\ny", "<!-- a\n\n\nb -->\nx y\n"),
    ],
)  # fmt: skip
def test_form(text: str, expected: str) -> None:
    assert normal(text) == expected


def test_chinese_is_joined_without_a_space() -> None:
    """Chinese and Japanese wrap anywhere; Korean and Latin wrap at spaces."""
    assert normal("碗裂\n了。") == "碗裂了。\n"
    assert normal("그릇이\n깨졌어요") == "그릇이 깨졌어요\n"
    assert paragraph(["碗", "bowl"]) == "碗 bowl"


@pytest.mark.parametrize("inside", ["a  \n\n\n\nb\nc\t ", "- x\ny", "> q\nr"])
def test_code_fences_are_not_touched(inside: str) -> None:
    text = f"```text\n{inside}\n```\n"
    assert normal(text.replace("\n", "\r\n")) == text


def test_conversations_are_not_touched() -> None:
    text = "> **User:** a  \n> b\t\n>\n>\n> **Assistant:** c\n"
    assert normal(text) == text


def test_an_open_fence_is_closed() -> None:
    """Otherwise it would swallow whatever is put after this text."""
    assert normal("~~~~\na") == "~~~~\na\n~~~~\n"
    assert normal("- ```\n  a\n\nb") == "- ```\n  a\n\nb\n"

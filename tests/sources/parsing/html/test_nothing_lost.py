"""Whatever a page is built of: each word that can be seen stands in the text once, and none that cannot."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.sources.parsing.html.page import read_html
from tests.soak import examples

TAGS = [
    "p",
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "aside",
    "form",
    "fieldset",
    "legend",
    "figure",
    "figcaption",
    "blockquote",
    "address",
    "details",
    "summary",
    "dl",
    "dt",
    "dd",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h6",
    "b",
    "i",
    "em",
    "strong",
    "span",
    "a",
    "u",
    "mark",
    "small",
    "code",
    "kbd",
    "label",
    "button",
    "select",
    "option",
    "center",
    "font",
    "ins",
    "sup",
    "sub",
    "ruby",
    "table",
    "tr",
    "td",
    "th",
    "tbody",
    "custom-tag",
]
HIDDEN = (
    ["<script>", "</script>"], ["<style>", "</style>"], ["<!--", "-->"], ["<template>", "</template>"], ["<noscript>", "</noscript>"],
    ["<del>", "</del>"], ["<s>", "</s>"], ["<p style='display:none'>", "</p>"], ["<svg><text>", "</text></svg>"], ["<iframe>", "</iframe>"],
)  # fmt: skip

Node = str | tuple[str, list["Node"]]  # "seen", "gone", or a tag with what it holds
leaves = st.sampled_from(["seen", "seen", "seen", "gone", "br"])
nodes: st.SearchStrategy[Node] = st.recursive(
    leaves, lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4)), max_leaves=25
)


def drawn(node: Node, numbers: Iterator[int], *, own: bool) -> str:
    if node == "br":
        return "<br>"
    if node == "seen":
        return f" seen{next(numbers)} "
    if node == "gone":
        number = next(numbers)
        before, after = HIDDEN[number % (7 if own else len(HIDDEN))]
        return f"{before} gone{number} {after}"
    tag, inside = node
    return f"<{tag}>{''.join(drawn(one, numbers, own=own) for one in inside)}</{tag}>"


@pytest.mark.parametrize("own", [True, False])
@settings(deadline=None, max_examples=examples(60))
@given(nodes=st.lists(nodes, max_size=5))
def test_every_visible_word_stands_in_the_text_once(own: bool, nodes: list[Node]) -> None:
    numbers = itertools.count(1)
    page = "".join(drawn(node, numbers, own=own) for node in nodes) + "<p>seen0</p>"
    if not own:  # on the web, what stands around the main part may be left out
        page = re.sub(r"(</?)(?:main|article|footer|aside)>", r"\1div>", page)
    text = read_html(page.encode(), own=own).text
    assert Counter(re.findall(r"seen\d+", text)) == Counter(re.findall(r"seen\d+", page)), page
    assert "gone" not in text

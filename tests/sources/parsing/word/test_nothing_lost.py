"""Whatever a Word file is built of: each word that can be seen stands in the text once, and none that cannot."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.sources.parsing.word.document import read_docx
from tests.soak import examples
from tests.sources.foreign import p, r, word
from tests.sources.parsing.word.test_document import box
from tests.sources.parsing.word.test_numbering import BULLETS, STEPS, lists

# runs, in which @ stands for a word
SEEN = [
    r("@ "), r(" @ ", "<w:b/>"), f"<w:ins>{r(' @ ')}</w:ins>", f"<w:moveTo>{r(' @ ')}</w:moveTo>", r(" @", '<w:vertAlign w:val="superscript"/>'),
    f"<w:hyperlink w:anchor='x'>{r(' @ ')}</w:hyperlink>", f"<w:smartTag>{r(' @ ')}</w:smartTag>", f"<w:strange>{r(' @ ')}</w:strange>",
    f"<w:fldSimple w:instr='x'>{r(' @ ')}</w:fldSimple>", f"<w:sdt><w:sdtContent>{r(' @ ')}</w:sdtContent></w:sdt>",
    "<w:r><w:t> @ </w:t><w:br/><w:t>@ </w:t><w:tab/><w:t>@</w:t><w:cr/></w:r>", "<m:oMath><m:r><m:t>@</m:t></m:r></m:oMath>",
]  # fmt: skip
GONE = [
    "<w:del><w:r><w:delText> @ </w:delText></w:r></w:del>", r(" @ ", "<w:vanish/>"), r(" @ ", "<w:strike/>"), f"<w:moveFrom>{r(' @ ')}</w:moveFrom>",
    "<w:r><w:instrText> @ </w:instrText></w:r>", f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{r('@')}</w:sdtContent></w:sdt>",
]  # fmt: skip
ITEM = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="{}"/></w:numPr>'
KINDS = ["", "", '<w:outlineLvl w:val="1"/>', *(ITEM.format(at, n) for at in (0, 1, 4) for n in (1, 2, 9))]
BOXES: list[dict[str, bool]] = [{}, {"vml": True}, {"choice": True}, {"vml": True, "choice": True}]

Node = tuple[str, Any, Any]  # what it is, how, and what stands in it
runs = st.tuples(st.booleans(), st.integers(0, 11))
paragraphs = st.tuples(st.just("p"), st.sampled_from(KINDS), st.lists(runs, max_size=4))


def around(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    rows = st.lists(st.lists(inner, min_size=1, max_size=3), min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("box"), st.sampled_from(BOXES), inner),
        st.tuples(st.just("sdt"), st.none(), inner),
        st.tuples(st.just("tbl"), st.none(), rows),
    )


nodes: st.SearchStrategy[Node] = st.recursive(paragraphs, around, max_leaves=8)


def drawn(node: Node, numbers: Iterator[int]) -> str:
    """The XML of a node, in which each word has a number of its own: seen1 is to be seen, gone2 is not."""
    what, how, inside = node
    if what == "p":
        return p(*(_run(is_seen, number, numbers) for is_seen, number in inside), properties=how)
    if what == "box":
        return p(r("- "), box(drawn(inside, numbers), **how))
    if what == "sdt":
        return f"<w:sdt><w:sdtPr/><w:sdtContent>{drawn(inside, numbers)}</w:sdtContent></w:sdt>"
    rows = ("".join(f"<w:tc>{drawn(cell, numbers)}<w:p/></w:tc>" for cell in row) for row in inside)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def _run(is_seen: bool, number: int, numbers: Iterator[int]) -> str:
    xml = (SEEN if is_seen else GONE)[number % len(SEEN if is_seen else GONE)]
    return re.sub("@", lambda _: f"{'seen' if is_seen else 'gone'}{next(numbers)}", xml)


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(nodes, min_size=1, max_size=5))
def test_every_visible_word_stands_in_the_text_once(body: list[Node]) -> None:
    numbers = itertools.count(1)
    xml = "".join(drawn(node, numbers) for node in body) + p("seen0")
    text = read_docx(word(xml, numbering=lists(STEPS, BULLETS))).text
    assert Counter(re.findall(r"seen\d+", text)) == Counter(set(re.findall(r"seen\d+", xml)))
    assert "gone" not in text
    assert "\ue0f0" not in text

"""Looking something up: passages stand where they say, and a query is words and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.knowledge import Source
from finetune_prep.sources.files import SourceText
from finetune_prep.sources.library import LONGEST, Library, passages


def source(id: str, text: str) -> SourceText:
    return SourceText(source=Source(id=id, title=id, where=id, read=""), text=text, hash=id)


SOURCES = [
    source(
        "S01",
        "# Returns\n\nThirty days from the day of delivery.\n\n"
        + "Filler about nothing. " * 100
        + "\n\nGift cards are never refunded.\n",
    ),
    source("S02", "# Delivery\n\nParcels are handed over on Tuesday. A parcel that is late is looked for.\n"),
    source("S03", "# Größen\n\nDie Schüssel fasst drei Liter. Café au lait.\n"),
]


def test_the_passage_with_the_rare_words_comes_first() -> None:
    (passage,) = Library(SOURCES).find("are gift cards refunded", 1)
    assert passage.source_id == "S01"
    assert "Gift cards are never refunded." in passage.text


def test_a_passage_stands_where_it_says() -> None:
    for passage in Library(SOURCES).find("days parcel delivery filler", 10):
        text = next(one.text for one in SOURCES if one.source.id == passage.source_id)
        assert text[passage.start : passage.start + len(passage.text)] == passage.text


def test_no_more_than_asked_for() -> None:
    assert [len(Library(SOURCES).find("the of are filler", count)) for count in (0, 1, 2)] == [0, 1, 2]


@pytest.mark.parametrize("query", ["GRÖßEN", "größen", "schussel", "cafe", "Liter?"])
def test_case_and_accents_do_not_matter(query: str) -> None:
    found = Library(SOURCES).find(query, 5)
    assert [passage.source_id for passage in found] == ["S03"]


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "AND",
        "gift AND",
        "gift NOT cards",
        "NEAR(gift cards)",
        "body:gift",
        "gift*",
        "^gift",
        "-gift",
        "gift'; DROP TABLE passage",
        "{x y}:z",
        "gift\x00",
        "(",
        "OR OR",
    ],
)
def test_operators_are_words(query: str) -> None:
    """Nothing in a query is syntax: what holds “gift” finds it, what holds no word finds nothing."""
    found = Library(SOURCES).find(query, 5)
    assert bool(found) == ("gift" in query)


@given(st.text(max_size=40))
def test_no_query_is_an_error(query: str) -> None:
    assert len(Library(SOURCES).find(query, 3)) <= 3


def test_no_sources_and_no_words_find_nothing() -> None:
    assert Library([]).find("gift", 5) == ()
    assert Library(SOURCES).find("?!", 5) == ()


pieces = st.lists(st.sampled_from(["word", " ", "\n", "\n\n", "long " * 40, "x" * 90, "\t", "ü"]), max_size=30).map("".join)


@settings(deadline=None)
@given(pieces, st.integers(20, 200))
def test_passages_hold_all_of_a_text_in_order_and_none_is_too_long(text: str, longest: int) -> None:
    found = list(passages(text, longest))
    assert all(text[start : start + len(piece)] == piece and piece.strip() == piece and piece for start, piece in found)
    assert all(len(piece) <= longest for _, piece in found)
    assert [start for start, _ in found] == sorted({start for start, _ in found})
    assert "".join("".join(piece.split()) for _, piece in found) == "".join(text.split())


def test_paragraphs_are_not_cut_without_need() -> None:
    text = "\n\n".join(["A paragraph of some words. " * 10] * 12)
    assert all(piece.endswith("words.") for _, piece in passages(text))
    assert max(len(piece) for _, piece in passages(text)) > LONGEST // 2

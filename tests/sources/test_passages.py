"""Pieces of a text: all of it, in order, none too long, cut where a reader would cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.sources.passages import LONGEST, passages, table_head

pieces = st.lists(
    st.sampled_from(["word", " ", "\n", "\n\n", "long " * 40, "x" * 90, "\t", "ü", "# heading", "| a | b", "碗。"]), max_size=30
).map("".join)


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


SENTENCE = "Bowls that arrive broken are replaced within thirty days. "


def test_no_piece_ends_with_headings_whose_text_is_in_the_next() -> None:
    text = f"# Shop\n\n## Returns\n\n{SENTENCE * 18}\n\n## Gifts\n\n### Cards\n\n#### Lost\n\n{SENTENCE * 15}\n\n## Tools\n{SENTENCE * 30}"
    found = [piece for _, piece in passages(text)]
    assert not any(piece.splitlines()[-1].startswith("#") for piece in found)
    assert any(piece.startswith("## Gifts\n\n### Cards\n\n#### Lost\n\nBowls") for piece in found)


def test_headings_within_a_block_of_lines_stay_with_their_lines() -> None:
    text = "\n".join(f"## Piece {n}\n{SENTENCE}" for n in range(60))
    assert all(piece.startswith("## Piece") and piece.endswith("days.") for _, piece in passages(text))


def test_a_long_paragraph_falls_into_pieces_of_one_size_that_end_with_sentences() -> None:
    for text, end in ((SENTENCE * 25, "days."), ("破损的碗可以在三十天内退换。" * 90, "退换。")):
        found = [piece for _, piece in passages(text)]
        assert len(found) == 2
        assert all(piece.endswith(end) and len(piece) > LONGEST / 2 - len(SENTENCE) for piece in found)


def test_rows_of_a_table_are_not_cut() -> None:
    rows = [f"| bowl {n} | {n} euros |" for n in range(200)]
    text = "\n".join(["| piece | refund |", "| --- | ---: |", *rows])
    found = list(passages(text))
    assert [line for _, piece in found for line in piece.splitlines()] == text.splitlines()
    assert [table_head(text, start) for start, _ in found] == ["", *["| piece | refund |\n| --- | ---: |"] * (len(found) - 1)]


def test_only_a_later_row_of_a_table_has_a_head() -> None:
    text = "a | b\n\n| x | y |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n\n| no | head |\n| 5 | 6 |\n"
    heads = {line: table_head(text, text.index(line)) for line in text.splitlines() if line}
    assert {line for line, head in heads.items() if head} == {"| 1 | 2 |", "| 3 | 4 |"}
    assert heads["| 3 | 4 |"] == "| x | y |\n| --- | --- |"

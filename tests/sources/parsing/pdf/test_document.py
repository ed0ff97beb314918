"""PDF files: sentences that go over pages, rows that stay rows, figures that stay raised, and why a file cannot be read."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText

from finetune_prep.core.quotes import find_quote
from finetune_prep.sources.parsing.extracted import Extracted, Unreadable
from finetune_prep.sources.parsing.pdf.document import read_pdf
from tests.soak import examples
from tests.sources.foreign import drawn_pdf, locked_pdf, pdf


def at(x: float, y: float, text: str, size: float = 12) -> str:
    return f"BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET"


def lines(*texts: str, x: float = 72, top: float = 720) -> str:
    return " ".join(at(x, top - 15 * n, text) for n, text in enumerate(texts))


def test_headers_and_footers_do_not_stand_in_a_sentence_that_goes_over_the_page() -> None:
    pages = [
        lines("The kiln - Rules 2026", f"Page {n} of 3", *body, f"- {n} -", "For tenants of staff only")
        for n, body in enumerate(
            (["A list names every piece, and the buyer may"], ["object within four weeks.", "The desk"], ["answers."]), 1
        )
    ]
    found = read_pdf(drawn_pdf(*pages))
    assert found.text == (
        "The kiln - Rules 2026\nA list names every piece, and the buyer may\nobject within four weeks.\nThe desk\nanswers.\n\n"
        "For tenants of staff only"
    )
    assert find_quote("A list names every piece, and the buyer may object within four weeks.", found.text).exact
    assert found.left_out == {"lines at the edges of pages": 11}


def test_the_headers_of_a_chapter_are_left_out_and_its_heading_stays() -> None:
    pages = [
        (at(72, 760, f"{n}. Chapter {chapter}", 20) + " " if not page else lines(f"Chapter {chapter} - {n}", top=760) + " ")
        + lines(f"Rule {letters(n)} of the kiln goes on", top=720)
        for n, (chapter, page) in enumerate(itertools.product(("Glaze", "Fees", "Gifts"), range(4)), start=1)
    ]
    found = read_pdf(drawn_pdf(*pages))
    rules = [f"Rule {letters(n)} of the kiln goes on" for n in range(1, 13)]
    assert found.text.splitlines() == [
        "1. Chapter Glaze",
        *rules[:4],
        "5. Chapter Fees",
        *rules[4:8],
        "9. Chapter Gifts",
        *rules[8:],
    ]
    assert found.left_out == {"lines at the edges of pages": 9}


def test_headings_of_pages_that_are_alike_stay() -> None:
    pages = [f"{at(72, 760, f'Tariff {n}', 18)} {lines(f'A call costs {n} cents.', top=720)}" for n in (1, 2, 3, 4)]
    assert read_pdf(drawn_pdf(*pages)).text.count("Tariff") == 4


def test_figures_at_the_foot_of_a_page_are_no_page_numbers() -> None:
    pages = [lines("Fees", *(f"line {letter}" for letter in "abcd"), str(40 + n), str(85 + n), str(n)) for n in (1, 2, 3)]
    text = read_pdf(drawn_pdf(*pages)).text
    assert all(figure in text.split() for figure in ("41", "86", "42", "87", "43", "88"))
    assert not any(f"\n{n}\n" in text for n in (1, 2, 3))


def body(number: int) -> list[str]:
    return [f"Text {letters(number)}{letters(place)} goes on" for place in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "edges",
    [
        ["Key 12 euros 14 days", "Key 85 euros 30 days", "Key 25 euros 14 days", "Key 7 euros 90 days"],
        [
            "4 The tenant pays within days",
            "9 The tenant pays within days",
            "17 The tenant pays within days",
            "21 The tenant pays within days",
        ],
        ["Rent for 2023: 500", "Rent for 2024: 520", "Rent for 2025: 560", "Rent for 2026: 610"],
        ["12.50", "13.75", "19.00", "8.25"],
    ],
)
@pytest.mark.parametrize("above", [True, False])
def test_rows_and_clauses_that_differ_in_their_numbers_stay(edges: list[str], above: bool) -> None:
    """They stand at the edges of pages by accident: their numbers neither stay nor count the pages."""
    pages = [lines(*([edge, *body(n)] if above else [*body(n), edge])) for n, edge in enumerate(edges, 1)]
    text = read_pdf(drawn_pdf(*pages)).text
    assert all(edge in text for edge in edges), text


@pytest.mark.parametrize(
    "header",
    [
        "Page {n} of 4",
        "{n}",
        "- {n} -",
        "Rules 2026, version 3 | {n}",
        "Rules 2026, as of 2026-11-29 | page {m}",
        "Chapter {chapter} | {n}",
    ],
)
@pytest.mark.parametrize("above", [True, False])
def test_running_lines_whose_numbers_count_the_pages_are_left_out(header: str, above: bool) -> None:
    pages = []
    for n in range(1, 9):
        line = header.format(n=n, m=n + 40, chapter=1 + (n - 1) // 4)
        pages.append(lines(*([line, *body(n)] if above else [*body(n), line])))
    assert read_pdf(drawn_pdf(*pages)).text.split("\n") == [line for n in range(1, 9) for line in body(n)]


def letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


@settings(deadline=None, max_examples=examples(40))
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_no_line_of_the_body_is_taken_for_an_edge(heights: list[int], header: bool, footer: bool) -> None:
    numbers = itertools.count(1)
    body = [[f"line {letters(next(numbers))} of {number}" for _ in range(height)] for number, height in enumerate(heights)]
    drawn = (lines(*["The kiln"] * header, *page, *[f"Page {number}"] * footer) for number, page in enumerate(body, start=1))
    if not any(body):
        return
    text = read_pdf(drawn_pdf(*drawn)).text
    assert [line for line in text.splitlines() if line.startswith("line ")] == list(itertools.chain(*body))


def test_a_word_that_was_divided_at_the_end_of_a_line_is_one_again() -> None:
    page = lines(
        "The well-known desk pays for dam-", "age within 14-", "21 days. Ask the well-", "known desk in East-", "Berlin."
    )
    assert read_pdf(drawn_pdf(page)).text.replace("\n", " ") == (
        "The well-known desk pays for damage within 14- 21 days. Ask the well-known desk in East- Berlin."
    )


def test_a_text_of_one_page_has_no_edges() -> None:
    assert read_pdf(pdf("Thirty days.")).text == "Thirty days."


def test_what_ends_a_page_ends_a_paragraph_only_with_a_stop() -> None:
    pages = [lines(text, f"body {text}") for text in ("One.", "two", "three:", "four")]
    assert read_pdf(drawn_pdf(*pages)).text == "One.\nbody One.\n\ntwo\nbody two\nthree:\nbody three:\n\nfour\nbody four"


def test_cells_of_a_row_stand_in_one_line() -> None:
    rows = [("Piece", "Refund", "Limit"), ("Bowl", "40 euros", "30 days"), ("Vase", "85 euros", "14 days")]
    drawn = " ".join(
        f"BT /F1 10 Tf 12 TL 1 0 0 1 {72 + 100 * column} {700 - 18 * row} Tm ({cell}) Tj T* ET"
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
    )
    assert read_pdf(drawn_pdf(drawn)).text == "Piece | Refund | Limit\nBowl | 40 euros | 30 days\nVase | 85 euros | 14 days"


LEFT = [
    "Bowls are replaced within",
    "eight weeks of the day on which",
    "they arrived, less the postage.",
    "A list names every piece that",
]
RIGHT = [
    "Repairs are booked by the",
    "desk. Buyers hear within two",
    "days and never get a date that",
    "is promised by the assistant.",
]


def test_columns_that_are_drawn_line_by_line_across_are_read_one_after_the_other() -> None:
    rows = [(72 + 230 * side, 700 - 14 * n, column[n % 4]) for n in range(8) for side, column in enumerate((LEFT, RIGHT))]
    drawn = f"{at(72, 750, 'Rules of the house', 16)} " + " ".join(
        f"BT /F1 10 Tf 12 TL 1 0 0 1 {x} {y} Tm ({text}) Tj T* ET" for x, y, text in rows
    )
    text = read_pdf(drawn_pdf(drawn)).text
    assert text == "\n".join(["Rules of the house", *LEFT, *LEFT, *RIGHT, *RIGHT])


@pytest.mark.parametrize(
    ("drawn", "text"),
    [
        ("BT /F1 12 Tf 72 720 Td (Keep 10) Tj /F1 8 Tf 5 Ts (3) Tj /F1 12 Tf 0 Ts ( litres.) Tj ET", "Keep 10^3 litres."),
        ("BT /F1 12 Tf 72 720 Td (Keep 10) Tj /F1 7 Tf 42 5 Td (3) Tj /F1 12 Tf 4 -5 Td ( litres.) Tj ET", "Keep 10^3 litres."),
        ("BT /F1 12 Tf 72 720 Td (Water is H) Tj /F1 7 Tf 55 -3 Td (2) Tj /F1 12 Tf 4 3 Td (O.) Tj ET", "Water is H₂O."),
        ("BT /F1 12 Tf 72 720 Td (the rate) Tj /F1 7 Tf 40 5 Td (1) Tj /F1 12 Tf 4 -5 Td ( of it) Tj ET", "the rate[1] of it"),
        ("BT /F1 12 Tf 72 720 Td (on the 1) Tj /F1 7 Tf 42 5 Td (st) Tj /F1 12 Tf 8 -5 Td ( of May) Tj ET", "on the 1st of May"),
        ("BT /F1 24 Tf 72 720 Td (Fees ) Tj /F1 12 Tf (2) Tj ET", "Fees 2"),
        ("BT /F1 12 Tf 72 720 Td (m) Tj /F1 8 Tf (2) Tj ET", "m2"),
    ],
)  # fmt: skip
def test_small_figures_beside_the_line_stay_so(drawn: str, text: str) -> None:
    assert read_pdf(drawn_pdf(drawn)).text == text


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_file_that_only_its_owner_may_change_is_read(algorithm: str) -> None:
    data = locked_pdf("Thirty days.", algorithm=algorithm)
    assert read_pdf(data) == Extracted(text="Thirty days.")


def test_a_file_that_needs_a_password_is_refused_with_the_way_out() -> None:
    data = locked_pdf("Thirty days.", user="secret")
    with pytest.raises(Unreadable, match="needs a password") as caught:
        read_pdf(data)
    assert "qpdf --decrypt" in caught.value.fix


def test_an_encryption_that_nobody_knows_is_refused_in_words() -> None:
    with pytest.raises(Unreadable, match="in a way that cannot be read"):
        read_pdf(locked_pdf("Thirty days.", algorithm="RC4-128").replace(b"/Standard", b"/Certific"))


def test_a_scan_is_refused_with_the_way_out() -> None:
    with pytest.raises(Unreadable, match=r"holds no text \(a scan\?\)") as caught:
        read_pdf(pdf("", ""))
    assert "ocrmypdf" in caught.value.fix


def test_pages_without_text_and_remarks_are_counted() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("Thirty days.", "", "No fee."))))
    writer.add_annotation(0, FreeText(text="Really?", rect=(50, 550, 200, 650)))
    file = io.BytesIO()
    writer.write(file)
    assert read_pdf(file.getvalue()) == Extracted(
        text="Thirty days.\n\nNo fee.", left_out={"comments": 1, "pages without text": 1}
    )


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7", pdf("x")[:300], pdf("Thirty days.")[:-200], pdf("x").replace(b"/Kids [", b"/Kids [2 0 R ")]
)
def test_a_broken_file_is_refused_in_words(data: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_pdf(data)


def test_no_more_pages_than_a_book_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune_prep.sources.parsing.pdf.document.MOST_PAGES", 2)
    found = read_pdf(pdf("one", "two", "three", "four"))
    assert (found.text, found.left_out) == ("one\ntwo", {"pages at the end": 2})

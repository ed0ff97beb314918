"""Tables of pages: rows that hold together, and tables that are none."""

from __future__ import annotations

import pytest

from finetune_prep.sources.parsing.html import tables
from finetune_prep.sources.parsing.html.page import read_html


def text_of(body: str) -> str:
    return read_html(body.encode(), own=True).text


def test_a_table_has_a_head_and_a_row_for_each_row() -> None:
    body = (
        "<table><caption>Fees</caption><thead><tr><th>Piece<th>Fee<tbody><tr><td>Bowl<td>5 euros<tr><td>Vase<td>9 euros</table>"
    )
    assert text_of(body) == "Fees\n\n| Piece | Fee |\n| --- | --- |\n| Bowl | 5 euros |\n| Vase | 9 euros |"


def test_the_first_row_is_the_head_where_none_is_marked() -> None:
    assert (
        text_of("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>")
        == "| a | b |\n| --- | --- |\n| c | d |"
    )


def test_a_cell_that_spans_rows_stands_in_each_and_a_wide_one_takes_its_columns() -> None:
    body = """<table><tr><th rowspan=2>Piece<th colspan=2>Fee<tr><th>new<th>old
    <tr><td rowspan="2">Keys<td>15<td>12<tr><td>85<td>40<tr><td colspan=3>within 14 days</table>"""
    assert text_of(body).splitlines() == [
        "| Piece | Fee | |", "| --- | --- | --- |", "| Piece | new | old |", "| Keys | 15 | 12 |", "| Keys | 85 | 40 |", "| within 14 days | | |",
    ]  # fmt: skip


def test_what_stands_in_a_cell_stands_in_its_line() -> None:
    body = "<table><tr><th>A<th>B<tr><td>one<br>two<p>three</p><td><ul><li>x<li>y | z</ul></table>"
    assert text_of(body).splitlines()[2] == "| one two three | - x - y \\| z |"


@pytest.mark.parametrize(
    "body",
    [
        "<table role=presentation><tr><td><p>One</p></td><td><p>Two</p></td></tr></table>",
        "<table><tr><td><h2>One</h2></td><td>Two</td></tr></table>",
        "<table><tr><td>One</td></tr><tr><td>Two</td></tr></table>",
        "<table><tr><td><table><tr><td>One</td></tr></table></td><td>Two</td></tr></table>",
        "<table><div>One</div><tr><td></td><td>Two</td></tr></table>",
        "<table><td>One</td><td>Two</td></table>",
    ],
)
def test_a_table_that_only_arranges_the_page_is_none(body: str) -> None:
    assert text_of(body).replace("## ", "") == "One\n\nTwo"


def test_a_table_within_one_that_arranges_the_page_is_one() -> None:
    body = "<table><tr><td><h1>Fees</h1><table><tr><td>a<td>b<tr><td>c<td>d</table><td>aside</table>"
    assert text_of(body) == "# Fees\n\n| a | b |\n| --- | --- |\n| c | d |\n\naside"


def test_empty_rows_are_no_rows() -> None:
    assert text_of("<p>x<table><tr><td><td></table>") == "x"


def test_spans_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 20 KB could else ask for billions of cells."""
    rows = "<tr><td rowspan=65000 colspan=1000>k</td><td rowspan=65000>l</td></tr>" * 300
    assert len(text_of(f"<table>{rows}</table>")) < 300_000
    monkeypatch.setattr(tables, "MOST_COPIES", 2)
    body = "<table><tr><th>a<th>b<tr><td rowspan=5>k<td>1<tr><td>2<tr><td>3<tr><td>4</table>"
    assert text_of(body).splitlines()[2:] == ["| k | 1 |", "| k | 2 |", "| k | 3 |", "| | 4 |"]
    assert "| | 2 |" in text_of(f"<table><tr><th>a<th>b<tr><td rowspan=2>{'long ' * 50}<td>1<tr><td>2</table>")


@pytest.mark.parametrize("value", ["", "0", "-3", "two", "1e9", "9" * 30, "³"])
def test_odd_spans_are_one(value: str) -> None:
    assert text_of(f"<table><tr><td rowspan='{value}'>a<td>b<tr><td>c<td>d</table>").endswith("| c | d |")

"""Large reports: every conversation stands in a page, the report has the first of each outcome, and no page grows with the run."""

from __future__ import annotations

import gc
import re
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import State
from finetune_prep.exports.talks.pages import (
    FOLDER,
    MOST_IN_ONE,
    MOST_OF_A_GROUP,
    MOST_OF_A_PAGE,
    ODD,
    Placing,
    Talks,
)
from finetune_prep.exports.talks.row import Row
from tests.exports.test_report import ATTACK, ROWS, Page, html_of, sample

STATES: tuple[State, ...] = ("accepted", "accepted", "rejected", "flawed")
LONG = "The bowl came cracked. " * 900  # some 20,000 characters


def rows(count: int, said: str = LONG) -> Iterator[Row]:
    """Conversations that are told apart by their first word, of several outcomes; every tenth is odd."""
    for number in range(count):
        talk = Conversation((Message("user", f"talk-{number:05} {said}"), Message("assistant", "Sorry.")))
        odd = ("$12",) if number % 10 == 0 else ()
        yield Row(sample=sample(number % 4, STATES[number % 4], score=1.0, conversation=talk, odd=odd))


def placed(rows: Iterable[Row], folder: Path | None) -> Talks:
    placing = Placing("pilot-001", folder)
    for row in rows:
        placing.take(row)
    return placing.finish()


def told(html: str) -> list[str]:
    return re.findall(r"talk-\d{5}", html)


def pages(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).glob("*"))


def test_a_small_run_has_all_in_the_report(tmp_path: Path) -> None:
    assert html_of(ROWS) == html_of(ROWS, folder=tmp_path)
    assert not [*tmp_path.iterdir()]


def test_of_a_large_run_every_conversation_stands_in_a_page_in_order(tmp_path: Path) -> None:
    html = html_of([*rows(400)], folder=tmp_path)
    assert len(html) < MOST_IN_ONE + 200_000
    found = [name for path in pages(tmp_path) for name in told(path.read_text("utf-8"))]
    assert found == [f"talk-{number:05}" for number in range(400)]
    assert all(path.stat().st_size < MOST_OF_A_PAGE + 20_000 for path in pages(tmp_path))


def test_the_report_has_the_first_of_each_outcome_and_says_of_how_many(tmp_path: Path) -> None:
    page = Page(html_of([*rows(400)], folder=tmp_path))
    shown = MOST_OF_A_GROUP // 21_000
    assert f"rejected {shown} of 100" in page.text
    assert f"{ODD} {shown} of 20" in page.text
    assert f"accepted {shown} of 180" in page.text
    assert f"{4 * shown} of 400 are shown here" in page.text
    assert told(page.text)[:shown] == [f"talk-{2 + 4 * number:05}" for number in range(shown)]


def test_links_lead_to_pages_that_are_there_and_back(tmp_path: Path) -> None:
    page = Page(html_of([*rows(400)], folder=tmp_path))
    linked = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert linked == [f"{FOLDER}/{path.name}" for path in pages(tmp_path)]
    numbers = [int(number) for number in re.findall(r"(\d+)–(\d+)", page.text)[0]]
    assert numbers == [1, len(told(pages(tmp_path)[0].read_text("utf-8")))]
    for number, path in enumerate(pages(tmp_path)):
        inner = Page(path.read_text("utf-8"))
        links = {attributes["href"] for tag, attributes in inner.tags if tag == "a"}
        beside = {found.name for found in pages(tmp_path)[max(0, number - 1) : number + 2] if found != path}
        assert links == {"../report.html"} | beside


def test_the_report_is_as_large_of_many_as_of_some(tmp_path: Path) -> None:
    """Only links are more: what stands in the page is bounded for each outcome."""
    some, many = (len(html_of([*rows(count, LONG[:4000])], folder=tmp_path)) for count in (800, 4000))
    assert many < some + 3_000 < 3_000_000


def test_pages_of_an_earlier_report_go(tmp_path: Path) -> None:
    html_of([*rows(400)], folder=tmp_path)
    many = len(pages(tmp_path))
    html_of([*rows(200)], folder=tmp_path)
    assert 0 < len(pages(tmp_path)) < many
    html_of(ROWS, folder=tmp_path)
    assert not (tmp_path / FOLDER).exists()


def test_a_conversation_larger_than_a_page_has_one_of_its_own(tmp_path: Path) -> None:
    html_of([*rows(3, "x" * (MOST_OF_A_PAGE + 1))], folder=tmp_path)
    assert [told(path.read_text("utf-8")) for path in pages(tmp_path)] == [["talk-00000"], ["talk-00001"], ["talk-00002"]]


def test_without_a_folder_everything_stays_in_the_page() -> None:
    found = placed(rows(400), None)
    assert len(found.all) == found.total == 400
    assert not found.pages


@pytest.mark.parametrize("where", ["report", "page"])
def test_no_text_of_a_model_is_markup_there(where: str, tmp_path: Path) -> None:
    attacked = [msgspec.structs.replace(row, evidence={"AA1": ATTACK}, answers={"AA1": "yes"}) for row in rows(200, ATTACK * 100)]
    html = html_of(attacked, folder=tmp_path)
    shown = html if where == "report" else pages(tmp_path)[0].read_text("utf-8")
    page = Page(shown)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert ATTACK.split("{")[0] in "".join(page.words)


def test_what_pages_take_is_given_back_at_once(tmp_path: Path) -> None:
    """A page that holds on to itself stays until somebody looks for such things, and its megabyte of conversations with it."""

    def peak(count: int) -> int:
        tracemalloc.start()
        placed(rows(count), tmp_path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # templates are compiled
    gc.disable()
    try:
        assert peak(1200) < peak(400) + MOST_OF_A_PAGE
    finally:
        gc.enable()

"""The door to the web: nobody is asked twice, and what failed for good has failed for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from finetune_prep.errors import NotFetched
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.project.config import SearchSettings
from finetune_prep.sources.web import Web, open_web
from tests.ledgers import pages
from tests.sources.fake_web import Answer, FakeWeb, html

ANSWER = b'{"results": [{"title": "Larch", "url": "https://larch.example/"}]}'
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Engine:
    """A search provider of the documented form of Tavily that counts how often it is asked."""

    name = "tavily"

    def __init__(self, answer: bytes | NotFetched = ANSWER) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def ask(self, query: str, count: int) -> bytes:
        self.asked.append(query)
        if isinstance(self.answer, NotFetched):
            raise self.answer
        return self.answer


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


async def test_a_search_is_asked_once_and_kept_as_it_came(ledger: SqliteLedger) -> None:
    engine = Engine()
    web = Web(ledger.fetched, search=engine, now=lambda: NOON)
    found = await web.search("larch 2026", 8)
    assert await web.search("larch 2026", 8) == found
    assert [one.url for one in found] == ["https://larch.example/"]
    assert engine.asked == ["larch 2026"]
    (kept,) = await pages(ledger.fetched)
    assert (kept.body, kept.asked, kept.at) == (ANSWER, ("tavily", "larch 2026", "8"), "2026-11-22T12:00:00Z")


async def test_another_number_of_results_or_provider_is_another_question(ledger: SqliteLedger) -> None:
    first, second = Engine(), Engine()
    second.name = "exa"
    await Web(ledger.fetched, search=first).search("larch", 8)
    await Web(ledger.fetched, search=first).search("larch", 9)
    await Web(ledger.fetched, search=second).search("larch", 8)
    assert (first.asked, second.asked) == (["larch", "larch"], ["larch"])


async def test_what_is_kept_is_given_without_provider_key_or_network(ledger: SqliteLedger) -> None:
    with FakeWeb({"/": html("<p>Larch")}) as internet:
        online = Web(ledger.fetched, search=Engine(), fetcher=internet.fetcher())
        found, page = await online.search("larch", 8), await online.page(internet.url("/"))
        url = internet.url("/")
    for offline in (Web(ledger.fetched), open_web(SearchSettings(), {}, ledger.fetched)):
        assert await offline.provider() == "tavily"
        assert await offline.search("larch", 8) == found
        assert await offline.page(url) == page
        with pytest.raises(NotFetched, match="was not searched for before"):
            await offline.search("birch", 8)
        with pytest.raises(NotFetched, match="was not fetched before"):
            await offline.page("https://birch.example/")


async def test_a_recording_goes_before_the_network_and_into_the_ledger(ledger: SqliteLedger, tmp_path: Path) -> None:
    other = SqliteLedger(tmp_path / "other.sqlite")
    await Web(other.fetched, search=Engine()).search("larch", 8)
    recorded = [*await pages(other.fetched)]
    other.close()
    web = open_web(SearchSettings(), {"EXA_API_KEY": "x"}, ledger.fetched, recorded=lambda: recorded, offline=True)
    assert await web.provider() == "tavily"
    assert len(await web.search("larch", 8)) == 1
    assert [*await pages(ledger.fetched)] == recorded


async def test_what_failed_for_good_is_not_asked_again(ledger: SqliteLedger) -> None:
    engine = Engine(NotFetched("search with tavily failed: HTTP 400"))
    with FakeWeb({"/": Answer(status=404)}) as internet:
        for _ in range(2):
            web = Web(ledger.fetched, search=engine, fetcher=internet.fetcher())
            with pytest.raises(NotFetched, match="HTTP 400"):
                await web.search("larch", 8)
            with pytest.raises(NotFetched, match="HTTP 404"):
                await web.page(internet.url("/"))
        assert (len(engine.asked), len(internet.visits)) == (1, 1)


async def test_what_failed_in_passing_is_asked_again(ledger: SqliteLedger) -> None:
    engine = Engine(NotFetched("overloaded", passing=True))
    with FakeWeb({"/": Answer(status=503)}) as internet:
        web = Web(ledger.fetched, search=engine, fetcher=internet.fetcher())
        for _ in range(2):
            with pytest.raises(NotFetched):
                await web.search("larch", 8)
            with pytest.raises(NotFetched):
                await web.page(internet.url("/"))
        assert [*await pages(ledger.fetched)] == []
        engine.answer, internet.pages["/"] = ANSWER, html("<p>Larch")
        assert await web.search("larch", 8)
        assert (await web.page(internet.url("/"))).body == b"<p>Larch"


async def test_an_answer_that_cannot_be_read_is_kept_all_the_same(ledger: SqliteLedger) -> None:
    web = Web(ledger.fetched, search=Engine(b"<html>not JSON"))
    with pytest.raises(NotFetched, match="cannot be read"):
        await web.search("larch", 8)
    assert [kept.body for kept in await pages(ledger.fetched)] == [b"<html>not JSON"]


async def test_none_means_none(ledger: SqliteLedger) -> None:
    """Neither a key in the environment nor what is kept brings a search back that the settings forbid."""
    await Web(ledger.fetched, search=Engine()).search("larch", 8)
    assert await open_web(SearchSettings(provider="none"), {"TAVILY_API_KEY": "x"}, ledger.fetched).provider() == ""


async def test_a_provider_that_cannot_be_used_is_a_finding_not_a_stop(ledger: SqliteLedger) -> None:
    web = open_web(SearchSettings(provider="brave"), {}, ledger.fetched)
    assert await web.provider() == ""
    assert "BRAVE_API_KEY" in str(web.trouble)

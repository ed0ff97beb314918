"""Gathering: queries with the year, pages as sources, nothing asked twice, and no failure that stops it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from finetune_prep.core.request import Reply
from finetune_prep.errors import NotYet
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.recording import export_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.drafting.prompt_files import DIVIDER, slots_of, source
from finetune_prep.phases.research.web import (
    KINDS,
    Hit,
    QueriesDraft,
    Query,
    QueryDraft,
    choose,
    gather,
    page_text,
    plain_address,
    to_queries,
)
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import open_project
from finetune_prep.sources.files import SourceText
from finetune_prep.sources.searching.choosing import Found
from tests.phases.research.searched_web import KEY, LONG, QUERIES, Engine, expert, new_shop, open_shop, planned
from tests.sources.fake_web import Answer, FakeWeb, html, redirect
from tests.sources.foreign import hide_cryptography, locked_pdf, pdf
from tests.waiting import skip, until

HEAD = "<head><title>Returns at Larch</title><meta property='article:published_time' content='2026-02-03'></head>"


def page(n: int, text: str = LONG) -> Answer:
    return html(f"{HEAD}<h1>Page {n}</h1><p>{text}</p><p>This is page {n}.</p>")


def results_of(internet: FakeWeb, per_query: int = 1) -> Any:
    """The n-th query finds pages /n/0, /n/1, …, each on a site of its own."""

    def found(query: str) -> list[dict[str, str]]:
        n = next(n for n, (_, text) in enumerate(QUERIES) if query.startswith(text))
        return [
            {"title": f"Result {n}", "url": internet.url(f"/{n}/{k}", f"site{n}{k}.example"), "content": "…"}
            for k in range(per_query)
        ]

    return found


async def gathered(
    folder: Path, internet: FakeWeb, engine: Engine | None, told: list[str] | None = None, script: Scripted | None = None
) -> list[SourceText]:
    async with open_shop(
        folder, script or expert(), told if told is not None else [], engine, internet if engine else None
    ) as shop:
        return await gather(shop)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_shop(tmp_path / "shop")


async def test_pages_become_sources_after_those_of_the_files(folder: Path) -> None:
    for name in ("a.md", "b.md"):
        (folder / "sources" / name).write_text("# Own\n\nText.\n")
    told: list[str] = []
    with FakeWeb({f"/{n}/0": page(n) for n in range(8)}) as internet, Engine(results_of(internet)) as engine:
        texts = await gathered(folder, internet, engine, told)
        url = internet.url("/0/0", "site00.example")
    assert [text.source.id for text in texts] == [f"S{n:02}" for n in range(3, 11)]
    first = texts[0].source
    assert (first.title, first.where, first.published) == (url.removeprefix("http://"), url, "2026-02-03")
    assert texts[0].headline == "Returns at Larch"
    assert first.publisher == urlsplit(url).netloc
    assert len(first.read) == 10
    assert texts[0].text.startswith("# Returns at Larch\n\n# Page 0\n\nThirty days")
    for line in (
        f'where: "{url}"',
        'title: "Returns at Larch"',
        'published: "2026-02-03"',
        f'read: "{first.read}"',
        f"hash: {texts[0].hash}",
    ):
        assert line in texts[0].snapshot
    assert told == ["web: 8 queries to tavily, 8 results, 8 pages read"]


async def test_every_query_is_asked_once_with_the_year_of_the_project(folder: Path) -> None:
    with FakeWeb({}) as internet, Engine(results_of(internet)) as engine:
        await gathered(folder, internet, engine)
    assert engine.queries == [f"{text} 2026" for _, text in QUERIES]


async def test_a_second_run_asks_nobody(folder: Path) -> None:
    """No expert, no search, no page; pages that failed for good fail again from the ledger."""
    with FakeWeb({f"/{n}/0": page(n) for n in range(6)}) as internet, Engine(results_of(internet)) as engine:
        first = await gathered(folder, internet, engine)
        visits, queries = len(internet.visits), len(engine.queries)
        again = await gathered(folder, internet, engine, script=Scripted([]))
        assert (len(internet.visits), len(engine.queries)) == (visits, queries)
    offline = await gathered(folder, internet, None, script=Scripted([]))
    assert len(first) == 6
    assert first == again == offline


async def test_a_recording_replays_without_network_whatever_keys_are_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeWeb({f"/{n}/0": page(n) for n in range(8)}) as internet, Engine(results_of(internet)) as engine:
        first = await gathered(folder, internet, engine)
    other = new_shop(tmp_path / "other")
    ledger = SqliteLedger(folder / ".finetune-prep" / "ledger.sqlite")
    await export_recording(ledger, other / "recording.jsonl")
    ledger.close()
    monkeypatch.setenv("TAVILY_API_KEY", "tvly-x")
    async with open_session(open_project(other), provider="recording") as shop:
        assert await gather(shop) == first
    async with open_session(open_project(other), provider=Scripted([]), web=None) as shop:
        assert await gather(shop) == first


async def test_what_fails_is_told_and_replaced_and_stops_nothing(tmp_path: Path) -> None:
    """Private addresses among the results, pages that are gone, no text, the wrong type, never end, or send into the network."""
    folder, told = new_shop(tmp_path / "shop", pages=8), list[str]()
    with FakeWeb({f"/{n}/1": page(n) for n in range(8)}) as internet:
        bad = {
            0: "http://169.254.169.254/latest/meta-data/",
            1: f"http://127.0.0.1:{internet.port}/admin",
            2: internet.url("/redirect", "redirect.example"),
            3: internet.url("/movie", "movie.example"),
            4: internet.url("/short", "short.example"),
            5: internet.url("/stall", "stall.example"),
            6: "ftp://larch.example/x",
            7: internet.url("/gone", "gone.example"),
        }
        internet.pages |= {
            "/redirect": redirect(f"http://127.0.0.2:{internet.port}/"),
            "/movie": Answer(headers={"Content-Type": "video/mp4"}, body=b"x"),
            "/short": html("<p>Accept cookies."),
            "/stall": Answer(latency=7200),
        }
        good = results_of(internet, 2)

        def found(query: str) -> list[dict[str, str]]:
            n = next(n for n, (_, text) in enumerate(QUERIES) if query.startswith(text))
            return [{"title": "Bad", "url": bad[n]}, good(query)[1]]

        with Engine(found) as engine:
            gathering = asyncio.create_task(gathered(folder, internet, engine, told))
            await until(lambda: len(internet.visits) >= 5 and internet.at_work == 1)  # all of the first results
            await asyncio.sleep(0.05)  # what has been sent is read
            skip(3600)
            texts = await gathering
        assert internet.overheard == 0
    assert len(texts) == 8
    reasons = ["link-local", "this machine", "this machine", "video/mp4", "next to no text", "did not end", "HTTP 404"]
    assert sorted(next(reason for reason in reasons if reason in line) for line in told[:-1]) == sorted(reasons)
    assert told[-1].startswith("web: 8 queries to tavily")


@pytest.mark.parametrize(
    "address", ["https://[broken", "https://[::1/x", "http://larch.example:99999/", "http://h:x/", "https:///x"]
)
async def test_a_result_without_a_usable_address_is_left_out_with_a_word(address: str, tmp_path: Path) -> None:
    folder, told = new_shop(tmp_path / "shop", pages=8), list[str]()
    with FakeWeb({f"/{n}/1": page(n) for n in range(8)}) as internet:
        good = results_of(internet, 2)
        with Engine(lambda query: [{"title": "Bad", "url": address}, good(query)[1]]) as engine:
            texts = await gathered(folder, internet, engine, told)
    assert len(texts) == 8
    assert told[:8] == [f"{address}: left out: this is no address of a page"] * 8


async def test_at_most_as_many_pages_as_the_settings_say_of_all_kinds(tmp_path: Path) -> None:
    folder = new_shop(tmp_path / "shop", pages=5)
    with (
        FakeWeb({f"/{n}/{k}": page(10 * n + k) for n in range(8) for k in range(5)}) as internet,
        Engine(results_of(internet, 5)) as engine,
    ):
        texts = await gathered(folder, internet, engine)
        assert len(internet.visits) == 5
    kinds = {QUERIES[int(text.source.where.rsplit("/", 2)[1])][0] for text in texts}
    assert kinds == {*KINDS}


async def test_a_pdf_is_a_page_or_says_what_to_install(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def paper(data: bytes) -> Answer:
        return Answer(headers={"Content-Type": "application/pdf"}, body=data)

    open_pdf = pdf(*[f"{n}. Thirty days from the day of delivery." for n in range(20)])
    with FakeWeb({"/0/0": paper(open_pdf)}) as internet, Engine(results_of(internet)) as engine:
        (text,) = await gathered(folder, internet, engine)
        assert text.text.startswith("# Result 0\n\n0. Thirty days")
    hide_cryptography(monkeypatch, tmp_path)
    told: list[str] = []
    with FakeWeb({"/0/0": paper(locked_pdf("Thirty days."))}) as internet, Engine(results_of(internet)) as engine:
        assert await gathered(new_shop(tmp_path / "without"), internet, engine, told) == []
    assert any("install it: pip install cryptography" in line for line in told)


async def test_the_same_text_at_two_addresses_is_one_source(folder: Path) -> None:
    with FakeWeb({f"/{n}/0": page(7) for n in range(8)}) as internet, Engine(results_of(internet)) as engine:
        assert len(await gathered(folder, internet, engine)) == 1


async def test_a_long_page_is_read_as_far_as_a_reader_can(folder: Path) -> None:
    long = html("".join(f"<p>{n}. {LONG}</p>" for n in range(400)))
    with FakeWeb({"/0/0": long}) as internet, Engine(results_of(internet)) as engine:
        (text,) = await gathered(folder, internet, engine)
    assert 30_000 < len(text.text) <= 60_001
    assert text.text.endswith("enough for us.\n")
    assert re.fullmatch(r"\d+,\d{3} characters at the end", text.left_out)


async def test_the_key_of_a_search_gets_into_no_file(folder: Path, tmp_path: Path) -> None:
    """Though the provider repeats it in its answer: neither ledger nor recording nor source holds it."""
    told: list[str] = []
    with FakeWeb({"/0": page(0)}) as internet:
        echo = [{"title": f"You sent {KEY}", "url": internet.url("/0"), "content": KEY}]
        with Engine(lambda query: echo) as engine:
            (text,) = await gathered(folder, internet, engine, told)
    ledger = SqliteLedger(folder / ".finetune-prep" / "ledger.sqlite")
    await export_recording(ledger, folder / "recording.jsonl")
    ledger.close()
    (folder / "reference" / "S01.md").parent.mkdir()
    (folder / "reference" / "S01.md").write_text(text.snapshot)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"ledger.sqlite", "recording.jsonl", "S01.md"} <= {path.name for path in files}
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert KEY not in "".join(told)


async def test_a_page_keeps_its_number_when_files_are_added(folder: Path) -> None:
    with FakeWeb({f"/{n}/0": page(n) for n in range(8)}) as internet, Engine(results_of(internet)) as engine:
        texts = await gathered(folder, internet, engine)
        snapshots = folder / "reference" / "sources"
        snapshots.mkdir(parents=True)
        for text in texts:
            (snapshots / f"{text.source.id}.md").write_text(text.snapshot)
        (folder / "sources" / "late.md").write_text("# Late\n\nText.\n")
        assert await gathered(folder, internet, engine, script=Scripted([])) == texts


async def test_without_a_provider_it_is_said_and_nobody_is_asked(folder: Path) -> None:
    told: list[str] = []
    async with open_session(open_project(folder), provider=Scripted([]), tell=told.append) as shop:
        assert await gather(shop) == []
    assert len(told) == 1
    assert "No search on the web" in told[0]
    assert "TAVILY_API_KEY" in told[0]


async def test_where_none_is_wanted_nothing_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", "tvly-x")
    toml = folder / "finetune-prep.toml"
    toml.write_text(toml.read_text() + 'provider = "none"\n')
    told: list[str] = []
    async with open_session(open_project(folder), provider=Scripted([]), tell=told.append) as shop:
        assert await gather(shop) == []
    assert told == []


async def test_a_replay_says_nothing_about_searching(folder: Path) -> None:
    told: list[str] = []
    (folder / "recording.jsonl").write_text('{"recording":1}\n')
    async with open_session(open_project(folder), provider="recording", tell=told.append) as shop:
        assert await gather(shop) == []
    assert told == []


async def test_a_page_of_a_type_that_nobody_reads_any_more_is_told(folder: Path) -> None:
    page = Fetched(kind="page", asked=("https://larch.example/",), body=b"x", place="https://larch.example/", type="text/gopher")
    with pytest.raises(ValueError, match="text/gopher is no text"):
        page_text(page, Found(title="x", url="https://larch.example/"))


@pytest.mark.parametrize(
    ("text", "is_source"),
    [
        ("破损的碗可以在三十天内退换，请先把照片发给我们，三天之内会有人答复，运费由我们承担，旧碗不用寄回来了。" * 2, True),
        ("接受所有的饼干", False),
    ],
)
def test_a_text_is_as_long_as_its_readers_count_it(text: str, is_source: bool) -> None:
    page = Fetched(
        kind="page",
        asked=("https://x.example/",),
        body=f"<p>{text}".encode(),
        place="https://x.example/",
        type="text/html",
        charset="utf-8",
    )
    if is_source:
        assert text in page_text(page, Found(title="x", url="https://x.example/")).text
    else:
        with pytest.raises(ValueError, match="next to no text"):
            page_text(page, Found(title="x", url="https://x.example/"))


async def test_a_key_that_is_missing_is_told_with_the_mend(folder: Path) -> None:
    toml = folder / "finetune-prep.toml"
    toml.write_text(toml.read_text() + 'provider = "brave"\n')
    told: list[str] = []
    async with open_session(open_project(folder), provider=Scripted([]), tell=told.append) as shop:
        assert await gather(shop) == []
    assert "BRAVE_API_KEY is not set" in told[0]


async def test_a_provider_that_keeps_failing_is_not_asked_further(folder: Path) -> None:
    told: list[str] = []
    with FakeWeb() as internet:
        with Engine(lambda query: []) as engine:
            pass  # its port is closed by now
        assert await gathered(folder, internet, engine, told) == []
    assert [line.partition(":")[0] for line in told].count("search with tavily failed") == 2
    assert "The remaining 6 queries are not asked." in told


async def test_the_questions_of_a_batch_run_wait(folder: Path) -> None:
    with FakeWeb() as internet, Engine(lambda query: []) as engine, pytest.raises(NotYet):
        await gathered(folder, internet, engine, script=Scripted([NotYet("written to a file")]))
    assert engine.queries == []


async def test_an_expert_without_usable_queries_is_told_and_stops_nothing(folder: Path) -> None:
    told: list[str] = []
    script = Scripted([Reply(text="{}"), *[Reply(text=planned(QUERIES[:3]))] * 2])
    with FakeWeb() as internet, Engine(lambda query: []) as engine:
        assert await gathered(folder, internet, engine, told, script) == []
    assert told[0].startswith("No search on the web: the expert gave no usable queries (There are 3 queries")


def draft(*queries: tuple[str, str]) -> QueriesDraft:
    return QueriesDraft([QueryDraft(kind, query) for kind, query in queries])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        (QUERIES[:7], "return 8 to 16"),
        (QUERIES * 3, "return 8 to 16"),
        ([("safety", text) for _, text in QUERIES], "No query is of the kind framework, ai_failure, human_error, ethics"),
        ([*QUERIES[:7], ("ethics", "x")], "3 to 12 words"),
        ([*QUERIES[:7], ("ethics", "long " * 60)], "3 to 12 words"),
        ([*QUERIES, ("ethics", QUERIES[0][1].upper())], "the same"),
    ],
)
def test_queries_of_too_few_kinds_or_the_wrong_number_go_back_to_the_expert(queries: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        to_queries(draft(*queries), 2026)


def test_a_query_carries_the_year_once() -> None:
    queries = to_queries(draft(*QUERIES[:7], ("ethics", "code of\n conduct  2026")), 2026)
    assert queries[-1].text == "code of conduct 2026"
    assert all(query.text.count("2026") == 1 for query in queries)


def test_the_static_part_of_the_prompt_comes_first_and_holds_no_input() -> None:
    static, _, inputs = source("research-queries", Path("nowhere")).partition(DIVIDER)
    assert slots_of(static) == set()
    assert slots_of(inputs) == {"brief", "year"}
    assert all(f"`{kind}`" in static for kind in KINDS)
    assert "AI … mistakes research" in static


def hit(kind: Any, query: str, url: str) -> Hit:
    return Hit(Query(kind, query), Found(title="x", url=url))


def test_every_address_once_and_every_kind_in_turn() -> None:
    hits = [hit("framework", f"f{q}", f"https://f{q}{n}.example/") for q in range(2) for n in range(3)]
    hits += [hit("safety", "s", f"http://s{n}.example/?utm_source=x#top") for n in range(2)]
    hits += [hit("safety", "s", "https://www.S0.example"), hit("ethics", "e", "https://f00.example/")]
    order = [urlsplit(one.found.url).hostname for one in choose(hits)]
    assert order == [f"{name}.example" for name in ("f00", "s0", "f10", "s1", "f01", "f11", "f02", "f12")]


def test_one_site_does_not_fill_the_list() -> None:
    hits = [hit("framework", "f", f"https://big.example/{n}") for n in range(5)] + [
        hit("framework", "f", "https://small.example/")
    ]
    hosts = [urlsplit(one.found.url).hostname for one in choose(hits)]
    assert hosts == ["big.example", "big.example", "small.example", *["big.example"] * 3]
    assert Counter(hosts)["big.example"] == 5


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.larch.example/a/", "http://Larch.example/a#b", True),
        ("https://larch.example/a?utm_source=x&q=1&gclid=2", "https://larch.example/a?q=1", True),
        ("https://larch.example/a?q=1", "https://larch.example/a?q=2", False),
        ("https://larch.example/a", "https://larch.example/A", False),
        ("https://[broken", "https://[broken", True),
    ],
)
def test_two_addresses_of_one_page(one: str, other: str, same: bool) -> None:
    assert (plain_address(one) == plain_address(other)) == same

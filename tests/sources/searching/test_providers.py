"""Each search provider against an endpoint that answers in its documented form, over real HTTP; and what goes wrong there."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from finetune_prep.errors import ConfigError, FinetunePrepError, NotFetched
from finetune_prep.project.config import SEARCHES, SearchSettings
from finetune_prep.project.keys import ALLOWED
from finetune_prep.sources.searching import calling
from finetune_prep.sources.searching.choosing import Found, SearchProvider, found_in, open_search
from tests.fake_endpoint import Behaviour, Call, FakeEndpoint, HalfAnswer, Reset, Stall, Status

QUERY = "AI customer support mistakes research 2026"
KEYS = {
    "TAVILY_API_KEY": "tvly-canary-0123456789",
    "EXA_API_KEY": "exa-canary-0123456789",
    "BRAVE_API_KEY": "brave-canary-0123456789",
}
PROVIDERS = ("searxng", "tavily", "exa", "brave")
# what each provider documents, with the fields that are read and some that are not
SEARXNG = {
    "query": QUERY,
    "number_of_results": 0,
    "results": [
        {
            "url": "https://larch.example/report",
            "title": "Support bots: a <b>report</b>",
            "content": "What bots &amp; people   get wrong.",
            "publishedDate": "2026-03-05T00:00:00",
            "thumbnail": None,
            "engine": "duckduckgo",
            "template": "default.html",
            "parsed_url": ["https", "larch.example", "/report", "", "", ""],
            "engines": ["duckduckgo", "brave"],
            "positions": [1],
            "score": 2.0,
            "category": "general",
        },
        {"url": None, "title": "no address"},
        {"url": "https://birch.example/", "title": "Birch", "content": None, "publishedDate": None},
    ],
    "answers": [],
    "corrections": [],
    "infoboxes": [],
    "suggestions": [],
    "unresponsive_engines": [["google", "timeout"]],
}
TAVILY = {
    "query": QUERY,
    "answer": None,
    "images": [],
    "results": [
        {
            "title": "Support bots: a report",
            "url": "https://larch.example/report",
            "content": "What bots & people get wrong.",
            "score": 0.81025416,
            "raw_content": None,
            "published_date": "Thu, 05 Mar 2026 08:00:00 GMT",
        },
        {"title": "Birch", "url": "https://birch.example/", "content": "", "score": 0.5},
    ],
    "response_time": "1.67",
    "request_id": "123e4567-e89b-12d3-a456-426614174111",
}
EXA = {
    "requestId": "b5947044c4b78efa9552a7c89b306d95",
    "resolvedSearchType": "neural",
    "results": [
        {
            "title": "Support bots: a report",
            "url": "https://larch.example/report",
            "publishedDate": "2026-03-05T01:36:32.547Z",
            "author": "A. Larch",
            "id": "https://larch.example/report",
            "text": "What bots & people get wrong.",
            "favicon": "https://larch.example/favicon.ico",
        },
        {
            "id": "https://birch.example/",
            "title": "Birch",
            "url": "https://birch.example/",
            "publishedDate": None,
            "author": None,
        },
    ],
    "costDollars": {"total": 0.005},
}
BRAVE = {
    "type": "search",
    "query": {"original": QUERY, "more_results_available": True},
    "mixed": {"type": "mixed", "main": [{"type": "web", "index": 0, "all": False}]},
    "web": {
        "type": "search",
        "results": [
            {
                "title": "Support bots: a <strong>report</strong>",
                "url": "https://larch.example/report",
                "is_source_local": False,
                "description": "What bots &amp; people get wrong.",
                "page_age": "2026-03-05T10:00:00",
                "age": "March 5, 2026",
                "language": "en",
                "meta_url": {"scheme": "https", "netloc": "larch.example"},
            },
            {"title": "Birch", "url": "https://birch.example/", "description": ""},
        ],
        "family_friendly": True,
    },
}
REPORT = Found(
    title="Support bots: a report",
    url="https://larch.example/report",
    snippet="What bots & people get wrong.",
    published="2026-03-05",
)
BIRCH = Found(title="Birch", url="https://birch.example/")


def opened(name: Any, endpoint: FakeEndpoint) -> SearchProvider:
    base_url = f"http://127.0.0.1:{endpoint.port}/"
    search = open_search(SearchSettings(provider=name, base_url=base_url), KEYS)
    assert search is not None
    return search


async def asked(name: str, answer: Any) -> tuple[tuple[Found, ...], Call]:
    """What was found, and the call that was made."""
    with FakeEndpoint(Status(200, raw=json.dumps(answer).encode())) as endpoint:
        search = opened(name, endpoint)
        found = found_in(search.name, await search.ask(QUERY, 5), 5)
    (call,) = endpoint.calls
    return found, call


def parameters(call: Call) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(call.path).query).items()}


async def test_searxng() -> None:
    found, call = await asked("searxng", SEARXNG)
    assert found == (REPORT, BIRCH)
    assert urlsplit(call.path).path == "/search"
    assert parameters(call) == {"q": QUERY, "format": "json"}
    assert "authorization" not in call.headers


async def test_tavily() -> None:
    found, call = await asked("tavily", TAVILY)
    assert found == (REPORT, BIRCH)
    assert call.path == "/search"
    assert call.headers["authorization"] == "Bearer tvly-canary-0123456789"
    assert call.body == {"query": QUERY, "max_results": 5, "search_depth": "basic"}


async def test_exa() -> None:
    found, call = await asked("exa", EXA)
    assert found == (REPORT, BIRCH)
    assert call.path == "/search"
    assert call.headers["x-api-key"] == "exa-canary-0123456789"
    assert call.body == {"query": QUERY, "numResults": 5, "type": "auto"}


async def test_brave() -> None:
    found, call = await asked("brave", BRAVE)
    assert found == (REPORT, BIRCH)
    assert urlsplit(call.path).path == "/res/v1/web/search"
    assert call.headers["x-subscription-token"] == "brave-canary-0123456789"
    assert parameters(call) == {"q": QUERY, "count": "5", "text_decorations": "false", "result_filter": "web"}


async def test_no_more_results_than_were_asked_for() -> None:
    many = {"results": [{"url": f"https://larch.example/{n}", "title": str(n)} for n in range(30)]}
    with FakeEndpoint(Status(200, raw=json.dumps(many).encode())) as endpoint:
        search = opened("searxng", endpoint)
        assert [one.title for one in found_in("searxng", await search.ask(QUERY, 3), 3)] == ["0", "1", "2"]


def test_a_search_of_brave_without_hits_has_no_results() -> None:
    assert found_in("brave", b'{"type": "search", "query": {"original": "x"}}', 5) == ()


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"[]", b'{"error": "x"}', b'{"results": 3, "web": 3}', b"[" * 100_000, b"\xff", b"null"]
)
def test_an_answer_in_another_form_is_said_to_be_one(name: str, answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        found_in(name, answer, 5)


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(
    ("behaviour", "words", "passing"),
    [
        (Status(401, {"message": "bad key KEY"}), "HTTP 401", True),
        (Status(402), "HTTP 402", True),
        (Status(403), "HTTP 403", True),
        (Status(404), "HTTP 404", True),
        (Status(302, headers={"Location": "http://127.0.0.2/"}), "HTTP 302", True),
        (Status(400, {"message": "query too long"}), "query too long", False),
        (Status(422), "HTTP 422", False),
        (Status(429, headers={"Retry-After": "0"}), "again and again", True),
        (Status(503, headers={"Retry-After": "0"}), "again and again", True),
        (Reset(), "broke", True),
        (HalfAnswer(), "broke", True),
        (Stall(), "no answer within", True),
    ],
)
async def test_a_provider_that_fails_says_why(
    name: str, behaviour: Behaviour, words: str, passing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never with its key, and never by following a redirect."""
    if isinstance(behaviour, Stall):
        monkeypatch.setattr(calling, "SECONDS", 0.5)
    if behaviour == Status(401, {"message": "bad key KEY"}):  # some repeat the key that they refuse
        behaviour = Status(401, {"message": f"bad key {KEYS.get(f'{name.upper()}_API_KEY', '')}"})
    with FakeEndpoint(behaviour) as endpoint, pytest.raises(NotFetched) as caught:
        await opened(name, endpoint).ask(QUERY, 5)
    assert (words in caught.value.what, caught.value.passing) == (True, passing)
    assert "canary" not in str(caught.value)
    # a GET that costs nothing may be sent once more by the library
    assert len(endpoint.calls) in ({calling.TRIES} if "again and again" in words else {1, 2} if words == "broke" else {1})


async def test_too_many_requests_are_waited_for() -> None:
    def answer(call: Call) -> Behaviour:
        if len(endpoint.calls) < 3:
            return Status(429, headers={"Retry-After": "0.01"})
        return Status(200, raw=json.dumps(TAVILY).encode())

    with FakeEndpoint(answer) as endpoint:
        assert found_in("tavily", await opened("tavily", endpoint).ask(QUERY, 5), 5) == (REPORT, BIRCH)


async def test_a_provider_that_is_not_there() -> None:
    with FakeEndpoint() as endpoint:
        search = opened("searxng", endpoint)
    with pytest.raises(NotFetched, match="no connection"):
        await search.ask(QUERY, 5)


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "MOST_BYTES", 100_000)
    with FakeEndpoint(Status(200, raw=b" " * 200_000)) as endpoint, pytest.raises(NotFetched, match="longer than"):
        await opened("exa", endpoint).ask(QUERY, 5)


async def test_an_answer_that_repeats_the_key_is_kept_without_it() -> None:
    said = {"results": [{"url": "https://larch.example/", "title": "tvly-canary-0123456789"}]}
    with FakeEndpoint(Status(200, raw=json.dumps(said).encode())) as endpoint:
        assert b"canary" not in await opened("tavily", endpoint).ask(QUERY, 5)


async def test_a_searxng_without_json_says_what_to_change() -> None:
    with FakeEndpoint(Status(403, raw=b"Forbidden")) as endpoint, pytest.raises(NotFetched) as caught:
        await opened("searxng", endpoint).ask(QUERY, 5)
    assert "formats: [html, json]" in caught.value.next


@pytest.mark.parametrize(
    ("settings", "environ", "name"),
    [
        (SearchSettings(), {}, None),
        (SearchSettings(), KEYS, "tavily"),
        (SearchSettings(), {"EXA_API_KEY": "x", "BRAVE_API_KEY": "y", "TAVILY_API_KEY": " "}, "exa"),
        (SearchSettings(provider="none"), KEYS, None),
        (SearchSettings(provider="brave"), KEYS, "brave"),
        (SearchSettings(provider="exa", key_env="MY_KEY"), {"MY_KEY": "x"}, "exa"),
        (SearchSettings(provider="searxng", base_url="http://10.0.0.7:8888"), {}, "searxng"),
    ],
)
def test_the_provider_is_the_one_that_is_named_or_whose_key_is_there(
    settings: SearchSettings, environ: dict[str, str], name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALLOWED, "MY_KEY@api.exa.ai")
    search = open_search(settings, environ)
    assert (search.name if search else None) == name


def test_a_provider_that_cannot_be_used_is_told_with_the_mend() -> None:
    for settings, error, words in (
        (SearchSettings(provider="tavily"), NotFetched, "TAVILY_API_KEY"),
        (SearchSettings(provider="searxng"), ConfigError, "base_url"),
        (SearchSettings(provider="exa", base_url="larch.example"), ConfigError, "base_url"),
    ):
        with pytest.raises(FinetunePrepError) as caught:
            open_search(settings, {"EXA_API_KEY": "x"})
        assert isinstance(caught.value, error)
        assert words in str(caught.value)
        assert caught.value.next


def test_every_provider_of_the_settings_is_known() -> None:
    assert {*SEARCHES} == {*PROVIDERS}

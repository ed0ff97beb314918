"""A shop whose expert is scripted and whose web is a small one on loopback: a search endpoint, pages, and a door to both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from finetune_prep.core.request import Request
from finetune_prep.ledger.fetched import Archive
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.session import Session, open_session
from finetune_prep.project.beginning.scaffold import config_text, create
from finetune_prep.project.config import SearchSettings
from finetune_prep.project.project import open_project
from finetune_prep.sources.searching.choosing import open_search
from finetune_prep.sources.web import Web
from tests.fake_endpoint import Behaviour, Call, FakeEndpoint, Status
from tests.sources.fake_web import FakeWeb

BRIEF = "# Support for a pottery shop\n\nChat with customers of a small shop.\n"
QUERIES = [
    ("framework", "complaint handling HEARD technique guidelines"),
    ("framework", "nonviolent communication customer service evidence"),
    ("framework", "service recovery paradox research"),
    ("ai_failure", "AI customer support mistakes research"),
    ("ai_failure", "chatbot refund promise court case"),
    ("human_error", "customer service agents common mistakes training"),
    ("safety", "account takeover support social engineering"),
    ("ethics", "customer service code of conduct consumer rights"),
]
LONG = "Thirty days from the day of delivery, whatever the reason; the posting receipt is proof enough for us. " * 5
KEY = "tvly-canary-4711"
Found = Callable[[str], Sequence[Mapping[str, Any]]]


def planned(queries: Sequence[tuple[str, str]] = tuple(QUERIES)) -> str:
    """An answer of the expert."""
    return json.dumps({"queries": [{"kind": kind, "query": query} for kind, query in queries]})


class Engine:
    """A search endpoint in the form of Tavily. found: results of a query."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._endpoint = FakeEndpoint(self._answer)

    def _answer(self, call: Call) -> Behaviour:
        results = self._found(call.body["query"])[: call.body["max_results"]]
        return Status(200, raw=json.dumps({"query": call.body["query"], "results": results}).encode())

    @property
    def queries(self) -> list[str]:
        return [call.body["query"] for call in self._endpoint.calls]

    def __enter__(self) -> Engine:
        self._endpoint.__enter__()
        self.base_url = f"http://127.0.0.1:{self._endpoint.port}"
        return self

    def __exit__(self, *error: Any) -> None:
        self._endpoint.__exit__(*error)


def new_shop(folder: Path, *, pages: int = 12) -> Path:
    text = config_text("shop", "batch/any-model", "", "", year=2026) + f"\n[search]\npages = {pages}\nresults = 5\n"
    create(folder, BRIEF, text)
    return folder


def open_shop(
    folder: Path, script: Scripted, told: list[str], engine: Engine | None = None, internet: FakeWeb | None = None
) -> AbstractAsyncContextManager[Session]:
    """A session whose web is this one; without engine and internet nobody can be asked."""

    def web(archive: Archive) -> Web:
        if engine is None or internet is None:
            return Web(archive)
        search = open_search(SearchSettings(provider="tavily", base_url=engine.base_url), {"TAVILY_API_KEY": KEY})
        return Web(archive, search=search, fetcher=internet.fetcher())

    return open_session(open_project(folder), provider=script, tell=told.append, web=web)


def expert(answer: str = "", more: Callable[[Request], str] | None = None) -> Scripted:
    """Plans the search; anything else is answered by `more`."""

    def said(request: Request) -> str:
        if request.origin.label == "search queries":
            return answer or planned()
        assert more is not None, request.place
        return more(request)

    return Scripted(said)

"""Brave Search: GET /res/v1/web/search. https://api-dashboard.search.brave.com/app/documentation/web-search"""

from __future__ import annotations

import msgspec

from finetune_prep.http.secrets import Secret
from finetune_prep.sources.searching.calling import Search, checked, send
from finetune_prep.sources.searching.provider import Found, result

LONGEST = 400  # characters of a query that it takes


class _Row(msgspec.Struct):
    url: str | None = None
    title: str | None = None
    description: str | None = None
    page_age: str | None = None


class _Web(msgspec.Struct):
    results: list[_Row] = []


class _Answer(msgspec.Struct):
    """A search without hits has no `web`; every answer has a `type`."""

    type: str
    web: _Web | None = None


class Brave:
    """Brave's web search."""

    name = "brave"

    def __init__(self, base_url: str, secret: Secret | None) -> None:
        self._endpoint = checked(self.name, base_url)
        self._secret = secret

    async def ask(self, query: str, count: int) -> bytes:
        params = {"q": query[:LONGEST], "count": str(count), "text_decorations": "false", "result_filter": "web"}
        search = Search(method="GET", url=self._endpoint.at("/res/v1/web/search", params), key_header="X-Subscription-Token")
        return await send(self.name, search, self._secret)

    @staticmethod
    def found(answer: bytes, count: int) -> tuple[Found, ...]:
        web = msgspec.json.decode(answer, type=_Answer).web or _Web()
        results = (result(row.title, row.url, row.description, row.page_age) for row in web.results)
        return tuple(found for found in results if found)[:count]

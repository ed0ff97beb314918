"""SearXNG, self-hosted: GET /search?q=…&format=json. https://docs.searxng.org/dev/search_api.html"""

from __future__ import annotations

import msgspec

from finetune_prep.http.secrets import Secret
from finetune_prep.sources.searching.calling import Search, checked, send
from finetune_prep.sources.searching.provider import Found, result

HINTS = {403: "allow JSON in its settings.yml: search: formats: [html, json]; then start it again"}


class _Row(msgspec.Struct):
    url: str | None = None
    title: str | None = None
    content: str | None = None
    publishedDate: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Row]


class Searxng:
    """A SearXNG. It knows no number of results: a page of it has ten or more."""

    name = "searxng"

    def __init__(self, base_url: str, secret: Secret | None) -> None:
        self._endpoint = checked(self.name, base_url)
        self._secret = secret

    async def ask(self, query: str, count: int) -> bytes:
        url = self._endpoint.at("/search", {"q": query, "format": "json"})
        search = Search(method="GET", url=url, key_header="Authorization", bearer=True)
        return await send(self.name, search, self._secret, HINTS)

    @staticmethod
    def found(answer: bytes, count: int) -> tuple[Found, ...]:
        rows = msgspec.json.decode(answer, type=_Answer).results
        results = (result(row.title, row.url, row.content, row.publishedDate) for row in rows)
        return tuple(found for found in results if found)[:count]

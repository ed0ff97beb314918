"""SearXNG, self-hosted: GET /search?q=…&format=json. https://docs.searxng.org/dev/search_api.html"""

from __future__ import annotations

import msgspec

from finetune_prep.project.secrets import Secret
from finetune_prep.sources.searching.calling import Call, checked, send
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
        self._url = f"{checked(self.name, base_url)}/search"
        self._secret = secret

    async def ask(self, query: str, count: int) -> bytes:
        call = Call(method="GET", url=self._url, params={"q": query, "format": "json"}, key_header="Authorization", bearer=True)
        return await send(self.name, call, self._secret, HINTS)

    @staticmethod
    def found(answer: bytes, count: int) -> tuple[Found, ...]:
        rows = msgspec.json.decode(answer, type=_Answer).results
        results = (result(row.title, row.url, row.content, row.publishedDate) for row in rows)
        return tuple(found for found in results if found)[:count]

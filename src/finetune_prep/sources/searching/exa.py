"""Exa: POST /search. https://docs.exa.ai/reference/search"""

from __future__ import annotations

import msgspec

from finetune_prep.http.secrets import Secret
from finetune_prep.sources.searching.calling import Search, checked, send
from finetune_prep.sources.searching.provider import Found, result


class _Row(msgspec.Struct):
    url: str | None = None
    title: str | None = None
    text: str | None = None
    publishedDate: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Row]


class Exa:
    """Exa's search without contents: pages are fetched here, under the rules for pages."""

    name = "exa"

    def __init__(self, base_url: str, secret: Secret | None) -> None:
        self._endpoint = checked(self.name, base_url)
        self._secret = secret

    async def ask(self, query: str, count: int) -> bytes:
        body = {"query": query, "numResults": count, "type": "auto"}
        search = Search(method="POST", url=self._endpoint.at("/search"), body=body, key_header="x-api-key")
        return await send(self.name, search, self._secret)

    @staticmethod
    def found(answer: bytes, count: int) -> tuple[Found, ...]:
        rows = msgspec.json.decode(answer, type=_Answer).results
        results = (result(row.title, row.url, row.text, row.publishedDate) for row in rows)
        return tuple(found for found in results if found)[:count]

"""The door to the web: ledger → recording → search provider or fetcher. What comes back is on disk before anyone reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from finetune_prep.errors import FinetunePrepError, NotFetched
from finetune_prep.ledger.fetched import Archive, Fetched, Kind, fetched_key
from finetune_prep.project.config import SearchSettings
from finetune_prep.sources.fetching.fetch import Fetcher, Page
from finetune_prep.sources.searching.choosing import Found, SearchProvider, found_in, open_search


class Fetching(Protocol):
    """What gets a page: a `fetch.Fetcher`."""

    async def fetch(self, url: str) -> Page:
        """The page at an address. Raises errors.NotFetched."""


class Web:
    """Made by `open_web`.

    search, fetcher: None = nothing is asked, only what is kept is given. recorded: reads the answers of a recording, when
    first needed; they go before the network. trouble: why a search provider that is wanted cannot be asked. off: the settings
    say that nothing is searched. offline: this is a replay.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        search: SearchProvider | None = None,
        fetcher: Fetching | None = None,
        recorded: Callable[[], Iterable[Fetched]] = tuple,
        trouble: FinetunePrepError | None = None,
        off: bool = False,
        offline: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._archive = archive
        self._search = search
        self._fetcher = fetcher
        self._read_recording = recorded
        self._now = now
        self.trouble = trouble
        self.off = off
        self.offline = offline

    @cached_property
    def _recorded(self) -> dict[str, Fetched]:
        return {found.key: found for found in self._read_recording()}

    async def provider(self) -> str:
        """Whose answers are given: the provider that can be asked, else the one whose answers are kept; "" = nobody's."""
        if self.off:
            return ""
        if self._search is not None:
            return self._search.name
        if kept := await self._archive.searched_with():
            return kept[0]
        return next((found.asked[0] for found in self._recorded.values() if found.kind == "search"), "")

    async def search(self, query: str, count: int) -> tuple[Found, ...]:
        """Results of a search. Raises NotFetched, and LedgerBroken."""
        provider = await self.provider()
        asked = (provider, query, str(count))
        kept = await self._kept("search", asked)
        if kept is None:
            if self._search is None:
                raise _offline(f"“{query}” was not searched for before")
            kept = await self._answer(self._search, query, count)
            await self._archive.keep([kept])
        if kept.failure:
            raise NotFetched(kept.failure, where=f"“{query}”")
        try:
            return found_in(provider, kept.body, count)
        except ValueError as error:
            raise NotFetched(f"the answer of {provider} cannot be read: {error}", where=f"“{query}”") from None

    async def page(self, url: str) -> Fetched:
        """A page with its bytes. Raises NotFetched, and LedgerBroken."""
        kept = await self._kept("page", (url,))
        if kept is None:
            if self._fetcher is None:
                raise _offline(f"{url} was not fetched before")
            kept = await self._fetch(self._fetcher, url)
            await self._archive.keep([kept])
        if kept.failure:
            raise NotFetched(kept.failure, where=url)
        return kept

    async def _kept(self, kind: Kind, asked: tuple[str, ...]) -> Fetched | None:
        key = fetched_key(kind, asked)
        if (found := await self._archive.get(key)) is not None:
            return found
        if (found := self._recorded.get(key)) is not None:
            await self._archive.keep([found])
        return found

    async def _answer(self, search: SearchProvider, query: str, count: int) -> Fetched:
        asked = (search.name, query, str(count))
        try:
            body = await search.ask(query, count)
        except NotFetched as failure:
            return self._final("search", asked, failure)
        return Fetched(kind="search", asked=asked, body=body, at=self._at())

    async def _fetch(self, fetcher: Fetching, url: str) -> Fetched:
        try:
            page = await fetcher.fetch(url)
        except NotFetched as failure:
            return self._final("page", (url,), failure)
        return Fetched(
            kind="page", asked=(url,), body=page.body, place=page.place, type=page.type, charset=page.charset, at=self._at()
        )

    def _final(self, kind: Kind, asked: tuple[str, ...], failure: NotFetched) -> Fetched:
        """A failure as it is kept. One that may pass is not kept, but raised."""
        if failure.passing:
            raise failure
        return Fetched(kind=kind, asked=asked, failure=failure.what, at=self._at())

    def _at(self) -> str:
        return self._now().isoformat(timespec="seconds").replace("+00:00", "Z")


def open_web(
    settings: SearchSettings,
    environ: Mapping[str, str],
    archive: Archive,
    *,
    recorded: Callable[[], Iterable[Fetched]] = tuple,
    offline: bool = False,
) -> Web:
    """The door for a project. offline: only what is kept or recorded is given, whatever keys there are."""
    off = settings.provider == "none"
    if offline or off:
        return Web(archive, recorded=recorded, off=off, offline=offline)
    try:
        search = open_search(settings, environ)
    except FinetunePrepError as error:
        return Web(archive, recorded=recorded, trouble=error)
    if search is None:
        return Web(archive, recorded=recorded)
    return Web(archive, search=search, fetcher=Fetcher(), recorded=recorded)


def _offline(what: str) -> NotFetched:
    return NotFetched(
        what, next="name a search provider under [search] in finetune-prep.toml, or put pages into sources/", passing=True
    )

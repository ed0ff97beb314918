"""Sources from the web for phase 1: what to search for, searching, and reading what was found. Nothing is written here.

A search or a page that fails is told and stops nothing. All that comes back is in the ledger, so a second run asks nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.knowledge import Source
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import KeyNotAllowed, NotFetched, Unusable
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.method import limits
from finetune_prep.phases.session import Session
from finetune_prep.sources.files import SourceText, fix_of, known_ids, next_id, read_folder
from finetune_prep.sources.injection import addresses_machines
from finetune_prep.sources.parsing.extracted import Unreadable, counted
from finetune_prep.sources.searching.choosing import KEYS, Found
from finetune_prep.sources.text import KINDS as FORMATS
from finetune_prep.sources.text import extract, one_line
from finetune_prep.sources.titles import address_name, publisher_name
from finetune_prep.words import count_words

PHASE = "research"
QueryKind = Literal["framework", "ai_failure", "human_error", "safety", "ethics"]
KINDS: tuple[QueryKind, ...] = get_args(QueryKind)
LONGEST_QUERY = 200  # characters
PER_HOST = 2  # pages of one site, as long as there are others
AT_ONCE = 4  # pages under way
LEAST_WORDS = 50  # less is a notice that cookies must be accepted
LONGEST_TEXT = 60_000  # characters of a page that are read: some 15,000 tokens
TRACKING = ("utm_", "gclid", "fbclid", "mc_cid", "mc_eid", "ref_src")


class QueryDraft(msgspec.Struct, frozen=True):
    kind: QueryKind
    query: str


class QueriesDraft(msgspec.Struct, frozen=True):
    queries: list[QueryDraft]


class Query(msgspec.Struct, frozen=True):
    """Words for a search service."""

    kind: QueryKind
    text: str
    """The words as they are searched for, with the year."""


class Hit(msgspec.Struct, frozen=True):
    """A result and the query that led to it."""

    query: Query
    found: Found


async def gather(session: Session) -> list[SourceText]:
    """Pages from the web as sources, numbered after those of the files; none if nothing is searched.

    Raises what the door to the models raises (NotYet, Paused), LedgerBroken, and KeyNotAllowed; every other failure is told.
    """
    web = session.web
    if isinstance(web.trouble, KeyNotAllowed):
        raise web.trouble
    if web.trouble is not None:
        session.tell(str(web.trouble))
    provider = await web.provider()
    if not provider:
        if not (web.off or web.offline):
            keys = ", ".join(KEYS)
            session.tell(
                f"No search on the web: no provider under [search] in finetune-prep.toml, and no key ({keys}) in the environment."
            )
        return []
    try:
        queries = await plan(session)
    except Unusable as unusable:
        session.tell(f"No search on the web: the expert gave no usable queries ({unusable.what})")
        return []
    hits = await search(session, queries)
    texts = await read(session, choose(hits))
    session.tell(f"web: {len(queries)} queries to {provider}, {len(hits)} results, {len(texts)} pages read")
    return _numbered(session, texts)


# ---- what to search for


async def plan(session: Session) -> tuple[Query, ...]:
    """The queries of a project: asked of the expert once, and of the ledger from then on."""
    year = session.project.config.year
    return await session.draft(
        "research-queries",
        QueriesDraft,
        lambda draft: to_queries(draft, year),
        session.slots(year=year),
        phase=PHASE,
        about="search queries",
    )


def to_queries(draft: QueriesDraft, year: int) -> tuple[Query, ...]:
    """Queries that carry the year. Raises ValueError with what the expert has to fix."""
    texts = [" ".join(query.query.split()) for query in draft.queries]
    if not limits.QUERIES.holds(len(texts)):
        raise ValueError(f"There are {len(texts)} queries; return {limits.QUERIES}.")
    if missing := [kind for kind in KINDS if kind not in {query.kind for query in draft.queries}]:
        raise ValueError(f"No query is of the kind {', '.join(missing)}.")
    if wrong := [text for text in texts if not 3 <= len(text) <= LONGEST_QUERY]:
        raise ValueError(f"A query has 3 to 12 words, not “{wrong[0][:LONGEST_QUERY]}”.")
    if len({text.casefold() for text in texts}) < len(texts):
        raise ValueError("Two queries are the same.")
    dated = [text if str(year) in text else f"{text} {year}" for text in texts]
    return tuple(Query(query.kind, text) for query, text in zip(draft.queries, dated, strict=True))


# ---- searching


async def search(session: Session, queries: Sequence[Query]) -> list[Hit]:
    """All results, query by query, one at a time: small plans of providers allow no more.

    A provider that fails twice in the same way is not asked further; what it answered before stays.
    """
    hits: list[Hit] = []
    last = ""
    for number, query in enumerate(queries, start=1):
        try:
            found = await session.web.search(query.text, session.project.config.search.results)
            hits += [Hit(query, result) for result in found if _has_an_address(session, result)]
            last = ""
        except NotFetched as failure:
            session.tell(_words(failure))
            if failure.what == last and number < len(queries):
                session.tell(f"The remaining {len(queries) - number} queries are not asked.")
                break
            last = failure.what
    return hits


def choose(hits: Iterable[Hit]) -> list[Hit]:
    """Every address once, in the order in which pages are worth reading: all kinds of queries in turn, best ranks first.

    Sites that have had their share come last.
    """
    by_kind: dict[QueryKind, dict[str, list[Hit]]] = {kind: {} for kind in KINDS}
    seen: set[str] = set()
    for hit in hits:
        if (address := plain_address(hit.found.url)) not in seen:
            seen.add(address)
            by_kind[hit.query.kind].setdefault(hit.query.text, []).append(hit)
    ordered = _in_turn([_in_turn(list(queries.values())) for queries in by_kind.values()])
    counts: dict[str, int] = {}
    first: list[Hit] = []
    later: list[Hit] = []
    for hit in ordered:
        host = urlsplit(hit.found.url).netloc.lower()
        counts[host] = counts.get(host, 0) + 1
        (first if counts[host] <= PER_HOST else later).append(hit)
    return first + later


def _in_turn(rows: list[list[Hit]]) -> list[Hit]:
    """The first of each, then the second of each, and so on."""
    longest = max(map(len, rows), default=0)
    return [row[place] for place in range(longest) for row in rows if place < len(row)]


def plain_address(url: str) -> str:
    """What two addresses of one page have in common: without scheme, fragment, tracking and a slash at the end."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    kept = [(name, value) for name, value in parse_qsl(parts.query) if not name.lower().startswith(TRACKING)]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{parts.netloc.lower().removeprefix('www.')}{parts.path.rstrip('/')}{query}"


def _has_an_address(session: Session, found: Found) -> bool:
    """Whether what was found can be looked for; said where it cannot."""
    try:
        parts = urlsplit(found.url)
        readable = bool(parts.hostname) and parts.port != 0  # looking at the port finds out whether it is one
    except ValueError:
        readable = False
    if not readable:
        session.tell(f"{found.url}: left out: this is no address of a page")
    return readable


# ---- reading


async def read(session: Session, hits: Sequence[Hit]) -> list[SourceText]:
    """At most as many pages as the settings say, in the order of `hits`; for one that cannot be read, the next is tried.

    Twice as many are tried at most.
    """
    most = session.project.config.search.pages
    waiting = list(hits[: 2 * most])
    read: dict[str, SourceText] = {}
    while waiting and len(read) < most:
        batch, waiting = waiting[: most - len(read)], waiting[most - len(read) :]
        limit = asyncio.Semaphore(AT_ONCE)
        for text in await asyncio.gather(*(_read_one(session, hit, limit) for hit in batch)):
            if isinstance(text, Finding):
                session.tell(str(text))
            elif not any(_same(text, other) for other in read.values()):
                read[text.source.where] = text
    return list(read.values())


def _same(one: SourceText, other: SourceText) -> bool:
    return one.text == other.text or plain_address(one.source.where) == plain_address(other.source.where)


async def _read_one(session: Session, hit: Hit, limit: asyncio.Semaphore) -> SourceText | Finding:
    url = hit.found.url.partition("#")[0]
    try:
        async with limit:
            page = await session.web.page(url)
            return await asyncio.to_thread(page_text, page, hit.found)
    except NotFetched as failure:
        return Finding(path=url, line=0, what=failure.what, fix="")
    except ValueError as error:
        missing = isinstance(error, Unreadable) and error.install
        return Finding(path=url, line=0, what=f"not read: {error}", fix=fix_of(error) if missing else "")


def page_text(page: Fetched, found: Found) -> SourceText:
    """A page as a source without a number. Raises ValueError saying why it is none."""
    if page.type not in FORMATS:
        raise ValueError(f"{page.type or 'an unnamed type'} is no text that can be read")
    extracted = extract(FORMATS[page.type], page.body, page.charset)
    if count_words(extracted.text) < LEAST_WORDS:
        raise ValueError("it holds next to no text")
    headline = extracted.title or one_line(found.title)
    if words := addresses_machines(headline, extracted.text):
        raise ValueError(
            f"it speaks to language models (“{words}”); look at it yourself, and save it into sources/ if it is sound"
        )
    source = Source(
        id="",
        title=address_name(page.place),
        where=page.place,
        read=page.at[:10],
        publisher=publisher_name(extracted.publisher, page.place),
        published=extracted.published or found.published,
    )
    text = extracted.text if headline in extracted.text[: len(headline) * 2] else f"# {headline}\n\n{extracted.text}"
    read = _shortened(text)
    left_out = extracted.left_out | {"characters at the end": len(text) - len(read)}
    return SourceText(source=source, text=read, hash=digest_bytes(page.body), headline=headline, left_out=counted(left_out))


def _shortened(text: str) -> str:
    """As much of a text as is read, ending with a paragraph."""
    if len(text) <= LONGEST_TEXT:
        return text
    end = text.rfind("\n\n", LONGEST_TEXT // 2, LONGEST_TEXT)
    return text[: end if end > 0 else LONGEST_TEXT].rstrip() + "\n"


def _numbered(session: Session, texts: Iterable[SourceText]) -> list[SourceText]:
    """With ids that no file has and no document cites for anything else. A page that has one already keeps it."""
    layout = session.project.layout
    reference = session.project.document(Documents.knowledge)
    cited = {source.where: source.id for source in reference.value.sources} if reference and reference.value else {}
    ids = known_ids(layout.snapshots) | cited
    files, _ = read_folder(layout.sources, layout.folder, ids)
    ids |= {text.source.where: text.source.id for text in files}
    numbered = []
    for text in texts:
        where = text.source.where
        ids[where] = ids.get(where) or next_id(ids)
        source = msgspec.structs.replace(text.source, id=ids[where])
        numbered.append(msgspec.structs.replace(text, source=source))
    return numbered


def _words(failure: NotFetched) -> str:
    place = f"{failure.where}: " if failure.where else ""
    return f"{place}{failure.what}; {failure.next}" if failure.next else f"{place}{failure.what}"

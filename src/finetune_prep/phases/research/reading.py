"""What readers without tools take from sources: claims, each with a quote that code looks up in the source.

A source that is longer than a reader should get at once is read in portions; of a very long one, those that speak most of what
the brief is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from finetune_prep.core.knowledge import Source
from finetune_prep.core.quotes import find_quote
from finetune_prep.core.request import Origin, Request
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.research.knowledge_draft import ClaimDraft, Reading
from finetune_prep.phases.session import Session
from finetune_prep.sources.files import SourceText
from finetune_prep.sources.library import Library
from finetune_prep.sources.passages import passages, table_head

PHASE = "research"
PORTION = 60_000  # characters that a reader gets at once: some 15,000 tokens
MOST_PORTIONS = 6  # of one source
PASSAGES = 200  # that match the brief best, by which portions of a very long source are chosen


class Claim(msgspec.Struct, frozen=True):
    """A claim with a quote that was found in its source."""

    id: str
    """As in "S02.4"."""
    kind: str
    statement: str
    quote: str


class ReadSource(msgspec.Struct, frozen=True):
    """A source and what a reader took from it."""

    source: Source
    claims: tuple[Claim, ...]
    dropped: int
    """Number of claims whose quote is not in the source."""

    @property
    def id(self) -> str:
        return self.source.id

    @property
    def title(self) -> str:
        return self.source.title


class Portion(msgspec.Struct, frozen=True):
    """A piece of a source's text."""

    source: SourceText
    text: str
    start: int
    """Where it begins in the text, in characters."""
    number: int
    """Its number, from 1."""
    of: int


async def read_sources(session: Session, texts: Sequence[SourceText]) -> list[ReadSource]:
    """Have each source read for claims; what was read before comes from the ledger.

    Quotes are verified here: a claim whose quote is not in its source is dropped and counted.
    """
    asked = [portion for text in texts for portion in _portions(session, text)]
    requests = [_request(session, portion) for portion in asked]
    readings = await session.door.ask_all_for(requests, lambda answer: schemas.read(answer, Reading))
    drafts: dict[str, list[ClaimDraft]] = {}
    read: dict[str, str] = {}
    for portion, request, reading in zip(asked, requests, readings, strict=True):
        id = portion.source.source.id
        drafts.setdefault(id, []).extend(reading.claims)
        read[id] = (await session.door.ask(request)).at[:10]
    return [_verified(text, drafts[text.source.id], read[text.source.id]) for text in texts]


def _portions(session: Session, text: SourceText) -> list[Portion]:
    whole = text.text.strip()
    if len(whole) <= PORTION:
        return [Portion(text, whole, 0, 1, 1)]
    pieces = list(passages(text.text, PORTION))
    chosen = _nearest(text, pieces, f"{session.brief.title} {session.brief.text}")
    if len(chosen) < len(pieces):
        session.tell(f"{text.source.where}: {len(chosen)} of {len(pieces)} portions are read, those nearest to the brief")
    return [Portion(text, piece, start, n, len(chosen)) for n, (start, piece) in enumerate(chosen, start=1)]


def _nearest(text: SourceText, pieces: list[tuple[int, str]], brief: str) -> list[tuple[int, str]]:
    """The portions with most of the passages that match the brief best, in the order of the text."""
    found = Library([text]).find(brief, PASSAGES)
    starts = [start for start, _ in pieces]
    hits = Counter(sum(start <= passage.start for start in starts) - 1 for passage in found)
    best = sorted(range(len(pieces)), key=lambda number: (-hits[number], number))[:MOST_PORTIONS]
    return [pieces[number] for number in sorted(best)]


def _request(session: Session, portion: Portion) -> Request:
    source = portion.source.source
    head = table_head(portion.source.text, portion.start)
    text = f"{head}\n{portion.text}" if head else portion.text
    slots = session.slots(title=source.title, text=text, boundary=session.boundary(portion.source.hash))
    part = f", portion {portion.number} of {portion.of}" if portion.of > 1 else ""
    schema = schemas.schema_of(Reading, "reading")
    origin = Origin(f"read {source.where}{part}")
    return session.request("research-read", slots, phase=PHASE, origin=origin, schema=schema)


def _verified(text: SourceText, drafts: list[ClaimDraft], read: str) -> ReadSource:
    """read: ISO date on which the reader answered; it comes from the ledger, so that a replay gives the same document."""
    claims = tuple(
        Claim(f"{text.source.id}.{number}", draft.kind, draft.statement, " ".join(draft.quote.split()))
        for number, draft in enumerate(drafts, start=1)
        if find_quote(draft.quote, text.text).exact
    )
    return ReadSource(msgspec.structs.replace(text.source, read=read), claims, len(drafts) - len(claims))


def claims_text(sources: Sequence[ReadSource]) -> str:
    """What sources say, claim by claim, as it goes into prompts."""
    if not sources:
        return "There are none. Everything rests on what people like you know."
    blocks = []
    for source in sources:
        claims = [f"- {claim.id} ({claim.kind}): {claim.statement} — “{claim.quote}”" for claim in source.claims]
        blocks.append("\n".join([f"## {source.id}. {source.title}", *claims]))
    return "\n\n".join(blocks)

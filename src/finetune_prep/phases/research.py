"""Phase 1: read the sources, check every quote, write the domain frameworks and the scenario space."""

from __future__ import annotations

import msgspec

from finetune_prep import documents
from finetune_prep.core.knowledge import Citation, Knowledge, Source
from finetune_prep.core.quotes import find_quote
from finetune_prep.core.request import Request
from finetune_prep.core.scenario import ScenarioSpace
from finetune_prep.durable import write_atomically
from finetune_prep.phases import answers
from finetune_prep.phases.drafts.knowledge import ClaimDraft, KnowledgeDraft, Reading, to_knowledge
from finetune_prep.phases.drafts.space import SpaceDraft, to_space
from finetune_prep.phases.workshop import Workshop
from finetune_prep.project.stamps import Part
from finetune_prep.sources.files import SourceText, from_snapshot, known_ids, read_folder

PHASE = "research"


class Claim(msgspec.Struct, frozen=True):
    """A claim with a quote that was found in its source. id: "S02.4"."""

    id: str
    kind: str
    statement: str
    quote: str


class ReadSource(msgspec.Struct, frozen=True):
    """A source and what a reader took from it; dropped: number of claims whose quote is not in the source."""

    source: Source
    claims: tuple[Claim, ...]
    dropped: int

    @property
    def id(self) -> str:
        return self.source.id

    @property
    def title(self) -> str:
        return self.source.title


async def research(shop: Workshop, *, overwrite: bool = False) -> None:
    """Write domain-frameworks.md and scenario-space.md, each unless it exists (or `overwrite`)."""
    layout = shop.project.layout
    anew = overwrite or not layout.document("domain-frameworks").exists()
    texts = snapshot_sources(shop, refresh=anew)
    if anew:
        sources = await read_sources(shop, texts)
        _tell(shop, sources)
        await write_frameworks(shop, sources)
    if overwrite or not layout.document("scenario-space").exists():
        await write_space(shop)


def _tell(shop: Workshop, sources: list[ReadSource]) -> None:
    layout = shop.project.layout
    _, findings = read_folder(layout.sources, layout.folder)
    for finding in findings:
        shop.tell(str(finding))
    for source in sources:
        dropped = f", {source.dropped} dropped because the quote is not in the source" if source.dropped else ""
        shop.tell(f"{source.id} {source.title}: {len(source.claims)} claims with verified quotes{dropped}")
    if not sources:
        shop.tell("No sources: all of the domain reference will be an expert's own word, marked as unsourced.")


def snapshot_sources(shop: Workshop, *, refresh: bool = False) -> list[SourceText]:
    """Every source as it was read, with a snapshot beside the documents: quotations are checked against that.

    A source that has a snapshot is taken from it, whatever its file says by now, unless `refresh`. A missing snapshot (they are
    not committed) is taken anew, under the id by which the reference cites its file.
    """
    layout = shop.project.layout
    reference = shop.project.document("domain-frameworks")
    cited = {source.where: source.id for source in reference.value.sources} if reference and reference.value else {}
    found, _ = read_folder(layout.sources, layout.folder, known_ids(layout.snapshots) | cited)
    texts = []
    for text in found:
        path = layout.snapshots / f"{text.source.id}.md"
        if refresh or not path.exists():
            write_atomically(path, text.snapshot)
            texts.append(text)
            continue
        kept = from_snapshot(path, text)
        if kept.hash != text.hash:
            shop.tell(f"{text.source.where} has changed since it was read; finetune-prep research --overwrite reads it anew")
        texts.append(kept)
    return texts


async def read_sources(shop: Workshop, texts: list[SourceText]) -> list[ReadSource]:
    """Have each source read for claims; what was read before comes from the ledger.

    Quotes are verified here: a claim whose quote is not in its source is dropped and counted.
    """
    requests = [_reading_request(shop, text) for text in texts]
    readings = await shop.door.ask_all_for(requests, lambda answer: answers.read(answer, Reading))
    return [
        _verified(text, reading.claims, (await shop.door.ask(request)).at[:10])
        for text, request, reading in zip(texts, requests, readings, strict=True)
    ]


def _reading_request(shop: Workshop, text: SourceText) -> Request:
    slots = shop.slots(title=text.source.title, text=text.text.strip(), boundary=shop.boundary(text.hash))
    schema = answers.schema_of(Reading, "reading")
    return shop.request("expert", "research-read", slots, phase=PHASE, about=f"read {text.source.where}", schema=schema)


def _verified(text: SourceText, drafts: list[ClaimDraft], read: str) -> ReadSource:
    """read: ISO date on which the reader answered; it comes from the ledger, so that a replay gives the same document."""
    claims = tuple(
        Claim(f"{text.source.id}.{number}", draft.kind, draft.statement, " ".join(draft.quote.split()))
        for number, draft in enumerate(drafts, start=1)
        if find_quote(draft.quote, text.text).exact
    )
    return ReadSource(msgspec.structs.replace(text.source, read=read), claims, len(drafts) - len(claims))


async def write_frameworks(shop: Workshop, sources: list[ReadSource]) -> None:
    citations = {claim.id: Citation(source.id, claim.quote) for source in sources for claim in source.claims}
    knowledge: Knowledge = await shop.draft(
        "research-frameworks",
        KnowledgeDraft,
        lambda draft: to_knowledge(draft, citations, [source.source for source in sources]),
        shop.slots(language=shop.brief.language, sources=sources),
        phase=PHASE,
        about="domain frameworks",
    )
    part = Part(compiled=False, made_from={"brief": shop.project.items("brief")})
    shop.project.write("domain-frameworks", documents.render("domain-frameworks", knowledge), {"Frameworks": part})
    shop.tell(
        f"domain frameworks: {len(knowledge.frameworks)} frameworks, {len(knowledge.techniques)} techniques, "
        f"{len(knowledge.failure_modes)} failure modes"
    )


async def write_space(shop: Workshop) -> None:
    knowledge: Knowledge = shop.project.value("domain-frameworks")
    space: ScenarioSpace = await shop.draft(
        "research-scenario-space",
        SpaceDraft,
        lambda draft: to_space(draft, knowledge.title, [technique.id for technique in knowledge.techniques]),
        shop.slots(language=shop.brief.language, frameworks=shop.text("domain-frameworks", without="Behavioral anchors")),
        phase=PHASE,
        about="scenario space",
    )
    techniques = {item: text for item, text in shop.project.items("domain-frameworks").items() if item.startswith("T")}
    part = Part(compiled=False, made_from={"brief": shop.project.items("brief"), "domain-frameworks": techniques})
    shop.project.write("scenario-space", documents.render("scenario-space", space), {"Dimensions": part})
    shop.tell(f"scenario space: {len(space.topics)} topics, {space.capacity:,} distinct scenarios")

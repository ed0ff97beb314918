"""Phase 1: read the sources, check every quote, hear a panel, write the domain frameworks and the scenario space."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from finetune_prep import documents
from finetune_prep.core.knowledge import (
    SEVERITIES,
    UNSOURCED,
    Citation,
    Fact,
    FailureMode,
    Knowledge,
    Principle,
    Technique,
    Wish,
)
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.durable import write_atomically
from finetune_prep.method.assistant_failures import ASSISTANT_FAILURES
from finetune_prep.models.together import together
from finetune_prep.phases.drafting import briefing
from finetune_prep.phases.drafting.revising import Drafted, Point, drafted
from finetune_prep.phases.examining.drafts import deciding, examine
from finetune_prep.phases.research.asked_for import asked_for, wishes_text
from finetune_prep.phases.research.knowledge_draft import Given, KnowledgeDraft, to_knowledge
from finetune_prep.phases.research.panel import Panel, Proposed, convene, criticise, dryness, propose
from finetune_prep.phases.research.reading import ReadSource, claims_text, read_sources
from finetune_prep.phases.research.scenario_space import PANEL as PANEL
from finetune_prep.phases.research.scenario_space import situation_line, write_space
from finetune_prep.phases.research.web import gather
from finetune_prep.phases.session import Session
from finetune_prep.project.stamps import Part as StampPart
from finetune_prep.sources.files import SourceText, from_snapshot, known_ids, read_folder, read_snapshots

PHASE = "research"
CARRIED = "research.claims-carried"
_Item = TypeVar("_Item", Technique, Principle, FailureMode, Fact)


class Heard(NamedTuple):
    """All that the reference is written from."""

    wishes: tuple[Wish, ...]
    sources: list[ReadSource]
    panel: Panel
    proposed: Proposed


async def research(session: Session, *, overwrite: bool = False) -> None:
    """Write domain-frameworks.md and scenario-space.md, each unless it exists (or `overwrite`)."""
    layout = session.project.layout
    anew = overwrite or not layout.document("domain-frameworks").exists()
    texts = snapshot_sources(session, refresh=anew)
    if anew:
        await write_knowledge(session, await _hear(session, texts))
    if overwrite or not layout.document("scenario-space").exists():
        await write_space(session)


async def _hear(session: Session, files: Sequence[SourceText]) -> Heard:
    """What brief, sources and panel say. files: those of the user; pages are searched for here."""
    asked: list[Awaitable[Any]] = [_read_all(session, files), convene(session), asked_for(session)]
    sources, panel, wishes = await together(asked)
    _tell(session, sources)
    claims = [claim.id for source in sources for claim in source.claims]
    return Heard(wishes, sources, panel, await propose(session, panel, claims_text(sources), claims))


async def _read_all(session: Session, files: Sequence[SourceText]) -> list[ReadSource]:
    """What readers took from the files of the user and from pages of the web, which are searched for here."""
    asked: list[Awaitable[Any]] = [read_sources(session, files), gather(session)]
    read, pages = await together(asked)
    for text in pages:
        write_atomically(session.project.layout.snapshots / f"{text.source.id}.md", text.snapshot)
    return [*read, *await read_sources(session, pages)]


async def sources_again(session: Session) -> list[ReadSource]:
    """The sources that the reference was written from, and what was read from them: by their snapshots and the ledger."""
    pages = [text for text in read_snapshots(session.project.layout.snapshots) if text.headline]
    return await read_sources(session, [*snapshot_sources(session), *pages])


def _tell(session: Session, sources: list[ReadSource]) -> None:
    layout = session.project.layout
    _, findings = read_folder(layout.sources, layout.folder)
    for finding in findings:
        session.tell(str(finding))
    for source in sources:
        dropped = f", {source.dropped} dropped because the quote is not in the source" if source.dropped else ""
        session.tell(f"{source.id} {source.title}: {len(source.claims)} claims with verified quotes{dropped}")
    if not sources:
        session.tell("No sources: all of the domain reference will be an expert's own word, marked as unsourced.")


def snapshot_sources(session: Session, *, refresh: bool = False) -> list[SourceText]:
    """Every source as it was read, with a snapshot beside the documents: quotations are checked against that.

    A source that has a snapshot is taken from it, whatever its file says by now, unless `refresh`. A missing snapshot (they are
    not committed) is taken anew, under the id by which the reference cites its file.
    """
    layout = session.project.layout
    reference = session.project.document(Documents.knowledge)
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
            session.tell(f"{text.source.where} has changed since it was read; finetune-prep research --overwrite reads it anew")
        texts.append(kept)
    return texts


async def write_knowledge(session: Session, heard: Heard) -> None:
    """The reference from brief, claims and proposals, read by the panel and revised."""
    sources, panel, proposed = heard.sources, heard.panel, heard.proposed
    given = Given(
        heard.wishes,
        {claim.id: Citation(source.id, claim.quote) for source in sources for claim in source.claims},
        tuple(source.source for source in sources),
        {id: thing.name for id, thing in proposed.for_reference().items()},
    )
    # how old the sources were when they were read is nothing that their writer could change
    wanted = deciding(PHASE, "domain-frameworks", skip=("research.sources-current",))

    async def look_over(knowledge: Knowledge, first: bool) -> tuple[Point, ...]:
        text = documents.render("domain-frameworks", knowledge)
        asked: list[Awaitable[tuple[Point, ...]]] = [examine(session, {"domain-frameworks": text}, wanted)]
        if first:
            asked.append(criticise(session, panel, "reference of the domain", documents.body(text).strip(), phase=PHASE))
        return tuple(point for points in await together(asked) for point in points)

    result = await drafted(
        session,
        "research-frameworks",
        KnowledgeDraft,
        lambda draft: to_knowledge(draft, given),
        session.slots(
            asked_for=wishes_text(heard.wishes),
            claims=claims_text(sources),
            common=[row._asdict() for row in ASSISTANT_FAILURES],
            things=_things(proposed),
            experts=len(panel.experts),
        ),
        look_over,
        phase=PHASE,
        about="domain frameworks",
    )
    knowledge, marked = without_uncarried(result)
    if marked:
        session.tell(f"marked as unsourced, since their quotes do not carry them: {', '.join(marked)}")
    text = documents.replace_section(
        documents.render("domain-frameworks", knowledge), PANEL, _panel_section(panel, proposed), before="Sources"
    )
    part = StampPart(compiled=False, made_from={"brief": session.project.items("brief")})
    looks = _worth_a_look(sources, proposed, knowledge, result, marked)
    briefing.write(session.project, PHASE, "domain-frameworks", KINDS["domain-frameworks"].path, looks)
    session.project.write("domain-frameworks", text, {"Frameworks": part})
    session.tell(
        f"domain frameworks: {len(knowledge.frameworks)} frameworks, {len(knowledge.techniques)} techniques, "
        f"{len(knowledge.failure_modes)} failure modes"
    )


def _things(proposed: Proposed) -> list[dict[str, Any]]:
    return [
        {
            "id": id,
            "kind": thing.kind,
            "name": thing.name,
            "text": thing.text,
            "experts": proposed.experts(thing),
            "claims": ", ".join(thing.claims),
        }
        for id, thing in proposed.for_reference().items()
    ]


def _panel_section(panel: Panel, proposed: Proposed) -> str:
    """Who was asked and how far they repeated themselves: prose of the document, for people."""
    experts = [f"- {expert.name}" for expert in panel.experts]
    users = ", ".join(user.name for user in panel.difficult_users)
    sittings = "one sitting" if proposed.sittings == 1 else f"{proposed.sittings} sittings"
    figure = (
        f"In {sittings}, each asked apart from the others, they made {proposed.made} proposals of {len(proposed.things)} "
        f"different things: {dryness(proposed.saturation)}. That speaks of this panel, which a language model played, and "
        "not of the domain."
    )
    readers = f"The draft was read by them and by two difficult users: {users}."
    return "\n".join([f"## {PANEL}", "", *experts, "", figure, "", readers, *_situations(proposed)])


def _situations(proposed: Proposed) -> list[str]:
    """What users bring, as the panel said: kept here, since another writer takes it up, perhaps on another day."""
    things = enumerate(proposed.things, start=1)
    lines = [situation_line(number, f"{thing.name}. {thing.text}") for number, thing in things if thing.kind == "situation"]
    return ["", "Situations that they proposed, for the scenario space:", "", *lines] if lines else []


def without_uncarried(result: Drafted[Knowledge]) -> tuple[Knowledge, tuple[str, ...]]:
    """The reference without citations that a judge found not to carry their statement, and the ids of these items.

    What the writer has not put right until the last revision becomes an expert's own word, as which people look at it; a fact of
    this kind waits for somebody who confirms it.
    """
    knowledge = result.value
    marked = {point.item for point in result.left if point.by == CARRIED and point.item}

    def honest(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
        return tuple(
            msgspec.structs.replace(item, sources=(Citation(UNSOURCED),)) if item.id in marked else item for item in items
        )

    frameworks = tuple(
        msgspec.structs.replace(framework, techniques=honest(framework.techniques)) for framework in knowledge.frameworks
    )
    changed = msgspec.structs.replace(
        knowledge,
        frameworks=frameworks,
        principles=honest(knowledge.principles),
        failure_modes=honest(knowledge.failure_modes),
        facts=honest(knowledge.facts),
    )
    used = {citation.source for _, citation in changed.citations()}
    changed = msgspec.structs.replace(changed, sources=tuple(source for source in knowledge.sources if source.id in used))
    return changed, tuple(sorted(marked))


def _worth_a_look(
    sources: list[ReadSource], proposed: Proposed, knowledge: Knowledge, result: Drafted[Knowledge], marked: tuple[str, ...]
) -> list[briefing.Part]:
    check = "finetune-prep check domain-frameworks"
    alone = [
        f"{id} {name}" for id, name, cited in _statements(knowledge) if all(citation.source == UNSOURCED for citation in cited)
    ]
    dropped = [
        f"{source.id} {source.title}: {source.dropped} claims dropped, their quotes are not in it"
        for source in sources
        if source.dropped
    ]
    return [
        briefing.points("Gates that do not hold", [point for point in result.left if point.by != CARRIED], check),
        briefing.points("Marked as unsourced", [point for point in result.left if point.by == CARRIED], check),
        briefing.Part(
            "Sources that do not agree", tuple(f"{found.id}: {found.text}" for found in knowledge.contradictions), check
        ),
        briefing.Part("How grave each failure is", _gravity(knowledge), check),
        briefing.Part("On a model's word alone", tuple(alone), check),
        briefing.Part("Sources", tuple(dropped) or (() if sources else ("none: all of this is a model's word",))),
        briefing.Part("The panel", (dryness(proposed.saturation),)),
        briefing.objections(result),
    ]


def _gravity(knowledge: Knowledge) -> tuple[str, ...]:
    """Failure modes by severity, for a person to confirm: the critical ones decide about a conversation by themselves."""
    rows = {severity: [mode for mode in knowledge.failure_modes if mode.severity == severity] for severity in SEVERITIES}
    return tuple(
        f"{severity}: {', '.join(f'{mode.id} {mode.name}' for mode in modes)}" for severity, modes in rows.items() if modes
    )


def _statements(knowledge: Knowledge) -> Iterator[tuple[str, str, tuple[Citation, ...]]]:
    for technique in knowledge.techniques:
        yield technique.id, technique.name, technique.sources
    for principle in knowledge.principles:
        yield principle.id, principle.text, principle.sources
    for mode in knowledge.failure_modes:
        yield mode.id, mode.name, mode.sources

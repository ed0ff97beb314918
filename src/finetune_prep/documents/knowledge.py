"""domain-frameworks.md ⇄ Knowledge."""

from __future__ import annotations

import re
from typing import get_args

from finetune_prep.core.knowledge import (
    Anchor,
    Citation,
    Contradiction,
    FailureKind,
    FailureMode,
    Framework,
    Knowledge,
    Preference,
    Principle,
    Source,
    Technique,
)
from finetune_prep.documents.citations import (
    SOURCE_TAIL,
    read_citations,
    read_sources,
    render_citation,
    split_tail,
)
from finetune_prep.documents.document import Form
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.inline import guard, name_and_attributes, prefix, written
from finetune_prep.markdown.page import bullets, fields, heading, id_list, item_heading, page, tail
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.turns import render_conversation

ALWAYS, NEVER = "DO", "DONT"
LISTS = {"Always do": ALWAYS, "Never do": NEVER}
CONTRADICTIONS = "Contradictions between sources"
_PRINCIPLES, _ANCHORS = "Communication principles", "Behavioral anchors"
_IDS = ("F", "T", "P", "FM", "CT", ALWAYS, NEVER, "S")
_SECTIONS = (
    "Frameworks",
    _PRINCIPLES,
    "Failure modes",
    CONTRADICTIONS,
    _ANCHORS,
    *LISTS,
    "Sources",
)
SCHEMA = Schema(
    sections=dict.fromkeys(_SECTIONS, _IDS),
    start=_IDS,
    expects={_PRINCIPLES: "P", "Failure modes": "FM", CONTRADICTIONS: "CT", _ANCHORS: ALWAYS, **LISTS, "Sources": "S"},
    lists=frozenset({_PRINCIPLES, CONTRADICTIONS, _ANCHORS, *LISTS}),
)
_FROM = re.compile(r"from:(?=\s|$)", re.IGNORECASE)
_KINDS: dict[str, FailureKind] = {kind.casefold(): kind for kind in get_args(FailureKind)}


def read(reader: Reader) -> Knowledge:
    parts = list(reader.parts())
    items = [part for part in parts if part.kind == "item"]

    def of(letters: str) -> list[Part]:
        return [part for part in items if prefix(part.id) == letters]

    return Knowledge(
        title=reader.title(next((part for part in parts if part.kind == "title"), None)),
        frameworks=_frameworks(reader, items),
        principles=tuple(_principle(reader, part) for part in of("P")),
        failure_modes=tuple(_failure_mode(reader, part) for part in of("FM")),
        contradictions=tuple(_contradiction(reader, part) for part in of("CT")),
        always=tuple(read_anchor(reader, part) for part in of(ALWAYS)),
        never=tuple(read_anchor(reader, part) for part in of(NEVER)),
        sources=tuple(_source(reader, part) for part in of("S")),
    )


def _frameworks(reader: Reader, items: list[Part]) -> tuple[Framework, ...]:
    """Frameworks with their techniques: `T1.2` belongs to `F1`, wherever it stands."""
    frameworks = [part for part in items if prefix(part.id) == "F"]
    techniques: dict[str, list[Technique]] = {part.id: [] for part in frameworks}
    for part in items:
        if prefix(part.id) != "T":
            continue
        owner = f"F{part.id[1:].partition('.')[0]}"
        if owner in techniques and "." in part.id:
            techniques[owner].append(_technique(reader, part))
        else:
            reader.add(part.node.line, f"{part.id} belongs to no framework", "call it T1.1 if it belongs to F1", part.id)
    return tuple(_framework(reader, part, techniques[part.id]) for part in frameworks)


def _framework(reader: Reader, part: Part, techniques: list[Technique]) -> Framework:
    found = reader.fields(part, ("Idea", "Use when", "Not when"))
    return Framework(
        id=part.id,
        name=reader.name(part),
        idea=found.need("Idea"),
        use_when=found.need("Use when"),
        not_when=found.need("Not when"),
        techniques=tuple(techniques),
    )


def _technique(reader: Reader, part: Part) -> Technique:
    found = reader.fields(part, ("Does", "Use when"), repeated=("Source",), about="Rather than")
    return Technique(
        id=part.id,
        name=reader.name(part),
        does=found.need("Does"),
        use_when=found.need("Use when"),
        rather_than=tuple(Preference(field.about, field.value) for field in found.many("Rather than")),
        sources=read_sources(reader, found, part.id),
        snippets=tuple(talk.conversation for talk in reader.talks(part)),
    )


def _principle(reader: Reader, part: Part) -> Principle:
    text, sources = _cited_text(reader, part, "the principle")
    return Principle(id=part.id, text=text, sources=sources)


def _contradiction(reader: Reader, part: Part) -> Contradiction:
    text, sources = _cited_text(reader, part, "what the sources disagree on")
    return Contradiction(id=part.id, text=text, sources=sources)


def _cited_text(reader: Reader, part: Part, what: str) -> tuple[str, tuple[Citation, ...]]:
    """A list item that is one sentence, and what it cites: behind it or nested below."""
    text, cited = split_tail(part.name, SOURCE_TAIL)
    if not text:
        reader.add(part.node.line, f"{part.id} is empty", f"write {what}: - {part.id}: …", part.id)
    inline = read_citations(reader, cited, part.node.line, part.id) if cited else ()
    nested = read_sources(reader, reader.fields(part, (), repeated=("Source",)), part.id)
    return text, inline + nested


def _failure_mode(reader: Reader, part: Part) -> FailureMode:
    name, attributes = name_and_attributes(part.name)
    kind = _KINDS.get(attributes.casefold())
    if kind is None:
        reader.add(
            part.node.line,
            f"{part.id} does not say what kind of failure it is",
            "end its heading with (AI), (human), (safety) or (ethics)",
            part.id,
        )
        name = part.name
    found = reader.fields(part, ("Instance", "Counter"), repeated=("Source",))
    return FailureMode(
        id=part.id,
        name=name,
        kind=kind or "AI",
        instance=found.need("Instance"),
        counter=found.need("Counter"),
        sources=read_sources(reader, found, part.id),
    )


def read_anchor(reader: Reader, part: Part) -> Anchor:
    text, drawn_from = split_tail(part.name, _FROM)
    ids = reader.ids(drawn_from, part.node.line, part.id) + reader.fields(part, ("From",)).ids("From")
    if not text:
        reader.add(
            part.node.line, f"{part.id} is empty", f"write what can be observed: - {part.id}: Name the fault before …", part.id
        )
    meant = LISTS.get(part.section, prefix(part.id))
    if meant != prefix(part.id):
        reader.add(part.node.line, f"{part.id} stands under “{part.section}”", f"move it, or call it {meant}…", part.id)
    return Anchor(id=part.id, text=text, drawn_from=ids)


def _source(reader: Reader, part: Part) -> Source:
    found = reader.fields(part, ("Publisher", "Published", "Where", "Read"))
    return Source(
        id=part.id,
        title=reader.name(part),
        where=found.need("Where"),
        read=found.get("Read"),
        publisher=found.get("Publisher"),
        published=found.get("Published"),
    )


def render(value: Knowledge) -> str:
    blocks = [heading(1, written(value.title))]
    for framework in value.frameworks:
        blocks += _render_framework(framework)
    if value.principles:
        blocks += [heading(2, _PRINCIPLES), *bullets(map(_render_cited, value.principles))]
    if value.failure_modes:
        blocks.append(heading(2, "Failure modes"))
    for failure in value.failure_modes:
        blocks += _render_failure_mode(failure)
    if value.contradictions:
        blocks += [heading(2, CONTRADICTIONS), *bullets(map(_render_cited, value.contradictions))]
    blocks += render_anchors(value.always, value.never, origins=True)
    if value.sources:
        blocks.append(heading(2, "Sources"))
    for source in value.sources:
        blocks += _render_source(source)
    return page(blocks)


def _citations(sources: tuple[Citation, ...]) -> list[tuple[str, str]]:
    return [("Source", render_citation(source)) for source in sources]


def _render_framework(framework: Framework) -> list[str]:
    blocks = [item_heading(2, framework.id, written(framework.name))]
    blocks += fields([("Idea", framework.idea), ("Use when", framework.use_when), ("Not when", framework.not_when)])
    for technique in framework.techniques:
        preferences = [(f"Rather than {preference.other}", preference.because) for preference in technique.rather_than]
        pairs = [("Does", technique.does), ("Use when", technique.use_when), *preferences, *_citations(technique.sources)]
        blocks += [item_heading(3, technique.id, written(technique.name)), *fields(pairs)]
        blocks += [render_conversation(snippet) for snippet in technique.snippets]
    return blocks


def _render_cited(item: Principle | Contradiction) -> str:
    text = f"{item.id}: {guard(written(item.text), SOURCE_TAIL)}"
    citations = [written(render_citation(source)) for source in item.sources]
    if len(citations) == 1:
        return tail(text, "Source", citations[0])
    return "\n".join([text, *(f"  - Source: {citation}" for citation in citations)])


def _render_failure_mode(failure: FailureMode) -> list[str]:
    pairs = [("Instance", failure.instance), *_citations(failure.sources), ("Counter", failure.counter)]
    return [item_heading(3, failure.id, written(failure.name), failure.kind), *fields(pairs)]


def _render_source(source: Source) -> list[str]:
    pairs = [("Publisher", source.publisher), ("Published", source.published), ("Where", source.where), ("Read", source.read)]
    return [item_heading(3, source.id, written(source.title)), *fields(pairs)]


def render_anchors(always: tuple[Anchor, ...], never: tuple[Anchor, ...], *, origins: bool) -> list[str]:
    """The section with both lists. origins: whether to say what an anchor was drawn from."""
    if not always and not never:
        return []
    blocks = [heading(2, _ANCHORS)]
    for name, anchors in zip(LISTS, (always, never), strict=True):
        blocks.append(heading(3, name))
        blocks.extend(bullets(_render_anchor(anchor, origins) for anchor in anchors))
    return blocks


def _render_anchor(anchor: Anchor, origins: bool) -> str:
    text = f"{anchor.id}: {guard(written(anchor.text), _FROM)}"
    return tail(text, "From", id_list(anchor.drawn_from)) if origins else text


FORM = Form(SCHEMA, read, render)

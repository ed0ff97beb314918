"""domain-frameworks.md ⇄ Knowledge."""

from __future__ import annotations

from typing import get_args

from finetune_prep.core.knowledge import (
    JOB,
    LIMIT,
    RISK,
    SEVERITIES,
    Citation,
    Contradiction,
    FailureKind,
    FailureMode,
    Framework,
    Knowledge,
    Preference,
    Principle,
    Severity,
    Source,
    Technique,
    Wish,
)
from finetune_prep.documents import set_aside
from finetune_prep.documents.citations import (
    SOURCE_TAIL,
    read_citations,
    read_sources,
    render_citation,
    split_tail,
)
from finetune_prep.documents.document import Form
from finetune_prep.documents.knowledge import anchors, facts
from finetune_prep.documents.knowledge.anchors import ALWAYS, LISTS, NEVER, read_anchor, render_anchors
from finetune_prep.documents.knowledge.facts import read_fact, render_fact
from finetune_prep.documents.set_aside import read_set_aside, render_set_aside
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.inline import guard, name_and_attributes, prefix, written
from finetune_prep.markdown.page import bullets, fields, front_matter, heading, id_list, item_heading, page, tail
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.turns import render_conversation

CONTRADICTIONS = "Contradictions between sources"
ASKED_FOR, FAILURE_MODES, SET_ASIDE = "Asked for", "Failure modes", set_aside.SECTION
_PRINCIPLES = "Communication principles"
_WISHES = (JOB, LIMIT, RISK)
_IDS = ("F", "T", "P", "FM", "FA", "CT", ALWAYS, NEVER, "S", *_WISHES)
_NOT_TAKEN = ("AF", "PR")  # failures common to assistants, and proposals of the panel
_SECTIONS = (
    ASKED_FOR,
    "Frameworks",
    _PRINCIPLES,
    FAILURE_MODES,
    facts.SECTION,
    CONTRADICTIONS,
    anchors.SECTION,
    *LISTS,
    "Sources",
)
SCHEMA = Schema(
    sections={**dict.fromkeys(_SECTIONS, _IDS), SET_ASIDE: (*_IDS, *_NOT_TAKEN)},
    start=_IDS,
    expects={
        ASKED_FOR: JOB,
        _PRINCIPLES: "P",
        FAILURE_MODES: "FM",
        facts.SECTION: "FA",
        CONTRADICTIONS: "CT",
        anchors.SECTION: ALWAYS,
        **LISTS,
        SET_ASIDE: "PR",
        "Sources": "S",
    },
    lists=frozenset({ASKED_FOR, _PRINCIPLES, facts.SECTION, CONTRADICTIONS, anchors.SECTION, *LISTS, SET_ASIDE}),
    about=frozenset({SET_ASIDE}),
)
_KINDS: dict[str, FailureKind] = {kind.casefold(): kind for kind in get_args(FailureKind)}
_SEVERITIES: dict[str, Severity] = {severity: severity for severity in SEVERITIES}


def read(reader: Reader) -> Knowledge:
    parts = list(reader.parts())
    items = [part for part in parts if part.kind == "item" and not _is_set_aside(part)]

    def of(letters: str) -> list[Part]:
        return [part for part in items if prefix(part.id) == letters]

    values = reader.front(("panel",))
    return Knowledge(
        title=reader.title(next((part for part in parts if part.kind == "title"), None)),
        asked_for=tuple(_wish(reader, part) for letters in _WISHES for part in of(letters)),
        frameworks=_frameworks(reader, items),
        principles=tuple(_principle(reader, part) for part in of("P")),
        failure_modes=tuple(_failure_mode(reader, part) for part in of("FM")),
        facts=tuple(read_fact(reader, part) for part in of("FA")),
        contradictions=tuple(_contradiction(reader, part) for part in of("CT")),
        always=tuple(read_anchor(reader, part) for part in of(ALWAYS)),
        never=tuple(read_anchor(reader, part) for part in of(NEVER)),
        set_aside=tuple(read_set_aside(reader, part) for part in parts if _is_set_aside(part)),
        panel=reader.ids(values.get("panel", ""), reader.front_line("panel")),
        sources=tuple(_source(reader, part) for part in of("S")),
    )


def _is_set_aside(part: Part) -> bool:
    return part.kind == "item" and part.section == SET_ASIDE and prefix(part.id) in (*_NOT_TAKEN, *_WISHES)


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
    found = reader.fields(part, ("Idea", "Use when", "Not when", "From"))
    return Framework(
        id=part.id,
        name=reader.name(part),
        idea=found.need("Idea"),
        use_when=found.need("Use when"),
        not_when=found.need("Not when"),
        drawn_from=found.ids("From"),
        techniques=tuple(techniques),
    )


def _technique(reader: Reader, part: Part) -> Technique:
    found = reader.fields(part, ("Does", "Use when", "From"), repeated=("Source",), about="Rather than")
    return Technique(
        id=part.id,
        name=reader.name(part),
        does=found.need("Does"),
        use_when=found.need("Use when"),
        rather_than=tuple(Preference(field.about, field.value) for field in found.many("Rather than")),
        drawn_from=found.ids("From"),
        sources=read_sources(reader, found, part.id),
        snippets=tuple(talk.conversation for talk in reader.talks(part)),
    )


def _wish(reader: Reader, part: Part) -> Wish:
    text, sources = _cited_text(reader, part, "what the brief asks for")
    return Wish(id=part.id, text=text, sources=sources)


def _principle(reader: Reader, part: Part) -> Principle:
    text, sources = _cited_text(reader, part, "the principle")
    return Principle(id=part.id, text=text, drawn_from=reader.fields(part, ("From",)).ids("From"), sources=sources)


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
    words = [word.strip().casefold() for word in attributes.split(",")]
    kind = next((_KINDS[word] for word in words if word in _KINDS), None)
    severity = next((_SEVERITIES[word] for word in words if word in _SEVERITIES), None)
    if kind is None:
        fix = "end its heading with a kind and how grave it is: (AI, serious), (human, …), (safety, …) or (ethics, …)"
        reader.add(part.node.line, f"{part.id} does not say what kind of failure it is", fix, part.id)
    elif severity is None:
        fix = f"end its heading with ({kind}, critical), ({kind}, serious) or ({kind}, minor)"
        reader.add(part.node.line, f"{part.id} does not say how grave it is", fix, part.id)
    found = reader.fields(part, ("From", "Instance", "Counter"), repeated=("Source",))
    return FailureMode(
        id=part.id,
        name=name if kind or severity else part.name,
        kind=kind or "AI",
        severity=severity or "serious",
        drawn_from=found.ids("From"),
        instance=found.need("Instance"),
        counter=found.need("Counter"),
        sources=read_sources(reader, found, part.id),
    )


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
    blocks = [*front_matter({"panel": id_list(value.panel)} if value.panel else {}), heading(1, written(value.title))]
    if value.asked_for:
        blocks += [heading(2, ASKED_FOR), *bullets(map(_render_cited, value.asked_for))]
    for framework in value.frameworks:
        blocks += _render_framework(framework)
    if value.principles:
        blocks += [heading(2, _PRINCIPLES), *bullets(map(_render_cited, value.principles))]
    if value.failure_modes:
        blocks.append(heading(2, FAILURE_MODES))
    for failure in value.failure_modes:
        blocks += _render_failure_mode(failure)
    if value.facts:
        blocks += [heading(2, facts.SECTION), *bullets(map(render_fact, value.facts))]
    if value.contradictions:
        blocks += [heading(2, CONTRADICTIONS), *bullets(map(_render_cited, value.contradictions))]
    blocks += render_anchors(value.always, value.never, origins=True)
    if value.set_aside:
        blocks += [heading(2, SET_ASIDE), *bullets(map(render_set_aside, value.set_aside))]
    if value.sources:
        blocks.append(heading(2, "Sources"))
    for source in value.sources:
        blocks += _render_source(source)
    return page(blocks)


def _citations(sources: tuple[Citation, ...]) -> list[tuple[str, str]]:
    return [("Source", render_citation(source)) for source in sources]


def _render_framework(framework: Framework) -> list[str]:
    blocks = [item_heading(2, framework.id, written(framework.name))]
    said = [("Idea", framework.idea), ("Use when", framework.use_when), ("Not when", framework.not_when)]
    blocks += fields([*said, ("From", id_list(framework.drawn_from))])
    for technique in framework.techniques:
        preferences = [(f"Rather than {preference.other}", preference.because) for preference in technique.rather_than]
        pairs = [("Does", technique.does), ("Use when", technique.use_when), *preferences]
        pairs += [("From", id_list(technique.drawn_from)), *_citations(technique.sources)]
        blocks += [item_heading(3, technique.id, written(technique.name)), *fields(pairs)]
        blocks += [render_conversation(snippet) for snippet in technique.snippets]
    return blocks


def _render_cited(item: Wish | Principle | Contradiction) -> str:
    text = f"{item.id}: {guard(written(item.text), SOURCE_TAIL)}"
    citations = [written(render_citation(source)) for source in item.sources]
    nested = [f"  - From: {id_list(item.drawn_from)}"] if isinstance(item, Principle) and item.drawn_from else []
    if len(citations) == 1:
        return "\n".join([tail(text, "Source", citations[0]), *nested])
    return "\n".join([text, *nested, *(f"  - Source: {citation}" for citation in citations)])


def _render_failure_mode(failure: FailureMode) -> list[str]:
    origins = ("From", id_list(failure.drawn_from))
    pairs = [origins, ("Instance", failure.instance), *_citations(failure.sources), ("Counter", failure.counter)]
    return [item_heading(3, failure.id, written(failure.name), f"{failure.kind}, {failure.severity}"), *fields(pairs)]


def _render_source(source: Source) -> list[str]:
    pairs = [("Publisher", source.publisher), ("Published", source.published), ("Where", source.where), ("Read", source.read)]
    return [item_heading(3, source.id, written(source.title)), *fields(pairs)]


FORM = Form(SCHEMA, read, render, Knowledge)

"""generation-prompt.md ⇄ GenerationPrompt."""

from __future__ import annotations

import re

from finetune_prep.core.prompts import GenerationPrompt, Guard, TechniqueUse
from finetune_prep.documents.citations import split_tail
from finetune_prep.documents.document import Form
from finetune_prep.documents.examples import read_few_shot, render_few_shot
from finetune_prep.documents.knowledge import facts
from finetune_prep.documents.knowledge.anchors import ALWAYS, LISTS, NEVER, read_anchor, render_anchors
from finetune_prep.documents.knowledge.facts import read_fact, render_fact
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.inline import guard, prefix, unguard, unguarded, written
from finetune_prep.markdown.page import bullets, fields, heading, id_list, item_heading, page, tail
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.sections import ProseSections, render_prose

ROLE, GROUNDING, ANCHORS, GUARDS = "Role and expertise", "Framework grounding", "Behavioral anchors", "Failure mode guards"
FEW_SHOTS, OUTPUT = "Few-shot examples", "Output format"
_ANCHOR_IDS = (ALWAYS, NEVER)
SCHEMA = Schema(
    sections={
        ROLE: None,
        GROUNDING: ("T",),
        facts.SECTION: ("FA",),
        ANCHORS: _ANCHOR_IDS,
        **dict.fromkeys(LISTS, _ANCHOR_IDS),
        GUARDS: ("GD",),
        FEW_SHOTS: ("X",),
        OUTPUT: None,
    },
    expects={GROUNDING: "T", facts.SECTION: "FA", **LISTS, ANCHORS: ALWAYS, GUARDS: "GD", FEW_SHOTS: "X"},
    lists=frozenset({facts.SECTION, ANCHORS, GUARDS, *LISTS}),
)
_ARROW = re.compile(r"→|⇒|->|=>")
_COUNTERS = re.compile(r"counters:(?=\s|$)", re.IGNORECASE)
_IF = re.compile(r"if(?:\s+|\Z)", re.IGNORECASE)


def read(reader: Reader) -> GenerationPrompt:
    parts = list(reader.parts())
    prose = ProseSections(reader, parts)

    def of(letters: str) -> list[Part]:
        return [part for part in parts if part.kind == "item" and prefix(part.id) == letters]

    return GenerationPrompt(
        title=reader.title(next((part for part in parts if part.kind == "title"), None)),
        role=prose.need(ROLE),
        grounding=prose.get(GROUNDING),
        techniques=tuple(_technique(reader, part) for part in of("T")),
        facts=tuple(read_fact(reader, part) for part in of("FA")),
        always=tuple(read_anchor(reader, part) for part in of(ALWAYS)),
        never=tuple(read_anchor(reader, part) for part in of(NEVER)),
        guards=tuple(_guard(reader, part) for part in of("GD")),
        few_shots=tuple(read_few_shot(reader, part) for part in of("X")),
        output=prose.get(OUTPUT),
    )


def _technique(reader: Reader, part: Part) -> TechniqueUse:
    found = reader.fields(part, ("Use when", "In words"))
    return TechniqueUse(id=part.id, name=reader.name(part), use_when=found.need("Use when"), in_words=found.need("In words"))


def _guard(reader: Reader, part: Part) -> Guard:
    text, counters = split_tail(part.name, _COUNTERS)
    arrow = unguarded(_ARROW).search(text)
    when, then = (text[: arrow.start()].strip(), text[arrow.end() :].strip()) if arrow else (text, "")
    when = unguard(_IF.sub("", when, count=1) if _IF.match(when) else when, _ARROW)
    if not when or not then:
        fix = f"write: - {part.id}: If this happens → do this. Counters: FM1"
        reader.add(part.node.line, f"{part.id} does not say what to do when", fix, part.id)
    ids = reader.ids(counters, part.node.line, part.id) + reader.fields(part, ("Counters",)).ids("Counters")
    return Guard(id=part.id, when=when, then=then, counters=ids)


def render(value: GenerationPrompt) -> str:
    blocks = [heading(1, written(value.title)), *render_prose(SCHEMA, ROLE, value.role)]
    blocks += render_prose(SCHEMA, GROUNDING, value.grounding) or ([heading(2, GROUNDING)] if value.techniques else [])
    for technique in value.techniques:
        pairs = [("Use when", technique.use_when), ("In words", technique.in_words)]
        blocks += [item_heading(3, technique.id, written(technique.name)), *fields(pairs)]
    if value.facts:
        blocks += [heading(2, facts.SECTION), *bullets(map(render_fact, value.facts))]
    blocks += render_anchors(value.always, value.never, origins=False)
    if value.guards:
        blocks += [heading(2, GUARDS), *bullets(map(_render_guard, value.guards))]
    if value.few_shots:
        blocks.append(heading(2, FEW_SHOTS))
    for example in value.few_shots:
        blocks += render_few_shot(example, 3)
    return page(blocks + render_prose(SCHEMA, OUTPUT, value.output))


def _render_guard(item: Guard) -> str:
    when = guard(guard(written(item.when), _ARROW), _COUNTERS)
    then = guard(written(item.then), _COUNTERS)
    return tail(f"{item.id}: If {when} → {then}", "Counters", id_list(item.counters))


FORM = Form(SCHEMA, read, render, GenerationPrompt)

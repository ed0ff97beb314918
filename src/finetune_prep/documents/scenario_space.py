"""scenario-space.md ⇄ ScenarioSpace."""

from __future__ import annotations

import re
from collections.abc import Mapping

from finetune_prep.core.scenarios.space import (
    REACTIONS,
    Arc,
    Difficulty,
    Flaw,
    Gap,
    Length,
    Person,
    Reactions,
    ScenarioSpace,
    Situation,
    SpecialCase,
    Style,
    Topic,
)
from finetune_prep.documents.citations import split_tail
from finetune_prep.documents.document import Form
from finetune_prep.documents.set_aside import SECTION as SET_ASIDE
from finetune_prep.documents.set_aside import read_set_aside, render_set_aside
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.inline import guard, name_and_attributes, number, prefix, read_number, written
from finetune_prep.markdown.page import bullets, fields, front_matter, heading, id_list, item_heading, page, tail
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.method import limits

Weighed = Topic | Person | Style | Difficulty | Flaw | Length | Arc | Gap
_SHARES = {
    "edge_share": limits.EDGE_SHARE,
    "out_of_scope_share": limits.OUT_OF_SCOPE_SHARE,
    "no_flaw_share": limits.NO_FLAW_SHARE,
}
_SECTIONS = {
    "Topics": "TP",
    "People": "PE",
    "User styles": "ST",
    "Difficulty": "DF",
    "User flaws": "FL",
    "Lengths": "LN",
    "Arcs": "AR",
    "Gaps": "GP",
    "Edge cases": "ED",
    "Out of scope": "OS",
    SET_ASIDE: "PR",
}
_IDS = tuple(_SECTIONS.values())
SCHEMA = Schema(sections=dict.fromkeys(_SECTIONS, _IDS), start=_IDS, expects=_SECTIONS, lists=frozenset({SET_ASIDE}))
_ATTRIBUTE = re.compile(r"(?<![A-Za-z])(?P<key>[A-Za-z]{1,20}) ?[:=]? ?(?P<value>[0-9.][^\s,;]*(?: ?[-–—] ?[0-9]+)?)")
_MATERIAL = re.compile(r"material:(?=\s|$)", re.IGNORECASE)
_REACTION = re.compile(r"(?P<reaction>[a-z]+(?: [a-z]+)?)\s*[:=]?\s*(?P<share>[0-9.][^\s,]*)", re.IGNORECASE)
_RANGE = re.compile(r"(?P<fewest>[0-9]{1,6})\s*[-–—]\s*(?P<most>[0-9]{1,6})")
_WHOLE = re.compile(r"[0-9]{1,6}")


def read(reader: Reader) -> ScenarioSpace:
    parts = list(reader.parts())
    items: dict[str, list[Part]] = {letters: [] for letters in _IDS}
    for part in parts:
        if part.kind == "item":
            items[prefix(part.id)].append(part)
    values = reader.front((*_SHARES, "reactions", "panel"))
    return ScenarioSpace(
        title=reader.title(next((part for part in parts if part.kind == "title"), None)),
        topics=_topics(reader, items["TP"]),
        people=tuple(_person(reader, part) for part in items["PE"]),
        styles=tuple(_style(reader, part) for part in items["ST"]),
        difficulties=tuple(_difficulty(reader, part) for part in items["DF"]),
        flaws=tuple(_flaw(reader, part) for part in items["FL"]),
        lengths=tuple(_length(reader, part) for part in items["LN"]),
        arcs=tuple(_arc(reader, part) for part in items["AR"]),
        gaps=tuple(_gap(reader, part) for part in items["GP"]),
        edge_cases=tuple(_special_case(reader, part) for part in items["ED"]),
        out_of_scope=tuple(_special_case(reader, part) for part in items["OS"]),
        set_aside=tuple(read_set_aside(reader, part) for part in items["PR"]),
        reactions=_reactions(reader, values),
        panel=reader.ids(values.get("panel", ""), reader.front_line("panel")),
        **{key: reader.share(values, key, default) for key, default in _SHARES.items()},
    )


def _reactions(reader: Reader, values: Mapping[str, str]) -> Reactions:
    """`answers 0.5, half 0.2, pushes back 0.1, ignores 0.2`; what is not named there never happens."""
    if "reactions" not in values:
        return Reactions()
    shares: dict[str, float] = {}
    for piece in values["reactions"].split(","):
        found = _REACTION.fullmatch(piece.strip())
        share = read_number(found["share"]) if found else None
        name = found["reaction"].casefold() if found else ""
        if share is None or name not in REACTIONS:
            fix = f"write shares of {', '.join(REACTIONS)}, for example `reactions: {_written_reactions(Reactions())}`"
            reader.add(reader.front_line("reactions"), f"“{piece.strip()[:60]}” is not the share of a reaction", fix)
            return Reactions()
        shares[name.replace(" ", "_")] = share
    return Reactions(**dict.fromkeys(("answers", "half", "pushes_back", "ignores"), 0.0) | shares)


def _written_reactions(reactions: Reactions) -> str:
    return ", ".join(f"{name} {number(share)}" for name, share in reactions.shares.items())


def _named(reader: Reader, part: Part, example: str) -> tuple[str, float, Mapping[str, str]]:
    """Name, weight and attributes of an item. example: the attributes as they should be written."""
    name, text = name_and_attributes(part.name)
    attributes = {found["key"].casefold(): found["value"] for found in _ATTRIBUTE.finditer(text)}
    weight = read_number(attributes.get("weight", ""))
    if weight is None or weight < 0:
        reader.add(part.node.line, f"{part.id} has no weight", f"end its heading with ({example})", part.id)
        weight = 1.0
    if not attributes:
        name = part.name
    if not name:
        reader.add(part.node.line, f"{part.id} has no name", f"write its name after “{part.id}.”", part.id)
    return name, weight, attributes


def _topics(reader: Reader, parts: list[Part]) -> tuple[Topic, ...]:
    situations: dict[str, list[Situation]] = {part.id: [] for part in parts if "." not in part.id}
    for part in parts:
        owner, dot, _ = part.id.partition(".")
        if not dot:
            continue
        if owner in situations:
            situations[owner].append(Situation(part.id, *_with_material(reader, part)))
        else:
            reader.add(
                part.node.line,
                f"{part.id} belongs to no topic",
                f"write the topic above it: ### {owner}. … (weight 0.2)",
                part.id,
            )
    return tuple(_topic(reader, part, situations[part.id]) for part in parts if part.id in situations)


def _topic(reader: Reader, part: Part, situations: list[Situation]) -> Topic:
    name, weight, _ = _named(reader, part, "weight 0.2")
    found = reader.fields(part, ("Jobs", "Techniques", "From"))
    return Topic(
        id=part.id,
        name=name,
        weight=weight,
        situations=tuple(situations),
        jobs=found.ids("Jobs"),
        techniques=found.ids("Techniques"),
        drawn_from=found.ids("From"),
    )


def _with_material(reader: Reader, part: Part) -> tuple[str, str]:
    """What happened, and what the user has at hand: behind it or nested below."""
    text, material = split_tail(part.name, _MATERIAL)
    if not text:
        reader.add(part.node.line, f"{part.id} is empty", f"write what happened: - {part.id}: …", part.id)
    return text, material or reader.fields(part, ("Material",)).get("Material")


def _person(reader: Reader, part: Part) -> Person:
    name, weight, _ = _named(reader, part, "weight 0.3")
    found = reader.fields(part, ("Who", "Writes", "Keeps back"))
    return Person(
        id=part.id,
        name=name,
        weight=weight,
        who=found.need("Who"),
        writes=found.get("Writes"),
        keeps_back=found.get("Keeps back"),
    )


def _style(reader: Reader, part: Part) -> Style:
    example = "weight 0.2, words 20-60"
    name, weight, attributes = _named(reader, part, example)
    words = _RANGE.fullmatch(attributes.get("words", ""))
    fewest, most = (int(words["fewest"]), int(words["most"])) if words else (1, 0)
    if fewest > most:
        reader.add(part.node.line, f"{part.id} has no range of words per message", f"end its heading with ({example})", part.id)
        fewest, most = 20, 60
    sounds_like = reader.fields(part, ("Sounds like",)).get("Sounds like")
    return Style(id=part.id, name=name, weight=weight, fewest=fewest, most=most, sounds_like=sounds_like)


def _difficulty(reader: Reader, part: Part) -> Difficulty:
    name, weight, _ = _named(reader, part, "weight 0.3")
    return Difficulty(id=part.id, name=name, weight=weight, means=reader.fields(part, ("Means",)).get("Means"))


def _flaw(reader: Reader, part: Part) -> Flaw:
    name, weight, _ = _named(reader, part, "weight 0.2")
    found = reader.fields(part, ("Shows as", "From exchange", "Not with"))
    first = found.get("From exchange") or "1"
    if not _WHOLE.fullmatch(first) or int(first) < 1:
        fix = "write the number of the first exchange in which it can show: - From exchange: 2"
        reader.add(part.node.line, f"{part.id} shows from exchange “{first[:60]}” on", fix, part.id)
        first = "1"
    return Flaw(
        id=part.id,
        name=name,
        weight=weight,
        shows_as=found.get("Shows as"),
        from_exchange=int(first),
        not_with=found.ids("Not with"),
    )


def _length(reader: Reader, part: Part) -> Length:
    example = "weight 0.5, exchanges 2"
    name, weight, attributes = _named(reader, part, example)
    written = attributes.get("exchanges", "")
    exchanges = int(written) if _WHOLE.fullmatch(written) else 0
    if exchanges < 1:
        reader.add(part.node.line, f"{part.id} has no number of exchanges", f"end its heading with ({example})", part.id)
    return Length(id=part.id, name=name, weight=weight, exchanges=max(exchanges, 1))


def _arc(reader: Reader, part: Part) -> Arc:
    name, weight, _ = _named(reader, part, "weight 0.3")
    return Arc(id=part.id, name=name, weight=weight, means=reader.fields(part, ("Means",)).get("Means"))


def _gap(reader: Reader, part: Part) -> Gap:
    example = "weight 0.5, days 2-6"
    name, weight, attributes = _named(reader, part, example)
    written = attributes.get("days", "")
    days = _RANGE.fullmatch(written)
    fewest, most = (
        (int(days["fewest"]), int(days["most"])) if days else (int(written),) * 2 if _WHOLE.fullmatch(written) else (1, 0)
    )
    if fewest > most:
        reader.add(part.node.line, f"{part.id} has no number of days", f"end its heading with ({example})", part.id)
        fewest, most = 1, 1
    reads = reader.fields(part, ("Reads",)).get("Reads")
    return Gap(id=part.id, name=name, weight=weight, fewest=fewest, most=most, reads=reads)


def _special_case(reader: Reader, part: Part) -> SpecialCase:
    found = reader.fields(part, ("Situation", "Expected", "Topic", "From"))
    topic = next(iter(found.ids("Topic")), "")
    return SpecialCase(
        id=part.id,
        name=reader.name(part),
        situation=found.need("Situation"),
        expected=found.get("Expected"),
        topic=topic,
        drawn_from=found.ids("From"),
    )


def render(value: ScenarioSpace) -> str:
    front = {key: number(getattr(value, key)) for key in _SHARES}
    front["reactions"] = _written_reactions(value.reactions)
    if value.panel:
        front["panel"] = id_list(value.panel)
    blocks = front_matter(front)
    blocks.append(heading(1, written(value.title)))
    sections = {
        "Topics": [_render_topic(topic) for topic in value.topics],
        "People": [_render_person(person) for person in value.people],
        "User styles": [_render_style(style) for style in value.styles],
        "Difficulty": [_render_item(item, "", ("Means", item.means)) for item in value.difficulties],
        "User flaws": [_render_flaw(flaw) for flaw in value.flaws],
        "Lengths": [_render_item(item, f", exchanges {item.exchanges}") for item in value.lengths],
        "Arcs": [_render_item(item, "", ("Means", item.means)) for item in value.arcs],
        "Gaps": [_render_gap(gap) for gap in value.gaps],
        "Edge cases": [_render_special_case(case) for case in value.edge_cases],
        "Out of scope": [_render_special_case(case) for case in value.out_of_scope],
        SET_ASIDE: [bullets(render_set_aside(item) for item in value.set_aside)],
    }
    for name, items in sections.items():
        if any(items):
            blocks += [heading(2, name), *(block for item in items for block in item)]
    return page(blocks)


def _render_item(
    item: Topic | Person | Style | Difficulty | Flaw | Length | Arc | Gap, more: str, *pairs: tuple[str, str]
) -> list[str]:
    attributes = f"weight {number(item.weight)}{more}"
    return [item_heading(3, item.id, written(item.name), attributes), *fields(pairs)]


def _render_topic(topic: Topic) -> list[str]:
    lines = [f"{found.id}: {_render_situation(found)}" for found in topic.situations]
    pairs = (("Jobs", topic.jobs), ("Techniques", topic.techniques), ("From", topic.drawn_from))
    lines += [f"{key}: {id_list(ids)}" for key, ids in pairs if ids]
    return [*_render_item(topic, ""), *bullets(lines)]


def _render_situation(situation: Situation) -> str:
    return tail(guard(written(situation.text), _MATERIAL), "Material", written(situation.material))


def _render_person(person: Person) -> list[str]:
    return _render_item(person, "", ("Who", person.who), ("Writes", person.writes), ("Keeps back", person.keeps_back))


def _render_style(style: Style) -> list[str]:
    return _render_item(style, f", words {style.fewest}-{style.most}", ("Sounds like", style.sounds_like))


def _render_flaw(flaw: Flaw) -> list[str]:
    first = str(flaw.from_exchange) if flaw.from_exchange > 1 else ""
    pairs = (("Shows as", flaw.shows_as), ("From exchange", first), ("Not with", id_list(flaw.not_with)))
    return _render_item(flaw, "", *pairs)


def _render_gap(gap: Gap) -> list[str]:
    days = f"{gap.fewest}-{gap.most}" if gap.fewest < gap.most else str(gap.fewest)
    return _render_item(gap, f", days {days}", ("Reads", gap.reads))


def _render_special_case(case: SpecialCase) -> list[str]:
    pairs = [
        ("Situation", case.situation),
        ("Expected", case.expected),
        ("Topic", case.topic),
        ("From", id_list(case.drawn_from)),
    ]
    return [item_heading(3, case.id, written(case.name)), *fields(pairs)]


FORM = Form(SCHEMA, read, render, ScenarioSpace)

"""scenario-space.md ⇄ ScenarioSpace."""

from __future__ import annotations

import re
from collections.abc import Mapping

from finetune_prep.core.scenario import Difficulty, Flaw, Length, ScenarioSpace, Situation, SpecialCase, Style, Topic
from finetune_prep.documents.document import Form
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.inline import name_and_attributes, number, prefix, read_number, written
from finetune_prep.markdown.page import bullets, fields, front_matter, heading, id_list, item_heading, page
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.method import limits

_SHARES = {
    "edge_share": limits.EDGE_SHARE,
    "out_of_scope_share": limits.OUT_OF_SCOPE_SHARE,
    "no_flaw_share": limits.NO_FLAW_SHARE,
}
_SECTIONS = {
    "Topics": "TP",
    "User styles": "ST",
    "Difficulty": "DF",
    "User flaws": "FL",
    "Lengths": "LN",
    "Edge cases": "ED",
    "Out of scope": "OS",
}
_IDS = tuple(_SECTIONS.values())
SCHEMA = Schema(sections=dict.fromkeys(_SECTIONS, _IDS), start=_IDS, expects=_SECTIONS)
_ATTRIBUTE = re.compile(r"(?<![A-Za-z])(?P<key>[A-Za-z]{1,20}) ?[:=]? ?(?P<value>[0-9.][^\s,;]*(?: ?[-–—] ?[0-9]+)?)")
_RANGE = re.compile(r"(?P<fewest>[0-9]{1,6})\s*[-–—]\s*(?P<most>[0-9]{1,6})")
_WHOLE = re.compile(r"[0-9]{1,6}")


def read(reader: Reader) -> ScenarioSpace:
    parts = list(reader.parts())
    items: dict[str, list[Part]] = {letters: [] for letters in _IDS}
    for part in parts:
        if part.kind == "item":
            items[prefix(part.id)].append(part)
    values = reader.front(tuple(_SHARES))
    return ScenarioSpace(
        title=reader.title(next((part for part in parts if part.kind == "title"), None)),
        topics=_topics(reader, items["TP"]),
        styles=tuple(_style(reader, part) for part in items["ST"]),
        difficulties=tuple(_difficulty(reader, part) for part in items["DF"]),
        flaws=tuple(_flaw(reader, part) for part in items["FL"]),
        lengths=tuple(_length(reader, part) for part in items["LN"]),
        edge_cases=tuple(_special_case(reader, part) for part in items["ED"]),
        out_of_scope=tuple(_special_case(reader, part) for part in items["OS"]),
        **{key: reader.share(values, key, default) for key, default in _SHARES.items()},
    )


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
            situations[owner].append(Situation(part.id, part.name))
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
    techniques = reader.fields(part, ("Techniques",)).ids("Techniques")
    return Topic(id=part.id, name=name, weight=weight, situations=tuple(situations), techniques=techniques)


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
    return Flaw(id=part.id, name=name, weight=weight, shows_as=reader.fields(part, ("Shows as",)).get("Shows as"))


def _length(reader: Reader, part: Part) -> Length:
    example = "weight 0.5, exchanges 2"
    name, weight, attributes = _named(reader, part, example)
    written = attributes.get("exchanges", "")
    exchanges = int(written) if _WHOLE.fullmatch(written) else 0
    if exchanges < 1:
        reader.add(part.node.line, f"{part.id} has no number of exchanges", f"end its heading with ({example})", part.id)
    return Length(id=part.id, name=name, weight=weight, exchanges=max(exchanges, 1))


def _special_case(reader: Reader, part: Part) -> SpecialCase:
    found = reader.fields(part, ("Situation", "Expected", "Topic"))
    topic = next(iter(found.ids("Topic")), "")
    return SpecialCase(
        id=part.id, name=reader.name(part), situation=found.need("Situation"), expected=found.get("Expected"), topic=topic
    )


def render(value: ScenarioSpace) -> str:
    blocks = front_matter({key: number(getattr(value, key)) for key in _SHARES})
    blocks.append(heading(1, written(value.title)))
    sections = {
        "Topics": [_render_topic(topic) for topic in value.topics],
        "User styles": [_render_style(style) for style in value.styles],
        "Difficulty": [_render_item(item, "", ("Means", item.means)) for item in value.difficulties],
        "User flaws": [_render_item(item, "", ("Shows as", item.shows_as)) for item in value.flaws],
        "Lengths": [_render_item(item, f", exchanges {item.exchanges}") for item in value.lengths],
        "Edge cases": [_render_special_case(case) for case in value.edge_cases],
        "Out of scope": [_render_special_case(case) for case in value.out_of_scope],
    }
    for name, items in sections.items():
        if items:
            blocks += [heading(2, name), *(block for item in items for block in item)]
    return page(blocks)


def _render_item(item: Topic | Style | Difficulty | Flaw | Length, more: str, *pairs: tuple[str, str]) -> list[str]:
    attributes = f"weight {number(item.weight)}{more}"
    return [item_heading(3, item.id, written(item.name), attributes), *fields(pairs)]


def _render_topic(topic: Topic) -> list[str]:
    lines = [f"{situation.id}: {written(situation.text)}" for situation in topic.situations]
    if topic.techniques:
        lines.append(f"Techniques: {id_list(topic.techniques)}")
    return [*_render_item(topic, ""), *bullets(lines)]


def _render_style(style: Style) -> list[str]:
    return _render_item(style, f", words {style.fewest}-{style.most}", ("Sounds like", style.sounds_like))


def _render_special_case(case: SpecialCase) -> list[str]:
    pairs = [("Situation", case.situation), ("Expected", case.expected), ("Topic", case.topic)]
    return [item_heading(3, case.id, written(case.name)), *fields(pairs)]


FORM = Form(SCHEMA, read, render)

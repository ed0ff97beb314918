"""The table of facts: `- FA1: Return postage: €6.90 (price; within the EU). Source: S04 "…"`, or `Confirmed by: a name`."""

from __future__ import annotations

import re
from typing import get_args

from finetune_prep.core.knowledge import Fact, FactKind
from finetune_prep.documents.citations import SOURCE_TAIL, read_citations, read_sources, render_citation, split_tail
from finetune_prep.markdown.inline import guard, unguard, unguarded, written
from finetune_prep.markdown.page import tails
from finetune_prep.markdown.reader import Part, Reader

SECTION = "Facts"
_KINDS: dict[str, FactKind] = {kind: kind for kind in get_args(FactKind)}
_CONFIRMED = re.compile(r"confirmed by:(?=\s|$)", re.IGNORECASE)
_NAME_END = re.compile(r"[:：](?=\s|$)")
_KIND_START = re.compile(rf"\((?:{'|'.join(_KINDS)})\s*[;)]", re.IGNORECASE)
_KIND = re.compile(rf"(?<!\\)\((?P<kind>{'|'.join(_KINDS)})\s*(?:;\s*(?P<scope>.*?)\s*)?\)\s*\.?\s*\Z", re.IGNORECASE | re.DOTALL)


def read_fact(reader: Reader, part: Part) -> Fact:
    rest, confirmed = split_tail(part.name, _CONFIRMED)
    rest, cited = split_tail(rest, SOURCE_TAIL)
    nested = reader.fields(part, ("Confirmed by",), repeated=("Source",))
    found = _KIND.search(rest)
    if found is None:
        fix = f"end it with the kind of fact in parentheses, which is one of: {', '.join(_KINDS)}"
        reader.add(part.node.line, f"{part.id} does not say what kind of fact it is", fix, part.id)
    name, value = _name_and_value(rest[: found.start()].strip() if found else rest)
    if not name or not value:
        fix = f"write both: - {part.id}: Return postage: €6.90 (price)"
        reader.add(part.node.line, f"{part.id} has no name or no value", fix, part.id)
    inline = read_citations(reader, cited, part.node.line, part.id) if cited else ()
    return Fact(
        id=part.id,
        name=name,
        value=value,
        kind=_KINDS[found["kind"].casefold()] if found else "other",
        scope=(found["scope"] or "") if found else "",
        sources=inline + read_sources(reader, nested, part.id),
        confirmed_by=confirmed.removesuffix(".") or nested.get("Confirmed by").removesuffix("."),
    )


def _name_and_value(text: str) -> tuple[str, str]:
    end = unguarded(_NAME_END).search(text)
    name, value = (text[: end.start()], text[end.end() :]) if end else ("", text)
    return unguard(unguard(name, _NAME_END), _KIND_START).strip(), unguard(value, _KIND_START).strip()


def render_fact(fact: Fact) -> str:
    name = guard(written(fact.name), _NAME_END)
    end = " :" if name.endswith("\\") else ":"  # a backslash before the colon would guard it
    said = guard(f"{name}{end} {written(fact.value)}", _KIND_START)
    kind = f"{fact.kind}; {written(fact.scope)}" if fact.scope else fact.kind
    text = f"{fact.id}: {guard(guard(f'{said} ({kind}).', SOURCE_TAIL), _CONFIRMED)}"
    citations = [written(render_citation(source)) for source in fact.sources]
    confirmed = ("Confirmed by", written(fact.confirmed_by))
    if len(citations) <= 1:
        return tails(text, [("Source", "".join(citations), _CONFIRMED), (*confirmed, None)])
    nested = [*(("Source", citation) for citation in citations), confirmed]
    return "\n".join([text, *(f"  - {key}: {value}" for key, value in nested if value)])

"""Gates of the table of facts: what replies may state as contact, price or date has somebody or something behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import UNSOURCED
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import need

_DIGITS = re.compile(r"[0-9]+")


def vouched_for(documents: Documents) -> Iterable[Finding]:
    """Every fact has the words of a source behind it, or the name of who confirms it."""
    document, knowledge = need(documents, Documents.knowledge)
    for fact in knowledge.facts:
        quoted = any(citation.source != UNSOURCED and citation.quote.strip() for citation in fact.sources)
        if not quoted and not fact.confirmed_by.strip():
            yield document.finding(
                f"nobody vouches for {fact.id} “{fact.name}: {fact.value}”",
                'add “Source: S01 "the words that say it"”, or “Confirmed by: ” and the name of who knows it, or drop it',
                fact.id,
            )


def as_quoted(documents: Documents) -> Iterable[Finding]:
    """The figures of a fact stand in the words that it quotes, unless somebody confirms them."""
    document, knowledge = need(documents, Documents.knowledge)
    for fact in knowledge.facts:
        quotes = [citation.quote for citation in fact.sources if citation.source != UNSOURCED and citation.quote.strip()]
        if not quotes or fact.confirmed_by.strip():
            continue
        figures = _figures(fact.value)
        if figures and not any(figures in _figures(quote) for quote in quotes):
            yield document.finding(
                f"{fact.id} states “{fact.value}”, and its quotation does not: “{quotes[0]}”",
                "copy the figure from the source, quote the place that states it, or name who confirms it",
                fact.id,
            )


def _figures(text: str) -> str:
    """All digits of a text in a row: "01 406 43 43" and "01/4064343" are the same number."""
    return "".join(_DIGITS.findall(text))


def distinct(documents: Documents) -> Iterable[Finding]:
    """No two facts of a name and scope state different values."""
    document, knowledge = need(documents, Documents.knowledge)
    first: dict[tuple[str, str], str] = {}
    for fact in knowledge.facts:
        key = (fact.name.casefold(), fact.scope.casefold())
        other = first.setdefault(key, fact.id)
        if other != fact.id:
            yield document.finding(
                f"{fact.id} and {other} are both “{fact.name}”, for the same cases",
                "keep the one that holds, or say in parentheses for whom each of them does",
                fact.id,
            )

"""Whether a quotation stands in a source, says enough to prove anything, and means there what it means here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import BRIEF, Citation, Knowledge
from finetune_prep.core.quotes import find_quote
from finetune_prep.documents.document import Document
from finetune_prep.method import limits
from finetune_prep.words import count_words, split_words

FEWEST_OF_BRIEF = 2  # a brief is short, and its author's own
NEAR = 0.6  # score from which the nearest passage is worth showing
_BEFORE = 60  # characters before a quotation in which a negation is looked for
_CLAUSE_END = re.compile(r"[.!?;:,。！？；：，\n]")
_REACH = 2  # words before a quotation: "never ever say that"
_NEGATIONS_LIST = """
never not no nor nobody none cannot can't don't doesn't didn't won't wouldn't shouldn't mustn't isn't aren't wasn't without
avoid refuse refrain nicht nie niemals kein keine keinen keinem keiner ohne no nunca jamás sin ne pas jamais sans non mai senza
não nem sem niet nooit geen zonder inte aldrig ikke aldri nie nigdy bez nikdy не никогда нет без
"""
NEGATIONS = frozenset(_NEGATIONS_LIST.split())
_UNSPACED_NEGATION = re.compile(r"(?:不|没|沒|别|別|勿|莫|未|無)(?:要|能|可|得|会|該)?\s*\Z")


def quote_findings(document: Document[Knowledge], item: str, citation: Citation, copy: str) -> Iterator[Finding]:
    """What is wrong with a citation of a source. copy: the source's text."""
    quote, source = citation.quote.strip(), citation.source
    path = "brief.md" if source == BRIEF else f"reference/sources/{source}.md"
    if not quote:
        yield document.finding(
            f"{item} cites {source} without its words", f'copy the sentence it rests on: Source: {source} "…"', item
        )
        return
    if count_words(quote) < (FEWEST_OF_BRIEF if source == BRIEF else limits.QUOTE.fewest):
        yield document.finding(
            f"{item} quotes only “{quote}” from {source}", "quote the whole clause: these words prove nothing", item
        )
        return
    match = find_quote(quote, copy)
    if match.exact:
        if negation := _negation_before(copy, match.start):
            yield document.finding(
                f"{item} quotes {source} from behind a “{negation}”: “{clipped(quote)}”",
                f"quote with the “{negation}”, and say what that means, or drop the citation",
                item,
            )
        return
    if match.score < NEAR:
        fix = f"nothing like it stands in {path}: quote what does, or write “Source: expert, unsourced”"
    else:
        passage = " ".join(copy[match.start : match.end].split())
        nearest = f"“{clipped(passage)}” ({match.score:.0%} the same)"
        fix = f"the nearest passage is {nearest}: copy it from {path}, or drop the citation"
    yield document.finding(f"{item} quotes words that {source} does not hold: “{clipped(quote)}”", fix, item)


def _negation_before(text: str, start: int) -> str:
    """The negation that stands right before a place within its clause, and turns round what follows; "" if there is none."""
    clause = _CLAUSE_END.split(text[max(start - _BEFORE, 0) : start].replace("’", "'"))[-1]
    if unspaced := _UNSPACED_NEGATION.search(clause):
        return unspaced[0].strip()
    words = split_words(clause)
    # a capital within a clause marks a noun in German: "in Not" is no "not"
    plain = [word if number else word.casefold() for number, word in enumerate(words)]
    return next((word for word in reversed(plain[-_REACH:]) if word in NEGATIONS), "")


def clipped(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"

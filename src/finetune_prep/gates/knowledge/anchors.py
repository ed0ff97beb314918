"""Gates of the anchors phase: the Always do and Never do lists of domain-frameworks.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations

from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import need, need_english
from finetune_prep.gates.wording import lacks_verb_first, overlap, vague_words
from finetune_prep.method import limits

SAME = 0.6  # share of content words from which two anchors probably check the same thing
SECTION = "behavioral anchors"
# how an instruction begins that forbids something; by language, since the same letters mean other things elsewhere
_NEGATED = {
    language: re.compile(rf"(?:{words})\b" if language not in ("zh", "ja") else f"(?:{words})", re.IGNORECASE)
    for language, words in {
        "en": r"(?:please\s+|always\s+)?(?:do not|don't|never|not|avoid|avoiding|refrain)",
        "de": r"(?:bitte\s+)?(?:niemals|nie|nicht|vermeiden?|vermeide|keine?[mnrs]?)",
        "es": r"no|nunca|jamás|evit(?:ar?|e)",
        "fr": r"ne|n'\w+|jamais|évite[rz]?",
        "it": r"non|mai|evita(?:re)?",
        "pt": r"não|nunca|jamais|evit(?:ar?|e)",
        "nl": r"niet|nooit|geen|vermijd(?:en)?",
        "zh": "不要|不得|不可|切勿|请勿|避免|绝不|从不|别",
        "ja": "決して|絶対に",
    }.items()
}


def _knowledge(documents: Documents) -> tuple[Document[Knowledge], Knowledge]:
    return need(documents, Documents.knowledge)


def always_count(documents: Documents) -> Iterable[Finding]:
    """As many behaviours that every reply shows as the method wants."""
    document, knowledge = _knowledge(documents)
    yield from _count(document, len(knowledge.always), limits.ALWAYS, "Always do")


def never_count(documents: Documents) -> Iterable[Finding]:
    """As many behaviours that no reply shows as the method wants."""
    document, knowledge = _knowledge(documents)
    yield from _count(document, len(knowledge.never), limits.NEVER, "Never do")


def _count(document: Document[Knowledge], count: int, limits: tuple[int, int], heading: str) -> Iterable[Finding]:
    fewest, most = limits
    if count < fewest:
        yield document.finding(
            f"{count} anchors under “{heading}”", f"write {fewest} to {most}: at least {fewest - count} more", SECTION
        )
    elif count > most:
        yield document.finding(
            f"{count} anchors under “{heading}”", f"keep {fewest} to {most}: merge or drop {count - most}", SECTION
        )


def failures_countered(documents: Documents) -> Iterable[Finding]:
    """Every failure mode is countered by at least one anchor."""
    document, knowledge = _knowledge(documents)
    countered = {origin for anchor in knowledge.anchors for origin in anchor.drawn_from}
    for mode in knowledge.failure_modes:
        if mode.id not in countered:
            yield document.finding(
                f"no anchor counters {mode.id} “{mode.name}”",
                f"add {mode.id} to the “From:” of the anchor that would have prevented it, or write that anchor",
                mode.id,
            )


def drawn_from(documents: Documents) -> Iterable[Finding]:
    """Every anchor says what it was drawn from, and that exists."""
    document, knowledge = _knowledge(documents)
    known = {technique.id for technique in knowledge.techniques} | {framework.id for framework in knowledge.frameworks}
    known |= {principle.id for principle in knowledge.principles} | {mode.id for mode in knowledge.failure_modes}
    for anchor in knowledge.anchors:
        if not anchor.drawn_from:
            yield document.finding(
                f"{anchor.id} does not say what it was drawn from",
                "end it with “From: ” and ids of techniques, principles or failures",
                anchor.id,
            )
        for origin in anchor.drawn_from:
            if origin not in known:
                yield document.finding(
                    f"{anchor.id} is drawn from {origin}, which this document does not have",
                    "name an item that stands here",
                    anchor.id,
                )


def never_without_not(documents: Documents) -> Iterable[Finding]:
    """No anchor under "Never do" begins with a negation: it reads after the word "never"."""
    document, knowledge = _knowledge(documents)
    _, brief = need(documents, Documents.brief)
    negated = _NEGATED.get(brief.written_in.partition("-")[0].lower())
    for anchor in knowledge.never:
        if negated and (found := negated.match(anchor.text.replace("’", "'"))):
            yield document.finding(
                f"{anchor.id} stands under “Never do” and begins with “{found[0].strip()}”, so it says the opposite",
                "name the wrong act itself: “Promise a refund before a person has approved it”",
                anchor.id,
            )


def distinct(documents: Documents) -> Iterable[Finding]:
    """No two anchors say nearly the same words."""
    document, knowledge = _knowledge(documents)
    for one, other in combinations(knowledge.anchors, 2):
        share = overlap(one.text, other.text)
        if share >= SAME:
            yield document.finding(
                f"{other.id} says nearly what {one.id} says ({share:.0%} of the words): “{other.text}”",
                "keep the one that is easier to see in a transcript",
                other.id,
            )


def verb_first(documents: Documents) -> Iterable[Finding]:
    """Every anchor begins with a verb."""
    document, knowledge = _knowledge(documents)
    need_english(documents)
    for anchor in knowledge.anchors:
        if lacks_verb_first(anchor.text):
            vague = vague_words(anchor.text)
            instead = vague[0][1] if vague else "Name the fault the user reported before the remedy"
            yield document.finding(
                f"{anchor.id} has no verb first: “{anchor.text}”", f"write what one would see: “{instead}”", anchor.id
            )


def plain_words(documents: Documents) -> Iterable[Finding]:
    """No anchor rests on a word that two readers would judge differently."""
    document, knowledge = _knowledge(documents)
    need_english(documents)
    for anchor in knowledge.anchors:
        for word, instead in vague_words(anchor.text):
            yield document.finding(
                f"{anchor.id} rests on “{word}”, on which two readers would differ",
                f"write what one would see: “{instead}”",
                anchor.id,
            )

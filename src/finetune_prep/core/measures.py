"""Questions a program answers better than a judge: counts, lengths, phrases.

A rule is one line of the rubric, `- Measured: questions per reply <= 1`. Grammar: METRIC OPERATOR NUMBER, or
`phrase "…" in replies OPERATOR NUMBER`. A "per reply" rule must hold for every assistant turn.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.words import by_character, count_words

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule that is measured."""

    metric: str
    """A key of METRICS, or "phrase in replies" with `phrase` set."""
    comparison: str
    number: float
    phrase: str = ""

    def __str__(self) -> str:
        metric = f'phrase "{self.phrase}" in replies' if self.phrase else self.metric
        # all digits, no exponent: what is printed here is what parse_rule reads back
        return f"{metric} {self.comparison} {Decimal(repr(self.number)).normalize():f}"


def _per_reply(count: Callable[[str], float]) -> Callable[[Conversation], list[float]]:
    return lambda conversation: [count(text) for text in conversation.spoken_by("assistant")]


def _length_ratios(conversation: Conversation) -> list[float]:
    """Words of each reply over words of the user turn before it."""
    ratios: list[float] = []
    asked = 0
    for message in conversation.messages:
        if message.role == "user":
            asked = count_words(message.content)
        elif message.role == "assistant":
            ratios.append(count_words(message.content) / max(asked, 1))
    return ratios


METRICS: dict[str, Callable[[Conversation], list[float]]] = {
    "questions per reply": _per_reply(lambda text: len(re.findall(r"[?？؟]+", text))),
    "words per reply": _per_reply(count_words),
    "paragraphs per reply": _per_reply(lambda text: len([p for p in re.split(r"\n\s*\n", text) if p.strip()])),
    "words per reply over words per user message": _length_ratios,
    "exchanges": lambda conversation: [float(conversation.exchanges)],
}
FORMS = (*METRICS, 'phrase "…" in replies')  # what may stand before the operator
_RULE = re.compile(r"(?P<metric>.+?)\s*(?P<comparison><=|>=|=|<|>|≤|≥)\s*(?P<number>\d+(?:\.\d+)?)\s*")
_PHRASE = re.compile(r'phrase\s+["“](?P<phrase>[^"”]+)["”]\s+in\s+replies', re.IGNORECASE)


def forms(language: str) -> str:
    """What may stand before the operator, in one line, for conversations in this language (BCP 47 tag)."""
    return "; ".join(FORMS) + (" – in this language, a word is one character –" if by_character(language) else "")


def parse_rule(text: str) -> Rule:
    """Read one rule. Raises ValueError with a sentence that names what is allowed."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"“{text}” is not a rule; write for example: questions per reply <= 1")
    comparison = {"≤": "<=", "≥": ">="}.get(match["comparison"], match["comparison"])
    number = float(match["number"])
    if phrase := _PHRASE.fullmatch(match["metric"].strip()):
        return Rule(metric="phrase in replies", comparison=comparison, number=number, phrase=phrase["phrase"])
    metric = " ".join(match["metric"].lower().split())
    if metric not in METRICS:
        raise ValueError(f"“{metric}” cannot be measured; choose one of: {', '.join(FORMS)}")
    return Rule(metric=metric, comparison=comparison, number=number)


def measure(rule: Rule, conversation: Conversation) -> list[float]:
    """The measured figures: one per assistant turn, or one for the conversation."""
    if rule.phrase:
        needle = _plain(rule.phrase)
        return [float(sum(_plain(text).count(needle) for text in conversation.spoken_by("assistant")))]
    return METRICS[rule.metric](conversation)


def _plain(text: str) -> str:
    """Folded, with one kind of apostrophe and of white space: “that’s not  nothing” is "that's not nothing"."""
    return " ".join(text.casefold().replace("’", "'").split())


def holds(rule: Rule, conversation: Conversation) -> bool:
    """Whether every measured figure satisfies the rule."""
    compare = COMPARISONS[rule.comparison]
    return all(compare(figure, rule.number) for figure in measure(rule, conversation))

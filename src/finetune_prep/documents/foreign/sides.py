"""Which of the two lists a heading, a cell or a sentence of somebody else's speaks of: what to do always, or never.

Taking a prohibition for an obligation is the one mistake that must not happen here. So a text that speaks of both, or of
neither, says nothing, and whoever asks finds out otherwise. German and the most frequent words of other languages are known.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from finetune_prep.documents.foreign.rows import Place
from finetune_prep.documents.knowledge.anchors import ALWAYS, NEVER

LONGEST = 120  # characters of a label
_LONGEST_BARE = 60  # characters of one that is neither bold nor ends with a colon

_MODAL = r"(?:must|should|shall|may|can|will|do|does|is|are)"
# anywhere in a label
_FORBIDDING = (
    rf"(?:{_MODAL} )?never(?: ever)?(?: (?:do|say|be))?",
    r"(?:must|shall|should|may|can)(?: not|n'?t)(?: (?:do|say|be))?|cannot|not (?:allowed|permitted|acceptable|ok)|unacceptable",
    r"forbidden|prohibit(?:ed|ions?)|banned|no[ -]?gos?|off[ -]limits|taboos?|under no circumstances|red lines?",
    r"nie|niemals|verbot(?:e|en|enes)?|untersagt|unzulässig|tabus?|auf keinen fall",
    r"(?:darf|dürfen|soll(?:en|te|ten)?)(?: \w+){0,3} nicht",
    r"nunca|jamás|jamais|prohibid[oa]s?|prohibiciones|proibid[oa]s?|interdit(?:e|s|es)?|interdictions?|vietat[oaie]|divieti",
    r"nooit|verboden|nigdy|zabronione|zakazane|nikdy|zakázán[oé]|aldrig|aldri|förbjudet|forbudt|soha|tilos|asla|yasak",
    r"никогда|нельзя|запрещено|ніколи|заборонено",
)
_DEMANDING = (
    r"always|mandatory|obligatory|required|immer|stets|pflicht|siempre|toujours|sempre|altijd|zawsze|vždy|alltid|altid|mindig",
    r"всегда|завжди|обязательно",
)
_SIGNS_AGAINST, _SIGNS_FOR = "❌✗✘✖🚫⛔👎🛑", "✅✔✓👍"
_FORBIDDING_SIGNS = rf"[{_SIGNS_AGAINST}]|禁止|绝不|絕不|不得|不要|不可|切勿|決して|してはいけない|禁じ|절대|금지"
_DEMANDING_SIGNS = rf"[{_SIGNS_FOR}]|必须|必須|总是|總是|必ず|常に|항상|반드시"
# only where a label begins with them: “when customers don't answer” forbids nothing, “what to do first” demands
_FILLER = (
    r"(?:(?:the|our|your|a|an|things?|what|which|list|of|behaviou?rs?|assistants?|agents?|models?|bots?|you|we|they|it|that|to|please"
    r"|was|wir|man|der|die|das|assistent(?:in)?|dinge|ce|que|qu'il|faut|lo|cosas?|à)\b[ :-]*)*"
)
_FORBIDDING_FIRST = (
    r"(?:don'?t'?s?|do[ -]?nots?|not to|avoid(?:ed|ing)?|refrain|negatives?|not|nicht|vermeiden|zu vermeiden|evitar|éviter"
    r"|evitare|vermijden|mai|non|no hacer|não|ne pas|ne jamais)\b(?: (?:do|say|be|tun|machen|faire|hacer|fazer))*"
)
_DEMANDING_FIRST = r"(?:do'?s?|must(?:[ -]haves?)?|should|shall|positives?|muss|müssen|soll|sollte|tun|zu tun|faire|hacer)\b"
_DENIAL = r"\b(?:no|not|nor|non|without|avoid\w*|nicht|kein\w*|ohne|ne|pas|sans|sin|não|niet|geen|nie)\b|n't\b|\bdon'?ts?\b"
_CONDITION = r"\b(?:when|whenever|if|unless|while|wenn|falls|sobald|quand|lorsque|cuando|quando)\b"

_AGAINST = re.compile(rf"(?<!\w)(?:{'|'.join(_FORBIDDING)})(?!\w)|{_FORBIDDING_SIGNS}")
_FOR = re.compile(rf"(?<!\w)(?:{'|'.join(_DEMANDING)})(?!\w)|{_DEMANDING_SIGNS}")
_AGAINST_FIRST = re.compile(_FILLER + _FORBIDDING_FIRST)
_FOR_FIRST = re.compile(_FILLER + _DEMANDING_FIRST)
_ONLY_FILLER = re.compile(rf"{_FILLER}(?:(?:do|say|be|tun|machen|faire|hacer|fazer)\b *)?\s*")
_DENIES, _CONDITIONAL = re.compile(_DENIAL), re.compile(_CONDITION)
_NEUTRAL = re.compile(
    r"\b(?:rules?|guidelines?|guidance|behaviou?r(?:s|al)?|anchors?|principles?|polic(?:y|ies)|standards?|conduct|handbook|playbook"
    r"|instructions?|requirements?|\w*regeln?|leitlinien?|richtlinien?|\w*verhalten|grundsätze|reglas?|normas?|règles?|consignes"
    r"|regole|regras|regels|zasady)\b"
)

# how a sentence begins that forbids
_WHO = r"(?:(?:you|we|they|it|(?:the )?(?:assistant|agent|model|bot)s?) )?"
_NOT_ONLY = r"(?!(?:only|just|merely|simply|nur|bloß)\b)"
_MUST_NOT = (
    r"never(?: ever)?|do not|don[’']?t|avoid|refrain from|(?:must|should|shall|may|can) not|(?:must|should|ca)n[’']t|cannot"
)
_ELSEWHERE = r"niemals|nie|auf keinen fall|nicht|nunca|jamás|jamais|ne (?:pas|jamais)|nooit|nigdy|никогда|禁止|绝不|不要"
_SENTENCE = re.compile(
    rf"(?:[{_SIGNS_AGAINST}]\ufe0f?\s*)?(?:{_WHO}(?:(?:must|should|shall|may|can|will|do) )?(?:{_MUST_NOT})|{_ELSEWHERE})"
    rf"(?:\s*[:–—-])?\s+{_NOT_ONLY}(?P<rest>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_SIGN = re.compile(rf"(?P<sign>[{_SIGNS_AGAINST}{_SIGNS_FOR}])\ufe0f?\s*(?P<rest>\S.*)", re.DOTALL)
# what forbids only below a heading that does: “No matter how late it is, …” stands alone as well
_DENIED = re.compile(
    r"(?:no|kein(?:e[nmrs]?)?|não|non|niet|geen)\s+(?!(?:matter|later|longer|more than|less than)\b)(?P<rest>\S.*)",
    re.I | re.DOTALL,
)


class Side(NamedTuple):
    """letters: ALWAYS, NEVER, or "" for a text that does not say. text: the sentence as it stands below its list."""

    letters: str
    text: str


def side_of(label: str) -> str:
    """The list that a heading, cell or name of a column speaks of: ALWAYS, NEVER, "" for neither, both, or anything unclear."""
    text = _plain(label)
    if not text or len(text) > LONGEST or _CONDITIONAL.search(text):
        return ""
    rest, against = text, False
    if _AGAINST.search(text):
        rest, against = _AGAINST.sub(" ", text), True
    elif first := _AGAINST_FIRST.match(text):
        rest, against = text[first.end() :], True
    if _FOR.search(rest) or (not against and _FOR_FIRST.match(rest)):
        return "" if against or _DENIES.search(text) else ALWAYS
    return NEVER if against else ""


def is_neutral(label: str) -> bool:
    """Whether a label that speaks of no list does not seem to mean one either: “Rules for refunds”."""
    text = _plain(label)
    return bool(_NEUTRAL.search(text)) and not _DENIES.search(text)


def forbids(paragraph: str) -> bool:
    """Whether a paragraph seems to forbid something."""
    text = _plain(paragraph)
    return bool(_AGAINST.search(text) or _AGAINST_FIRST.match(text)) or sentence(paragraph).letters == NEVER


def is_label(written: str, place: Place) -> bool:
    """Whether a paragraph or an item is like a heading of what follows.

    Right above a list, a paragraph is one if it ends with a colon, is bold, is short, or speaks of a list. Elsewhere, and for an
    item of a list, which is more likely to be a rule, it takes a colon or nothing but the name of a list; for an item that has
    items itself, a colon is not enough: “Greet the customer: by name, politely” is one rule.
    """
    text = written.strip()
    if not text or len(text) > LONGEST:
        return False
    colon = text.rstrip("*_ ")[-1:] in (":", "：")
    if place != "above a list":
        return _is_name(text) or (colon and (place != "item with items" or bool(side_of(text))))
    bold = re.fullmatch(r"(\*\*|__)[^*_]+\1\s*[:：]?", text)
    short = len(text) <= _LONGEST_BARE and text[-1] not in ".!?…。！？"
    return bool(bold) or colon or short or bool(side_of(text))


def is_told(label: str) -> bool:
    """Whether a label tells its list for sure. A whole sentence may speak of something else: “Our shop never closes.” So may what
    goes on behind a colon: “Never: promise refunds” says all that it has to say."""
    whole_sentence = label.rstrip().endswith((".", "。")) and not _is_name(label)
    return not whole_sentence and re.search(r"[:：][\s*_]*[^\s*_]", label) is None


def _is_name(text: str) -> bool:
    """Whether nothing but the name of a list stands there: “Never do”, “What we must not do”."""
    rest = _FOR.sub(" ", _AGAINST.sub(" ", _plain(text))).strip()
    first = _AGAINST_FIRST.match(rest) or _FOR_FIRST.match(rest)
    left = rest[first.end() :] if first else rest
    return bool(side_of(text)) and _ONLY_FILLER.fullmatch(f"{left.strip()} ") is not None


def sentence(text: str, told: str = "") -> Side:
    """What a sentence says by its own words. told: the list that it stands in by its heading, "" for none.

    What forbids loses its “never”: below “Never do” it would say the opposite.
    """
    forbids = _SENTENCE.fullmatch(text) or (_DENIED.fullmatch(text) if told == NEVER else None)
    if forbids and told != ALWAYS:
        return Side(NEVER, forbids["rest"][0].upper() + forbids["rest"][1:])
    if sign := _SIGN.fullmatch(text):
        return Side(NEVER if sign["sign"] in _SIGNS_AGAINST else ALWAYS, sign["rest"])
    return Side(told, text)


def _plain(label: str) -> str:
    """Lower case, one space between words, no marks of Markdown and no punctuation around it."""
    text = unicodedata.normalize("NFC", label).casefold().replace("’", "'").replace("`", "").replace("\ufe0f", "")
    return " ".join(re.sub(r"[*_~]", " ", text).split()).strip(' .:：!?–—-“”"#()[]')

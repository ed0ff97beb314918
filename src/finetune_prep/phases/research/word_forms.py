"""Words as they are compared: spelling, inflection and articles taken away, everything that carries meaning kept.

English and German inflection is known; in a text of another or of no visible language only the plural's s goes. Rather a form too
many than two words taken for one: "car" and "care", "fill" and "file", "Rat" and "Raten" stay apart.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Language = Literal["en", "de", ""]

# letters and their marks in any script: whatever is no space, digit, punctuation or symbol (Python's \w has no vowel signs)
_LETTER = (
    r"[^\s\d\x00-\x40\x5b-\x60\x7b-\xbf\xd7\xf7\u060c\u061b\u061f\u06d4\u0964\u0965\u2000-\u2bff\u2e00-\u2e7f\u3000-\u303f"
    r"\ufe00-\ufe0f\uff00-\uff20\uff3b-\uff40\uff5b-\uff65\U0001f000-\U0001faff]"
)
_TOKEN = re.compile(
    r"(?P<number>(?:(?<![^\W_])[-\u2212])?\d+(?:[.,:]\d+)*)"
    rf"|(?P<word>{_LETTER}+(?:['\u2019\u2010\u2011-]{_LETTER}+)*)"
    r"|(?P<comma>[,;:\u2013\u2014])"
    r"|(?P<sign>[%$£§°±×÷~<>=+#&\u20a0-\u20cf\u2190-\u2bff\U0001f000-\U0001faff])"
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_ENGLISH_LIST = """
the of to for with is are it that this before after when if not does what how by from their your you
"""
_GERMAN_LIST = """
der die das den dem des ein eine einen einem einer eines und oder nicht kein keine mit vor nach wenn ist sind wird zu zum zur
von bei im auf für fuer ohne statt was wie immer nie bevor sich ihr ihre
"""
_ENGLISH_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve"
_GERMAN_NUMBERS = "null eins zwei drei vier fuenf sechs sieben acht neun zehn elf zwoelf"
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_SIGNS = {"€": "euro", "$": "dollar", "£": "pound", "%": "percent"}
_ARTICLES: dict[str, frozenset[str]] = {
    "en": frozenset({"a", "an", "the"}),
    "de": frozenset(["der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines"]),
    "": frozenset(),
}
_SIGNAL_WORDS: dict[Language, frozenset[str]] = {
    "en": frozenset(_ENGLISH_LIST.split()),
    "de": frozenset(_GERMAN_LIST.split()),
}
_SAME_WORDS = {
    "prozent": "percent", "eur": "euro", "euros": "euro", "usd": "dollar", "hrs": "hour", "hr": "hour",
    "mins": "minute", "min": "minute", "secs": "second", "sec": "second", "zum": "zu", "zur": "zu", "vom": "von", "beim": "bei",
    "children": "child", "women": "woman", "men": "man", "criteria": "criterion", "judgement": "judgment",
    "grey": "gray", "cheque": "check", "programme": "program", "enquire": "inquire", "enquiry": "inquiry",
    "enquiries": "inquiry", "ok": "okay", "wasnt": "was not", "dont": "do not", "cannot": "can not",
    "centre": "center", "metre": "meter", "fibre": "fiber", "theatre": "theater", "defence": "defense", "offence": "offense",
    "licence": "license", "learnt": "learned", "are": "is", "were": "was", "sind": "ist",
}  # fmt: skip
_NUMBERS: dict[Language, dict[str, str]] = {
    "en": {word: str(n) for n, word in enumerate(_ENGLISH_NUMBERS.split())},
    "de": {word: str(n) for n, word in enumerate(_GERMAN_NUMBERS.split())},
    "": {},
}
_UNINFLECTED_LIST = """
news goods means customs series species always perhaps besides towards afterwards during morning evening nothing something
anything everything hundred indeed lens thus this his its was has does yes as is us less unless across process address status
focus bias basis analysis crisis emphasis
"""
_UNINFLECTED = frozenset(_UNINFLECTED_LIST.split())
_IRREGULAR_ED = {"creat": "create", "explor": "explore", "ignor": "ignore", "restor": "restore", "welcom": "welcome"}
_KEEPS_S = ("ss", "us", "is")
_NEVER_IZE = re.compile(r"(?:prom|adv|rev|superv|surpr|prec|exerc|compr|conc|otherw|likew|exp|prem|ra|pra|no|ver|dev|disgu)is")
_VOWELS = "aeiouy"


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Words, numbers, signs and commas, folded: case, quotation marks, emphasis and contractions don't count.

    A text without any of them is its own only token.
    """
    found: list[str] = []
    for token in _TOKEN.finditer(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text))):
        piece = token[0].casefold()
        if token.lastgroup == "number":
            found.append(re.sub(r"(?<=\d),(?=\d{3}\b)", "", piece.replace("\u2212", "-")))
        elif token.lastgroup == "comma":
            found.append(",")
        elif token.lastgroup == "sign":
            found.append(_SIGNS.get(piece, piece))
        else:
            found.extend(_folded(piece).split())
    return tuple(found) or tuple(filter(None, [text.strip()]))


def _folded(word: str) -> str:
    """One word, or the words that a contraction stands for."""
    word = unicodedata.normalize("NFC", word).replace("\u2019", "'")
    word = {"can't": "can not", "won't": "will not", "shan't": "shall not"}.get(word, word)
    word = re.sub(r"'s$", "", re.sub(r"n't$", " not", word))
    word = re.sub(r"[\u2010\u2011]", "-", word.replace("'", ""))
    return _SAME_WORDS.get(word, word)


def _plain(word: str, tongue: Language) -> str:
    """Without umlauts, and in English without accents. In other languages an accent can make another word."""
    if word.isascii() or not tongue:
        return word
    word = word.translate(_UMLAUTS)
    if tongue == "de":
        return word
    return "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter)) or word


def readings(words: tuple[str, ...], tongue: Language) -> tuple[tuple[str, ...], ...]:
    """Words with hyphens as one word, and, but in German, as several: "follow-up" is "followup" and "follow up"."""
    closed = tuple(word.replace("-", "") if word[0].isalpha() else word for word in words)
    if tongue == "de" or closed == words:
        return (closed,)
    opened = tuple(part for word in words for part in (word.split("-") if word[0].isalpha() else [word]))
    return closed, opened


@lru_cache(maxsize=4096)
def language(words: tuple[str, ...]) -> Language:
    """English, German or not to be told, by the little words of a text; a tie is not to be told."""
    english, german = (sum(word in _SIGNAL_WORDS[name] for word in words) for name in ("en", "de"))
    return "en" if english > german else "de" if german > english else ""


@lru_cache(maxsize=16384)
def stems(words: tuple[str, ...], tongue: Language) -> tuple[str, ...]:
    """The stems in order, without articles and commas. Number words become digits."""
    return tuple(
        _NUMBERS[tongue].get(word) or stem(word, tongue)
        for place, word in enumerate(_plain(word, tongue) for word in words)
        if word != "," and not (word in _ARTICLES[tongue] and _leads(words, place))
    )


def _leads(words: tuple[str, ...], place: int) -> bool:
    """Whether a word follows: the last a of "plan A" is no article."""
    return place + 1 < len(words) and words[place + 1] != ","


@lru_cache(maxsize=16384)
def stem(word: str, tongue: Language) -> str:
    """What the forms of one word have in common, in the spelling of a word, or nearly so."""
    if word in ("and", "und"):
        return "&"
    if len(word) <= 3 or not word.isalpha() or word in _UNINFLECTED:
        return word
    if tongue == "de":
        return _german(word)
    if tongue == "en":
        return _english(_one_spelling(word))
    return word[:-1] if word.endswith("s") and not word.endswith(_KEEPS_S) else word


def _one_spelling(word: str) -> str:
    """British endings as American ones."""
    word = re.sub(r"(?<=[a-z]{3})is(e|es|ed|ing|ation|ations)$", r"iz\1", word) if _may_be_ize(word) else word
    word = re.sub(r"(?<=[a-z]{2})yse(|s|d)$", r"yze\1", word)
    return re.sub(r"(?<=[a-z]{3})our(s|ed|ing|al|able|ite|ites|)$", r"or\1", word)


def _may_be_ize(word: str) -> bool:
    """Words in -ise that are never written -ize: "promise", "advise", "raise"."""
    return not re.search(
        r"(?:prom|adv|rev|superv|surpr|prec|exerc|compr|conc|otherw|likew|exp|prem|ra|pra|no|ver|dev|disgu)is", word
    )


def _english(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(_KEEPS_S):
        word = word[:-1]
    if word.endswith("ied") and len(word) > 4:
        return f"{word[:-3]}y"
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 2 and any(letter in _VOWELS for letter in rest) and not word.endswith("eed"):
            return _base(rest)
    return word


def _base(rest: str) -> str:
    """The verb of which -ing or -ed was taken away: an e put back, or a doubled consonant made single."""
    syllables = len(re.findall(r"[aeiouy]+", rest))
    if len(rest) == 2 or rest in _IRREGULAR_ED:
        return _IRREGULAR_ED.get(rest, f"{rest}e")
    if rest[-1] == rest[-2] and rest[-1] not in _VOWELS:
        keeps = len(rest) == 3 or (syllables == 1 and rest[-1] in "lszf") or rest[-1] == "s"
        return rest if keeps else rest[:-1]
    if syllables == 1 and re.search(r"(?<![aeiou])[aeiouy][^aeiouywx]$", rest):
        return f"{rest}e"  # "hoping" is of "hope": of "hop" it would be "hopping"
    if re.search(r"(?:[cvu]|[^aeiou]l|[^aeiou]?s|dg|iz|yz|[^aeiou](?:at|ib|id|ir|ur|in|ar))$", rest) and not rest.endswith("ll"):
        return f"{rest}e"
    return rest


def _german(word: str) -> str:
    for ending in ("en", "em", "es", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word.removesuffix(ending)
            break
    else:
        if word.endswith(("en", "eln", "ern")):
            word = word[:-1]
    if word.endswith(("eln", "ern")):
        word = word[:-1]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 4 else word

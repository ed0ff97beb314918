"""What a reader of a text counts as its words, in any script.

Where words stand between blanks, a word is a run of letters, digits and their marks, with inner apostrophes and hyphens. Chinese
and Japanese are counted by the sign, as their editors do. Thai is cut into words by a small model (budoux); Lao, Khmer and
Burmese, for which there is none, are counted by written clusters, some two or three a word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budoux import Parser

SIGNS = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana, iteration marks, zero
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"  # Han, half-width kana
)
THAI = "\u0e01-\u0e3a\u0e40-\u0e4e"
CLUSTERED = "\u0e81-\u0ece\u0edc-\u0edf\u1000-\u1021\u1023-\u103f\u1050-\u108f\u1780-\u17d3"  # Lao, Burmese, Khmer
UNSPACED = re.compile(f"[{SIGNS}{THAI}{CLUSTERED}]")  # a letter of a script that writes words without blanks
UNSPACED_RUN = re.compile(f"([{SIGNS}]+|[{THAI}]+|[{CLUSTERED}]+)")
BY_CHARACTER = ("zh", "yue", "ja")
_LETTER = r"[^\W_][\u0300-\u036f\u0483-\u0489]*"
_SPACED_WORD = re.compile(rf"(?:{_LETTER})+(?:['’\-](?:{_LETTER})+)*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:['\-][A-Za-z0-9]+)*")
_UNMARKED_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_MARK = re.compile("[\u0300-\u036f\u0483-\u0489]")
_OF_ANOTHER_SCRIPT = re.compile("[\u0590-\u1dff\u2c00-\U0010ffff]")  # beyond Latin, Greek, Cyrillic and Armenian
_STACKING = "\u1039\u17d2"  # the next consonant is written below
_LAST_MARK = 0x1E94A


def split_words(text: str) -> list[str]:
    """The words of a text, in order, without what stands between them."""
    if text.isascii():  # the same words, found in a third of the time
        return _ASCII_WORD.findall(text)
    if not _OF_ANOTHER_SCRIPT.search(text):
        return (_SPACED_WORD if _MARK.search(text) else _UNMARKED_WORD).findall(text)
    found: list[str] = []
    for match in _any_script().finditer(text):
        found.extend(_thai_words(match[0]) if match.lastgroup == "thai" else [match[0]])
    return found


def count_words(text: str) -> int:
    """How many words a reader of its script would count."""
    return len(split_words(text))


def by_character(language: str) -> bool:
    """Whether the words of a language (BCP 47 tag) are its characters, so that a range of words is one of characters."""
    return language.partition("-")[0].casefold() in BY_CHARACTER


@lru_cache(maxsize=1)
def _any_script() -> re.Pattern[str]:
    """Made when first needed: it takes 30 ms. To a regular expression, the marks of other scripts are no part of a word."""
    marks = _marks()
    letter = rf"(?![{SIGNS}{THAI}{CLUSTERED}])[^\W_][{marks}]*"
    cluster = rf"(?![{marks}])[{CLUSTERED}][{marks}]*"
    return re.compile(
        rf"(?P<sign>[{SIGNS}][{marks}]*)"
        rf"|(?P<thai>[{THAI}]+)"
        rf"|(?P<cluster>{cluster}(?:(?<=[{_STACKING}]){cluster})*)"
        rf"|(?P<word>(?:{letter})+(?:['’\-](?:{letter})+)*)"
    )


def _marks() -> str:
    """What belongs to the letter before it, as the inside of a character class: marks of all scripts, and joiners."""
    codes = (code for code in range(0x300, _LAST_MARK) if unicodedata.category(chr(code))[0] == "M")
    runs = (list(run) for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]))
    return "\u200c\u200d" + "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)


def _thai_words(run: str) -> list[str]:
    return [str(word) for word in _thai().parse(run)]


@lru_cache(maxsize=1)
def _thai() -> Parser:
    from budoux import load_default_thai_parser

    return load_default_thai_parser()

"""The id that somebody meant who wrote one that is not to the letter: `do3:`, `DO-1:`, `Technique 1.1:`, `ＤＯ１：`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from finetune_prep.markdown.headings import ANY
from finetune_prep.markdown.inline import read_number

WORDS: Mapping[str, tuple[str, ...]] = {
    "JOB": ("job",),
    "LIMIT": ("limit",),
    "RISK": ("risk",),
    "FA": ("fact",),
    "F": ("framework",),
    "T": ("technique",),
    "P": ("principle",),
    "FM": ("failuremode", "failure"),
    "CT": ("contradiction",),
    "DO": ("always",),
    "DONT": ("never", "donot"),
    "S": ("source",),
    "TP": ("topic",),
    "ST": ("style", "userstyle"),
    "DF": ("difficulty",),
    "FL": ("flaw", "userflaw"),
    "LN": ("length",),
    "ED": ("edgecase", "edge"),
    "OS": ("outofscope",),
    "G": ("goal",),
    "E": ("example",),
    "C": ("calibration", "calibrationexample"),
    "GD": ("guard",),
    "X": ("fewshot", "example"),
}
"""What people write out instead of an id's letters, folded."""
LONGEST_LETTERS = 6
_LOOKED_AT = 300  # characters of a text
_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: " ", ord("。"): ".", ord("、"): "."}
_LETTERS = r"[^\W\d_]+"
_OPENING = r"[*_\[(<`\"'“„\\]*"
_CLOSING = r"[*_\])>`\"'”]*"
_START = re.compile(
    rf"{_OPENING}(?P<word>{_LETTERS}(?:[’'`´]{_LETTERS})?(?:[ -]{_LETTERS}){{0,2}}?)"
    rf"(?P<gap>[\s._#–—-]{{0,3}})(?P<number>[0-9]{{1,4}}(?:\s?[.-]\s?[0-9]{{1,4}})?){_CLOSING}"
    rf"(?P<end>\s*[.:)\]]{_CLOSING}(?:\s+|\Z|(?=[^\W\d]))|\s+[–—-]\s+|\s*\Z|\s+)(?P<rest>.*)",
    re.DOTALL,
)
_NUMBERED = r"(?:question|criterion|item|no\.?|nr\.?|#)?\s*#?[0-9]{1,3}"
_COUNT = re.compile(rf"{_OPENING}{_NUMBERED}{_CLOSING}\s*[.:)]\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


_NEARLY_A_CATEGORY = re.compile(
    r"(?:(?:category|section|part)\s*\d*\s*[.:)–—-]\s*)?(?P<name>.+?)\s*"
    r"(?:\([^()]*\)\s*)?[\[(–—:,-]*\s*(?:weight|gewicht|peso|poids)\s*[:=]?\s*(?P<weight>[0-9.,]+\s?%?)\s*[\])]?\s*",
    re.IGNORECASE,
)
_SHARE = re.compile(r"(?P<name>.+?)\s*[\[(–—:,-]+\s*(?P<weight>[0-9]{1,3}(?:\.[0-9]+)?\s?%|0?\.[0-9]+)\s*[\])]?\s*")
_LONGEST_HEADING = 200  # characters, of one that is compared with a category's; bounds the time


class Meant(NamedTuple):
    """written: as it stands there. id: as it should be written. text: what follows."""

    written: str
    id: str
    text: str


def meant(text: str, allowed: Sequence[str], *, marked: bool = False) -> Meant | None:
    """The id that a text begins with, in whatever spelling; None if it begins with none of these letters. ANY: any letters, if
    few enough.

    Without a mark behind it, an id counts only as `DO1` would, and not at all if `marked`: “Do 2 things” begins with a verb.
    """
    found = _START.match(text.strip()[:_LOOKED_AT].translate(_FULL_WIDTH))
    if found is None:
        return None
    letters = _letters(found["word"], allowed)
    if not letters:
        return None
    if found["end"].isspace() and (marked or found["gap"] or found["word"] != found["word"].upper()):
        return None
    number = re.sub(r"\s*[.-]\s*", ".", found["number"])
    written = found[0][: found.end("number") - found.start()].strip("*_[(<`\"'“„\\ ")
    return Meant(written, f"{letters}{number}", bare(found["rest"]))


def _letters(word: str, allowed: Sequence[str]) -> str:
    folded = "".join(character for character in word.casefold() if character.isalpha())
    for letters in allowed:
        if letters != ANY and (folded == letters.casefold() or folded in WORDS.get(letters, ())):
            return letters
    if ANY in allowed and word.isascii() and word.isalpha() and len(word) <= LONGEST_LETTERS:
        return word.upper()
    return ""


def counted(text: str) -> str:
    """The text behind `1.`, `Question 3:` or `#2.`; "" if it does not begin so."""
    found = _COUNT.fullmatch(text.strip().translate(_FULL_WIDTH))
    return bare(found["rest"]) if found else ""


def bare(text: str) -> str:
    """Without marks for bold and without spaces around it."""
    return re.sub(r"\*\*|__", "", text).strip()


def near_category(text: str) -> tuple[str, float] | None:
    """Name and weight of a heading such as “Category 1: Comprehension (2 criteria) — Weight: 0.15”, None without a weight."""
    if len(text) > _LONGEST_HEADING:
        return None
    found = _NEARLY_A_CATEGORY.fullmatch(text) or _SHARE.fullmatch(text)
    weight = read_number(found["weight"].replace(" ", "")) if found else None
    if found is None or weight is None:
        return None
    return bare(found["name"]), round(weight / 100 if weight > 1 else weight, 4)

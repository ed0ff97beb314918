"""The numbers that Word puts before paragraphs: they are nowhere in the text, and “see step 2” depends on them."""

from __future__ import annotations

import re
from collections.abc import Callable

from finetune_prep.sources.parsing.word.elements import Element, Styles, child_of, made, value

FIRST, LAST = "\ue0f0", "\ue0f1"  # around a number, until the converter is through
NUMBER = re.compile(f"{FIRST}(.*?){LAST}")
EMPTY = '<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>'
LEVELS = 9
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"))
_ROMAN_SMALL = (*_ROMAN, (5, "v"), (4, "iv"), (1, "i"))


def _letters(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _roman(number: int) -> str:
    text = ""
    for worth, sign in _ROMAN_SMALL:
        text += sign * (number // worth)
        number %= worth
    return text


FORMATS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda number: f"{number:02}",
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "none": lambda number: "",
}


class Numbering:
    """Counts through a document. A list that is named and nowhere described has bullets."""

    def __init__(self, root: Element, styles: Styles) -> None:
        self._root = root
        self._styles = styles
        self._lists = {value(one, "numId"): one for one in root.iter("{*}num")}
        self._kinds = {value(one, "abstractNumId"): one for one in root.iter("{*}abstractNum")}
        self._counts: dict[str, dict[int, int]] = {}  # kind of list → level → the last number
        self._begun: set[str] = set()

    def label(self, paragraph: Element) -> None:
        """Put its number before the first words of a paragraph that has one, between FIRST and LAST."""
        style = value(paragraph.find("{*}pPr/{*}pStyle"))
        id, level = self._place(paragraph, style)
        if id in ("", "0") or paragraph.find("{*}pPr/{*}rPr/{*}del") is not None:
            return
        if id not in self._lists:
            self._describe(id)
        _set_list(paragraph, id, level)
        text = self._count(id, level)
        if text:
            run = made(paragraph, "r")
            run.append(made(paragraph, "t", f"{FIRST}{text}{LAST}"))
            paragraph.insert(1, run)  # behind its properties

    def _place(self, paragraph: Element, style: str) -> tuple[str, int]:
        """Id of the list and level of a paragraph, by itself or by its style."""
        id = level = ""
        for place in (paragraph.find("{*}pPr/{*}numPr"), self._styles.property(style, "{*}pPr/{*}numPr")):
            if place is not None:
                id = id or value(place.find("{*}numId"))
                level = level or value(place.find("{*}ilvl"))
        if not level and id:
            level = next(
                (value(one, "ilvl") for one in self._kind(id).iter("{*}lvl") if value(one.find("{*}pStyle")) == style), ""
            )
        return id, min(int(level), LEVELS - 1) if level.isdecimal() else 0

    def _kind(self, id: str) -> Element:
        """What describes a list, through a style that it may refer to."""
        for _ in range(5):
            one = self._lists.get(id)
            described = self._kinds.get(value(one.find("{*}abstractNumId"))) if one is not None else None
            if described is None:
                return made(self._root, "abstractNum")
            link = value(described.find("{*}numStyleLink"))
            id = value(self._styles.property(link, "{*}pPr/{*}numPr/{*}numId")) if link else ""
            if not id:
                return described
        return made(self._root, "abstractNum")

    def _level(self, id: str, level: int) -> Element:
        for place in (self._lists[id], self._kind(id)):
            for one in place.iter("{*}lvl"):
                if value(one, "ilvl") == str(level):
                    return one
        return made(self._root, "lvl")

    def _count(self, id: str, level: int) -> str:
        """The label of the next paragraph of this list and level; "" for a bullet."""
        counts = self._counts.setdefault(value(self._kind(id), "abstractNumId"), {})
        if id not in self._begun:
            self._begun.add(id)
            for override in self._lists[id].iter("{*}startOverride"):
                over = value(override.getparent(), "ilvl")
                if over.isdecimal() and value(override).isdecimal():
                    counts[int(over)] = int(value(override)) - 1
        for deeper in [one for one in counts if one > level and value(self._level(id, one).find("{*}lvlRestart")) != "0"]:
            del counts[deeper]
        for one in range(level + 1):
            first = value(self._level(id, one).find("{*}start"))
            counts.setdefault(one, (int(first) if first.isdecimal() else 1) - (one == level))
        counts[level] += 1
        return self._text(id, level, counts)

    def _text(self, id: str, level: int, counts: dict[int, int]) -> str:
        described = self._level(id, level)
        if value(described.find("{*}numFmt")) in ("bullet", ""):
            return ""
        legal = described.find("{*}isLgl") is not None

        def number(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            form = "" if legal else value(self._level(id, at).find("{*}numFmt"))
            return FORMATS.get(form, str)(counts.get(at, 1))

        return re.sub(r"%([1-9])", number, value(described.find("{*}lvlText"))).strip()

    def _describe(self, id: str) -> None:
        """A list that nothing describes gets bullets."""
        kind_id = f"of-{id}"
        described = made(self._root, "abstractNum", abstractNumId=kind_id)
        for level in range(LEVELS):
            one = made(self._root, "lvl", ilvl=str(level))
            one.append(made(self._root, "numFmt", val="bullet"))
            described.append(one)
        list_ = made(self._root, "num", numId=id)
        list_.append(made(self._root, "abstractNumId", val=kind_id))
        self._root.insert(0, described)
        self._root.append(list_)
        self._lists[id], self._kinds[kind_id] = list_, described


def _set_list(paragraph: Element, id: str, level: int) -> None:
    """Say with the paragraph itself of which list it is."""
    properties = child_of(paragraph, "pPr")
    for old in properties.findall("{*}numPr"):
        properties.remove(old)
    place = made(paragraph, "numPr")
    place.append(made(paragraph, "ilvl", val=str(level)))
    place.append(made(paragraph, "numId", val=id))
    properties.append(place)

"""What stands within one line: ids, keys, attributes, numbers – and the guards that keep text from being read as structure.

A guard is a backslash. Where text happens to look like structure, `guard` puts one more backslash before it and `unguard`
takes one away, so that every string comes back as it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from finetune_prep.invisible import without_invisible
from finetune_prep.markdown.normal import paragraph

ID = r"[A-Z]{1,6}[0-9]{1,4}(?:\.[0-9]{1,4})?"
_BOLD = r"(?:\*\*|__)?"
_LABEL = rf"{_BOLD}(?P<id>{ID})(?:{_BOLD}[.:)]{_BOLD}(?:\s+|$)|{_BOLD}\s+[–—-]\s+"
ENTRY_ID = re.compile(rf"{_LABEL})(?P<rest>.*)", re.DOTALL)
HEADING_ID = re.compile(rf"{_LABEL}|{_BOLD}(?:\s+|$))(?P<rest>.*)", re.DOTALL)
_KEY = re.compile(rf"{_BOLD}(?P<key>[^:：*_]{{1,60}}?){_BOLD}\s*[:：]{_BOLD}\s*(?P<value>.*)", re.DOTALL)
CATEGORY_END = re.compile(r"\((?P<attributes>\s*gate\s*|\s*weight\b[^()]*)\)\s*\Z", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+")
_COMMENT = re.compile(r"<!--")


_BETWEEN_IDS = re.compile(r"[,;\s]+|\band\b")
_NO_ID = ("and", "none", "–", "-", "—")


class Listed(NamedTuple):
    """What stands in a list of ids."""

    ids: tuple[str, ...]
    others: tuple[str, ...]
    """Words among them that are none."""


def listed(text: str) -> Listed:
    """A list of ids, parted by commas, spaces or "and"."""
    words = [word.strip(".*_") for word in _BETWEEN_IDS.split(text)]
    ids = tuple(word for word in words if re.fullmatch(ID, word))
    return Listed(ids, tuple(word for word in words if word and word not in ids and word.casefold() not in _NO_ID))


class Labelled(NamedTuple):
    id: str
    text: str


def one_line(text: str) -> str:
    """The text as a line can hold it: runs of white space that hold a tab or a line end, or are plain, become one space."""
    return _SPACES.sub(" ", without_invisible(text)).strip()


def without_controls(text: str) -> str:
    """The text without control and invisible characters, with LF line ends; tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[\x0b\x0c\x1c-\x1f\x85]", " ", without_invisible(text))


def guard(text: str, structure: re.Pattern[str]) -> str:
    """Put a backslash before each place where `structure` begins."""
    return re.sub(rf"(?<!\\)(?P<guards>\\*)(?={structure.pattern})", _one_more, text, flags=structure.flags)


def unguard(text: str, structure: re.Pattern[str]) -> str:
    """Take away what `guard` has put there."""
    return re.sub(rf"(?<!\\)\\(?P<guards>\\*)(?={structure.pattern})", lambda found: found["guards"], text, flags=structure.flags)


def unguarded(structure: re.Pattern[str]) -> re.Pattern[str]:
    """The pattern for places that no backslash guards."""
    return re.compile(rf"(?<!\\)(?:{structure.pattern})", structure.flags)


def _one_more(found: re.Match[str]) -> str:
    return "\\" + found["guards"]


def guard_comments(text: str) -> str:
    """The text with every `<!--` guarded, so that it is not read as a comment."""
    return guard(text, _COMMENT) if "<!--" in text else text


def unguard_comments(text: str) -> str:
    return unguard(text, _COMMENT) if "<!--" in text else text


def written(text: str) -> str:
    """A value as it is written within a line."""
    return guard_comments(one_line(text))


def read(texts: Iterable[str]) -> str:
    """The value that stands in one or more lines."""
    return unguard_comments(one_line(paragraph([text for text in texts if text])))


def entry_id(text: str) -> Labelled | None:
    """The id at the start of a list item, and the rest."""
    found = ENTRY_ID.fullmatch(text)
    return Labelled(found["id"], found["rest"].strip()) if found else None


def heading_id(text: str) -> Labelled | None:
    """The id at the start of a heading, and the rest."""
    found = HEADING_ID.fullmatch(text)
    return Labelled(found["id"], found["rest"].strip()) if found else None


def guard_category(text: str) -> str:
    """The text of a heading that ends like a category's ("… (gate)"), guarded."""
    return guard(text, CATEGORY_END) if text.endswith(")") else text


def unguard_category(text: str) -> str:
    return unguard(text, CATEGORY_END) if text.endswith(")") else text


def category_name(text: str) -> tuple[str, str] | None:
    """`Name (weight 0.25)` or `Name (gate)`: the name, and what stands in the parentheses. None if it ends differently."""
    found = unguarded(CATEGORY_END).search(text)
    return (text[: found.start()].strip(), found["attributes"].strip()) if found else None


def prefix(id: str) -> str:
    """The letters of an id: "CP" of "CP1"."""
    return id.rstrip("0123456789.")


def key_and_value(text: str) -> tuple[str, str] | None:
    """`Key: value`; the key may be bold."""
    found = _KEY.fullmatch(text)
    return (found["key"].strip(), found["value"].strip()) if found else None


def folded(text: str) -> str:
    """A key or heading as it is compared: letters and digits only, case-free ("N/A" = "na", "Use when" = "use-when")."""
    return "".join(character for character in text.replace("&", " and ").casefold() if character.isalnum())


def name_and_attributes(text: str) -> tuple[str, str]:
    """`Name (attributes)`: what stands in the last, trailing parentheses; "" if there are none."""
    name, opening, attributes = text.strip().rpartition("(")
    if not opening or attributes.find(")") != len(attributes) - 1:
        return text.strip(), ""
    return name.strip(), attributes[:-1].strip()


def number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def read_number(text: str) -> float | None:
    """A decimal number, or a percentage as its share; None if the text is neither."""
    bare = text.strip().replace(",", ".")
    try:
        value = float(bare.removesuffix("%")) / (100 if bare.endswith("%") else 1)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in bare else None

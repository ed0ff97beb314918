"""Figures above and below the line, written in the line: 10³ is no 103."""

from __future__ import annotations

import re

_SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_ORDINALS = {"st", "nd", "rd", "th", "er", "ère", "re", "e", "è", "ème", "eme", "o", "os", "a", "as", "º", "ª"}
_ENDINGS = {"tm", "sm", "®", "©", "™", "me", "mes", "lle", "lles", "*", "†", "‡"}  # raised, and no power
_NOTED = re.compile(r"(?:[^\W\d_]{3,}|[.,;:!?\"”’»)\]])\Z")  # after a word or a stop, a small figure is the number of a note
_UNIT = re.compile(r"(?:feet|foot|inch|inches|yards?|miles?|met(?:er|re)s?|sec|min)\Z")


def raised(text: str, before: str, *, link: bool = False) -> str:
    """A superscript in the line: 10^3, rate[1], 1st. link: it leads somewhere, as the number of a note does."""
    folded = text.casefold()
    if not text or folded in _ENDINGS or (folded in _ORDINALS and before[-1:].isdigit()):
        return text
    if link or text[0] == "[" or ((text.isdecimal() or len(text) == 1) and _NOTED.search(before) and not _UNIT.search(before)):
        return f"[{text.strip('[]')}]"
    return f"^{text}" if re.fullmatch(r"[-+−]?\w+[-+−]?", text) else f"^({text})"


def lowered(text: str) -> str:
    """A subscript in the line: H₂O, T_max."""
    small = text.translate(_SUBSCRIPTS)
    return small if not re.search(r"\w", text) or all(character in "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎" for character in small) else f"_{text}"

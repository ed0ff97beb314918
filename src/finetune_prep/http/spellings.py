"""The ways in which a key can be written, so that an endpoint that echoes it in any of them cannot put it into a file. Pure."""

from __future__ import annotations

import base64
import re
from html.entities import codepoint2name

# entities of HTML 5 that HTML 4 did not have
_NAMES = {"+": "plus", "/": "sol", "=": "equals", "-": "hyphen|dash", "_": "lowbar", ".": "period", ":": "colon", "'": "apos"}


class Spellings:
    """Of one key: as it is; escaped in JSON (also twice), an address or HTML, all of it or some of its signs; hex and base64."""

    def __init__(self, key: str) -> None:
        self._length = len(key)
        self._letters = re.compile("".join(map(_letter, key)))
        cores = _base64(key)
        self._packed = re.compile("|".join([*map(re.escape, cores), f"(?i:{key.encode().hex()})"]))
        self._signs = (*cores, key.encode().hex(), key.encode().hex().upper())
        # the longest run of letters and digits, and ways to write its first one: whoever escapes one of them escapes them all
        self._run = max(re.findall(r"[A-Za-z0-9]{4,}", key), key=len, default="")
        number = ord(self._run[:1] or key[0])
        # (looking for one sign is twenty times as fast as looking for two)
        self._escapes = [
            ("\\", _written(number, "\\u{:04x}", "\\u{:04X}", "\\x{:02x}", "\\x{:02X}")),
            ("%", _written(number, "%{:02x}", "%{:02X}")),
            ("&", _written(number, "&#{}", "&#0{}", "&#x{:x}", "&#x{:X}", "&#x0{:x}", "&#x0{:X}")),
        ]

    def spelled_in(self, text: str) -> bool:
        """Whether it stands in a text letter by letter."""
        return self._may_be_in(text) and self._letters.search(text) is not None

    def replaced(self, text: str, by: str) -> str:
        """`text` with every occurrence replaced, packed ones included; the text itself if there is none."""
        if len(text) < self._length:
            return text
        if self._may_be_in(text):
            text = self._letters.sub(lambda found: by, text)
        if any(sign in text for sign in self._signs):
            text = self._packed.sub(lambda found: by, text)
        return text

    def _may_be_in(self, text: str) -> bool:
        """Whether the pattern has to be asked, which costs a hundred times as much."""
        if len(text) < self._length:
            return False
        if self._run in text:  # always, if there is no run
            return True
        for lead, forms in self._escapes:
            if lead in text:
                for form in forms:
                    if form in text:
                        return True
        return False


def _written(number: int, *forms: str) -> tuple[str, ...]:
    return tuple({form.format(number) for form in forms})


def _letter(character: str) -> str:
    """One character of a key, in any spelling."""
    number = ord(character)
    hexed = f"(?i:{number:02x})"
    entity = codepoint2name.get(number) or _NAMES.get(character)
    names = f"|(?:{entity});" if entity else ""
    plain = re.escape(character)
    return rf"(?:{plain}|\\+(?:u00{hexed}|x{hexed}|{plain})|%(?:25)*{hexed}|&(?:amp;)*(?:#0*{number};?|#[xX]0*{hexed};?{names}))"


def _base64(key: str) -> list[str]:
    """What of a text in base64 is the key's alone, wherever the key begins in what was written so; with + and /, with - and _."""
    found = []
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + key.encode()).decode().rstrip("=")
        bits = 8 * (before + len(key.encode()))
        core = whole[-(-8 * before // 6) : bits // 6]
        found += [core] if core.isalnum() else [core, core.replace("+", "-").replace("/", "_")]
    return found

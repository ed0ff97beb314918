"""Characters that nobody sees and every model reads: in a question of a rubric they are an order without a trace.

Marks that scripts need are none of them: joiners, marks of direction, soft hyphens, the blanks of no width between words of Thai,
Khmer, Lao and Burmese, and the tags within flags of regions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_PATTERN = re.compile(
    "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"  # a flag: matched to be passed over
    "|([\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # control characters but white space
    "\u180e\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"  # overrides, isolates, fillers, tags
    f"|(?<![{_SPACELESS}])\u200b(?![{_SPACELESS}]))"
)


def without_invisible(text: str) -> str:
    return _PATTERN.sub(lambda found: "" if found[1] else found[0], text)


def invisible(text: str) -> Iterator[tuple[int, str]]:
    """Each such character: its offset, and what it is called."""
    for found in _PATTERN.finditer(text):
        if found[1]:
            yield found.start(), _name(found[1])


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'a control character')}"

"""A text without the days on which its sources were read.

`- Read: 2026-03-01` below a source tells people how old a reference is. It comes from a clock: nothing that is asked, and nothing
that is known by a hash, may depend on it, or the same project would ask other questions on another day.
"""

from __future__ import annotations

import re

_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_SOURCE = re.compile(r"\s{0,3}#{1,6}\s+(?:\*\*|__)?S[0-9]{1,4}\b")
_KEY = r"[-*+]\s+(?:\*\*|__)?read\b"
_READ = re.compile(rf"\s*{_KEY}(?:\*\*|__)?\s*[:：](?:\*\*|__)?(?:\s*[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|.*)", re.IGNORECASE)
_ANY = re.compile(_KEY, re.IGNORECASE)


def undated(text: str) -> str:
    """The text without the field `Read` of its sources, which stand under headings such as `### S01. Title`.

    The text may be a document or a prompt that holds one. Whatever follows an ISO date on the same line stays, at the end of the
    line before. Idempotent.
    """
    if not _ANY.search(text):
        return text
    kept: list[str] = []
    within = False
    for line in text.split("\n"):
        if _HEADING.match(line):
            within = bool(_SOURCE.match(line))
        if within and (found := _READ.match(line)):
            kept[-1] += line[found.end() :].rstrip()
        else:
            kept.append(line)
    return "\n".join(kept)

"""The page that was written with a document, taken apart again: sections, objections, and what became of each."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

_OBJECTION = re.compile(
    r"(?:(?P<item>[A-Z]{1,5}\d+(?:\.\d+)*): )?(?P<what>.*?) → (?P<fix>.*?) \((?P<by>[^()]*)\)"
    r"(?: – (?P<became>taken up|set aside): (?P<because>.*))?"
)


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One line of it: what is said of an item, what would put it right, by whom, and what became of it."""

    text: str
    """What is said; the whole line where it has no parts."""
    item: str = ""
    fix: str = ""
    by: str = ""
    became: str = ""
    """"taken up", "set aside", "" where nobody was asked."""
    because: str = ""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    heading: str
    remarks: tuple[Remark, ...]


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """A page `reference/digest/1-domain-frameworks.md`."""

    path: str
    """Its name there."""
    sections: tuple[Section, ...]
    said: str = ""
    """What it says where there is no section."""


def read_digest(path: Path) -> Digest:
    """The page as it stands on disk; people may have edited it, so every line that is none of ours stays as it is."""
    sections: list[tuple[str, list[Remark]]] = []
    loose: list[str] = []
    for line in path.read_text("utf-8", "replace").splitlines():
        if line.startswith("## "):
            sections.append((line[3:].strip(), []))
        elif sections and line.strip():
            sections[-1][1].append(_remark(line.removeprefix("- ").strip()))
        elif line.strip() and not line.startswith("# "):
            loose.append(line.strip())
    read = tuple(Section(heading=heading, remarks=tuple(remarks)) for heading, remarks in sections)
    return Digest(path=path.name, sections=read, said=" ".join(loose[1:]) if not read else "")


def _remark(line: str) -> Remark:
    found = _OBJECTION.fullmatch(line)
    if found is None:
        return Remark(text=line)
    parts = found.groupdict(default="")
    return Remark(text=parts.pop("what"), **parts)

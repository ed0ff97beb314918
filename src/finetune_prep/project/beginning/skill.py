"""SKILL.md: what a coding agent is told about working on a project. The program writes it, and renews what nobody has edited."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from finetune_prep.core.identity import digest
from finetune_prep.durable import write_atomically
from finetune_prep.project.layout import Layout

_FILE = Path(__file__).with_name("skill.md")
_MARK = re.compile(r'^metadata:\n  finetune-prep: "(?P<hash>[0-9a-f]+)"\n', re.MULTILINE)
_END_OF_FRONT = "\n---\n"


@cache
def skill_text() -> str:
    """The file as it is written, with a hash of itself in its front matter."""
    text = _FILE.read_text("utf-8")
    front, _, body = text.partition(_END_OF_FRONT)
    return f'{front}\nmetadata:\n  finetune-prep: "{_hash(text)}"{_END_OF_FRONT}{body}'


def keep_up(layout: Layout) -> None:
    """Write the file where it is missing, and anew where the program wrote it and nobody has changed it since."""
    path = layout.skill
    there = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    if there != skill_text() and (not there or _is_the_programs(there)):
        write_atomically(path, skill_text())


def _is_the_programs(text: str) -> bool:
    mark = _MARK.search(text)
    return mark is not None and mark["hash"] == _hash(_MARK.sub("", text, count=1))


def _hash(text: str) -> str:
    return digest(text.replace("\r\n", "\n"))[:16]

"""What is compared when a text is known by a hash: the text of each item on its own, and no day on which a source was read.

`- Read: 2026-03-01` below a source tells people how old a reference is. It comes from a clock: nothing that is asked, and nothing
that is known by a hash, may depend on it, or the same project would ask other questions on another day.
"""

from __future__ import annotations

import re
from typing import Any

from finetune_prep.documents.document import Document
from finetune_prep.markdown.inline import entry_id, heading_id
from finetune_prep.markdown.normal import normal
from finetune_prep.markdown.tree import Node, Tree, grow

_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_SOURCE = re.compile(r"\s{0,3}#{1,6}\s+(?:\*\*|__)?S[0-9]{1,4}\b")
_KEY = r"[-*+]\s+(?:\*\*|__)?read\b"
_READ = re.compile(rf"\s*{_KEY}(?:\*\*|__)?\s*[:：](?:\*\*|__)?(?:\s*[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|.*)", re.IGNORECASE)
_ANY = re.compile(_KEY, re.IGNORECASE)


def item_texts(document: Document[Any]) -> dict[str, str]:
    """The normalised text of each item by id: its heading, fields, conversation and prose, without comments and without the
    items within it."""
    tree = grow(document.text)
    owners = _owners(tree, document.lines)
    texts: dict[str, list[str]] = {}
    for line, owner in sorted(owners.items()):
        if owner and tree.scanned[line - 1].kind != "comment":
            texts.setdefault(owner, []).append(tree.scanned[line - 1].visible)
    return {id: normal("\n".join(lines)) for id, lines in texts.items()}


def other_text(document: Document[Any]) -> str:
    """The normalised text that belongs to no item: role, output format, notes between items; without headings and comments."""
    tree = grow(document.text)
    owners = _owners(tree, document.lines)
    kept = [
        tree.scanned[line - 1].visible
        for line in range(1, len(tree.scanned) + 1)
        if not owners.get(line) and tree.scanned[line - 1].kind not in ("comment", "heading")
    ]
    return normal("\n".join(kept))


def _owners(tree: Tree, lines: dict[str, int]) -> dict[int, str]:
    """Which item each line belongs to, "" for none. An inner item takes its lines from the outer one."""
    known = {line: name for name, line in lines.items()}
    owners: dict[int, str] = {}
    owner, level = "", 0
    for node in tree.sections:
        label = heading_id(node.text)
        if label and lines.get(label.id) == node.line:
            owner, level = label.id, node.level
        elif node.line in known or node.level <= level:
            owner, level = "", 0
        owners.update(dict.fromkeys(range(node.line, node.end), owner))
        for entry in node.walk():
            if item := _item(entry, lines):
                owners.update(dict.fromkeys(range(entry.line, entry.end), item))
    return owners


def _item(entry: Node, lines: dict[str, int]) -> str:
    label = entry_id(entry.text)
    return label.id if label and lines.get(label.id) == entry.line else ""


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

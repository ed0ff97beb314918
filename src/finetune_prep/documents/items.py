"""The text of each item on its own, so that a stamp can say which one has changed."""

from __future__ import annotations

from typing import Any

from finetune_prep.documents.document import Document
from finetune_prep.markdown.inline import entry_id, heading_id
from finetune_prep.markdown.normal import normal
from finetune_prep.markdown.tree import Node, Tree, grow


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

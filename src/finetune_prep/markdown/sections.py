"""Sections whose value is prose: role, input, output, grounding."""

from __future__ import annotations

from collections.abc import Sequence

from finetune_prep.markdown.headings import Headings, Schema
from finetune_prep.markdown.page import heading
from finetune_prep.markdown.prose import write_prose
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.tree import Node


class ProseSections:
    """The prose of known sections. An unknown heading within a section is part of its prose."""

    def __init__(self, reader: Reader, parts: Sequence[Part]) -> None:
        self._reader = reader
        self._nodes: dict[str, list[Node]] = {}
        section: str | None = None
        for part in parts:
            if part.kind == "section":
                section = part.name
                self._nodes.setdefault(section, []).append(part.node)
            elif part.kind in ("title", "category") or (part.kind == "item" and part.node.level):
                section = None
            elif part.kind == "prose" and section is not None:
                self._nodes[section].append(part.node)

    def get(self, section: str) -> str:
        nodes = self._nodes.get(section, [])
        return self._reader.prose(nodes, section) if nodes else ""

    def need(self, section: str) -> str:
        """The section's prose; a finding if it is missing or empty."""
        text = self.get(section)
        if not text:
            nodes = self._nodes.get(section)
            what = f"the section “{section}” is empty" if nodes else f"there is no section “{section}”"
            self._reader.add(nodes[0].line if nodes else 0, what, f"write it below a heading: ## {section}")
        return text


def render_prose(schema: Schema, section: str, text: str) -> list[str]:
    """The section with its heading; no block if it is empty."""
    headings = Headings(schema)
    prose = write_prose(text, lambda kind, line: headings.guard(kind, line, section))
    return [heading(2, section), prose] if prose.strip() else []

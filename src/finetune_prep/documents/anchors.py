"""Behavioral anchors: `- DO1: Name the fault first. From: T1.1, FM1`."""

from __future__ import annotations

import re

from finetune_prep.core.knowledge import Anchor
from finetune_prep.documents.citations import read_tail_ids, split_tail
from finetune_prep.markdown.inline import guard, prefix, written
from finetune_prep.markdown.page import bullets, heading, id_list, tail
from finetune_prep.markdown.reader import Part, Reader

ALWAYS, NEVER = "DO", "DONT"
LISTS = {"Always do": ALWAYS, "Never do": NEVER}
_FROM = re.compile(r"from:(?=\s|$)", re.IGNORECASE)


def read_anchor(reader: Reader, part: Part) -> Anchor:
    text, drawn_from = split_tail(part.name, _FROM)
    ids = read_tail_ids(reader, part, drawn_from, _FROM) + reader.fields(part, ("From",)).ids("From")
    if not text:
        reader.add(
            part.node.line, f"{part.id} is empty", f"write what can be observed: - {part.id}: Name the fault before …", part.id
        )
    meant = LISTS.get(part.section, prefix(part.id))
    if meant != prefix(part.id):
        reader.add(part.node.line, f"{part.id} stands under “{part.section}”", f"move it, or call it {meant}…", part.id)
    return Anchor(id=part.id, text=text, drawn_from=ids)


def render_anchors(always: tuple[Anchor, ...], never: tuple[Anchor, ...], *, origins: bool) -> list[str]:
    """The section with both lists. origins: whether to say what an anchor was drawn from."""
    if not always and not never:
        return []
    blocks = [heading(2, "Behavioral anchors")]
    for name, anchors in zip(LISTS, (always, never), strict=True):
        blocks.append(heading(3, name))
        blocks.extend(bullets(_render(anchor, origins) for anchor in anchors))
    return blocks


def _render(anchor: Anchor, origins: bool) -> str:
    text = f"{anchor.id}: {guard(written(anchor.text), _FROM)}"
    return tail(text, "From", id_list(anchor.drawn_from)) if origins else text

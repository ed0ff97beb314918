"""Behavioural anchors as two lists: `- DO1: Name the fault … Except: … From: T1.1, FM1`."""

from __future__ import annotations

import re

from finetune_prep.core.knowledge import Anchor
from finetune_prep.documents.citations import split_tail
from finetune_prep.markdown.inline import guard, prefix, written
from finetune_prep.markdown.page import bullets, heading, id_list, tails
from finetune_prep.markdown.reader import Part, Reader

ALWAYS, NEVER = "DO", "DONT"
LISTS = {"Always do": ALWAYS, "Never do": NEVER}
SECTION = "Behavioral anchors"
_FROM = re.compile(r"from:(?=\s|$)", re.IGNORECASE)
_EXCEPT = re.compile(r"except:(?=\s|$)", re.IGNORECASE)
_EXCEPT_ALONE = re.compile(r"(?<!\S)except:\s*\Z", re.IGNORECASE)


def read_anchor(reader: Reader, part: Part) -> Anchor:
    rest, drawn_from = split_tail(part.name, _FROM)
    text, unless = split_tail(rest, _EXCEPT)
    nested = reader.fields(part, ("Except", "From"))
    if _EXCEPT_ALONE.search(rest):
        fix = f"say when {part.id} does not bind, or take “Except:” out"
        reader.add(part.node.line, f"{part.id} has an exception that says nothing", fix, part.id)
    ids = reader.ids(drawn_from, part.node.line, part.id) + nested.ids("From")
    if not text:
        reader.add(
            part.node.line, f"{part.id} is empty", f"write what can be observed: - {part.id}: Name the fault before …", part.id
        )
    meant = LISTS.get(part.section, prefix(part.id))
    if meant != prefix(part.id):
        reader.add(part.node.line, f"{part.id} stands under “{part.section}”", f"move it, or call it {meant}…", part.id)
    return Anchor(id=part.id, text=text, unless=unless or nested.get("Except"), drawn_from=ids)


def render_anchors(always: tuple[Anchor, ...], never: tuple[Anchor, ...], *, origins: bool) -> list[str]:
    """The section with both lists. origins: whether to say what an anchor was drawn from."""
    if not always and not never:
        return []
    blocks = [heading(2, SECTION)]
    for name, anchors in zip(LISTS, (always, never), strict=True):
        blocks.append(heading(3, name))
        blocks.extend(bullets(_render_anchor(anchor, origins) for anchor in anchors))
    return blocks


def _render_anchor(anchor: Anchor, origins: bool) -> str:
    text = f"{anchor.id}: {guard(guard(written(anchor.text), _FROM), _EXCEPT)}"
    drawn_from = id_list(anchor.drawn_from) if origins else ""
    return tails(text, [("Except", written(anchor.unless), _FROM), ("From", drawn_from, None)])

"""A list of behaviours of somebody else's as the section "Behavioral anchors"."""

from __future__ import annotations

import re

from finetune_prep.core.knowledge import Anchor
from finetune_prep.documents.foreign.drafting import Drawn, Placed, Unplaced, columns_by_role
from finetune_prep.documents.foreign.rows import TEXT, Rows
from finetune_prep.documents.knowledge.anchors import ALWAYS, NEVER, render_anchors
from finetune_prep.documents.slips.near_ids import counted, meant
from finetune_prep.markdown import inline
from finetune_prep.markdown.inline import folded
from finetune_prep.markdown.page import page

LONGEST = 500  # characters
ROLES = {
    "text": ("anchor", "behavior", "behaviour", "rule", TEXT, "description", "statement", "requirement", "name", "title"),
    "kind": ("kind", "type", "list", "polarity", "category", "group", "section"),
    "from": ("from", "drawnfrom", "source", "sources"),
    "id": ("id", "key", "code", "nr", "no", ""),
}
_BECAME = {
    "text": "the anchor",
    "kind": "Always do or Never do",
    "from": "From, where it holds ids",
    "id": "nothing: anchors are numbered anew",
}
_NEVER = re.compile(
    r"\b(?:never|don['’]?ts?|do[ -]not|must[ -]not|should[ -]not|avoid|negative|forbidden|prohibited|nie|niemals|nunca|jamais)\b",
    re.I,
)
_ALWAYS = re.compile(r"\b(?:always|dos?|must|should|positive|required|immer|stets|siempre|toujours)\b", re.I)
_FORBIDS = re.compile(
    r"(?:never|do not|don['’]t|avoid|refrain from|must not|should not)\s+(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL
)


def draw_anchors(rows: Rows) -> Drawn:
    """The section with both lists, as Markdown."""
    roles = columns_by_role(rows.columns, ROLES)
    lists: dict[str, list[Anchor]] = {ALWAYS: [], NEVER: []}
    unplaced: list[Unplaced] = []
    by_words = reworded = 0
    for row in rows.rows:
        text = _text(row.cells.get(roles.get("text", ""), "") or row.cells.get(TEXT, ""))
        if not text or len(text) > LONGEST:
            why = f"{len(text)} characters; an anchor has at most {LONGEST}" if text else "there is no behavior in it"
            unplaced.append(Unplaced(row.place, (text or "; ".join(row.cells.values()))[:200], why))
            continue
        unplaced += [
            Unplaced(row.place, f"{column}: {cell}"[:200], "there is no place for this column")
            for column, cell in row.cells.items()
            if column not in (*roles.values(), TEXT)
        ]
        said = _said(row.cells.get(roles.get("kind", ""), "") or row.group)
        forbids = _FORBIDS.fullmatch(text)
        by_words += not said
        letters = said or (NEVER if forbids else ALWAYS)
        if letters == NEVER and forbids:
            text, reworded = forbids["rest"][0].upper() + forbids["rest"][1:], reworded + 1
        drawn_from = tuple(re.findall(rf"\b{inline.ID}\b", row.cells.get(roles.get("from", ""), "")))
        lists[letters].append(Anchor(id=f"{letters}{len(lists[letters]) + 1}", text=text, drawn_from=drawn_from))
    placed = [Placed(column, _BECAME[role]) for role, column in roles.items()]
    if by_words:
        placed.append(
            Placed(f"{by_words} rows without a list", "Never do if they begin with never, do not or avoid, else Always do")
        )
    if reworded:
        placed.append(Placed(f"“Never …”, “Do not …” in {reworded} rows", "left out: under Never do it would say the opposite"))
    text = page(render_anchors(tuple(lists[ALWAYS]), tuple(lists[NEVER]), origins=True))
    return Drawn(text, sum(map(len, lists.values())), tuple(placed), tuple(unplaced))


def _text(written: str) -> str:
    near = meant(written, (ALWAYS, NEVER), marked=True)
    return near.text if near and near.text else counted(written) or written


def _said(group: str) -> str:
    """Which list a heading or cell names, "" if it names none."""
    words = " ".join(group.replace("_", " ").split())
    if folded(words) in ("dont", "donts") or _NEVER.search(words):
        return NEVER
    return ALWAYS if _ALWAYS.search(words) else ""

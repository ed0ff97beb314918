"""A rubric of somebody else's as a draft of evaluation-rubric.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from finetune_prep.documents.foreign.drafting import Drawn, Placed, Unplaced, columns_by_role
from finetune_prep.documents.foreign.rows import TEXT, Row, Rows
from finetune_prep.documents.slips.near_ids import counted, meant
from finetune_prep.markdown.headings import ANY
from finetune_prep.markdown.inline import folded, guard_category, number, read_number, written
from finetune_prep.markdown.page import fields, front_matter, heading, item_heading, page

LONGEST = 1000  # characters of a question or description
ROLES = {
    "question": ("question", "criterion", "requirement", "check", "criteria", TEXT, "statement", "item", "description", "prompt",
                 "frage", "kriterium", "name", "title"),
    "category": ("category", "group", "section", "dimension", "axis", "theme", "area", "kategorie", "aspect"),
    "weight": ("weight", "points", "score", "maxpoints", "gewicht", "value"),
    "yes": ("yes", "pass", "passcriteria", "yesif", "met", "passif", "whatcountsasyes", "positive", "ja", "good"),
    "no": ("no", "fail", "failcriteria", "noif", "notmet", "unmet", "failif", "whatcountsasno", "negative", "nein", "bad"),
    "na": ("na", "notapplicable", "naif", "nawhen"),
    "gate": ("gate", "critical", "safety", "mandatory", "musthave"),
    "id": ("id", "key", "code", "name", "nr", "no", "", "title", "label"),
}  # fmt: skip
_BECAME = {
    "question": "the question", "id": "its id, where it is one", "category": "the category", "weight": "its share of the weight",
    "yes": "Yes", "no": "No", "na": "N/A", "gate": "the safety gate, where it says so",
}  # fmt: skip
_SAFETY = re.compile(r"\b(?:safety|safe|harm|crisis|sicherheit|seguridad|sécurité)\b|安全", re.IGNORECASE)
_SCALES = {"options", "scale", "choices", "levels", "likert", "min", "max", "scores", "anchors"}
_TRUE = {"yes", "true", "1", "x", "gate", "critical", "ja"}


class _Asked(NamedTuple):
    id: str
    text: str
    weight: float | None
    described: tuple[tuple[str, str], ...]


def draw_rubric(rows: Rows, title: str) -> Drawn:
    """The draft. What the file does not say is left out, so that reading the draft says what is missing: nothing is made up."""
    return _Drawing(rows, title).drawn()


class _Drawing:
    def __init__(self, rows: Rows, title: str) -> None:
        self._rows = rows
        self._title = rows.head.get("title") or rows.head.get("name") or title
        self._roles = columns_by_role(rows.columns, ROLES)
        if "yes" not in self._roles and folded(self._roles.get("no", "")) == "no":
            self._roles["id"] = self._roles.pop("no")  # “No.” counts rows where nothing says what a YES is
        self._unplaced: list[Unplaced] = []
        self._renamed = 0
        self._ids: set[str] = set()
        self._counts: dict[str, int] = {}
        self._letters: dict[str, str] = {}

    def drawn(self) -> Drawn:
        categories: dict[str, list[_Asked]] = {}
        gates: set[str] = set()
        for row in self._rows.rows:
            name = self._cell(row, "category") or row.group or "Questions"
            if self._is_gate(row, name):
                gates.add(name)
            if asked := self._asked(row, name):
                categories.setdefault(name, []).append(asked)
        count = sum(map(len, categories.values()))
        text = page([*self._front(), heading(1, written(self._title)), *self._blocks(categories, gates)])
        return Drawn(text, count, tuple(self._placed(categories, gates)), tuple(self._unplaced))

    def _cell(self, row: Row, role: str) -> str:
        return row.cells.get(self._roles.get(role, ""), "")

    def _front(self) -> list[str]:
        given = {folded(key): value for key, value in self._rows.head.items()}
        threshold = read_number(given.get("threshold") or given.get("passthreshold") or "")
        if threshold is None:
            return []
        return front_matter({"threshold": number(threshold / 100 if threshold > 1 else threshold)})

    def _is_gate(self, row: Row, category: str) -> bool:
        return bool(_SAFETY.search(category)) or self._cell(row, "gate").casefold() in _TRUE

    def _asked(self, row: Row, category: str) -> _Asked | None:
        text = self._cell(row, "question") or row.cells.get(TEXT, "")
        weight = read_number(self._cell(row, "weight"))
        near = meant(text, (ANY,), marked=True)
        if not text:
            self._leave(row, "; ".join(row.cells.values()), "there is no question in it")
            return None
        if weight is not None and weight < 0:
            self._leave(row, text, f"{number(weight)} points: a YES would be bad here; ask for the good side, and add it by hand")
            return None
        if len(text) > LONGEST:
            self._leave(row, text, f"{len(text)} characters; a question has at most {LONGEST}")
            return None
        for column, cell in row.cells.items():
            if column not in (*self._roles.values(), TEXT):
                why = (
                    "answers on a scale; ours are yes, no and N/A"
                    if folded(column) in _SCALES
                    else "there is no place for this column"
                )
                self._leave(row, f"{column}: {cell}", why)
        described = tuple((key, self._cell(row, role)) for key, role in (("Yes", "yes"), ("No", "no"), ("N/A", "na")))
        id = self._id(self._cell(row, "id") or (near.id if near else ""), category)
        return _Asked(id, near.text if near and near.text else counted(text) or text, weight, described)

    def _leave(self, row: Row, text: str, why: str) -> None:
        self._unplaced.append(Unplaced(row.place, text[:200], why))

    def _id(self, given: str, category: str) -> str:
        """The id that the file gives, if it is one and free; the next one of its category otherwise."""
        near = meant(f"{given}:", (ANY,)) if given else None
        if near and near.id not in self._ids and not near.text:
            self._ids.add(near.id)
            return near.id
        self._renamed += bool(given)
        letters = self._letters_of(category)
        while True:
            self._counts[letters] = self._counts.get(letters, 0) + 1
            id = f"{letters}{self._counts[letters]}"
            if id not in self._ids:
                self._ids.add(id)
                return id

    def _letters_of(self, category: str) -> str:
        if category not in self._letters:
            plain = "".join(character for character in category.upper() if "A" <= character <= "Z")
            choices = (plain[:2], plain[:3], f"{plain[:1]}{plain[2:3]}", *(f"Q{chr(letter)}" for letter in range(65, 91)))
            taken = set(self._letters.values())
            self._letters[category] = next((one for one in choices if len(one) > 1 and one not in taken), "Q")
        return self._letters[category]

    def _blocks(self, categories: Mapping[str, Sequence[_Asked]], gates: set[str]) -> list[str]:
        shares = self._shares({name: asked for name, asked in categories.items() if name not in gates})
        blocks: list[str] = []
        for name in sorted(categories, key=lambda name: name not in gates):
            share = f" (weight {number(shares[name])})" if name in shares else " (gate)" if name in gates else ""
            blocks.append(heading(2, f"{written(name)}{share}"))
            for asked in categories[name]:
                blocks.append(item_heading(3, asked.id, guard_category(written(asked.text))))
                blocks += fields(asked.described)
        return blocks

    def _shares(self, categories: Mapping[str, Sequence[_Asked]]) -> dict[str, float]:
        """Weights that sum to 1: those of the groups, or else what their questions weigh; none where any is missing."""
        weights = {name: self._rows.weights.get(name, -1.0) for name in categories}
        if any(weight < 0 for weight in weights.values()):
            weights = {name: sum(one.weight for one in asked if one.weight is not None) for name, asked in categories.items()}
            if any(one.weight is None for asked in categories.values() for one in asked):
                return {}
        total = sum(weights.values())
        if total <= 0:
            return {}
        shares = {name: round(weight / total, 2) for name, weight in weights.items()}
        heaviest = max(shares, key=lambda name: shares[name])
        shares[heaviest] = round(shares[heaviest] + 1 - sum(shares.values()), 2)
        return shares

    def _placed(self, categories: Mapping[str, Sequence[_Asked]], gates: set[str]) -> list[Placed]:
        found = [Placed(column, _BECAME[role]) for role, column in self._roles.items()]
        if "category" not in self._roles and any(row.group for row in self._rows.rows):
            found.append(Placed("headings and groups", "categories"))
        found += [Placed(name, "the safety gate, because of its name or its mark") for name in categories if name in gates]
        if self._renamed:
            found.append(
                Placed(
                    f"{self._renamed} id{'' if self._renamed == 1 else 's'}",
                    "ids of our own: letters of the category and a number",
                )
            )
        if "threshold:" in "\n".join(self._front()):
            found.append(Placed("threshold", "the pass threshold"))
        return found

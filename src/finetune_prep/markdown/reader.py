"""Reading a tree by a kind's schema: which heading is what, which list item is a field, and every problem on the way.

A `Reader` never raises on content. It collects findings, each with its line and how to fix it, and hands out what it could
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.finding import Finding
from finetune_prep.markdown import inline
from finetune_prep.markdown.headings import ANY, MOST_SPELLINGS, Headings, PartKind, Schema, may_stand, nearest
from finetune_prep.markdown.inline import Labelled, folded
from finetune_prep.markdown.prose import read_prose
from finetune_prep.markdown.tree import Node, Quote, Tree
from finetune_prep.markdown.turns import Talk, talks

MOST_FINDINGS = 100  # shown; a file with more is not a document of this kind
MOST_PROBLEMS = 1000  # kept while reading


class Part(NamedTuple):
    """A heading (or list item) and what it is."""

    kind: PartKind
    node: Node
    section: str
    """The known section it stands in, "" for none."""
    name: str = ""
    """The section's known spelling, the category's name, or the item's text after its id."""
    id: str = ""
    attributes: str = ""
    """What stands in the trailing parentheses of a category."""


class Field(NamedTuple):
    """A field of an item."""

    key: str
    """The name of the field in its right spelling."""
    value: str
    node: Node
    about: str = ""
    """The id in the key of "Rather than T2.1"."""

    @property
    def line(self) -> int:
        return self.node.line


class Reader:
    """Reads one document. path: relative to the project. lines: what `Document.lines` will hold."""

    def __init__(self, path: str, tree: Tree, schema: Schema) -> None:
        self.path = path
        self.tree = tree
        self.headings = Headings(schema)
        self.lines: dict[str, int] = {}
        self.headed: list[Part] = []
        """The headings so far, each with what it is."""
        self.item_lines: set[int] = set()
        """The lines on which an item begins."""
        self.lost = 0
        """Items that stand there and are not read."""
        self._findings: list[Finding] = []
        self._reported: set[int] = set()
        self._problems = 0
        self._spellings = 0
        self._ids: dict[str, dict[str, int]] = {}
        self._front_lines: dict[str, int] = {}
        if tree.front.problem:
            self.add(tree.front.problem_line, tree.front.problem, "write `key: value`, one a line, between two lines `---`")

    def add(self, line: int, what: str, fix: str, item: str = "") -> None:
        self._problems += 1
        self._reported.add(line)
        if self._problems <= MOST_PROBLEMS:
            self._findings.append(Finding(path=self.path, line=line, what=what, fix=fix, item=item))

    def lose(self, line: int, what: str, fix: str, item: str = "") -> None:
        """Add a finding about an item that is not read: whoever looks at the document must not take it for missing."""
        self.lost += 1
        self.add(line, what, fix, item)

    def is_reported(self, line: int) -> bool:
        return line in self._reported

    def note(self, heading: str, node: Node) -> None:
        """Remember where a section stands; the first of a name counts."""
        if heading:
            self.lines.setdefault(heading.casefold(), node.line)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """In the order of the text; only the first hundred are kept, and the rest counted."""
        ordered = sorted(self._findings, key=lambda finding: finding.line)
        rest = self._problems - MOST_FINDINGS
        if rest <= 0:
            return tuple(ordered)
        more = Finding(path=self.path, line=0, what=f"{rest} more problems", fix="fix these first")
        return (*ordered[:MOST_FINDINGS], more)

    # ---- headings

    def parts(self) -> Iterator[Part]:
        """The headings in order, each with what it is, and after each the list items that are items of their own."""
        around = Part("title", self.tree.preamble, "")  # the title, section or category that the current heading stands in
        for number, node in enumerate(self.tree.sections):
            part = self._part(number, around)
            if self.ends(part, around):
                around = Part("title", self.tree.preamble, "")
                part = part._replace(section="")
            self.headed.append(part)
            if part.kind in ("title", "section", "category"):
                around = part
                self.note(part.name, node)
            if part.kind == "item" and not self._is_new(part):
                continue
            yield part
            if part.kind != "prose":
                yield from self._list_items(part, self.headings.allowed(around.section, around.kind))

    def ends(self, part: Part, around: Part) -> bool:
        """Whether an item ends the section it follows: its heading is of the section's own level or above."""
        level = part.node.level
        is_under_title = inline.prefix(part.id) in self.headings.schema.start
        return part.kind == "item" and around.kind == "section" and 0 < level <= around.node.level and is_under_title

    def _part(self, number: int, around: Part) -> Part:
        node = self.tree.sections[number]
        text = node.text
        allowed = self.headings.allowed(around.section, around.kind)
        label = inline.heading_id(text)
        known = self.headings.section(text)
        category = self.headings.category(text)
        if number == 0 and (node.level == 1 or not (label or known or category)):
            return Part("title", node, "", name=text)
        if category:
            return Part("category", node, "", name=category[0], attributes=category[1])
        if label and may_stand(label.id, allowed):
            return self._item(node, label, around.section)
        if known:
            return Part("section", node, known, name=known)
        if label is None and self._holds_questions(number, around, allowed):
            return Part("category", node, "", name=text)
        self._unknown(node, text, label, allowed)
        return Part("prose", node, around.section, name=text)

    def _item(self, node: Node, label: Labelled, section: str) -> Part:
        name = label.text if self.headings.schema.category is None else inline.unguard_category(label.text)
        return Part("item", node, section, name=name, id=label.id)

    def _holds_questions(self, number: int, around: Part, allowed: tuple[str, ...]) -> bool:
        """Whether a heading without a weight is meant as a category: the next one is an item that cannot stand where we are."""
        schema = self.headings.schema
        in_prose = around.kind == "section" and schema.sections[around.section] is None
        if schema.category is None or in_prose or number + 1 == len(self.tree.sections):
            return False
        node, following = self.tree.sections[number : number + 2]
        label = inline.heading_id(following.text)
        if label is None or following.level <= node.level:
            return False
        return node.level <= around.node.level or (around.kind != "section" and not may_stand(label.id, allowed))

    def _unknown(self, node: Node, text: str, label: Labelled | None, allowed: tuple[str, ...]) -> None:
        if label and allowed:
            self.lose(node.line, f"no item is called “{label.id}” here", f"ids here are like {_example_ids(allowed)}")
        elif not label and (near := self.headings.near(text)):
            self.add(node.line, f"unknown heading “{_short(text)}”", f"write “{near}”")

    def _list_items(self, part: Part, allowed: tuple[str, ...]) -> Iterator[Part]:
        if part.kind == "item" and ANY in allowed:
            return
        entries = part.node.entries if ANY in allowed else part.node.walk()
        for entry in entries:
            label = inline.entry_id(entry.text)
            if label and may_stand(label.id, allowed) and label.id != part.id:
                found = self._item(entry, label, part.section)
                if self._is_new(found):
                    yield found

    def _is_new(self, part: Part) -> bool:
        about = part.section if part.section in self.headings.schema.about and part.node.level == 0 else ""
        known = self._ids.setdefault(about, {})
        if part.id in known:
            first = known[part.id]
            self.lose(
                part.node.line,
                f"“{part.id}” stands here for the second time",
                f"give one of them a new id; the first is in line {first}",
                part.id,
            )
            return False
        known[part.id] = part.node.line
        self.item_lines.add(part.node.line)
        self.lines[part.id] = self.lines.get(part.id, part.node.line) if about else part.node.line
        return True

    def title(self, part: Part | None) -> str:
        """The title; a finding if there is none."""
        if part is None or not part.name:
            line = part.node.line if part else 1
            self.add(line, "the document has no title", "write `# Title` above everything else (below the front matter)")
            return ""
        return part.name

    def name(self, part: Part) -> str:
        """The text after an item's id; a finding if there is none."""
        if not part.name:
            self.add(part.node.line, f"{part.id} has no text", f"write it after “{part.id}.”", part.id)
        return part.name

    def _nearest(self, text: str, known: Mapping[str, str], *, cutoff: float) -> str:
        """The known key that was probably meant, "" if none is near. Looked for only a limited number of times."""
        self._spellings += 1
        return nearest(text, known, cutoff=cutoff) if self._spellings <= MOST_SPELLINGS else ""

    # ---- fields

    def fields(self, part: Part, keys: Sequence[str], *, repeated: Sequence[str] = (), about: str = "") -> Fields:
        """The fields of an item. keys: their right spelling. repeated: those that may stand more than once.

        about: a key that is followed by an id ("Rather than").
        """
        known = {folded(key): key for key in (*keys, *repeated)}
        found: list[Field] = []
        seen: set[str] = set()
        for entry in part.node.entries:
            if inline.entry_id(entry.text):
                continue
            field = self._field(part, entry, known, about)
            if field is None:
                continue
            if field.key in seen and field.key in keys:
                fix = "keep one of them, or continue the first by indenting"
                self.add(field.line, f"“{field.key}” stands twice under {part.id or part.name}", fix, part.id)
                continue
            seen.add(field.key)
            found.append(field)
        return Fields(self, part, found)

    def _field(self, part: Part, entry: Node, known: Mapping[str, str], about: str) -> Field | None:
        pair = inline.key_and_value(entry.nested_text)
        if pair is None:
            return None
        key, value = pair
        bare = folded(key)
        if bare in known:
            return Field(known[bare], value, entry)
        if about and bare.startswith(folded(about)) and (label := re.search(inline.ID, key)):
            return Field(about, value, entry, label[0])
        if near := self._nearest(bare, known, cutoff=0.75):
            self.add(entry.line, f"unknown key “{_short(key)}”", f"write “{near}”", part.id)
        return None

    def ids(self, text: str, line: int, item: str = "") -> tuple[str, ...]:
        """A list of ids, parted by commas, spaces or "and". Words among them are one finding."""
        found, others = inline.listed(text)
        if others:
            more = f", nor what follows ({len(others) - 1} more)" if len(others) > 1 else ""
            self.add(line, f"“{_short(others[0])}” is not an id{more}", "write ids, parted by commas: T1.1, FM2", item)
        return found

    # ---- conversations and prose

    def talks(self, part: Part) -> list[Talk]:
        """The conversations of an item, in its own blockquotes and in those of its fields."""
        quotes = sorted(_quotes(part.node), key=lambda quote: quote.line)
        found = talks(quotes)
        for talk in found:
            if any(not message.content for message in talk.conversation.messages):
                self.add(
                    talk.line,
                    "a turn of this conversation is empty",
                    "write the turn's text after the speaker, or remove it",
                    part.id,
                )
        if quotes and not found:
            self.add(quotes[0].line, "this blockquote names no speaker", "begin it with > **User:** …", part.id)
        return found

    def conversation(self, part: Part) -> Conversation:
        """The one conversation of an item, over all its blockquotes."""
        found = self.talks(part)
        if not found and not any(_quotes(part.node)):
            self.add(
                part.node.line,
                f"{part.id} has no conversation",
                "write below its heading: > **User:** … and > **Assistant:** …",
                part.id,
            )
        return Conversation(tuple(message for talk in found for message in talk.conversation.messages))

    def prose(self, nodes: Iterable[Node], section: str = "") -> str:
        """The prose of sections that follow each other, without the items among their list items."""
        lines: list[str] = []
        for number, node in enumerate(nodes):
            taken = self._taken(node)
            start = node.body if number == 0 else node.line
            lines.extend(self.tree.scanned[line - 1].visible for line in range(start, node.end) if self._is_prose(line, taken))
        return read_prose(lines, lambda kind, text: self.headings.unguard(kind, text, section))

    def _is_prose(self, line: int, taken: set[int]) -> bool:
        return line not in taken and self.tree.scanned[line - 1].kind != "comment"

    def _taken(self, node: Node) -> set[int]:
        items = [
            entry for entry in node.walk() if (label := inline.entry_id(entry.text)) and self.lines.get(label.id) == entry.line
        ]
        return {line for entry in items for line in range(entry.line, entry.end)}

    # ---- front matter

    def front(self, keys: Sequence[str]) -> dict[str, str]:
        """The front matter's values by their right spelling; unknown keys are findings. `format` is always allowed."""
        values: dict[str, str] = {}
        known = {folded(key): key for key in (*keys, "format")}
        for key, value in self.tree.front.values.items():
            if folded(key) in known:
                values[known[folded(key)]] = value
                self._front_lines[known[folded(key)]] = self.tree.front.lines[key]
            else:
                near = self._nearest(folded(key), known, cutoff=0.6)
                fix = f"write “{near}”" if near else f"use one of: {', '.join(known.values())}"
                self.add(self.tree.front.lines[key], f"unknown key “{_short(key)}” in the front matter", fix)
        if values.get("format", "1") != "1":
            fix = "write `format: 1`, or use a newer finetune-prep"
            self.add(self.front_line("format"), f"format “{_short(values['format'])}” is not known", fix)
        return values

    def front_line(self, key: str) -> int:
        """The line of a key that `front` has given, 1 for one that is not there."""
        return self._front_lines.get(key, 1)

    def share(self, values: Mapping[str, str], key: str, default: float) -> float:
        """A number from 0 to 1 of the front matter; the default if it is missing."""
        if key not in values:
            return default
        value = inline.read_number(values[key])
        if value is None or not 0 <= value <= 1:
            fix = f"write a number from 0 to 1, for example `{key}: {inline.number(default)}`"
            self.add(self.front_line(key), f"{key} is “{_short(values[key])}”", fix)
            return default
        return value


class Fields:
    """The fields of one item, by key."""

    def __init__(self, reader: Reader, part: Part, found: Sequence[Field]) -> None:
        self._reader = reader
        self._part = part
        self._found = found

    def many(self, key: str) -> list[Field]:
        return [field for field in self._found if field.key == key]

    def get(self, key: str) -> str:
        """The field's text, "" if it is not there."""
        return next((field.value for field in self._found if field.key == key), "")

    def need(self, key: str) -> str:
        """The field's text; a finding if it is missing or empty."""
        value = self.get(key)
        if not value:
            name = self._part.id
            line = next((field.line for field in self._found if field.key == key), self._part.node.line)
            self._reader.add(line, f"{name} does not say “{key}”", f"write below it: - {key}: …", name)
        return value

    def ids(self, key: str) -> tuple[str, ...]:
        found: list[str] = []
        for field in self.many(key):
            found += self._reader.ids(field.value, field.line, self._part.id)
        return tuple(found)


def _quotes(node: Node) -> Iterator[Quote]:
    yield from node.quotes
    for entry in node.entries:
        if node.level == 0 or not inline.entry_id(entry.text):
            yield from entry.quotes


def _example_ids(allowed: tuple[str, ...]) -> str:
    return ", ".join(f"{letters}1" for letters in allowed) if ANY not in allowed else "CP1"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"

"""Giving items new ids, in one document and in those that refer to it.

An id is rewritten where the reader takes it for one: at the start of a heading or list item, in a field that holds ids, as the
source of a citation, in the title of a witness. Prose, quotations, conversations and comments keep what they say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import has_read, parse
from finetune_prep.documents.splice import rewrite_lines
from finetune_prep.errors import UsageError
from finetune_prep.markdown.inline import ID, prefix
from finetune_prep.markdown.reader import Mention
from finetune_prep.markdown.tree import Node, Tree
from finetune_prep.method.documents import DOCUMENTS

# documents that speak of the same items: an id means the same thing within each of these groups
_NAMESPACES = (
    ("domain-frameworks", "generation-prompt"),
    ("scenario-space",),
    ("evaluation-rubric", "evaluation-prompt"),
)
_INNER = {"F": "T", "TP": "TP"}  # F1 holds T1.1, TP1 holds TP1.1
_OUTER_ID = re.compile(r"(?P<letters>[A-Z]{1,6})(?P<number>[0-9]{1,4})")


class _Change(NamedTuple):
    """Columns start to end (exclusive) of a line (0-based) become `new`."""

    row: int
    start: int
    end: int
    new: str


class _Place(NamedTuple):
    """Line and column, both 0-based."""

    row: int
    column: int


_Shown = list[tuple[str, _Place | None]]  # the characters of a text, each with where it stands in the file; None for joins


def renumber(kind: str, text: str, ids: Mapping[str, str]) -> str:
    """The text of one document with each id of `ids` (old to new) rewritten, all at once, so that two ids can change places.

    Only the ids themselves change: every other byte stays, line ends and byte order mark included. Where an id stands for a
    second time by mistake, the first one is meant. Whether the new ids make sense is not asked; see `renumber_all`.

    kind: a key of `method.documents.DOCUMENTS` (KeyError otherwise). Raises DocumentError for a text that cannot be read at all.
    """
    reader = has_read(kind, text, DOCUMENTS[kind].path)
    changes = {change for mention in reader.mentions for change in _changes(reader.tree, mention, ids)}
    rows: dict[int, str] = {}
    for row, start, end, new in sorted(changes, reverse=True):
        line = rows.get(row, reader.tree.lines[row])
        rows[row] = line[:start] + new + line[end:]
    return rewrite_lines(text, rows)


def renumber_all(texts: Mapping[str, str], ids: Mapping[str, str]) -> dict[str, str]:
    """The texts of a project's documents by kind, with ids rewritten in all of them; only those that change are returned.

    texts: every document there is, by kind. ids: old to new, all at once. What an item holds goes with it: F1 → F4 makes T1.2
    T4.2 unless `ids` says otherwise. Snapshots of renumbered sources are the caller's to rename, as are stamps and decisions.

    Raises UsageError if an id is malformed, unknown, taken or a name of two things, or if a document would no longer read as
    it does, and DocumentError for a text that cannot be read at all.
    """
    before = {kind: parse(kind, text, DOCUMENTS[kind].path) for kind, text in texts.items()}
    wanted = _with_inner(_well_formed(ids), before)
    _check_names(wanted, before)
    changed = {kind: renumber(kind, text, wanted) for kind, text in texts.items()}
    for kind, text in changed.items():
        _check_reading(before[kind], text)
    return {kind: text for kind, text in changed.items() if text != texts[kind]}


# ---- one document


def _changes(tree: Tree, mention: Mention, ids: Mapping[str, str]) -> Iterator[_Change]:
    shown = _shown(tree, mention.node, nested=mention.nested)
    said = "".join(character for character, _ in shown)
    for start, end in mention.spans(said):
        new = ids.get(said[start:end])
        place = shown[start][1]
        # an id that a comment or a line end tears apart is nobody's reference
        if new is None or place is None or [at for _, at in shown[start:end]] != _run(place, end - start):
            continue
        yield _Change(place.row, place.column, place.column + end - start, new)


def _run(place: _Place, length: int) -> list[_Place]:
    return [_Place(place.row, place.column + step) for step in range(length)]


def _shown(tree: Tree, node: Node, *, nested: bool) -> _Shown:
    """What `Node.text` or `Node.nested_text` shows, before it is tidied."""
    shown = _joined([_line(tree, row - 1) for text, row in zip(node.texts, node.rows, strict=True) if text], " ")
    if not nested or not node.entries:
        return shown
    between = " " if shown and shown[-1][0] != ":" else ", "
    inner = _joined([_shown(tree, entry, nested=True) for entry in node.entries], between)
    return _joined([shown, inner], " ") if shown else inner


def _joined(pieces: list[_Shown], between: str) -> _Shown:
    joined: _Shown = []
    for number, piece in enumerate(pieces):
        joined += [(character, None) for character in between if number]
        joined += piece
    return joined


def _line(tree: Tree, row: int) -> _Shown:
    """The characters of `Line.text`: what is left at the end of the line without comments and outer white space."""
    line, raw = tree.scanned[row], tree.lines[row]
    hidden = {column for start, end in line.hidden for column in range(start, end)}
    visible = [(raw[column], _Place(row, column)) for column in range(len(raw)) if column not in hidden]
    while visible and visible[-1][0].isspace():
        visible.pop()
    return [*visible[len(visible) - len(line.text) :]]


# ---- several documents


def _well_formed(ids: Mapping[str, str]) -> dict[str, str]:
    for id in (*ids, *ids.values()):
        if not re.fullmatch(ID, id):
            raise UsageError(f"“{id[:40]}” is not an id", next="write ids as the documents do: CP1, FM12, T1.2")
    wanted = {old: new for old, new in ids.items() if old != new}
    twice = [new for new, count in Counter(wanted.values()).items() if count > 1]
    if twice:
        raise UsageError(f"two items would be called {twice[0]}", next="give each its own id")
    return wanted


def _with_inner(ids: dict[str, str], documents: Mapping[str, Document[Any]]) -> dict[str, str]:
    """The ids, with those of the techniques and situations that belong to what gets a new number."""
    whole = dict(ids)
    for old, new in ids.items():
        before, after = _OUTER_ID.fullmatch(old), _OUTER_ID.fullmatch(new)
        if not before or not after or before["letters"] != after["letters"] or before["letters"] not in _INNER:
            continue
        letters = _INNER[before["letters"]]
        start = f"{letters}{before['number']}."
        for known in {id for document in documents.values() for id in document.lines if id.startswith(start)}:
            whole.setdefault(known, f"{letters}{after['number']}.{known.removeprefix(start)}")
    return whole


def _check_names(ids: Mapping[str, str], documents: Mapping[str, Document[Any]]) -> None:
    for old, new in ids.items():
        homes = [group for group in _NAMESPACES if any(old in documents[kind].lines for kind in group if kind in documents)]
        if not homes:
            raise UsageError(f"no item is called {old}", next=_there_are(prefix(old), documents))
        if len(homes) > 1:
            places = " and ".join(_place(documents, group, old) for group in homes)
            raise UsageError(f"{old} names two things: {places}", next="give one of them another id by hand")
        taken = any(new in documents[kind].lines for kind in homes[0] if kind in documents)
        if taken and new not in ids:
            place = _place(documents, homes[0], new)
            raise UsageError(f"{new} is taken", where=place, next=f"choose another id, or give {new} a new one as well")


def _there_are(letters: str, documents: Mapping[str, Document[Any]]) -> str:
    known = dict.fromkeys(id for document in documents.values() for id in document.lines if prefix(id) == letters)
    return f"choose one of: {', '.join(known)}" if known else f"look for the item's id in its heading; none begins with {letters}"


def _place(documents: Mapping[str, Document[Any]], group: tuple[str, ...], id: str) -> str:
    document = next(documents[kind] for kind in group if kind in documents and id in documents[kind].lines)
    return f"{document.path}:{document.lines[id]}"


def _check_reading(before: Document[Any], text: str) -> None:
    """A new id must not make an item into something else: DO1 cannot become DONT1, nor T1.2 the technique of no framework."""
    after = parse(before.kind, text, before.path)
    if len(after.findings) > len(before.findings):
        known = {finding.line for finding in before.findings}
        broken = tuple(str(finding) for finding in after.findings if finding.line not in known)
        raise UsageError("these ids would not read", where=before.path, details=broken, next="keep the letters of an id")

"""A revision as a patch: what changes in a draft, item by item, and what is said to each objection.

A draft says under which ids its items go: `ITEMS` of its class gives a pattern for each list of items, such as "T{0}.{1}" for the
second number within the first, or "{item[code]}" and "{parent[code]}{1}" where ids begin with a code that its writer chose. They
are the ids of the document that is made from it, so that findings, objections and patches speak of the same things.
"""

from __future__ import annotations

import re
import typing
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec

from finetune_prep.core.request import Schema
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.drafting.draft import Strict, Text

D = TypeVar("D", bound=Strict)
LABEL = 60  # characters by which a writer recognises an item
TAKEN_UP = "taken_up"
SUFFIX = "-patch"
_NUMBER = re.compile(r"\{\d")


class Change(Strict, frozen=True):
    item: str
    field: str
    new: msgspec.Raw


class Addition(Strict, frozen=True):
    to: Text
    new: msgspec.Raw


class Answer(Strict, frozen=True):
    objection: Text
    answer: Literal["taken_up", "set_aside"]
    because: Text


class Patch(Strict, frozen=True):
    changes: list[Change]
    additions: list[Addition]
    answered: list[Answer]


class Place(NamedTuple):
    """Where an item of a draft stands, as plain data."""

    id: str
    kind: Any
    """Its type."""
    among: list[Any]
    at: int
    within: tuple[str, ...]
    """Ids of the items that hold it, the outermost first."""
    counted: bool
    """Whether its id is its place in a list; otherwise its writer chose it, and it may name something outside of the draft."""


def patch_schema(kind: type[Strict], name: str) -> Schema:
    """JSON Schema of a patch for drafts of this kind; it has a name of its own, by which answers are counted."""
    wanted = schemas.schema_of(Patch, f"{name}{SUFFIX}")
    additions = _distinct([item for _, item in _lists(kind)])
    fields = [hint for holder in (kind, *_structs(kind)) for hint in _fields(holder).values()]
    changes = _distinct([*(item for _, item in _lists(kind)), *fields])
    properties = wanted.schema["properties"]
    properties["changes"]["items"]["properties"]["new"] = {"anyOf": [*changes, {"type": "null"}]}
    properties["additions"]["items"]["properties"]["new"] = {"anyOf": additions} if additions else {"type": "null"}
    return wanted


def index(draft: Strict) -> list[tuple[str, str]]:
    """The items of a draft by id, each with the words by which one recognises it."""
    places = walk(type(draft), msgspec.to_builtins(draft))
    return [(place.id, _label(place.among[place.at])) for place in places]


def lists(draft: Strict) -> list[str]:
    """The lists to which an item can be added, by the names under which a patch speaks of them."""
    return [name for name, _ in _open_lists(type(draft), msgspec.to_builtins(draft))]


def read_patch(text: str, objections: Collection[str]) -> Patch:
    """objections: their numbers. Raises ValueError unless each is answered once, in a patch that does what the answers say."""
    patch = schemas.read(text, Patch)
    given = [answer.objection.strip() for answer in patch.answered]
    problems = [f"objection {number} is not answered" for number in objections if number not in given]
    problems += [f"there is no objection {number}" for number in dict.fromkeys(given) if number not in objections]
    problems += [f"objection {number} is answered twice" for number in dict.fromkeys(given) if given.count(number) > 1]
    taken = [answer.objection for answer in patch.answered if answer.answer == TAKEN_UP]
    if taken and not patch.changes and not patch.additions:
        problems.append(f"objection {taken[0]} is said to be taken up, and nothing changes")
    if problems:
        raise ValueError(f"{'; '.join(problems)}.")
    return patch


def merged(draft: D, patch: Patch) -> D:
    """The draft with the patch put in. References to items that move up behind a deleted one follow them.

    Raises ValueError naming what does not fit: an item, field or list that is not there, or a value of another form.
    """
    kind = type(draft)
    data: dict[str, Any] = msgspec.to_builtins(draft)
    before = {place.id: place for place in walk(kind, data)}
    _check(kind, before, patch.changes)
    deleted = {change.item for change in patch.changes if not change.field and _is_null(change.new)}
    for id in reversed(before):
        if id in deleted:
            del before[id].among[before[id].at]
    survivors = [id for id, place in before.items() if not deleted & {id, *place.within}]
    now = dict(zip(survivors, walk(kind, data), strict=True))
    open_lists = dict(_open_lists(kind, data, {place.id: id for id, place in now.items()}))
    for change in patch.changes:
        if change.item not in deleted:
            _apply(kind, data, now.get(change.item), change)
    for addition in patch.additions:
        if addition.to not in open_lists:
            raise ValueError(f"There is no list “{addition.to}” to add to; there are {', '.join(open_lists)}.")
        found, element = open_lists[addition.to]
        found.append(_decoded(addition.new, element, f"what is added to {addition.to}"))
    moved = {id: place.id for id, place in now.items() if id != place.id}
    data = _followed(data, moved, {id for id, place in before.items() if id not in now and place.counted})
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"With this patch the draft does not follow its schema any more: {error}.") from error


def walk(kind: Any, data: dict[str, Any]) -> Iterator[Place]:
    """Every item of a draft as plain data, in the order in which they stand, each before those that it holds.

    Of items to which their writer gave the same id, those behind the first are told apart by a number.
    """
    seen: Counter[str] = Counter()
    for place in _walk(kind, data, (), ()):
        seen[place.id] += 1
        yield place if seen[place.id] == 1 else place._replace(id=f"{place.id} ({seen[place.id]})")


@lru_cache(maxsize=64)  # to work them out takes longer than anything else that is done with a patch
def _hints(kind: type[Any]) -> dict[str, Any]:
    """Types of a struct's fields, with what is noted about them."""
    return typing.get_type_hints(kind, include_extras=True)


def _walk(kind: Any, data: dict[str, Any], numbers: tuple[int, ...], within: tuple[str, ...]) -> Iterator[Place]:
    hints = _hints(kind)
    for name, pattern in kind.ITEMS.items():
        element = _element(hints[name])
        for position, item in enumerate(data[name]):
            counted = (*numbers, position + 1)
            id = pattern.format(*counted, item=item, parent=data)
            yield Place(id, element, data[name], position, within, _NUMBER.search(pattern) is not None)
            if _is_struct(element):
                yield from _walk(element, item, counted, (*within, id))


def _check(kind: Any, places: dict[str, Place], changes: Sequence[Change]) -> None:
    """Raises ValueError where changes name what is not there or get in each other's way."""
    unknown = [change.item for change in changes if change.item and change.item not in places]
    if unknown:
        raise ValueError(
            f"There is no item {', '.join(dict.fromkeys(unknown))}; use the ids of the list, and `additions` for new ones."
        )
    for change in changes:
        holder = places[change.item].kind if change.item else kind
        if change.field and change.field not in (fields := _fields(holder)):
            names = ", ".join(fields) or "none: change the whole"
            raise ValueError(f"{change.item or 'The whole'} has no field “{change.field}” that could be changed; it has {names}.")
        if not change.field and not change.item:
            raise ValueError("A change names an item, or a field of the whole.")
        if change.field and _is_null(change.new):
            raise ValueError(f"`{change.field}` of {change.item or 'the whole'} cannot be null; only an item can be deleted.")
    keys = [(change.item, change.field) for change in changes]
    whole = {item for item, field in keys if not field}
    for item, field in keys:
        held = {item, *places[item].within} if item else set()
        if keys.count((item, field)) > 1 or (field and item in whole) or (held - {item}) & whole:
            raise ValueError(f"{item or field} is changed twice, by itself or with what holds it; give its final form once.")


def _apply(kind: Any, data: dict[str, Any], place: Place | None, change: Change) -> None:
    holder = place.among[place.at] if place else data
    owner = place.kind if place else kind
    what = f"{change.item}.{change.field}" if change.item and change.field else change.item or change.field
    if change.field:
        holder[change.field] = _decoded(change.new, _fields(owner)[change.field], what)
    elif place:
        place.among[place.at] = _decoded(change.new, place.kind, what)


def _open_lists(
    kind: Any, data: dict[str, Any], names: dict[str, str] | None = None
) -> Iterator[tuple[str, tuple[list[Any], Any]]]:
    """Lists of items by name, with the type of their items. names: the ids that a writer knows items by, where they differ."""
    hints = _hints(kind)
    for name in kind.ITEMS:
        yield name, (data[name], _element(hints[name]))
    for place in walk(kind, data):
        if not _is_struct(place.kind):
            continue
        hints = _hints(place.kind)
        id = (names or {}).get(place.id, place.id)
        for name in place.kind.ITEMS:
            yield f"{id}.{name}", (place.among[place.at][name], _element(hints[name]))


def _decoded(value: msgspec.Raw, kind: Any, what: str) -> Any:
    try:
        return msgspec.to_builtins(msgspec.json.decode(value, type=kind))
    except msgspec.DecodeError as error:
        raise ValueError(f"The new form of {what} does not follow the schema of what it replaces: {error}.") from error


def _followed(node: Any, moved: dict[str, str], gone: set[str]) -> Any:
    """Data in which whatever is just an id names the item by its present one; lists of ids lose those that are gone."""
    if isinstance(node, dict):
        return {key: _followed(value, moved, gone) for key, value in node.items()}
    if isinstance(node, list):
        return [_followed(value, moved, gone) for value in node if not (isinstance(value, str) and value in gone)]
    return moved.get(node, node) if isinstance(node, str) else node


def _fields(kind: Any) -> dict[str, Any]:
    """The fields that a patch may change by themselves, with their types; lists of items are changed item by item."""
    if not _is_struct(kind):
        return {}
    hints = _hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__ if name not in kind.ITEMS}


def _lists(kind: Any) -> Iterator[tuple[str, Any]]:
    hints = _hints(kind)
    for name in kind.ITEMS:
        element = _element(hints[name])
        yield name, element
        if _is_struct(element):
            yield from _lists(element)


def _structs(kind: Any) -> list[Any]:
    return [element for _, element in _lists(kind) if _is_struct(element)]


def _element(hint: Any) -> Any:
    """The type of the items of a list."""
    bare = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    return typing.get_args(bare)[0]


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Strict)


def _distinct(kinds: Sequence[Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for kind in kinds:
        node = schemas.node_of(kind)
        if node not in found:
            found.append(node)
    return found


def _is_null(value: msgspec.Raw) -> bool:
    return bytes(value).strip() == b"null"


def _label(item: Any) -> str:
    text = item if isinstance(item, str) else next((value for value in item.values() if isinstance(value, str) and value), "")
    line = " ".join(text.split())
    return line if len(line) <= LABEL else f"{line[: LABEL - 1].rstrip()}…"

"""From a struct to the JSON Schema that a model is asked to follow, and from its answer back to the struct."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from finetune_prep.core.request import Schema

T = TypeVar("T")
NOTES = {"title", "description"}  # names and docstrings of our structs are notes to us
_FENCE = "```"


def schema_of(kind: type[Any], name: str) -> Schema:
    """JSON Schema of a struct in the form that structured outputs require: no references, nothing optional, nothing extra."""
    return Schema(name=name, schema=node_of(kind))


def node_of(kind: Any) -> dict[str, Any]:
    """The same for any type that a field may have."""
    (root,), definitions = msgspec.json.schema_components([kind], ref_template="{name}")
    node: dict[str, Any] = _inline(root, definitions)
    return node


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inline(definitions[node["$ref"]], definitions)
    return {
        key: {name: _inline(value, definitions) for name, value in content.items()}
        if key == "properties"
        else _inline(content, definitions)
        for key, content in node.items()
        if key not in NOTES
    }


def unfenced(text: str) -> str:
    """The text without a Markdown code fence around the whole of it, which models like to add to JSON."""
    bare = text.strip()
    first, _, rest = bare.partition("\n")
    if first.rstrip().lower() not in (_FENCE, f"{_FENCE}json") or not rest.endswith(_FENCE):
        return text
    return rest.removesuffix(_FENCE).strip()


def read(text: str, kind: type[T]) -> T:
    """An answer as a struct. Raises ValueError with a sentence that a model can act on.

    A key that stands twice in one object, at any depth, leaves open which value is meant: decoders keep the last without a word.
    """
    value = decoded(text, kind)
    if twice := named_twice(text):
        raise ValueError(f"The answer does not follow the schema: “{twice}” stands twice in one object; give it once.")
    return value


def named_twice(text: str) -> str:
    """The first key of a JSON text that stands twice in one object, "" for none."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            found.extend(name for name in value if names.count(name) > 1)
        return value

    json.loads(unfenced(text), object_pairs_hook=look)
    return found[0] if found else ""


def decoded(text: str, kind: type[T]) -> T:
    """An answer as a struct, of keys that stand twice the last. Raises ValueError as `read`."""
    try:
        return msgspec.json.decode(unfenced(text), type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(f"The answer does not follow the schema: {_surrounded(text) or error}.") from error


def _surrounded(text: str) -> str:
    """What stands around the JSON of an answer; "" if it begins and ends with the JSON, or holds none."""
    bare = text.strip()
    start = bare.find("{")
    if start < 0:
        return ""
    try:
        _, end = json.JSONDecoder().raw_decode(bare, start)
    except (ValueError, RecursionError):
        return ""
    before, behind = bare[:start].strip(), bare[end:].strip()
    if not before and not behind:
        return ""
    if _FENCE in before:
        return "the JSON stands in a code fence with words around it"
    return (
        "words stand " + " and ".join(place for place, words in (("before", before), ("behind", behind)) if words) + " the JSON"
    )

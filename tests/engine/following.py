"""Whether a value follows a JSON Schema, for the keywords that our schemas use; another keyword is an error of the test."""

from __future__ import annotations

from typing import Any

KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "minItems", "maxItems", "anyOf"}
KNOWN |= {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern"}


def faults(value: Any, schema: dict[str, Any], place: str = "$") -> list[str]:
    """What is wrong, with its place; empty if nothing is. Limits of numbers with a point, and patterns, are left to whoever
    reads the answer: engines differ in whether they keep to them."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "anyOf" in schema:
        tried = [faults(value, option, place) for option in schema["anyOf"]]
        return [] if [] in tried else [f"{place} follows none of {len(tried)} schemas"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place} is {value!r}"]
    if "type" in schema and not _is(value, schema["type"]):
        return [f"{place} is no {schema['type']}: {value!r}"]
    if isinstance(value, dict):
        return _object_faults(value, schema, place)
    if isinstance(value, list):
        found = (
            [] if schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)) else [f"{place} has {len(value)}"]
        )
        return found + [fault for n, item in enumerate(value) for fault in faults(item, schema.get("items", {}), f"{place}[{n}]")]
    if schema.get("type") == "integer" and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return [f"{place} is {value}"]
    return []


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _object_faults(value: dict[str, Any], schema: dict[str, Any], place: str) -> list[str]:
    properties = schema.get("properties", {})
    found = [f"{place}.{name} is missing" for name in schema.get("required", ()) if name not in value]
    if schema.get("additionalProperties") is False:
        found += [f"{place}.{name} is not known" for name in value if name not in properties]
    for name in value:
        if name in properties:
            found += faults(value[name], properties[name], f"{place}.{name}")
    return found

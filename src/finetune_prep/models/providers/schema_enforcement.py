"""Whether an endpoint makes its answers follow a JSON Schema: as the settings say, or as its first answers show.

Nothing here is part of a request or its key: a schema that is not enforced stands in words at the end of the last message,
on the wire only. What an answer holds is read and checked as ever by whoever asked.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from finetune_prep.core.request import Reply, Request

IGNORED = 2  # answers in a row that did not follow the schema: nothing enforces it
# how endpoints name what they do not take, or why not this schema
COMPLAINT = re.compile(r"response[ _]?format|schema|output_?config|structured output|grammar", re.IGNORECASE)
_MALFORMED = re.compile(r"JSON is malformed: (?P<why>.*) \(byte (?P<byte>[0-9]+)\)")
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}

Place = tuple[Any, str | int] | None
"""Where in an answer something stands: what it stands in, and its key or number there; None = the answer itself. It is put into
words only for what does not fit, which few answers have."""


class Enforcement:
    """What is known of one endpoint. setting: True and False are believed; None = unknown, found out.

    After one answer that did not follow the schema it is told in words as well, after a second one in a row in words alone.
    """

    def __init__(self, setting: bool | None) -> None:
        self._setting = setting
        self._ignored = 0

    @property
    def asked(self) -> bool:
        """Whether the endpoint is asked to enforce a schema."""
        return self._ignored < IGNORED if self._setting is None else self._setting

    @property
    def worded(self) -> bool:
        """Whether the schema stands in the prompt."""
        return self._ignored > 0 if self._setting is None else not self._setting

    def refused(self, complaint: str) -> bool:
        """Whether a refusal of a request that asked for enforcement is about that; then it is not asked for again."""
        if self._setting is None and COMPLAINT.search(complaint):
            self._ignored = IGNORED
            return True
        return False

    def heard(self, request: Request, reply: Reply, *, worded: bool) -> None:
        """Learn from an answer to a request that asked for enforcement. worded: the prompt told the schema, too."""
        if self._setting is not None or request.schema is None or reply.problem is not None or self._ignored >= IGNORED:
            return
        if not follows(reply.text, request.schema.schema):
            self._ignored += 1
        elif not worded:
            self._ignored = 0


def follows(text: str, schema: dict[str, Any]) -> bool:
    """Whether a text is JSON of this form: types, keys and enumerations; lengths and patterns are not looked at."""
    return not misfit(text, schema, lengths=False)


def misfit(text: str, schema: dict[str, Any], *, lengths: bool = True) -> str:
    """Why a text is not JSON of this form, with the place; "" if it is. lengths: look at them, and at ranges, too."""
    try:
        return _misfit(msgspec.json.decode(text), schema, None, lengths)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return _no_json(text, str(error))


def _no_json(text: str, error: str) -> str:
    """Where a text stops being JSON, by line and column. error: the decoder's words, which count bytes."""
    found = _MALFORMED.fullmatch(error)
    if found is None:
        return f"not JSON: {error}"
    before = text.encode()[: int(found["byte"])].decode(errors="ignore")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    curly = " (curly quotes do not count in JSON)" if text[len(before) :][:1] in ("“", "”", "„") else ""
    return f"not JSON, line {line}, column {column}: {found['why']}{curly}"


def _misfit(value: Any, schema: dict[str, Any], place: Place, lengths: bool) -> str:
    for choice in ("anyOf", "oneOf"):
        if choice in schema and all(_misfit(value, part, place, lengths) for part in schema[choice]):
            return f"{_at(place)} is none of the forms that may stand there"
    if "enum" in schema and value not in schema["enum"]:
        return f"{_at(place)} is none of {', '.join(map(str, schema['enum']))}"
    if "const" in schema and value != schema["const"]:
        return f"{_at(place)} is not {schema['const']}"
    if "type" in schema and not _is_of(value, schema["type"]):
        wanted = schema["type"] if isinstance(schema["type"], str) else " or ".join(schema["type"])
        return f"{_at(place)} is no {wanted}"
    if lengths and (why := _out_of_bounds(value, schema)):
        return f"{_at(place)} {why}"
    if isinstance(value, dict):
        return _misfit_of_object(value, schema, place, lengths)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, item in enumerate(value):
            if why := _misfit(item, schema["items"], (place, number), lengths):
                return why
    return ""


def _at(place: Place) -> str:
    """A place as a person reads it."""
    if place is None:
        return "the answer"
    outer, inner = place
    return f"{_at(outer)}[{inner}]" if isinstance(inner, int) else f"{_at(outer)}.{inner}"


def _out_of_bounds(value: Any, schema: dict[str, Any]) -> str:
    """Why a list, text or number is too small or too large, "" if it is not."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        size, fewest, most, said = value, "minimum", "maximum", f"is {value}"
    elif isinstance(value, str):
        size, fewest, most = len(value), "minLength", "maxLength"
        said = f"has {size} character{'' if size == 1 else 's'}"
    elif isinstance(value, list):
        size, fewest, most = len(value), "minItems", "maxItems"
        said = f"has {size} entr{'y' if size == 1 else 'ies'}"
    else:
        return ""
    if size < schema.get(fewest, size):
        return f"{said}, and the least is {schema[fewest]}"
    if size > schema.get(most, size):
        return f"{said}, and the most is {schema[most]}"
    return ""


def _misfit_of_object(value: dict[str, Any], schema: dict[str, Any], place: Place, lengths: bool) -> str:
    known = schema.get("properties", {})
    if missing := [name for name in schema.get("required", ()) if name not in value]:
        return f"{_at(place)} lacks “{missing[0]}”"
    if schema.get("additionalProperties") is False and (more := [name for name in value if name not in known]):
        return f"{_at(place)} has “{more[0]}”, which does not belong there"
    for name, form in known.items():
        if name in value and (why := _misfit(value[name], form, (place, name), lengths)):
            return why
    return ""


def _is_of(value: Any, names: str | list[str]) -> bool:
    wanted = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in wanted  # to Python it is a number, too
    return any(isinstance(value, TYPES.get(name, object)) for name in wanted)

"""Finding, among known requests, the one most like another, and saying in words how the two differ. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import zip_longest

from finetune_prep.core.request import Request

MOST_COMPARED = 20  # candidates whose texts are compared; the rest lose by their labels and lengths
COMPARED_CHARACTERS = 2000
SHOWN_CHARACTERS = 100


def nearest(request: Request, known: Iterable[Request]) -> Request | None:
    """The known request most like this one: by phase, role, common beginning and label first, then by its texts."""
    shortlist = sorted(known, key=lambda other: (_labels_alike(request, other), other.key), reverse=True)[:MOST_COMPARED]
    return max(shortlist, key=lambda other: (_labels_alike(request, other)[:2], _texts_alike(request, other)), default=None)


def _labels_alike(request: Request, other: Request) -> tuple[bool, bool, int, bool, int]:
    common = 0
    for ours, theirs in zip(request.messages, other.messages, strict=False):
        if ours != theirs:
            break
        common += 1
    return (
        other.role == request.role,
        other.phase == request.phase,
        common,
        other.origin == request.origin,
        -abs(len(other.messages) - len(request.messages)),
    )


def _texts_alike(request: Request, other: Request) -> float:
    pairs = list(zip_longest(request.messages, other.messages))
    total = 0.0
    for ours, theirs in pairs:
        if ours is None or theirs is None or ours.role != theirs.role:
            continue
        matcher = difflib.SequenceMatcher(
            None, ours.content[:COMPARED_CHARACTERS], theirs.content[:COMPARED_CHARACTERS], autojunk=False
        )
        total += 1.0 if ours.content == theirs.content else matcher.quick_ratio()
    labels = (request.model == other.model) + (request.sample == other.sample) + (request.origin == other.origin)
    return total / max(1, len(pairs)) + labels / 10


def describe_difference(known: Request, asked: Request) -> tuple[str, ...]:
    """How two requests with different keys differ, one line each: settings, then the first line of the first message."""
    lines = [
        f"  {name}: recorded {before}, asked {after}"
        for name, before, after in (
            ("model", known.model, asked.model),
            ("sample", known.sample or "none", asked.sample or "none"),
            ("parameters", _parameters(known), _parameters(asked)),
        )
        if before != after
    ]
    if known.schema != asked.schema:
        lines.append("  the JSON Schema of the answer")
    return (*lines, *_messages_differ(known, asked))


def _parameters(request: Request) -> str:
    names = request.parameters.__struct_fields__
    given = {name: getattr(request.parameters, name) for name in names}
    return ", ".join(f"{name}={value}" for name, value in given.items() if value not in (None, {})) or "none"


def _messages_differ(known: Request, asked: Request) -> list[str]:
    for number, (before, after) in enumerate(zip_longest(known.messages, asked.messages), start=1):
        if before == after:
            continue
        if before is None or after is None:
            return [f"  messages: recorded {len(known.messages)}, asked {len(asked.messages)}"]
        if before.role != after.role:
            return [f"  message {number}: recorded by {before.role}, asked by {after.role}"]
        old, new, line = _first_difference(before.content, after.content)
        return [
            f"  message {number} ({after.role}), line {line}:",
            f"    recorded: {_shown(old)}",
            f"    asked:    {_shown(new)}",
        ]
    return []


def _first_difference(before: str, after: str) -> tuple[str, str, int]:
    for number, (old, new) in enumerate(zip_longest(before.split("\n"), after.split("\n")), start=1):
        if old != new:
            return ("(no such line)" if old is None else old), ("(no such line)" if new is None else new), number
    return "", "", 1


def _shown(line: str) -> str:
    """Model-written text on its way to a terminal: without control codes, and short."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in line)
    return plain if len(plain) <= SHOWN_CHARACTERS else plain[: SHOWN_CHARACTERS - 1] + "…"

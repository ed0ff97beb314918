"""Requests as earlier versions wrote them, brought to the form that they have today.

Two things were otherwise. Where a request came from was a label, `about`: it is taken apart here, and nowhere else. And a prompt
that held a reference held the days on which its sources were read, too, and so did its key. The answer is to the reference and
not to the day: such a request is taken for the one without.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from finetune_prep.core.request import Origin, Request
from finetune_prep.documents.readings.items import undated
from finetune_prep.ledger.packing import unpack_request

BETWEEN = " · "
AGAIN = "/again"  # at the end of `sample`
_EXCHANGE = re.compile(r"exchange ([0-9]+)")
_REVISION = re.compile(r"(.*), revision ([0-9]+)", re.DOTALL)
_GATE = re.compile(r"[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*")
_ROLES = ("user", "assistant", "judge")


def is_former(packed: dict[str, Any]) -> bool:
    """Whether a packed request is one of an earlier version."""
    return "about" in packed


def unpack_former(packed: dict[str, Any], text_of: Callable[[str], str]) -> tuple[Request, Request]:
    """A packed request of an earlier version: as it was asked then, and as it would be today. Raises as `unpack_request`."""
    asked = unpack_request(with_origin(packed), text_of)
    return asked, present(asked)


def with_origin(packed: dict[str, Any]) -> dict[str, Any]:
    """A packed request with an origin in the place of its label. Raises ValueError if it is none."""
    label, phase, sample = packed["about"], packed.get("phase"), packed.get("sample", "")
    if not (isinstance(label, str) and isinstance(phase, str) and isinstance(sample, str)):
        raise ValueError("`about`, `phase` or `sample` is no text")
    rest = {name: value for name, value in packed.items() if name != "about"}
    return rest | {"origin": msgspec.to_builtins(origin_of(label, phase, sample))}


def origin_of(label: str, phase: str, sample: str = "") -> Origin:
    """The origin that a label speaks of. It has one of three forms:

    "pilot-001 · SCENARIO · exchange 2 · user" in the phase `pilot`, "GATE.ID · ITEM", and any words, ", revision 1" behind them.
    """
    attempt = 2 if sample.endswith(AGAIN) else 1
    first, *parts = label.split(BETWEEN)
    if parts and re.fullmatch(rf"{re.escape(phase)}-[0-9]{{3,}}", first):
        scenario, *more = parts
        turns = [int(found[1]) for part in more if (found := _EXCHANGE.fullmatch(part))]
        other = [part for part in more if not _EXCHANGE.fullmatch(part) and part not in _ROLES]
        return Origin(about=BETWEEN.join(other), run=first, scenario=scenario, turn=turns[0] if turns else 0, attempt=attempt)
    if _GATE.fullmatch(first):
        return Origin(about=first, item=BETWEEN.join(parts), attempt=attempt)
    if found := _REVISION.fullmatch(label):
        return Origin(about=found[1], attempt=attempt, revision=int(found[2]))
    return Origin(about=label, attempt=attempt)


def present(request: Request) -> Request:
    """The request without the days on which sources were read; itself if it holds none."""
    contents = [undated(message.content) for message in request.messages]
    if all(new == message.content for new, message in zip(contents, request.messages, strict=True)):
        return request
    messages = tuple(
        msgspec.structs.replace(message, content=content) for message, content in zip(request.messages, contents, strict=True)
    )
    return msgspec.structs.replace(request, messages=messages)

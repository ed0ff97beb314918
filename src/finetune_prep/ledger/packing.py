"""How entries are written down: as JSON in which every long text is replaced by a reference to one shared copy.

A conversation of n turns sends its first message n times, a judge its prompt thousands of times: kept once, they cost
nothing. The ledger's rows and the lines of a recording use the same form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.request import Reply, Request

INLINE_LIMIT = 200  # characters; a longer text is written as a reference


class Packer:
    """Packs requests and replies; `texts` collects every text referred to, by hash."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def request(self, request: Request) -> dict[str, Any]:
        packed: dict[str, Any] = msgspec.to_builtins(request)
        for message in packed["messages"]:
            message["content"] = self._shorten(message["content"])
        if request.schema is not None:
            # always a reference, so that a schema can never be mistaken for one; not sorted: order is part of the key
            packed["schema"]["schema"] = self._refer(msgspec.json.encode(request.schema.schema).decode())
        return packed

    def reply(self, reply: Reply) -> dict[str, Any]:
        packed: dict[str, Any] = msgspec.to_builtins(reply)
        packed["text"] = self._shorten(reply.text)
        return packed

    def _shorten(self, text: str) -> str | dict[str, str]:
        return text if len(text) <= INLINE_LIMIT else self._refer(text)

    def _refer(self, text: str) -> dict[str, str]:
        name = text_name(text)
        self.texts[name] = text
        return {"text": name}


def text_name(text: str) -> str:
    """The hash under which a text is kept."""
    return digest_bytes(text.encode())


def unpack_request(packed: dict[str, Any], text_of: Callable[[str], str]) -> Request:
    """The request that was packed. Raises ValueError (or what `text_of` raises) if it is not one."""
    messages = packed.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise ValueError("`messages` is not a list of objects")
    full = packed | {
        "messages": [message | {"content": _full(message.get("content"), text_of)} for message in messages],
    }
    if isinstance(schema := packed.get("schema"), dict):
        text = _full(schema.get("schema"), text_of)
        if not isinstance(text, str):
            raise ValueError("`schema` does not refer to a text")
        full["schema"] = schema | {"schema": msgspec.json.decode(text)}
    return msgspec.convert(full, Request)


def unpack_reply(packed: dict[str, Any], text_of: Callable[[str], str]) -> Reply:
    """The reply that was packed. Raises ValueError (or what `text_of` raises) if it is not one."""
    return msgspec.convert(packed | {"text": _full(packed.get("text"), text_of)}, Reply)


def _full(value: Any, text_of: Callable[[str], str]) -> Any:
    if isinstance(value, dict) and isinstance(value.get("text"), str) and len(value) == 1:
        return text_of(value["text"])
    return value

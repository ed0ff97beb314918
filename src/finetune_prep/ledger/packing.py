"""How entries are written down: as JSON in which every long text is replaced by a reference to one shared copy.

A conversation of n turns sends its first message n times, a judge its prompt thousands of times: kept once, they cost
nothing. The ledger's rows and the lines of a recording use the same form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.request import Reply, Request

INLINE_LIMIT = 200  # characters; a longer text is written as a reference
MOST_SEEN = 200_000  # fingerprints of texts that came up once, about 20 MB
MOST_NAMES = 2_000  # texts that came up again, with their names
K = TypeVar("K")
V = TypeVar("V")


class Packer:
    """Packs requests and replies; `texts` collects every text referred to, by hash."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def shared(self, text: str) -> bool:
        """Whether a text is written as a reference."""
        return len(text) > INLINE_LIMIT

    def name(self, text: str) -> str:
        return text_name(text)

    def request(self, request: Request) -> Any:
        """What encodes to the packed request: the request itself with other things in the places of its long texts."""
        packed: Any = request
        contents = [self._shorten(message.content) for message in request.messages]
        if not all(isinstance(content, str) for content in contents):
            pairs = zip(request.messages, contents, strict=True)
            messages = [{"role": message.role, "content": content} for message, content in pairs]
            packed = msgspec.structs.replace(packed, messages=messages)
        if request.schema is not None:
            # always a reference, so that a schema can never be mistaken for one; not sorted: order is part of the key
            reference: Any = self._refer(msgspec.json.encode(request.schema.schema).decode())
            packed = msgspec.structs.replace(packed, schema=msgspec.structs.replace(request.schema, schema=reference))
        return packed

    def reply(self, reply: Reply) -> Any:
        """What encodes to the packed reply."""
        text: Any = self._shorten(reply.text)
        return reply if text is reply.text else msgspec.structs.replace(reply, text=text)

    def _shorten(self, text: str) -> str | dict[str, str]:
        return self._refer(text) if self.shared(text) else text

    def _refer(self, text: str) -> dict[str, str]:
        name = self.name(text)
        self.texts[name] = text
        return {"text": name}


class RepeatedTexts(Packer):
    """Packs for a ledger that is written row by row: a long text is written out where it comes up for the first time, and
    becomes a reference when it comes up again. Most answers never do, and need neither a hash nor a row of their own.

    One for all rows; take `texts` away after each. Remembers the latest texts only: a forgotten one is written out once more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, None] = {}
        self._names: dict[str, str] = {}

    def shared(self, text: str) -> bool:
        if len(text) <= INLINE_LIMIT:
            return False
        if text in self._names:
            return True
        fingerprint = hash(text)  # a wrong guess costs a row in the table of texts and nothing else
        if fingerprint in self._seen:
            return True
        _remember(self._seen, fingerprint, None, MOST_SEEN)
        return False

    def name(self, text: str) -> str:
        name = self._names.get(text)
        if name is None:
            name = text_name(text)
            _remember(self._names, text, name, MOST_NAMES)
        return name

    def take_texts(self) -> dict[str, str]:
        """The texts referred to since the last time."""
        texts, self.texts = self.texts, {}
        return texts


def _remember(memory: dict[K, V], key: K, value: V, most: int) -> None:
    """Keep the latest `most` entries."""
    memory[key] = value
    if len(memory) > most:
        del memory[next(iter(memory))]


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

"""Identity is a hash of content: the same value has the same name on every machine and in every run."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

DIGEST_LENGTH = 32  # hex characters = 128 bits; OpenAI and Anthropic allow 64 characters in a batch's `custom_id`


def digest(value: Any) -> str:
    """Hash of a JSON-like value or struct: 32 hex characters of SHA-256 over its canonical JSON (keys sorted)."""
    return digest_bytes(msgspec.json.encode(value, order="sorted"))


def digest_bytes(data: bytes) -> str:
    return Beginning(data).followed_by(b"")


class Beginning:
    """Data that much else begins with, hashed once."""

    def __init__(self, data: bytes) -> None:
        self._hash = hashlib.sha256(data)

    def followed_by(self, data: bytes) -> str:
        """The hash of both in a row."""
        both = self._hash.copy()
        both.update(data)
        return both.hexdigest()[:DIGEST_LENGTH]

"""API keys: read from the environment, shown to nobody.

A key is never an attribute of something that is printed, logged or written. What comes back from an endpoint passes
`redact` before anything else sees it, so that an endpoint that echoes the key cannot put it into a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from urllib.parse import quote

from finetune_prep.errors import Paused


class Secret:
    """The key in the environment variable `name`."""

    __slots__ = ("__spellings", "__value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.__value = value
        # as it is, with JSON's optional escape of a slash, with JSON's escapes of all that is no letter or digit, in an address
        escaped = "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in value)
        spellings = {value, value.replace("/", "\\/"), json.dumps(value)[1:-1], escaped, quote(value, safe="")}
        self.__spellings = sorted((spelling.encode() for spelling in spellings), key=len, reverse=True)

    def reveal(self) -> str:
        """The key itself: for a request header, for nothing else."""
        return self.__value

    def redact(self, data: bytes) -> bytes:
        """`data` with every occurrence of the key, in any spelling, replaced by the variable's name."""
        for spelling in self.__spellings:
            if spelling in data:
                data = data.replace(spelling, f"[{self.name}]".encode())
        return data

    def __repr__(self) -> str:
        return f"Secret({self.name})"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be written anywhere")


def read_secret(name: str, environment: Mapping[str, str] | None = None) -> Secret:
    """The key in an environment variable. Raises Paused if it is not set or cannot be a key."""
    value = (os.environ if environment is None else environment).get(name, "").strip()
    if not value:
        raise Paused(f"there is no API key: {name} is not set", next=f"export {name}=… and run the same command again")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise Paused(
            f"{name} does not hold an API key: it has blanks or special characters",
            next=f"copy the key again: export {name}=…",
        )
    return Secret(name, value)

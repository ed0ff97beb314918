"""API keys: read from the environment, shown to nobody.

A key is never an attribute of something that is printed, logged or written. Whatever comes back from an endpoint and is kept or
shown beside the text of an answer – errors, headers, names – passes `redact`, after it was decoded and before it is shortened.
The text of an answer is never rewritten: one that holds the key is not used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from finetune_prep.errors import Paused
from finetune_prep.http.spellings import Spellings

SHORTEST = 16  # characters; a shorter "key" may be a word that stands in any text
SHORTEST_SAID = 8  # the same for errors and headers, where a word too much does no harm
# what the documentation of local servers and their clients puts in place of a key
DUMMY = re.compile(
    r"(?:sk-)?(?:empty|none|null|test|dummy|fake|ollama|vllm|lm-?studio|llama-?cpp|local(?:host)?|token|secret|password|anything|changeme"
    r"|placeholder|x+|0+|(?:no|not)[-_]?(?:api[-_]?)?(?:key|needed|used|required|necessary)(?:[-_](?:needed|required|necessary))?"
    r"|(?:your[-_]?)?(?:api[-_]?)?key(?:[-_]here)?|token-abc123)(?:[-_](?:key|token|api[-_]?key))?",
    re.IGNORECASE,
)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KEY_LIKE = re.compile(r"(?=.*[a-z])(?=.*[0-9]).{20,}")


class Secret:
    """The key in the environment variable `name`."""

    __slots__ = ("__spellings", "__value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.__value = value
        self.__spellings = None if len(value) < SHORTEST_SAID or DUMMY.fullmatch(value) else Spellings(value)

    def reveal(self) -> str:
        """The key itself: for a request header, for nothing else."""
        return self.__value

    def redact(self, text: str) -> str:
        """A message with every occurrence of the key, in any spelling, replaced by the variable's name."""
        return text if self.__spellings is None else self.__spellings.replaced(text, f"[{self.name}]")

    def redact_body(self, data: bytes) -> bytes:
        """The same for bytes that are still to be decoded, JSON for example; a short key is left in them."""
        if self.__spellings is None or len(self.__value) < SHORTEST:
            return data
        text = data.decode("latin-1")
        redacted = self.redact(text)
        return data if redacted is text else redacted.encode("latin-1")

    def is_in(self, text: str) -> bool:
        """Whether a text holds the key. Short ones and dummies are no keys: they may stand in any text."""
        return self.__spellings is not None and len(self.__value) >= SHORTEST and self.__spellings.spelled_in(text)

    def __repr__(self) -> str:
        return f"Secret({self.name})"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be written anywhere")


def redacted(text: str, secret: Secret | None) -> str:
    """A message without the key."""
    return text if secret is None else secret.redact(text)


def is_variable(name: str) -> bool:
    """Whether a key may be looked for under this name: not if it is none, nor if it looks like the key itself."""
    return VARIABLE.fullmatch(name) is not None and KEY_LIKE.fullmatch(name) is None


def read_secret(name: str, environment: Mapping[str, str] | None = None) -> Secret:
    """The key in an environment variable. Raises Paused if it is not set or cannot be a key."""
    if not is_variable(name):
        raise Paused(
            "key_env is not the name of an environment variable; it may be the key itself",
            next='write the name of the variable that holds the key, for example key_env = "OPENAI_API_KEY"',
        )
    value = (os.environ if environment is None else environment).get(name, "").strip()
    if not value:
        raise Paused(f"there is no API key: {name} is not set", next=f"export {name}=… and run the same command again")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise Paused(
            f"{name} does not hold an API key: it has blanks or special characters",
            next=f"copy the key again: export {name}=…",
        )
    return Secret(name, value)

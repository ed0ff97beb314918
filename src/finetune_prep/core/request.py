"""What is asked of a language model, and what came back.

A request's `key` is a hash of everything that shapes the answer (model, messages, schema, parameters) and of `sample`,
which tells apart requests that are meant to be asked more than once. Provider, address and transport are not part of
it: HTTP, batch file and recording share keys.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeVar

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.identity import Beginning

T = TypeVar("T")
KEY_VERSION = 1
RoleName = Literal["expert", "user", "assistant", "judge", "reviser", "verifier", "base", "tuned"]
Problem = Literal["truncated", "filtered", "refused", "empty", "rejected", "malformed"]


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The JSON Schema an answer must follow."""

    name: str
    """Letters, digits, _ and -, at most 64."""
    schema: dict[str, Any]

    @cached_property
    def written(self) -> str:
        """As JSON, in its own order: the order of properties is the order in which a model writes them."""
        return msgspec.json.encode(self).decode()


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Sampling parameters; None = the provider's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    """Tokens of the answer."""
    reasoning_effort: str | None = None
    extra: dict[str, Any] = {}
    """More that it takes."""

    def __post_init__(self) -> None:
        # 0 and 0.0 are the same setting and must give the same key
        for name in ("temperature", "top_p"):
            if isinstance(value := getattr(self, name), int):
                msgspec.structs.force_setattr(self, name, float(value))


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a request comes from: what people are told and what is looked up by. It tells no request from another."""

    about: str = ""
    """What it is about, in words for people ("domain frameworks"), or the id of the gate that asks."""
    item: str = ""
    """The part of it, "" the whole: an item of a document, an example."""
    run: str = ""
    """The run that asked first ("pilot-001"), "" outside of runs."""
    scenario: str = ""
    """Id of the scenario whose conversation it belongs to."""
    turn: int = 0
    """Exchange of that conversation, from 1; 0 = none, or all of them."""
    attempt: int = 1
    """2, 3 = asked again, as no answer before could be used."""
    revision: int = 0
    """How often the draft was handed back before."""

    @property
    def label(self) -> str:
        """All of it in one line for people; nothing may be read out of it again."""
        about = f"{self.about}, revision {self.revision}" if self.revision else self.about
        turn = f"exchange {self.turn}" if self.turn else ""
        return " · ".join(part for part in (about, self.item, self.run, self.scenario, turn) if part)


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One question to a model."""

    role: RoleName
    """Who asks; not part of the key."""
    phase: str
    """For which phase; not part of the key."""
    origin: Origin = Origin()
    """About which item, turn and attempt; not part of the key."""
    model: str
    messages: tuple[Message, ...]
    schema: Schema | None = None
    parameters: Parameters = Parameters()
    sample: str = ""
    """Identity of this asking ("" or scenario id / judge repeat / attempt), never a counter."""

    @property
    def place(self) -> str:
        """Where a message about this request belongs: phase, role and item."""
        return " · ".join(part for part in (self.phase, self.role, self.origin.label) if part)

    def limited(self, tokens: int) -> Request:
        """The request as it is sent where nobody set a limit and one is needed. Its key stays: it is the same question."""
        sent = msgspec.structs.replace(self, parameters=msgspec.structs.replace(self.parameters, max_tokens=tokens))
        sent.__dict__["key"] = self.key
        return sent

    @cached_property
    def key(self) -> str:
        """Digest of `version`, `model`, `messages` (pairs of role and text), `schema`, `parameters` and `sample`."""
        rest = {
            "version": KEY_VERSION,
            "model": self.model,
            "schema": self.schema.written if self.schema is not None else "null",
            "parameters": self.parameters,
            "sample": self.sample,
        }
        others = b"".join(b"," + _encoded(message) for message in self.messages[1:])
        return _begun(self.messages[:1]).followed_by(
            others + b"]," + msgspec.json.encode(rest, order="sorted").removeprefix(b"{")
        )


@lru_cache(maxsize=8)  # one for each role in most runs
def _begun(first: tuple[Message, ...]) -> Beginning:
    """The hash of a key's JSON up to its first message: that one is long, and thousands of requests begin with it."""
    return Beginning(b'{"messages":[' + b"".join(map(_encoded, first)))


def _encoded(message: Message) -> bytes:
    return msgspec.json.encode([message.role, message.content])


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Tokens; None = the provider did not say. cached and written are parts of input, reasoning is part of output."""

    input: int | None = None
    cached: int | None = None
    """Read from the provider's cache."""
    written: int | None = None
    """Put into it, where that has a price of its own; never 0."""
    output: int | None = None
    reasoning: int | None = None


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One answer, as it came."""

    text: str
    """The raw text, nothing repaired."""
    finish: str = "stop"
    """The provider's own finish reason."""
    problem: Problem | None = None
    """None if the answer can be used; "rejected" = the provider refused the request for good (HTTP 400), `detail` says why."""
    detail: str = ""
    served_model: str = ""
    usage: Usage = Usage()
    cost: float | None = None
    """US dollars at the price of the day, None = unknown."""
    request_id: str = ""
    seconds: float = 0.0
    """Duration of the call."""
    at: str = ""
    """ISO time of the answer, UTC."""
    reasoning: str = ""
    """What the model thought before it answered, where the provider gives it; nothing reads it but people."""

    def read(self, parse: Callable[[str], T]) -> T:
        """What `parse` makes of the text. Raises ValueError with the reason if the answer cannot be used."""
        if self.problem is not None:
            raise ValueError(f"{self.problem}: {self.detail}" if self.detail else self.problem)
        return parse(self.text)

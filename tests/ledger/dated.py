"""Requests that hold a reference with the day on which its source was read, and the same as they are asked today."""

from __future__ import annotations

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Request
from finetune_prep.ledger.protocols import Entry
from tests.models.examples import entry, request

REFERENCE = "# The reference\n\n## Sources\n\n### S01. Terms\n\n- Where: sources/terms.md{}\n\n# The task\n\nWrite {}."
LONG = " Ask for the photo first." * 20  # makes a prompt long enough to be kept as a text of its own


def asked(what: str, day: str = "", more: str = "") -> Request:
    """A request as it is asked today, or as it was asked when the day of reading stood in the reference."""
    text = REFERENCE.format(f"\n- Read: {day}" if day else "", what) + more
    return request(what, messages=(Message("system", "You write."), Message("user", text)))


def answered(what: str, day: str = "", said: str = "yes", at: str = "2026-11-20T10:00:00+00:00", more: str = LONG) -> Entry:
    return Entry(asked(what, day, more), msgspec.structs.replace(entry().reply, text=said, at=at))

"""Conversations from a file, in our shape or in others'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation, Message, Speaker
from finetune_prep.core.finding import Finding
from finetune_prep.records.rows import Row, read_rows
from finetune_prep.records.spellings import Mapped

_ROLES: Mapping[str, Speaker] = {
    "system": "system", "user": "user", "human": "user", "customer": "user", "assistant": "assistant", "gpt": "assistant",
    "model": "assistant", "bot": "assistant",
}  # fmt: skip
_DIGEST = re.compile(r"[0-9a-f]{32}")  # what our own ids look like


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation of a file. id: the file's, or the hash of its text where it has none."""

    line: int
    id: str
    conversation: Conversation
    group: str = ""


class Talks(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    rows: tuple[Talk, ...]
    findings: tuple[Finding, ...]
    mapping: tuple[str, ...]

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of each conversation's text by its id."""
        return {talk.id: talk.conversation.id for talk in self.rows}


def read_conversations(path: Path) -> Talks:
    """Read `{"id", "messages"}` a line; ShareGPT's `conversations` with `from` and `value`, too, and the samples of a run.

    A system message is kept. Raises UsageError if there is no such file or it holds nothing.
    """
    mapped = Mapped()
    rows: dict[str, Talk] = {}
    findings: list[Finding] = []
    for row in read_rows(path):
        if isinstance(row, Finding):
            findings.append(row)
        elif isinstance(talk := _talk(row, mapped), str):
            fix = "write: {“id”: …, “messages”: [{“role”: “user”, “content”: …}, …]}"
            findings.append(Finding(path=str(path), line=row.number, what=talk, fix=fix))
        elif talk is not None:
            if talk.id in rows:
                what = f"a second conversation {talk.id}; the one in line {rows[talk.id].line} counts"
                findings.append(Finding(path=str(path), line=row.number, what=what, fix="give each an id of its own"))
            rows.setdefault(talk.id, talk)
    return Talks(path=str(path), rows=tuple(rows.values()), findings=tuple(findings), mapping=mapped.lines())


def _talk(row: Row, mapped: Mapped) -> Talk | str | None:
    """The conversation of a row, or what is wrong with it; None for a sample of a run that has none."""
    value = row.value
    if isinstance(value.get("conversation"), dict):
        value = value["conversation"]
    elif isinstance(value.get("state"), str) and isinstance(value.get("scenario"), dict):
        return None
    turns = value.get("messages", value.get("conversations"))
    if not isinstance(turns, list):
        return "this row holds no conversation"
    messages = [_message(turn, mapped) for turn in turns]
    if bad := next((place for place, message in enumerate(messages, start=1) if message is None), 0):
        return f"turn {bad} has no role and text that can be read"
    conversation = Conversation(tuple(message for message in messages if message is not None))
    id = str(value.get("id") or value.get("conversation_id") or conversation.id)
    if _DIGEST.fullmatch(id) and id != conversation.id:
        return f"the text of {id[:12]} is not the one that its id stands for: it was changed"
    return Talk(line=row.number, id=id, conversation=conversation, group=str(value.get("group") or ""))


def _message(turn: Any, mapped: Mapped) -> Message | None:
    if not isinstance(turn, dict):
        return None
    written = str(turn.get("role", turn.get("from", "")))
    role = _ROLES.get(written.casefold())
    content = turn.get("content", turn.get("value"))
    if role is None or not isinstance(content, str):
        return None
    mapped.taken(f"role {written}", f"role {role}")
    return Message(role, content)


def spoken(talks: Talks) -> Iterator[tuple[Talk, Conversation]]:
    """Each conversation without its system messages."""
    for talk in talks.rows:
        yield talk, Conversation(tuple(message for message in talk.conversation.messages if message.role != "system"))

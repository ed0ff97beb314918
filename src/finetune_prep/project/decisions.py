"""What people decided: an append-only file, `decisions.jsonl`, one JSON object a line, committed with the project.

An acceptance names the hash of the text that was accepted, so it holds for exactly that text, wherever it came from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from finetune_prep.durable import append_durably
from finetune_prep.errors import UsageError
from finetune_prep.project.layout import read_plain


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One human act.

    accept: `document` and `text` (hash of its normalised text). override: `gate`, `text` (hash of what the findings are
    about), `because`. uncounted: `model` ("provider/model") may be asked although its price is not known; `text` is empty.
    retry: the requests of `keys` (first attempts), whose answers could not be used, are asked once more; `text` is empty.
    drop: the conversation whose id is `text` goes into no further export, `because`.
    confirm: `item` of `document`, a fact or how grave a failure is, holds as it stands; `text` is the hash of the item.
    take, leave: the proposed edit `edit` ("improve-001/2") of `document`, for the failure that `because` tells. `text` is the
    hash of the document with it, `before` of the one without it, `prompt` of the prompt that is compiled from it, or else of the
    generation prompt, without it. back: `document` has the text it had before that edit; that is `text`.
    by: who. interactive: False when given by --yes. at: ISO time, UTC.
    """

    decision: Literal["accept", "override", "uncounted", "retry", "drop", "confirm", "take", "leave", "back"]
    by: str
    at: str
    text: str
    document: str = ""
    gate: str = ""
    item: str = ""
    because: str = ""
    model: str = ""
    keys: tuple[str, ...] = ()
    edit: str = ""
    before: str = ""
    prompt: str = ""
    interactive: bool = True


def read_decisions(path: Path) -> tuple[Decision, ...]:
    """All decisions in the order in which they were made. Raises UsageError with the line that cannot be read."""
    if not path.exists():
        return ()
    decisions: list[Decision] = []
    for number, line in enumerate(read_plain(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            decisions.append(msgspec.json.decode(line, type=Decision))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"this decision cannot be read: {error}",
                where=f"{path.name}:{number}",
                next="restore the line from version control, or delete it and decide again",
            ) from error
    return tuple(decisions)


def record(path: Path, decision: Decision) -> None:
    """Append a decision; it is on disk when this returns."""
    append_durably(path, msgspec.json.encode(decision).decode())

"""Reading a finished training file back as a trainer does, before it takes the place of the old one.

Nothing here knows how rows are written: the bytes are read with the standard library's JSON, line by line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from finetune_prep.core.conversation import Message
from finetune_prep.errors import FinetunePrepError
from finetune_prep.exports.formats import Format
from finetune_prep.exports.traps import DOUBLE, trap_in

MARK = b"\xef\xbb\xbf"  # of byte order, which JSON readers refuse
LINE_ENDS = ("\u2028", "\u2029", "\x85")  # that some readers of lines take for one
SPEAKERS = ("system", "user", "assistant")


def check(path: Path, sidecar: Path, form: Format) -> int:
    """How many rows a training file holds. Raises FinetunePrepError for the first row that some trainer would read wrongly."""
    seen: set[bytes] = set()
    number = 0
    for number, (line, beside) in enumerate(zip_longest(_lines(path, form), _lines(sidecar, form)), start=1):
        if line is None or beside is None:
            raise _unsound(form, number, f"{form.file} and {form.sidecar} have different numbers of rows")
        hashed = hashlib.sha256(line)
        try:
            _check_row(_parsed(line), form)
            _check_origin(_parsed(beside), number, hashed.hexdigest())
            if hashed.digest() in seen:
                raise ValueError(DOUBLE)
        except ValueError as error:
            raise _unsound(form, number, str(error)) from error
        seen.add(hashed.digest())
    return number


def _lines(path: Path, form: Format) -> Iterator[bytes]:
    """The lines without their ends."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and line.startswith(MARK):
                raise _unsound(form, number, "it begins with a mark of byte order")
            if not line.endswith(b"\n") or line.endswith(b"\r\n"):
                raise _unsound(form, number, "the line does not end with a line feed alone")
            yield line[:-1]


def _parsed(line: bytes) -> Any:
    text = line.decode()
    if any(end in text for end in LINE_ENDS):
        raise ValueError("it holds a character that ends lines for some readers")
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(names := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return names


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_row(row: Any, form: Format) -> None:
    if not isinstance(row, dict) or tuple(row) != form.columns:
        raise ValueError(f"its keys are not {', '.join(form.columns)}")
    said = form.talk_of(row)
    if not isinstance(said, list):
        raise ValueError("it holds no list of messages")
    for message in said:
        if not isinstance(message, dict) or tuple(message) != ("role", "content"):
            raise ValueError("a message has other keys than role and content")
        if message["role"] not in SPEAKERS or not isinstance(message["content"], str):
            raise ValueError("a message has an unknown role, or no text")
    if trap := trap_in([Message(message["role"], message["content"]) for message in said]):
        raise ValueError(f"{trap.name}: {trap.does}")


def _check_origin(origin: Any, number: int, hashed: str) -> None:
    if origin["row"] != number or origin["sha256"] != hashed:
        raise ValueError("its line of origin belongs to another row")


def _unsound(form: Format, number: int, why: str) -> FinetunePrepError:
    return FinetunePrepError(
        f"what was written as {form.file} is not sound: row {number}: {why}",
        next="nothing was replaced; please report this with the row's conversation, which finetune-prep show prints",
    )

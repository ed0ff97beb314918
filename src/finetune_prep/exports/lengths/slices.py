"""Long talks cut into several rows: each a beginning of the talk that ends with a reply, none longer than a limit.

For trainers that train the last reply of a row alone, and for talks that do not fit into what a trainer takes. Rows are cut after
they were divided into sides, so no talk stands on two of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.scenarios.scenario import stream
from finetune_prep.durable import Together
from finetune_prep.exports.formats import preview_of
from finetune_prep.exports.manifest import Written, sha256_of

FORM = "slices"
FIRST = 3  # exchanges of the first slice; before that, there is little to go on from. Convention, as are the gaps
GAPS = (2, 5)  # exchanges from one slice to the next
MARKUP = 64  # bytes for the markup of a message, where no tokenizer counts
TOO_LONG = "longer than the limit"

Messages = Sequence[dict[str, str]]


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """What was cut out of one training file."""

    written: Written
    beside: Written
    limit: int
    """Tokens."""
    counted: bool
    """Whether a tokenizer counted; otherwise bytes stand for tokens, which are never more."""
    talks: int
    too_long: int
    """Slices that were left out, since they are longer than the limit."""
    without: int
    """Talks of which not even the first slice fits."""


def ends(exchanges: int, seed: str) -> list[int]:
    """After which exchanges a talk is cut: from the third on, two to five apart, and always the last. Pure: by the seed."""
    chance = stream(seed, "slices")
    found, at = [], FIRST
    while at < exchanges:
        found.append(at)
        at += chance.randint(*GAPS)
    return [*found, exchanges]


def bytes_of(messages: Messages) -> int:
    """More tokens than a row can have: a token of a byte-level tokenizer stands for at least one byte."""
    return sum(len(message["content"].encode()) + MARKUP for message in messages)


def name_of(file: str) -> str:
    """The name of the slices of a training file: `train.slices.jsonl`, `train.slices.preview.jsonl`."""
    stem, dot, rest = file.partition(".")
    return f"{stem}.{FORM}{dot}{rest}"


def write(together: Together, path: Path, file: str, limit: int, length: Callable[[Messages], int] | None = None) -> Slices:
    """Cut the rows of a training file in chat format into slices of at most `limit` tokens. path: where it can be read now.

    length: tokens of messages; None = bytes stand for them.
    """
    name, beside = name_of(file), name_of(file).replace(f".{FORM}.", f".{FORM}.meta.")
    data, origins = together.begin(name), together.begin(beside)
    rows = talks = too_long = without = 0
    for number, messages in enumerate(_rows(path), start=1):
        talks += 1
        before = rows
        for exchanges, part in cut(messages):
            if (length or bytes_of)(part) > limit:
                too_long += 1
                continue
            rows += 1
            line = json.dumps({"messages": part}, ensure_ascii=True, separators=(",", ":")).encode()
            data.write(line + b"\n")
            origins.write(msgspec.json.encode(_origin(rows, line, number, exchanges)) + b"\n")
        without += rows == before
    return Slices(
        written=_written(together, name, FORM, rows, {TOO_LONG: too_long} if too_long else {}),
        beside=_written(together, beside, "", rows, {}),
        limit=limit,
        counted=length is not None,
        talks=talks,
        too_long=too_long,
        without=without,
    )


def cut(messages: Messages) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """The slices of a talk: how many exchanges each has, and its messages, the system prompt included."""
    head = [*messages[:1]] if messages[0]["role"] == "system" else []
    said = [*messages[len(head) :]]
    seed = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    for exchanges in ends(len(said) // 2, seed):
        yield exchanges, [*head, *said[: 2 * exchanges]]


def _origin(row: int, line: bytes, of: int, exchanges: int) -> dict[str, Any]:
    return {"row": row, "sha256": hashlib.sha256(line).hexdigest(), "of": of, "exchanges": exchanges}


def _rows(path: Path) -> Iterator[Messages]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)["messages"]


def _written(together: Together, name: str, form: str, rows: int, left_out: dict[str, int]) -> Written:
    path = together.finish(name)
    return Written(file=name, form=form, rows=rows, bytes=path.stat().st_size, sha256=sha256_of(path), left_out=left_out)


def in_words(found: Slices) -> str:
    """What came of cutting, in a sentence or two."""
    by = "as the tokenizer counts" if found.counted else "(counted in bytes: a token stands for at least one)"
    left = f" {found.too_long} longer ones were left out" if found.too_long else ""
    left += (
        f", for {found.without} {'conversation' if found.without == 1 else 'conversations'} every slice" if found.without else ""
    )
    return (
        f"{found.written.file}: {found.written.rows} slices of {found.talks} conversations, of at most {found.limit} tokens "
        f"{by}.{left}{'.' if left else ''} Train only the last reply of each row: the replies before it are in other rows."
    )


def names(file: str, *, preview: bool) -> set[str]:
    """Every file that slices of a training file may be written to. file: its name without what makes it a preview."""
    found = name_of(file)
    both = {found, found.replace(f".{FORM}.", f".{FORM}.meta.")}
    return {preview_of(name) for name in both} if preview else both

"""What stands beside the rows: a manifest of the files, a line of origin for each row, and what was left out and why.

A training file holds nothing but what is trained, since a column more is taken for something by one trainer or another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Sample, State
from finetune_prep.exports.splits import Proof

MANIFEST = "manifest.json"
REJECTED = "rejected.jsonl"


class RowOrigin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of a sidecar. Every line has every key, and a key holds one type, so that table readers agree."""

    row: int
    """The number of the row in the training file; the first is 1."""
    sha256: str
    """Of the row's bytes, its line end left out."""
    conversation: str
    """The conversation's id in the run."""
    scenario: str
    topic: str
    """"" where the scenario belongs to none."""
    kind: str
    situation: str
    style: str
    difficulty: str
    flaw: str
    """"" where the user has none."""
    exchanges: int
    score: float
    """0 to 1."""
    thin: str
    """Names of the categories of the rubric that one question decided, "" for none."""


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of rejected.jsonl: a planned scenario that is in no training file as an accepted row, for people to read."""

    scenario: str
    state: str
    why: str
    score: float | None
    situation: str
    said: tuple[tuple[str, str], ...]
    """Pairs of role and text. No trainer reads this form, so that nobody trains on it by mistake."""


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file as it was written."""

    file: str
    form: str
    """The format of its rows; "" where it is no training file."""
    rows: int
    bytes: int
    sha256: str
    left_out: dict[str, int]
    """For a training file: why planned scenarios are not in it. With its rows they sum to what was planned."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What decides which rows there are."""

    run: str
    samples: str
    """SHA-256 of the run's samples.jsonl."""
    system_prompt: str
    """Hash of the system prompt's text."""
    show_gaps: bool = False
    """Whether messages stand below the lines that say how much time has passed."""
    failed_by_people: tuple[str, ...]
    """Ids of conversations that a person failed, whatever the judge said."""
    dropped: tuple[str, ...] = ()
    """Ids of conversations that a person keeps out."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which files belong together, and what they were made from. There is no clock in it: the same rows give the same text."""

    preview: bool
    source: Source
    planned: int
    states: dict[str, int]
    """How many planned scenarios are in each state that occurs; they sum to `planned`."""
    account: str
    """The same in words."""
    rubric: str
    """The rubric's version."""
    documents: dict[str, str]
    """Document → hash of the text that was used."""
    prompts: dict[str, str]
    """Prompt file → its hash."""
    models: dict[str, str]
    """Role → the model that wrote, or judged, every row."""
    first_answer: str
    """ISO time of the first answer of the pilots, by the clock of whoever gave it; "" where the ledger is gone."""
    last_answer: str
    files: tuple[Written, ...]
    split: Proof | None = None
    """Which rows are held back for validation, and what was counted of both sides; None if none are."""


def read_manifest(path: Path) -> Manifest | None:
    """The manifest at this path; None if there is none, or it cannot be read: then nothing is known of the files."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest) if path.is_file() else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def fewer_in_words(before: Manifest | None, run: str, files: Iterable[Written]) -> tuple[str, ...]:
    """What is said of each format of which fewer rows take the place of more. before: of the export that is replaced. run: that
    the new rows are of. Rows that are held back for validation count."""
    if before is None:
        return ()
    earlier, now = _rows_by_form(before.files), _rows_by_form(files)
    of = "" if before.source.run == run else f" of {before.source.run}"
    lost = {form: count for form, count in earlier.items() if now.get(form, count) < count}
    return tuple(
        f"{now[form]:,} {'row replaces' if now[form] == 1 else 'rows replace'} the {count:,}{of} in the export before this one "
        f"({form}): {count - now[form]:,} fewer"
        for form, count in lost.items()
    )


def _rows_by_form(files: Iterable[Written]) -> dict[str, int]:
    found: dict[str, int] = {}
    for written in files:
        if written.form:
            found[written.form] = found.get(written.form, 0) + written.rows
    return found


def encoded(value: Any) -> bytes:
    """A manifest as its file holds it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def stands(manifest: Manifest, folder: Path) -> bool:
    """Whether every file of a manifest is in the folder as it was written."""
    files = {written.file: folder / written.file for written in manifest.files if Path(written.file).name == written.file}
    return len(files) == len(manifest.files) and all(
        files[written.file].is_file() and sha256_of(files[written.file]) == written.sha256 for written in manifest.files
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def origin(sample: Sample, talk: Conversation, number: int, line: bytes) -> RowOrigin:
    """line: the row's bytes without its line end."""
    scenario = sample.scenario
    return RowOrigin(
        row=number,
        sha256=hashlib.sha256(line).hexdigest(),
        conversation=sample.conversation.id if sample.conversation else "",
        scenario=scenario.id,
        topic=scenario.cell.topic,
        kind=scenario.cell.kind,
        situation=scenario.situation.id,
        style=scenario.style.id,
        difficulty=scenario.difficulty.id,
        flaw=scenario.flaw.id if scenario.flaw else "",
        exchanges=talk.exchanges,
        score=float(sample.score or 0.0),
        thin=", ".join(sample.thin),
    )


def left_out(sample: Sample, trap: str = "") -> LeftOut:
    """trap: what keeps an accepted row out of the training files."""
    said = sample.conversation.messages if sample.conversation else ()
    return LeftOut(
        scenario=sample.scenario.id,
        state=sample.state,
        why=trap or (f"no: {', '.join(sample.failed)}" if sample.failed else sample.fault),
        score=sample.score,
        situation=sample.scenario.situation.text,
        said=tuple((message.role, message.shown) for message in said),
    )


def rows_in_words(planned: int, written: Written) -> str:
    """The account of a training file: "150 planned = 27 rows + 3 flawed + 120 with more than one reply"."""
    left = "".join(f" + {count} {why}" for why, count in written.left_out.items())
    return f"{planned} planned = {written.rows} rows{left}"


def in_words(planned: int, states: Mapping[State, int]) -> str:
    """ "16 planned = 14 accepted + 2 rejected"."""
    return f"{planned} planned = {' + '.join(f'{count} {state}' for state, count in states.items() if count)}"

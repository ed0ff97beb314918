"""Rows of the exported files that stand on both sides of a split, or nearly: read from the files themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from finetune_prep.conversations.near import Near, runs_of
from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.errors import UsageError
from finetune_prep.exports.formats import FORMATS, Format, held_back, preview_of
from finetune_prep.workflow.auditing.flags import Flag, flag


def leaks(folder: Path) -> Iterator[Flag]:
    """A flag for each pair of files of which one repeats rows of the other."""
    for form in FORMATS.values():
        for named in (str, preview_of):
            train, validation = folder / named(form.file), folder / named(held_back(form).file)
            if train.is_file() and validation.is_file():
                yield from _between(train, validation, form)


def _between(train: Path, validation: Path, form: Format) -> Iterator[Flag]:
    near = Near()
    for _, said in _talks(train, form):
        near.add(runs_of(said))
    found = [(line, earlier) for line, said in _talks(validation, form) if (earlier := near.earlier(runs_of(said)))]
    if found:
        details = [
            f"{validation.name}:{line} is {share:.0%} the same as {train.name}:{number + 1}" for line, (number, share) in found
        ]
        several = "row says" if len(found) == 1 else "rows say"
        yield flag(
            "splits",
            "red",
            f"{len(found):,} {several} in {validation.name} nearly what one in {train.name} says",
            details=details,
        )


def _talks(path: Path, form: Format) -> Iterator[tuple[int, Conversation]]:
    """The conversations of a training file, as trainers read it, each with its line. Raises UsageError for one that is broken."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                said = msgspec.convert(form.talk_of(json.loads(line)), tuple[Message, ...])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                what = "this is no row of a training file any more"
                raise UsageError(what, where=f"{path.name}:{number}", next="finetune-prep export writes it anew") from error
            yield number, Conversation(said)

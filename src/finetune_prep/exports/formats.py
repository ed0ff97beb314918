"""The table of export formats: a format is one row here and one module beside it, and everything else reads this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Sample
from finetune_prep.exports import kto, messages


class Format(NamedTuple):
    """A form in which what a run brought is written for trainers."""

    name: str
    """As `export --format` says it."""
    file: str
    """Name of the file in dataset/: `train.jsonl`, or `train.….jsonl`."""
    config: str
    """The name by which a hub loads it."""
    shape: str
    """In what form rows are, for the card."""
    columns: tuple[str, ...]
    """The keys of a row: exactly these, since several trainers take others for something that they are not."""
    row: Callable[[Sample, Conversation], Mapping[str, object] | str]
    """The row of a sample whose conversation has the system prompt in front; a str says why it has none."""
    talk_of: Callable[[Mapping[str, object]], object]
    """The conversation that a row trains, a list of messages if the row is sound."""

    @property
    def sidecar(self) -> str:
        """Name of the file that says of each row what it is about and where it comes from."""
        return self.file.replace(".jsonl", ".meta.jsonl")


FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        Format("messages", "train.jsonl", "sft", "chat format", messages.COLUMNS, messages.row, messages.talk_of),
        Format("kto", "train.kto.jsonl", "kto", "KTO's format", kto.COLUMNS, kto.row, kto.talk_of),
    )
}  # fmt: skip
DEFAULT = "messages"


def held_back(form: Format) -> Format:
    """The same format for the rows that are held back: `validation.jsonl`."""
    return form._replace(file=form.file.replace("train", "validation", 1))


def preview_of(file: str) -> str:
    """The name of a preview, which no trainer takes for a training file: `train.preview.jsonl`."""
    stem, dot, ending = file.rpartition(".")
    return f"{stem}.preview{dot}{ending}"

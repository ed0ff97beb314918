"""Samples as a run brings them, for tests of what is written of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import Sample, State
from finetune_prep.durable import Together
from finetune_prep.exports import dataset
from finetune_prep.exports.formats import FORMATS
from finetune_prep.exports.splits import Split
from tests.core.scenarios.test_drawing import SPACE, plan

SCENARIOS = plan(SPACE, 12, 1)
SYSTEM = "You help, briefly."


def talk(*turns: str) -> Conversation:
    """A conversation of these turns, the user's first."""
    return Conversation(tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(turns)))


def samples(talks: Iterable[Conversation], state: State = "accepted") -> list[Sample]:
    """A sample of each, in one state."""
    return [
        Sample(scenario=SCENARIOS[n % len(SCENARIOS)], state=state, conversation=said, score=1.0) for n, said in enumerate(talks)
    ]


def written(
    folder: Path,
    found: Sequence[Sample],
    *formats: str,
    preview: bool = False,
    show_gaps: bool = False,
    split: Split | None = None,
) -> dataset.Rows:
    """The samples written into a folder for good."""
    with Together(folder) as files:
        rows = dataset.write(
            files,
            found,
            SYSTEM,
            [FORMATS[name] for name in formats or ("messages",)],
            split=split,
            show_gaps=show_gaps,
            preview=preview,
        )
        files.commit()
    return rows


def accounted(rows: dataset.Rows) -> list[Any]:
    """By training file, how many planned scenarios it accounts for."""
    return [file.rows + sum(file.left_out.values()) for file in rows.training]

"""The shapes of pairs, a file each, since no single one suits all trainers: what each holds, who reads it, and the settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.exports.pairs.pairing import Pair
from finetune_prep.exports.trainers import slug
from finetune_prep.exports.traps import trap_in

Row = Mapping[str, object]


class Shape(NamedTuple):
    """A form of preference pairs."""

    name: str
    file: str
    columns: tuple[str, ...]
    row: Callable[[Pair], Row]
    parts: Callable[[Mapping[str, Any]], tuple[Any, Any, Any]]
    """Prompt, chosen and rejected as they stand in a row, each a list of messages if the row is sound."""
    readers: str
    language: str
    settings: str
    """The smallest that train rightly, with slots in «»; "" where nothing has to be set."""
    beware: str


def _trl(pair: Pair) -> Row:
    return {"prompt": pair.prompt, "chosen": (pair.chosen,), "rejected": (pair.rejected,)}


def _one_message(pair: Pair) -> Row:
    return {"messages": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}


def _openai(pair: Pair) -> Row:
    return {
        "input": {"messages": pair.prompt},
        "preferred_output": (pair.chosen,),
        "non_preferred_output": (pair.rejected,),
    }


SHAPES = (
    Shape(
        "TRL", "train.jsonl", ("prompt", "chosen", "rejected"), _trl,
        lambda row: (row["prompt"], row["chosen"], row["rejected"]),
        "TRL, and Unsloth, which uses it", "python",
        """\
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

rows = load_dataset("json", data_files="«file»", split="train")
DPOTrainer(model="MODEL", args=DPOConfig(max_length=«tokens»), train_dataset=rows).train()""",
        "A prompt that fills `max_length` drops its row. The loss of the first step has to be .693 (ln 2); if it is not, the "
        "model is not its own reference.",
    ),
    Shape(
        "one message", "train.one-message.jsonl", ("messages", "chosen", "rejected"), _one_message,
        lambda row: (row["messages"], [row["chosen"]], [row["rejected"]]),
        "LLaMA-Factory and Axolotl", "yaml",
        """\
# LLaMA-Factory, which finds the rows through dataset_info.json here
stage: dpo
dataset_dir: .
dataset: «name»_pairs
template: TEMPLATE
cutoff_len: «tokens»
# Axolotl
rl: dpo
sequence_len: «tokens»
datasets:
  - path: «file»
    ds_type: json
    type: chat_template.default
    field_messages: messages
    field_chosen: chosen
    field_rejected: rejected""",
        "`ranking` stands in dataset_info.json for a reason: without it LLaMA-Factory takes the rows for something else.",
    ),
    Shape(
        "OpenAI", "train.openai.jsonl", ("input", "preferred_output", "non_preferred_output"), _openai,
        lambda row: (row["input"]["messages"], row["preferred_output"], row["non_preferred_output"]),
        "OpenAI, Together and Fireworks", "", "", "They take `«file»` as it is.",
    ),
)  # fmt: skip


def dataset_info(name: str) -> bytes:
    """The registry by which LLaMA-Factory finds the pairs: with `ranking`, or it would not take them for pairs."""
    (shape,) = (shape for shape in SHAPES if shape.name == "one message")
    speakers = {f"{role}_tag": role for role in ("user", "assistant", "system")}
    entry = {
        "file_name": shape.file,
        "formatting": "sharegpt",
        "ranking": True,
        "columns": {column: column for column in shape.columns},
        "tags": {"role_tag": "role", "content_tag": "content"} | speakers,
    }
    return msgspec.json.format(msgspec.json.encode({f"{slug(name)}_pairs": entry}), indent=2) + b"\n"


def check_row(line: bytes, shape: Shape) -> None:
    """Read a row back as a trainer does. Raises ValueError if one of those that read the shape would read it wrongly."""
    row = json.loads(line)
    if not isinstance(row, dict) or tuple(row) != shape.columns:
        raise ValueError(f"its keys are not {', '.join(shape.columns)}")
    prompt, chosen, rejected = ([_message(one) for one in part] for part in shape.parts(row))
    if len(chosen) != 1 or len(rejected) != 1:
        raise ValueError("a side is not one message")
    for side in (chosen, rejected):
        if trap := trap_in([*prompt, *side]):
            raise ValueError(f"{trap.name}: {trap.does}")
    if chosen == rejected:
        raise ValueError("both sides are the same")


def _message(given: Any) -> Message:
    if not isinstance(given, dict) or tuple(given) != ("role", "content") or not isinstance(given["content"], str):
        raise ValueError("a message has other keys than role and content, or no text")
    return Message(given["role"], given["content"])

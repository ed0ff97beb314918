"""The table of trainers: what each has to be told so that it learns the replies and nothing else, and how few rows it takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.exports.dataset import Measures
from finetune_prep.exports.manifest import Written

DATASET_INFO = "dataset_info.json"
SHORTEST = 1024  # tokens; what trainers cut at where nobody says otherwise


class Trainer(NamedTuple):
    """A program or service that trains on one of the formats."""

    name: str
    form: str
    """The format that it reads."""
    fewest: int
    """Rows that it wants at least."""
    language: str
    """Of the settings."""
    settings: str
    """The smallest that train rightly, with slots in «»; "" where nothing has to be set."""
    beware: str
    """What goes wrong otherwise."""


TRAINERS = (
    Trainer(
        "TRL",
        "messages",
        1,
        "python",
        """\
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

rows = load_dataset("json", data_files="«file»", split="train")
settings = SFTConfig(assistant_only_loss=True, max_length=«tokens»)
SFTTrainer(model="MODEL", args=settings, train_dataset=rows).train()""",
        "Without `assistant_only_loss=True` the user's words are trained as well. Without `max_length` rows are cut at 1024 "
        "tokens. The model's chat template has to mark replies with `{% generation %}`; TRL does that for templates that it "
        "knows, and refuses others: give it a marked copy as `chat_template_path`. On a CPU, `pad_to_multiple_of=64` saves time "
        "and memory.",
    ),
    Trainer(
        "Axolotl",
        "messages",
        1,
        "yaml",
        """\
base_model: MODEL
datasets:
  - path: «file»
    ds_type: json
    type: chat_template
    field_messages: messages
    roles_to_train: ["assistant"]
    train_on_eos: turn
sequence_len: «tokens»
learning_rate: 0.00001
output_dir: tuned""",
        "`roles_to_train:` or `train_on_eos:` left blank trains the last reply alone. Where the template ends turns with another "
        "token than the tokenizer's own end, name it in `eot_tokens`, or the model never learns to stop.",
    ),
    Trainer(
        "Unsloth",
        "messages",
        1,
        "python",
        """\
from unsloth import FastLanguageModel
from unsloth.chat_templates import train_on_responses_only
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

model, tokenizer = FastLanguageModel.from_pretrained("MODEL", max_seq_length=«tokens»)
model = FastLanguageModel.get_peft_model(model)


def worded(row):
    return {"text": tokenizer.apply_chat_template(row["messages"], tokenize=False)}


rows = load_dataset("json", data_files="«file»", split="train").map(worded, remove_columns=["messages"])
settings = SFTConfig(dataset_text_field="text", max_length=«tokens»)
trainer = SFTTrainer(model=model, processing_class=tokenizer, train_dataset=rows, args=settings)
train_on_responses_only(trainer).train()""",
        "Without `train_on_responses_only` the user's words are trained as well. It finds replies by the template's own markers; "
        "where it does not, no token is trained: look at the labels of one row before you start.",
    ),
    Trainer(
        "LLaMA-Factory",
        "messages",
        1,
        "yaml",
        """\
model_name_or_path: MODEL
template: TEMPLATE
stage: sft
do_train: true
finetuning_type: lora
dataset_dir: .
dataset: «name»
cutoff_len: «tokens»
output_dir: tuned""",
        "It finds the rows through `«info»` in this folder. `TEMPLATE` is the name that LLaMA-Factory has for the model's own, "
        "such as `qwen3`; templates of models that think add an empty thought to every reply. Leave `formatting` as it is: with "
        "`openai` it writes a sentence of its own into every system prompt.",
    ),
    Trainer(
        "MLX",
        "messages",
        4,
        "shell",
        "mlx_lm.lora --model MODEL --train --data . --mask-prompt --max-seq-length «tokens»",
        "It reads `train.jsonl` of a folder, by that name alone. Without `--mask-prompt` every word is trained, with it only the "
        "last reply of each row: here «last».",
    ),
    Trainer(
        "TRL's KTO",
        "kto",
        2,
        "python",
        """\
from datasets import load_dataset
from trl import KTOConfig, KTOTrainer

rows = load_dataset("json", data_files="«file»", split="train")
settings = KTOConfig(
    max_length=«tokens», per_device_train_batch_size=4, desirable_weight=«liked», undesirable_weight=«disliked»
)
KTOTrainer(model="MODEL", args=settings, train_dataset=rows).train()""",
        "A batch of one row is refused. «passed» of «rows» rows have the label true; the weights let both labels count the same. "
        "Tune on `messages` first: KTO improves a model that can already do the task.",
    ),
    Trainer("Fireworks", "messages", 3, "", "", "It takes `«file»` as it is."),
    Trainer("Together", "messages", 1, "", "", "It takes `«file»` as it is; leave `train_on_inputs` at `auto`."),
    Trainer("OpenAI", "messages", 10, "", "", "It takes `«file»` as it is, where fine-tuning is still open to you."),
)


class Facts(NamedTuple):
    """What settings depend on."""

    name: str
    """Of the project."""
    file: str
    info: str
    """The name of LLaMA-Factory's registry."""
    of: Measures


def tokens(longest: int) -> int:
    """A `max_length` that cuts no row: a power of two, and not less than the bytes of the longest.

    A token of a byte-level tokenizer stands for at least one byte, so a row never has more tokens than bytes.
    """
    return max(SHORTEST, 1 << (longest - 1).bit_length()) if longest else SHORTEST


def filled(text: str, facts: Facts) -> str:
    """Settings or a warning with their slots filled."""
    of = facts.of
    failed = of.rows - of.passed
    slots = {
        "file": facts.file,
        "name": slug(facts.name),
        "info": facts.info,
        "tokens": str(tokens(of.longest)),
        "last": f"{of.rows} of {of.replies} replies",
        "rows": str(of.rows),
        "passed": str(of.passed),
        "liked": f"{max(1.0, failed / of.passed):.2f}" if of.passed else "1.0",
        "disliked": f"{max(1.0, of.passed / failed):.2f}" if failed else "1.0",
    }
    return re.sub("«([a-z]+)»", lambda slot: slots[slot[1]], text)


def wanting(form: str, rows: int) -> list[Trainer]:
    """Trainers of a format that want more rows."""
    return [trainer for trainer in TRAINERS if trainer.form == form and rows < trainer.fewest]


def readers(form: str) -> str:
    """Who reads a format, for whoever chooses."""
    return ", ".join(trainer.name for trainer in TRAINERS if trainer.form == form)


def dataset_info(name: str, training: Sequence[Written]) -> bytes:
    """The registry by which LLaMA-Factory finds rows in chat format, tags and all; b"" if there are none.

    What is not listed in it counts as absent there.
    """
    speakers = {f"{role}_tag": role for role in ("user", "assistant", "system")}
    tags = {"role_tag": "role", "content_tag": "content"} | speakers
    entries = {
        f"{slug(name)}{'_validation' if written.file.startswith('validation') else ''}": {
            "file_name": written.file,
            "formatting": "sharegpt",
            "columns": {"messages": "messages"},
            "tags": tags,
        }
        for written in training
        if written.form == "messages"
    }
    return msgspec.json.format(msgspec.json.encode(entries), indent=2) + b"\n" if entries else b""


def slug(name: str) -> str:
    """A name that is one word on a command line and in YAML."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_") or "dataset"

"""Loss per token of the replies of held-out rows: python loss.py DATASET FOLDER [FOLDER …]

It needs no judge, and says how well a model expects such replies, not how good its own are.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import torch
from base import MARKED
from exported import file_of
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

Row = list[dict[str, str]]


def measured(folder: Path, template: str, rows: list[Row]) -> tuple[float, int]:
    """Mean loss of the replies' tokens, and how many these are."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    total, count = 0.0, 0
    for row in rows:
        made = tokenizer.apply_chat_template(row, chat_template=template, return_dict=True, return_assistant_tokens_mask=True)
        mask = made["assistant_masks"]
        labels = [token if said else -100 for token, said in zip(made["input_ids"], mask, strict=True)]
        with torch.inference_mode():
            loss = model(input_ids=torch.tensor([made["input_ids"]]), labels=torch.tensor([labels])).loss.item()
        total, count = total + loss * sum(mask), count + sum(mask)
    return total / count, count


def main() -> None:
    disable_progress_bar()
    dataset, *folders = map(Path, sys.argv[1:])
    held_out = file_of(dataset, "validation")
    if held_out is None:
        sys.exit("no rows are held out: finetune-prep export --validation 0.15")
    rows: list[Row] = [json.loads(line)["messages"] for line in held_out.read_text("utf-8").split("\n") if line]
    template = (folders[0] / MARKED).read_text("utf-8")
    for folder in folders:
        loss, count = measured(folder, template, rows)
        print(
            f"{folder.name}: {loss:.3f} per token of {len(rows)} held-out rows ({count} tokens), perplexity {math.exp(loss):.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

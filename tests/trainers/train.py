"""Runs in a trainer's own environment: twenty steps of a tiny random model on an exported file, and what it was trained on, as JSON.

python train.py sft|dpo FILE TOKENIZER OUT
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

import datasets
import torch
import trl
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

STEPS = 20
COMMON: dict[str, Any] = {
    "max_length": 4096, "max_steps": STEPS, "per_device_train_batch_size": 4, "logging_steps": 1, "report_to": "none", "use_cpu": True,
    "save_strategy": "no", "seed": 1, "lr_scheduler_type": "constant", "dataloader_num_workers": 0, "gradient_checkpointing": False,
}  # fmt: skip


def model(words: int) -> Any:
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=words, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=4096,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def main() -> None:
    kind, file, folder, out = sys.argv[1:]
    datasets.disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.eos_token
    rows = datasets.load_dataset("json", data_files=file, split="train")
    found: dict[str, Any] = {}
    if kind == "sft":
        settings = trl.SFTConfig(output_dir=f"{out}/sft", assistant_only_loss=True, learning_rate=3e-3, **COMMON)
        trainer = trl.SFTTrainer(model=model(len(tokenizer)), args=settings, train_dataset=rows, processing_class=tokenizer)
        batches = [trainer.data_collator([row]) for row in trainer.train_dataset]
        found |= {name: [batch[name][0].tolist() for batch in batches] for name in ("input_ids", "labels")}
    else:
        settings = trl.DPOConfig(output_dir=f"{out}/dpo", beta=0.1, learning_rate=1e-3, **COMMON)
        policy, reference = model(len(tokenizer)), model(len(tokenizer))  # the same weights
        trainer = trl.DPOTrainer(policy, reference, args=settings, train_dataset=rows, processing_class=tokenizer)
    trainer.train()
    found["losses"] = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    (Path(out) / f"{kind}.json").write_text(json.dumps(found, default=str), "utf-8")


if __name__ == "__main__":
    main()

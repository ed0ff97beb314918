"""An adapter trained on the replies of exported rows, on the CPU, and merged: python tune.py BASE DATASET OUT [--epochs N]

DATASET is what `finetune-prep export` wrote: rows, and the card with the settings that they need. BF16=0 for CPUs without bf16.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import datasets
from base import MARKED
from exported import file_of, trl_settings
from peft import LoraConfig
from transformers import AutoTokenizer
from transformers.utils.logging import disable_progress_bar
from trl import SFTConfig, SFTTrainer

SEED = 7
ON_A_CPU: dict[str, Any] = {
    "use_cpu": True,
    "bf16": os.environ.get("BF16", "1") != "0",  # calculates in it, and keeps the weights in single precision
    "per_device_train_batch_size": 1,  # no padding; a larger batch takes twice the memory and is not faster
    "gradient_accumulation_steps": 4,
    "pad_to_multiple_of": 64,  # kernels are prepared anew for every length: few lengths are faster, in less memory
    "gradient_checkpointing": False,
}
QUIET: dict[str, Any] = {"logging_steps": 10, "save_strategy": "no", "report_to": "none", "disable_tqdm": True}


def settings(base: Path, dataset: Path, out: Path, epochs: float, rate: float) -> SFTConfig:
    shipped = trl_settings(dataset)
    print("from the card:", ", ".join(f"{name}={value}" for name, value in shipped.items()), flush=True)
    return SFTConfig(
        output_dir=str(out),
        chat_template_path=str(base / MARKED),
        num_train_epochs=epochs,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=4,
        model_init_kwargs={"dtype": "float32"},
        seed=SEED,
        **shipped,
        **ON_A_CPU,
        **QUIET,
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    for name in ("base", "dataset", "out"):
        asked.add_argument(name, type=Path)
    asked.add_argument("--epochs", type=float, default=2)
    asked.add_argument("--rate", type=float, default=1e-3)
    given = asked.parse_args()
    rows = file_of(given.dataset, "train")
    if rows is None:
        raise SystemExit(f"{given.dataset} holds no training rows")
    datasets.disable_progress_bars()
    disable_progress_bar()
    trainer = SFTTrainer(
        model=str(given.base),
        args=settings(given.base, given.dataset, given.out, given.epochs, given.rate),
        train_dataset=datasets.load_dataset("json", data_files=str(rows), split="train"),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    lengths = [len(row["input_ids"]) for row in trainer.train_dataset]
    started = time.monotonic()
    loss = trainer.train().training_loss
    seconds = time.monotonic() - started
    speed = given.epochs * sum(lengths) / seconds
    tokens = f"{sum(lengths) / len(lengths):.0f} tokens each, {given.epochs:g} epochs"
    print(f"{len(lengths)} rows of {tokens}: {seconds:.0f} s, {speed:.0f} tokens/s, loss {loss:.2f}", flush=True)
    trainer.model.merge_and_unload().save_pretrained(given.out)
    AutoTokenizer.from_pretrained(given.base).save_pretrained(given.out)  # with the model's own template


if __name__ == "__main__":
    main()

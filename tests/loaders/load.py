"""Runs in a loader's own environment: what `datasets`, `pyarrow` and the Hub's reader of cards make of an export, as JSON.

python load.py FOLDER FILE SIDECAR CONFIG
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

import datasets
import pyarrow.json
from huggingface_hub import DatasetCard


def main() -> None:
    folder, file, sidecar, config = Path(sys.argv[1]), *sys.argv[2:]
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset("json", data_files=str(folder / file), split="train")
    by_card = datasets.load_dataset(str(folder), config, split="train")
    beside = datasets.load_dataset("json", data_files=str(folder / sidecar), split="train")
    table = pyarrow.json.read_json(folder / file)
    card = DatasetCard.load(folder / "README.md")
    found = {
        "datasets": list(loaded),
        "by_card": list(by_card),
        "pyarrow": table.to_pylist(),
        "sidecar": list(beside),
        "columns": sorted(loaded.column_names),
        "card": card.data.to_dict(),
    }
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    main()

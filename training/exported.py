"""What an export left in its folder: rows by side, and the settings that its card tells TRL. Needs nothing installed."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any


def file_of(dataset: Path, side: str) -> Path | None:
    """The rows of a side, "train" or "validation", of the full export if there is one, or else of the preview."""
    full = (dataset / "train.jsonl").is_file()
    path = dataset / (f"{side}.jsonl" if full else f"{side}.preview.jsonl")
    return path if path.is_file() else None


def trl_settings(dataset: Path) -> dict[str, Any]:
    """What the card beside these rows tells `SFTConfig`. Raises SystemExit if it tells nothing."""
    preview = dataset / "README.preview.md"  # written where a full export's card stands already
    beside = preview.is_file() and not (dataset / "train.jsonl").is_file()
    card = (preview if beside else dataset / "README.md").read_text("utf-8")
    found = re.search(r"^settings = (SFTConfig\(assistant_only_loss=.*\))$", card, re.MULTILINE)
    if found is None:
        raise SystemExit(f"the card in {dataset} has no settings for TRL: export in the format messages")
    call = ast.parse(found[1], mode="eval").body
    assert isinstance(call, ast.Call)
    return {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}

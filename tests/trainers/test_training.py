"""Exports as TRL trains on them: labels against an oracle in plain Python, token by token, and losses that fall.

The oracle shares nothing with what writes rows or with the trainer: the text of a chat as it is put together by hand, its bytes,
and which of them are a reply's.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.durable import Together
from finetune_prep.exports.pairs.files import write
from tests.exports.lengths.tokenizers import tokenizer
from tests.exports.pairs.test_files import ABOUT, pairs
from tests.exports.samples import samples, talk, written
from tests.waiting import HUNG

SCRIPT = Path(__file__).with_name("train.py")
ODD = [
    talk("no", "null"), talk("12", "1e5"), talk("a\u2028b", "c\x85d"), talk("🏺", "größer"), talk('"', "\\n"),
    talk("One?", "One.", "Two?", "Two.", "Three?", "Three."),
]  # fmt: skip
PLAIN = [talk(f"Where is bowl {n}?", f"Bowl {n} leaves the kiln room today, and the desk tells you when.") for n in range(18)]
IGNORED = -100


def trained(trainer: Path, kind: str, file: Path, folder: Path, out: Path) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": str(out), "HF_HOME": str(out / "hf"), "OMP_NUM_THREADS": "1"}
    command = [str(trainer), str(SCRIPT), kind, str(file), str(folder), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HUNG * 10, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((out / f"{kind}.json").read_text("utf-8"))


def ids_of_bytes() -> list[int]:
    """The token of each byte: GPT-2 writes bytes as printable characters, and the tokens are these in their order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    signs = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    order = {sign: n for n, sign in enumerate(sorted(signs.values()))}
    return [order[signs[byte]] for byte in range(256)]


IDS = ids_of_bytes()
START, END = 256, 257


def oracle(messages: list[dict[str, str]]) -> tuple[list[int], list[int]]:
    """Tokens of a chat and its labels: a reply and the end of its turn, and nothing else."""
    tokens, labels = [], []
    for message in messages:
        said = [IDS[byte] for byte in message["content"].encode()] + [END]
        head = [START] + [IDS[byte] for byte in f"{message['role']}\n".encode()]
        tokens += [*head, *said, IDS[10]]
        labels += [IGNORED] * len(head) + (said if message["role"] == "assistant" else [IGNORED] * len(said)) + [IGNORED]
    return tokens, labels


def test_labels_are_the_replies_and_their_ends_and_the_loss_falls(trainer: Path, tmp_path: Path) -> None:
    written(tmp_path, samples([*ODD, *PLAIN]))
    file = tmp_path / "train.jsonl"
    rows = [json.loads(line)["messages"] for line in file.read_text("utf-8").split("\n")[:-1]]
    found = trained(trainer, "sft", file, tokenizer(tmp_path / "model"), tmp_path)
    expected = [oracle(row) for row in rows]
    assert found["input_ids"] == [tokens for tokens, _ in expected]
    assert found["labels"] == [labels for _, labels in expected]
    losses = found["losses"]
    assert len(losses) == 20
    assert sum(losses[-3:]) / 3 < losses[0] - 0.5, losses


def test_pairs_are_learned_in_the_right_direction(trainer: Path, tmp_path: Path) -> None:
    """The first loss is ln 2 (the model is its own reference), and it falls: a reward stuck at one half would not (trl#2194)."""
    replies = tuple(
        (f"Bowl {n} leaves today, and the desk tells you when.", f"No idea where bowl {n} might be by now, sorry!")
        for n in range(16)
    )
    with Together(tmp_path) as files:
        write(files, pairs(replies), ABOUT)
        files.commit()
    found = trained(trainer, "dpo", tmp_path / "train.jsonl", tokenizer(tmp_path / "model"), tmp_path)
    losses = found["losses"]
    assert losses[0] == pytest.approx(0.6931, abs=2e-3)
    assert sum(losses[-3:]) / 3 < 0.5, losses

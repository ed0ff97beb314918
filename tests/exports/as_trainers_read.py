"""What each trainer learns from a folder, in plain Python after its own rules: the replies that are trained, row by row.

Nothing here is shared with what writes the files. A trainer that drops a row, stumbles, or trains other words gives another list.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

Learned = list[tuple[str, ...]]
RESERVED = {
    "labels", "input_ids", "prompt", "completion", "chosen", "rejected", "conversations", "image", "images", "tools",
    "chat_template_kwargs", "system", "text", "weight",
}  # fmt: skip
SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "</s>", "[INST]", "<end_of_turn>", "<image>", "<video>", "<audio>"]


def lines(path: Path) -> list[str]:
    """As Python and most trainers read text: every character that ends a line ends one."""
    return path.read_bytes().decode("utf-8").splitlines()


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(path)]


def replies(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(turn["content"] for turn in row["messages"] if turn["role"] == "assistant")


def trl(folder: Path) -> Learned:
    """Spans of the assistant, if no column of another meaning is there."""
    found = rows(folder / "train.jsonl")
    assert not any(RESERVED & set(row) for row in found)
    return [replies(row) for row in found]


def axolotl(folder: Path) -> Learned:
    """A turn whose text is blank is skipped; one that a template trims is no longer found."""
    return [tuple(text for text in replies(row) if text.strip() and text == text.strip()) for row in rows(folder / "train.jsonl")]


def unsloth(folder: Path) -> Learned:
    """Rendered, and then looked through for the markers of turns, wherever these stand."""
    learned: Learned = []
    for row in rows(folder / "train.jsonl"):
        text = "".join(f"<|im_start|>{turn['role']}\n{turn['content'].strip()}<|im_end|>\n" for turn in row["messages"])
        learned.append(tuple(re.findall(r"<\|im_start\|>assistant\n(.*?)<\|im_end\|>", text, re.DOTALL)))
    return learned


def llama_factory(folder: Path) -> Learned:
    """By its registry; a row out of order is dropped, and placeholders of media have to be as many as there are media."""
    (entry,) = json.loads((folder / "dataset_info.json").read_text("utf-8")).values()
    tags = entry["tags"]
    assert entry["formatting"] == "sharegpt"
    learned: Learned = []
    for row in rows(folder / entry["file_name"]):
        said = row[entry["columns"]["messages"]]
        if said[0][tags["role_tag"]] == tags["system_tag"]:
            said = said[1:]
        roles = [turn[tags["role_tag"]] for turn in said]
        if len(roles) % 2 or any(role != tags[("user_tag", "assistant_tag")[n % 2]] for n, role in enumerate(roles)):
            continue
        texts = [turn[tags["content_tag"]] for turn in said]
        assert not any(place in text for text in texts for place in ("<image>", "<video>", "<audio>"))
        learned.append(tuple(texts[1::2]))
    return learned


def mlx(folder: Path) -> Learned:
    """With its mask the last message, whoever wrote it."""
    data = (folder / "train.jsonl").read_bytes().decode("utf-8")
    found = [json.loads(line) for line in data.split("\n")[:-1]]
    assert not any({"prompt", "completion"} <= set(row) for row in found)
    return [(row["messages"][-1]["content"],) for row in found]


def hosted(folder: Path) -> Learned:
    """What OpenAI's published check, and Together's and Fireworks' rules, accept."""
    found = rows(folder / "train.jsonl")
    for row in found:
        assert set(row) == {"messages"}
        said = row["messages"]
        assert all(set(turn) == {"role", "content"} and isinstance(turn["content"], str) and turn["content"] for turn in said)
        assert "system" not in [turn["role"] for turn in said[1:]]
        spoken = [turn["role"] for turn in said if turn["role"] != "system"]
        assert spoken == ["user", "assistant"] * (len(spoken) // 2)
    return [replies(row) for row in found]


def kto(folder: Path) -> list[tuple[str, str, bool]]:
    """As TRL reads unpaired preferences: the last user turn, the reply, and whether it is wanted."""
    learned = []
    for row in rows(folder / "train.kto.jsonl"):
        assert set(row) == {"prompt", "completion", "label"}
        assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
        (reply,) = row["completion"]
        assert reply["role"] == "assistant"
        assert isinstance(row["label"], bool)
        learned.append((row["prompt"][-1]["content"], reply["content"], row["label"]))
    return learned


ALL = {"TRL": trl, "Axolotl": axolotl, "Unsloth": unsloth, "LLaMA-Factory": llama_factory, "OpenAI": hosted, "Together": hosted,
       "Fireworks": hosted}  # fmt: skip

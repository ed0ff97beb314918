"""What each prompt took in the bundled example, in tokens: the table TYPICAL of phases/estimate.py.

The example's recording holds no counts of tokens, so characters are counted: of all messages and the schema, and of the answer.

    python benchmarks/estimate_defaults.py
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from finetune_prep.ledger.recording import read_recording
from finetune_prep.workflow.estimate import CHARACTERS

RECORDING = Path(__file__).parents[1] / "examples" / "online-shop" / "recording.jsonl"


def sizes() -> dict[tuple[str, str], tuple[int, int]]:
    """Mean tokens of prompt and answer by phase and form, two digits each."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for entry in read_recording(RECORDING):
        request = entry.request
        form = request.schema.name if request.schema else request.about if request.role == "expert" else request.role
        prompt = sum(len(message.content) for message in request.messages)
        prompt += len(msgspec.json.encode(request.schema)) if request.schema else 0
        found.setdefault((request.phase, form), []).append((prompt, len(entry.reply.text)))
    return {name: (_tokens([p for p, _ in rows]), _tokens([a for _, a in rows])) for name, rows in sorted(found.items())}


def exchanges() -> float:
    """Mean number of the user's turns in a talk."""
    entries = [entry.request for entry in read_recording(RECORDING) if entry.request.phase == "pilot"]
    talks = {request.sample for request in entries if request.role == "user"}
    return sum(request.role == "user" for request in entries) / len(talks)


def _tokens(characters: list[int]) -> int:
    mean = sum(characters) / len(characters) / CHARACTERS
    return int(float(f"{mean:.2g}"))


if __name__ == "__main__":
    for (phase, form), (prompt, answer) in sizes().items():
        print(f'    ("{phase}", "{form}"): ({prompt:_}, {answer:_}),')
    print(f"exchanges in a talk: {exchanges():.2f}")

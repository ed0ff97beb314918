"""Batch files: every round is valid OpenAI Batch JSONL; shuffled, split, faulty and doubled answers end in the same rows."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.request import Reply
from finetune_prep.ledger.recording import read_recording
from tests.whole.way import MUSEUM, MUSEUM_SIZE, ask, example_project, rows, run_here, succeed

pytestmark = pytest.mark.environment
MOST_ROUNDS = 60
KNOWN = {entry.key: entry.reply for entry in read_recording(MUSEUM / "recording.jsonl")}


def _check_request(row: dict[str, Any]) -> None:
    """The shape that OpenAI's Batch API takes."""
    assert set(row) == {"custom_id", "method", "url", "body"}
    assert isinstance(row["custom_id"], str)
    assert 1 <= len(row["custom_id"]) <= 64
    assert (row["method"], row["url"]) == ("POST", "/v1/chat/completions")
    body = row["body"]
    assert isinstance(body["model"], str)
    assert body["messages"]
    for message in body["messages"]:
        assert message["role"] in {"system", "user", "assistant"}
        assert isinstance(message["content"], str)
    if "response_format" in body:
        assert body["response_format"]["type"] == "json_schema"
        assert body["response_format"]["json_schema"]["schema"]["type"] == "object"


def _answer(key: str, reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    created = int(datetime.fromisoformat(reply.at).timestamp())
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "created": created, "model": "language-model", "choices": [choice]}
    return {
        "id": f"b-{key[:6]}",
        "custom_id": key,
        "response": {"status_code": 200, "request_id": "r", "body": body},
        "error": None,
    }


def _error(key: str, number: int) -> dict[str, Any]:
    if number % 2:
        return {"id": "b", "custom_id": key, "response": None, "error": {"code": "batch_expired", "message": "expired"}}
    body = {"error": {"message": "overloaded", "type": "server_error"}}
    return {"id": "b", "custom_id": key, "response": {"status_code": 503, "request_id": "r", "body": body}, "error": None}


def _write(path: Path, answers: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(answer) + "\n" for answer in answers), "utf-8")
    return path


def test_shuffled_split_faulty_and_doubled_answers_end_in_the_same_rows(museum: Path, tmp_path: Path, capsys: Any) -> None:
    folder = example_project(tmp_path / "museum", MUSEUM)
    (folder / "recording.jsonl").unlink()
    ask(folder, "batch")
    stream = random.Random(1)
    rounds: list[int] = []
    answered: set[str] = set()
    seen: set[Path] = set()
    for command in (("prepare",), ("pilot", "-n", str(MUSEUM_SIZE))):
        for _ in range(MOST_ROUNDS):
            done = run_here(*command, folder=folder)
            if done.returncode != 4:
                break
            fresh = set((folder / "batches").glob("round-*.requests.jsonl")) - seen
            seen |= fresh
            requests = [json.loads(line) for path in sorted(fresh) for line in path.read_text("utf-8").splitlines()]
            for row in requests:
                _check_request(row)
            keys = [row["custom_id"] for row in requests]
            assert len(keys) == len(set(keys))
            assert not answered & set(keys), "a question that was answered is asked again"
            rounds.append(len(keys))
            faulty = keys[:2] if len(keys) > 4 and len(rounds) % 3 == 0 else []
            answers = [_error(key, n) for n, key in enumerate(faulty)]
            answers += [_answer(key, KNOWN[key]) for key in keys if key not in faulty]
            answered |= set(keys) - set(faulty)
            answers.append(answers[-1])
            stream.shuffle(answers)
            half = len(answers) // 2
            first = _write(tmp_path / "answers-1.jsonl", answers[:half])
            second = _write(tmp_path / "answers-2.jsonl", answers[half:])
            taken = run_here("batch", "import", str(second), str(first), folder=folder)
            assert taken.returncode == 0, taken.stdout + taken.stderr
        assert done.returncode == 0, done.stdout + done.stderr
    succeed("export", "--preview", folder=folder)
    assert rows(folder) == rows(museum)
    with capsys.disabled():
        print(f"\nbatch round trip of the example: {sum(rounds)} requests in {len(rounds)} rounds {rounds}, {len(seen)} files")


def test_a_round_that_waits_is_not_written_twice(tmp_path: Path) -> None:
    folder = example_project(tmp_path / "museum", MUSEUM)
    ask(folder, "batch")
    first = run_here("prepare", folder=folder)
    again = run_here("prepare", folder=folder)
    assert (first.returncode, again.returncode) == (4, 4)
    assert len(list((folder / "batches").iterdir())) == 1
    assert "still waiting" in again.stderr

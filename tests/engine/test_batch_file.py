"""A batch file that the program writes, answered by vLLM's `run-batch`, as people without a network do it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.wire import openai_wire
from finetune_prep.project.layout import Layout
from tests.engine.conftest import NAMES
from tests.engine.engines import ENGINES, START_SECONDS, environment, make_model
from tests.engine.following import faults
from tests.whole.way import ask, example_project, run

MODEL = "language-model"  # as the example calls it


@pytest.mark.skipif("vllm" not in NAMES, reason="run-batch is vLLM's")
def test_a_batch_file_is_answered_and_imported(tmp_path: Path) -> None:
    """Every line is answered, by the form it asks for; taken in, the program asks on from there."""
    folder = example_project(tmp_path / "shop")
    (folder / "recording.jsonl").unlink()
    ask(folder, "batch")
    assert run("prepare", folder=folder).returncode == 4
    requests = folder / "batches" / "round-001.requests.jsonl"
    answers = folder / "batches" / "round-001.answers.jsonl"
    run_batch(tmp_path, requests, answers)
    done = run("batch", "import", str(answers), folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = [json.loads(line)["custom_id"] for line in requests.read_text("utf-8").splitlines()]
    ledger = SqliteLedger(Layout(folder).ledger)
    try:
        entries = [asyncio.run(ledger.answers.get(key)) for key in asked]
    finally:
        ledger.close()
    assert len(entries) == len(list((folder / "sources").glob("*.md")))
    for entry in entries:
        assert entry is not None and entry.reply.problem is None
        assert entry.reply.usage.input and entry.reply.usage.output
        schema = openai_wire.body(entry.request)["response_format"]["json_schema"]["schema"]
        assert faults(json.loads(entry.reply.text), schema) == []


def run_batch(folder: Path, requests: Path, answers: Path) -> None:
    engine = ENGINES["vllm"]
    model = make_model(engine, folder)
    command = [engine.python, "-m", "vllm.entrypoints.openai.run_batch", "-i", requests, "-o", answers, "--model", model]
    options = ["--served-model-name", MODEL, "--dtype", "float32", "--enforce-eager"]
    done = subprocess.run([*command, *options], env=environment(folder), capture_output=True, text=True, timeout=START_SECONDS)
    assert done.returncode == 0, done.stderr[-3000:]

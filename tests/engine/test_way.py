"""The command line in front of a real engine: what `doctor` says of it, and a pilot on it from the first word to the account."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from finetune_prep.cli.app import app
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.setup import detect
from finetune_prep.project.layout import Layout
from tests.engine.engines import Served
from tests.whole.way import ask, copy_project, run

CONVERSATIONS = 4
RUN = "pilot-001"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose documents are made and accepted, from the bundled recording."""
    folder = tmp_path_factory.mktemp("finished") / "shop"
    done = run("demo", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def shop(finished: Path, served: Served, tmp_path: Path) -> Path:
    """That project, without its pilot and its answers, with the engine in all roles."""
    folder = copy_project(finished, tmp_path / "shop")
    for path in [*(folder / "runs" / RUN).iterdir(), *(folder / ".finetune-prep").glob("ledger*")]:
        path.unlink()
    (folder / "runs" / RUN).rmdir()
    ask(folder, "engine", kind="openai-compatible", base_url=served.base_url)
    rewrite(folder, '"engine/language-model"', f'"engine/{served.model}"')
    return folder


def rewrite(folder: Path, old: str, new: str) -> None:
    path = folder / "finetune-prep.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_doctor_tells_whether_schemas_are_enforced(served: Served, shop: Path) -> None:
    """Noise follows a schema only where it is made to: elsewhere it does not in the prompt either, and another model is advised."""
    done = run("doctor", "--json", folder=shop)
    (found,) = (check for check in json.loads(done.stdout) if check["about"] == f"JSON schema, engine/{served.model}")
    enforced = served.engine.schema == "enforced"
    assert (done.returncode, found["state"]) == ((0, "fine") if enforced else (1, "wrong")), found


def test_outside_a_project_doctor_finds_the_server(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On its usual port it would; here the usual port is whichever was free."""
    monkeypatch.setattr(detect, "WELL_KNOWN", {"vllm": (served.base_url, ""), "ollama": ("http://127.0.0.1:1/v1", "")})
    monkeypatch.setattr(detect, "LOOK_SECONDS", 10.0)
    done = CliRunner().invoke(app, ["--project", str(tmp_path), "doctor"])
    assert done.exit_code == 0
    assert f"vllm at {served.base_url}" in done.output
    assert "ollama" not in done.output
    if served.engine.named:
        assert "vllm/tiny" in done.output


def test_new_names_the_server_and_doctor_reaches_it(served: Served, tmp_path: Path) -> None:
    """The brief, one command, and the project asks the engine."""
    brief = tmp_path / "brief.md"
    brief.write_text("# Bicycles\n\nA session helps people to mend small faults.\n", "utf-8")
    options = ["--model", f"local/{served.model}", "--base-url", served.base_url, "--brief", str(brief)]
    done = run("new", str(tmp_path / "p"), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("doctor", "--no-ask", folder=tmp_path / "p")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"✓ provider local: {served.base_url} answers" in done.stdout
    if served.engine.named:
        assert "not among the models" not in done.stdout


def test_a_pilot_accounts_for_every_scenario_and_runs_again_without_the_engine(served: Served, shop: Path) -> None:
    """Noise is spoken and judged. Where the schema is enforced there are verdicts; elsewhere they are missing, which is no NO."""
    enforced = served.engine.schema == "enforced"
    if not enforced:
        rewrite(shop, "[providers.engine]", "[providers.engine]\nstructured = false")
    done = run("pilot", "-n", str(CONVERSATIONS), folder=shop)
    assert done.returncode == 0, done.stdout + done.stderr
    states = Counter(row["state"] for row in rows(shop, "samples.jsonl"))
    assert states.total() == CONVERSATIONS
    assert set(states) <= ({"rejected", "accepted", "faulty"} if enforced else {"unjudged", "faulty"}), states
    judged = [row for row in rows(shop, "verdicts.jsonl") if not row.get("missing")]
    assert bool(judged) == enforced
    before, asked = files(shop), counted(shop)
    rewrite(shop, served.base_url, "http://127.0.0.1:1/v1")
    done = run("pilot", "-n", str(CONVERSATIONS), folder=shop)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (files(shop), counted(shop)) == (before, asked)


def rows(folder: Path, name: str) -> Iterator[dict[str, object]]:
    for line in (folder / "runs" / RUN / name).read_text("utf-8").splitlines():
        yield json.loads(line)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "runs" / RUN).iterdir())}


def counted(folder: Path) -> int:
    """Answers in the ledger."""
    ledger = SqliteLedger(Layout(folder).ledger)
    try:
        return asyncio.run(ledger.reports.count())
    finally:
        ledger.close()

"""Walking the whole way as a user does: the command line as it is typed, in processes of its own or in this one, on both examples.

Whole ways go over the museum, whose pilot is small; the shop is walked once for each worker and shown to be the same once more.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.request import Reply
from finetune_prep.documents.readings.items import undated
from finetune_prep.ledger.recording import read_recording, write_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.wire import openai_wire
from finetune_prep.project.beginning.scaffold import copy_inputs
from tests.cli.terminal import run_here
from tests.fake_endpoint import Behaviour, Call, Completion, Status
from tests.ledgers import entries

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "online-shop"
LIMITS = ("max_completion_tokens", "max_tokens")
MUSEUM = EXAMPLES / "museum-visitors"


def pilot_size(example: Path) -> int:
    """How many conversations the pilot of an example has."""
    return int(msgspec.json.decode((example / "runs" / "pilot-001" / "plan.json").read_bytes())["n"])


SIZE = pilot_size(EXAMPLE)
MUSEUM_SIZE = pilot_size(MUSEUM)
RESULTS = ("samples.jsonl", "verdicts.jsonl", "account.json", "report.html")


def environment(**more: str) -> dict[str, str]:
    """The environment of a user without keys and without a terminal."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV_")} | more


def run(*arguments: str, folder: Path | None = None, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """`finetune-prep …` in a process of its own. folder: the project, in which it is typed."""
    return subprocess.run(
        [sys.executable, "-m", "finetune_prep", *arguments],
        capture_output=True,
        text=True,
        cwd=folder or cwd,
        env=environment(**more),
        timeout=300,
        check=False,
    )


def start(*arguments: str, folder: Path | None = None, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """The same without waiting, in a process group of its own that can be killed with all its children."""
    project = ["--project", str(folder)] if folder else []
    return subprocess.Popen(
        [sys.executable, "-m", "finetune_prep", *project, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
        env=environment(),
        start_new_session=True,
    )


def example_project(folder: Path, example: Path = EXAMPLE) -> Path:
    """An example as a person starts with it: inputs, decisions and recording, nothing that was made."""
    copy_inputs(example, folder)
    return folder


def ask(folder: Path, provider: str, **settings: Any) -> None:
    """Let every role of the project be played through another provider."""
    path = folder / "finetune-prep.toml"
    text = path.read_text("utf-8").replace('"recording/', f'"{provider}/')
    if settings:
        lines = [f"{name} = {value!r}".replace("'", '"') for name, value in settings.items()]
        text += f"\n[providers.{provider}]\n" + "\n".join(lines) + "\n"
    path.write_text(text, "utf-8")


def rows(folder: Path) -> dict[str, str]:
    """Hash of every result of the way: documents, the pilot's files, the dataset.

    The day on which a source was read is none, nor is the hour at which a provider says that it answered.
    """
    wanted = [path for name in RESULTS if (path := folder / "runs" / "pilot-001" / name).is_file()]
    wanted += sorted(
        path for name in ("reference", "prompts", "dataset", "skills") for path in (folder / name).rglob("*") if path.is_file()
    )
    return {str(path.relative_to(folder)): _hash(path) for path in wanted}


def _hash(path: Path) -> str:
    data = path.read_bytes()
    if path.name.startswith("manifest."):
        data = re.sub(rb'("(?:first|last)_answer": )"[^"]+"', rb"\1", data)
    return hashlib.sha256(undated(data.decode()).encode() if path.suffix == ".md" else data).hexdigest()


def whole_way(folder: Path, size: int) -> Path:
    """prepare, pilot, export; every command must succeed."""
    for arguments in (["prepare"], ["pilot", "-n", str(size)], ["export", "--preview"]):
        succeed(*arguments, folder=folder)
    return folder


def succeed(*arguments: str, folder: Path) -> None:
    done = run_here(*arguments, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def copy_project(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


@cache
def recorded(example: Path) -> dict[bytes, Reply]:
    """The answers of an example's recording by the body that is sent over the wire."""
    return {_body(openai_wire.body(entry.request)): entry.reply for entry in read_recording(example / "recording.jsonl")}


def answer_from_recording(latency: Callable[[Call], float] = lambda call: 0.0) -> Callable[[Call], Behaviour]:
    """A fake endpoint's answer function that says what the museum's recording says, as late as `latency` wants."""
    known = recorded(MUSEUM)

    def answer(call: Call) -> Behaviour:
        reply = known.get(_body(call.body))
        if reply is None:
            return Status(400, {"message": f"not in the recording: {call.text[-200:]}"}, latency=latency(call))
        return Completion(text=reply.text, finish=reply.finish, more={"created": _seconds(reply.at)}, latency=latency(call))

    return answer


def _body(body: dict[str, Any]) -> bytes:
    """A request without the limit that a server on this machine is sent, which is no part of what is asked."""
    return msgspec.json.encode({name: value for name, value in body.items() if name not in LIMITS}, order="sorted")


def _seconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())


def accept(folder: Path, kind: str) -> None:
    """Accept a document as a person does who has read it: gates that stand open are overridden, all of them with one reason."""
    done = run_here("accept", kind, "--yes", "--by", "a test", folder=folder)
    if gates := re.findall(r"--override (\S+)", done.stderr):
        options = [option for gate in gates for option in ("--override", gate)]
        done = run_here("accept", kind, *options, "--because", "for a test", "--yes", "--by", "a test", folder=folder)
    assert done.returncode == 0, done.stderr


def forget_pilot(folder: Path) -> None:
    """A finished project as it was before its pilot: what judges said about the documents stays in the ledger."""
    path = folder / ".finetune-prep" / "ledger.sqlite"
    ledger = SqliteLedger(path)
    kept = [entry for entry in asyncio.run(entries(ledger)) if entry.request.phase != "pilot"]
    ledger.close()
    for file in [*(folder / "runs" / "pilot-001").iterdir(), *path.parent.glob("ledger*")]:
        file.unlink()
    (folder / "runs" / "pilot-001").rmdir()
    recording = folder / "kept.jsonl"
    write_recording(kept, recording)
    succeed("ledger", "import", str(recording), folder=folder)
    recording.unlink()

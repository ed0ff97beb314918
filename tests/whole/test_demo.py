"""The demo: the same rows every time, without network, after any kill; and a clear word when an answer is missing."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.request import Request
from finetune_prep.ledger.recording import read_recording, write_recording
from tests.signals import hearing_ctrl_c
from tests.soak import SOAK
from tests.waiting import HUNG
from tests.whole.way import (
    EXAMPLE,
    MUSEUM,
    MUSEUM_SIZE,
    SIZE,
    copy_project,
    environment,
    example_project,
    forget_pilot,
    rows,
    run,
    run_here,
    start,
    succeed,
)

pytestmark = pytest.mark.environment
KILLS = 40 if SOAK else 4
CLOSED_NETWORK = """
import socket
def refuse(*arguments, **options):
    raise OSError("the network is closed")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
"""


def test_once_more_and_with_the_network_closed_gives_byte_identical_rows(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "sitecustomize.py").write_text(CLOSED_NETWORK)
    again = tmp_path / "demo"
    done = run("demo", str(again), PYTHONPATH=os.pathsep.join([str(tmp_path / "closed"), os.environ.get("PYTHONPATH", "")]))
    assert done.returncode == 0, done.stderr
    assert rows(again) == rows(demo)


def test_running_it_again_in_its_folder_changes_nothing(demo: Path, tmp_path: Path) -> None:
    folder = copy_project(demo, tmp_path / "demo")
    before = rows(folder)
    succeed("demo", str(folder), folder=tmp_path)
    assert rows(folder) == before


def test_the_other_example_gets_a_folder_of_its_own(demo: Path, tmp_path: Path) -> None:
    """Whoever looks at both keeps both: the recording of one does not fit the documents of the other."""
    shop = copy_project(demo, tmp_path / "finetune-prep-demo")
    before = rows(shop)
    refused = run("demo", str(shop), "--example", "museum-visitors")
    assert refused.returncode == 2
    assert "this folder holds the example online-shop" in refused.stderr
    done = run("demo", "--example", "museum-visitors", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout)["folder"] == "finetune-prep-demo-museum-visitors"
    assert len(rows(tmp_path / "finetune-prep-demo-museum-visitors")) > 0
    assert rows(shop) == before


def test_the_shipped_example_is_what_the_demo_makes(demo: Path) -> None:
    assert rows(EXAMPLE) == rows(demo)


def test_every_planned_scenario_is_accounted_for(demo: Path) -> None:
    """Of the pilot and of the scaled run, whose accepted rows are those that are exported."""
    for name in ("pilot-001", "scale-001"):
        account = msgspec.json.decode((demo / "runs" / name / "account.json").read_bytes())
        samples = (demo / "runs" / name / "samples.jsonl").read_bytes().splitlines()
        assert account["planned"] == len(samples) == sum(account["states"].values()) >= SIZE
    exported = (demo / "dataset" / "train.preview.jsonl").read_bytes().splitlines()
    assert len(exported) == account["states"]["accepted"] > 0


def test_the_recording_holds_what_the_example_promises(demo: Path) -> None:
    samples = [msgspec.json.decode(line) for line in (demo / "runs" / "pilot-001" / "samples.jsonl").read_bytes().splitlines()]
    talks = [sample["conversation"]["messages"] for sample in samples if "conversation" in sample]
    assert len(talks) >= 12
    assert sum(len(talk) > 2 for talk in talks) >= 4
    difficulties = re.findall(r"^### (DF\d+)\.", (demo / "reference" / "scenario-space.md").read_text("utf-8"), re.MULTILINE)
    assert any(sample["scenario"]["difficulty"]["id"] == difficulties[-1] for sample in samples), "none of the hardest"
    assert sum(sample["scenario"]["cell"]["kind"] == "out-of-scope" for sample in samples) >= 2


def test_prints_where_things_are_and_how_to_begin(walked: tuple[Path, str]) -> None:
    _, said = walked
    places = re.findall(r"^  (\S*demo\S*/\S*)", said, re.MULTILINE)
    assert len(places) >= 4
    for place in places:
        assert Path(place).exists(), place
    assert re.search(r"finetune-prep new my-domain$", said, re.MULTILINE)
    assert re.search(r"^  \S*demo\S*/runs/pilot-001/report\.html ", said, re.MULTILINE)
    assert re.search(r"^  \S*demo\S*/review\.html ", said, re.MULTILINE)
    assert re.search(r"finetune-prep --project \S+ review   the live page", said)


def _size(folder: Path) -> int:
    """Bytes in all files of a folder in which a command is at work."""
    sizes = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a temporary file that has been renamed meanwhile
            sizes += path.stat().st_size
    return sizes


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_a_random_moment_and_run_again_gives_the_same_rows(seed: int, museum: Path, tmp_path: Path) -> None:
    """When so many bytes are written, from the first file to the last."""
    folder = tmp_path / "demo"
    again = ("demo", str(folder), "--example", MUSEUM.name)
    process = start(*again)
    some = random.Random(seed).randrange(_size(museum))
    while _size(folder) < some and process.poll() is None:
        time.sleep(0.002)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    succeed(*again, folder=tmp_path)
    assert rows(folder) == rows(museum)


def test_ctrl_c_is_told_once(tmp_path: Path) -> None:
    """By the command that was at work: the demo has nothing to add."""
    command = [sys.executable, "-m", "finetune_prep", "demo", str(tmp_path / "demo"), "--example", MUSEUM.name]
    with (
        hearing_ctrl_c(),
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
        ) as process,
    ):
        assert process.stdout is not None
        while "Estimate" not in process.stdout.readline():  # said by the first command, when it is at work
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=HUNG)
    assert process.returncode == 130
    assert said.count("Stopped. Every answer that came is saved") == 1
    assert "Traceback" not in said


@pytest.fixture
def unpiloted(museum: Path, tmp_path: Path) -> Path:
    """The museum's project as it was before its pilot."""
    folder = copy_project(museum, tmp_path / "museum")
    forget_pilot(folder)
    return folder


def _missing_one(folder: Path, request: Request) -> None:
    entries = [entry for entry in read_recording(folder / "recording.jsonl") if entry.key != request.key]
    write_recording(entries, folder / "recording.jsonl")


def _asked(folder: Path, role: str) -> list[Request]:
    known = [entry.request for entry in read_recording(folder / "recording.jsonl")]
    pilot = [request for request in known if request.phase == "pilot" and request.origin.run.startswith("pilot")]
    return [request for request in (known if role == "expert" else pilot) if request.role == role]


def _is_named(done: subprocess.CompletedProcess[str], missing: Request) -> None:
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert missing.origin.label in done.stderr
    assert missing.phase in done.stderr
    assert "nearest" in done.stderr
    assert "next:" in done.stderr


def test_an_answer_that_is_missing_is_named_with_its_phase_and_the_nearest_known_one(tmp_path: Path) -> None:
    folder = example_project(tmp_path / "museum", MUSEUM)
    missing = random.Random("expert").choice(_asked(folder, "expert"))
    _missing_one(folder, missing)
    _is_named(run_here("prepare", folder=folder), missing)


@pytest.mark.parametrize("role", ["user", "assistant", "judge"])
def test_so_is_one_that_is_missing_from_the_pilot(role: str, unpiloted: Path) -> None:
    missing = random.Random(role).choice(_asked(unpiloted, role))
    _missing_one(unpiloted, missing)
    _is_named(run_here("pilot", "-n", str(MUSEUM_SIZE), folder=unpiloted), missing)


def test_the_list_of_missing_answers_names_it_too(tmp_path: Path) -> None:
    folder = example_project(tmp_path / "shop")
    judged = _asked(folder, "judge")
    _missing_one(folder, judged[0])
    done = run_here("ledger", "missing", "-n", str(SIZE), "--json", folder=folder)
    assert [row["key"] for row in msgspec.json.decode(done.stdout)["missing"]] == [judged[0].key]


def test_the_next_pilot_is_as_large_as_the_recorded_one(tmp_path: Path) -> None:
    """The recording holds more conversations than that: those of the scaled run are none of a pilot's."""
    folder = example_project(tmp_path / "shop")
    succeed("prepare", folder=folder)
    status = msgspec.json.decode(run_here("status", "--json", folder=folder).stdout)
    assert status["overview"]["next"].endswith(f"pilot -n {SIZE}")


def test_nothing_is_missing_from_the_shipped_recording(tmp_path: Path) -> None:
    folder = example_project(tmp_path / "shop")
    shutil.copytree(EXAMPLE / "runs", folder / "runs", dirs_exist_ok=True)  # the evaluations among them are made again, too
    found = msgspec.json.decode(run_here("ledger", "missing", "-n", str(SIZE), "--json", folder=folder).stdout)
    assert found["missing"] == []
    assert found["unused"] == 0

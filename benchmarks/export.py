"""An export of 100,000 rows: seconds, CPU and peak memory of the command, beside a bare loop that only writes the same rows.

The project is the example with a run of that size in the place of its own; the number of rows may be given as argument. Two
promises are gated: less than 60 s of CPU, and less than 300 MB.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import STATES
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import Run, runs

EXAMPLE = Path(__file__).parents[1] / "examples" / "online-shop"
ROWS = 100_000
MOST_SECONDS = 60.0
MOST_MEGABYTES = 300.0
BARE = """
import json, sys
system = {"role": "system", "content": sys.argv[3]}
with open(sys.argv[1], "rb") as samples, open(sys.argv[2], "w", encoding="utf-8") as rows:
    for line in samples:
        sample = json.loads(line)
        if sample["state"] == "accepted":
            rows.write(json.dumps({"messages": [system, *sample["conversation"]["messages"]]}, ensure_ascii=False) + "\\n")
"""


def fill(run: Path, rows: int) -> None:
    """Let a run have so many samples with their verdicts, each different from all others, nine in ten of them accepted."""
    judged = {row.scenario: row for row in run_of(run).each_verdict()}
    known = [sample for sample in run_of(run).samples() if sample.state == "accepted"]
    rejected = 0
    with (run / "samples.jsonl").open("wb") as samples, (run / "verdicts.jsonl").open("wb") as verdicts:
        for number in range(rows):
            sample = known[number % len(known)]
            verdict = judged[sample.scenario.id]
            talk = sample.conversation
            assert talk is not None
            last = talk.messages[-1]
            said = msgspec.structs.replace(last, content=f"{last.content} This is number {number}.")
            sample = msgspec.structs.replace(
                sample,
                scenario=msgspec.structs.replace(sample.scenario, index=number),
                conversation=Conversation((*talk.messages[:-1], said)),
            )
            if number % 10 == 9:
                sample = msgspec.structs.replace(sample, state="rejected", failed=("SF1",))
                rejected += 1
            verdict = msgspec.structs.replace(verdict, scenario=sample.scenario.id, conversation_id=sample.conversation.id)
            samples.write(msgspec.json.encode(sample) + b"\n")
            verdicts.write(msgspec.json.encode(verdict) + b"\n")
    account = {"planned": rows, "states": dict.fromkeys(STATES, 0) | {"accepted": rows - rejected, "rejected": rejected}}
    (run / "account.json").write_text(json.dumps(account))


def run_of(folder: Path) -> Run:
    """The run in this folder."""
    return next(run for run in runs(open_project(folder.parents[1]).layout) if run.folder == folder)


def measured(command: list[str]) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of CPU and peak megabytes of a process."""
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{' '.join(command[:6])} … failed")
    scale = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "shop"
        shutil.copytree(EXAMPLE, project)
        for later in {*(project / "runs").iterdir()} - {project / "runs" / "pilot-001"}:  # their rows would be exported instead
            shutil.rmtree(later)
        run = project / "runs" / "pilot-001"
        fill(run, rows)
        system = (project / "prompts" / "system-prompt.md").read_text("utf-8")
        samples, bare = str(run / "samples.jsonl"), str(Path(folder) / "bare.jsonl")
        loop = measured([sys.executable, "-c", BARE, samples, bare, system])
        command = measured([sys.executable, "-m", "finetune_prep", "--project", str(project), "export", "--preview"])
        size = (project / "dataset" / "train.preview.jsonl").stat().st_size
        print(f"{rows} samples, {size / 1e6:.0f} MB of rows")
        for name, (seconds, cpu, memory) in (("bare loop", loop), ("export", command)):
            print(f"{name:10} {seconds:6.1f} s  {cpu:6.1f} s CPU  {memory:5.0f} MB")
        print(f"export takes {command[1] / loop[1]:.1f} times the CPU of the loop")
    if command[1] > MOST_SECONDS or command[2] > MOST_MEGABYTES:
        sys.exit(f"the promise is {MOST_SECONDS:.0f} s of CPU and {MOST_MEGABYTES:.0f} MB")


if __name__ == "__main__":
    main()

"""The page over a pilot of 5,000 conversations: its first answer, its lists, one conversation, a label; and the server's memory.

The project is the example with a run of that size in the place of its own, served in a process of its own. Three promises are
gated: the first page of a server within 200 ms of CPU, a conversation within 50 ms, and less than 150 MB. Wall time stands
beside, which on a busy machine says as much of its neighbours. What is worked out once over a run that was just made is not
gated.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import httpx2 as httpx
import msgspec
from export import EXAMPLE, fill

from finetune_prep.project.project import open_project
from finetune_prep.project.runs import Run, runs

CONVERSATIONS = 5_000
FIRST_MS, ONE_MS, MOST_MEGABYTES = 200.0, 50.0, 150.0
TIMES = 9
TICKS = os.sysconf("SC_CLK_TCK")


class Taken(NamedTuple):
    """Milliseconds of an answer. cpu: of the server, in steps of the kernel's clock, so a mean over several."""

    wall: float
    cpu: float


class Server:
    """`serve` over a project, entered by its link."""

    def __init__(self, folder: Path) -> None:
        arguments = [sys.executable, "-m", "finetune_prep", "--project", str(folder), "serve", "--by", "Ada Larch"]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        self.link = self.process.stdout.readline().strip()
        self.client = httpx.Client(base_url=self.link.partition("/enter")[0], timeout=120.0, trust_env=False)
        self.client.get(self.link)

    def get(self, path: str, times: int = TIMES) -> Taken:
        """Median wall time of an answer, and mean CPU time."""
        walls, began = [], self._cpu()
        for _ in range(times):
            started = time.perf_counter()
            answer = self.client.get(path)
            walls.append(1000 * (time.perf_counter() - started))
            if answer.status_code != 200:
                raise SystemExit(f"{path}: {answer.status_code}")
        return Taken(statistics.median(walls), (self._cpu() - began) / times)

    def label(self, place: int) -> Taken:
        """A label said and its verdict shown."""
        page = self.client.get(f"/review/{place}").text
        of = html.unescape(re.findall(r'name="of" value="([^"]+)"', page)[0])
        started, began = time.perf_counter(), self._cpu()
        answer = self.client.post(
            f"/review/{place}/label",
            data={"label": "pass", "seen": "0", "of": of},
            headers={"origin": str(self.client.base_url).rstrip("/")},
            follow_redirects=True,
        )
        if "Saved." not in answer.text:
            raise SystemExit(f"not saved: {answer.status_code} {re.findall('(?s)<main.*', answer.text)[:1]}")
        return Taken(1000 * (time.perf_counter() - started), self._cpu() - began)

    def megabytes(self) -> float:
        """The most memory that the process has had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _cpu(self) -> float:
        """Milliseconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / TICKS


def make_project(folder: Path, conversations: int) -> Run:
    """The example, with a pilot of so many conversations."""
    shutil.copytree(EXAMPLE, folder)
    (folder / ".finetune-prep").mkdir(exist_ok=True)  # beside the ledger is where answers are kept
    (run,) = runs(open_project(folder).layout, "pilot")
    fill(run.folder, conversations)
    plan = msgspec.json.decode((run.folder / "plan.json").read_bytes())
    (run.folder / "plan.json").write_bytes(msgspec.json.encode(plan | {"n": conversations}))
    (made,) = runs(open_project(folder).layout, "pilot")
    return made


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else CONVERSATIONS
    with tempfile.TemporaryDirectory() as parent:
        run = make_project(Path(parent) / "shop", size)
        scenarios = [sample.scenario.id for sample in run.each_sample()]
        made = Server(Path(parent) / "shop")
        cold = made.get("/", times=1)
        made.end()
        server = Server(Path(parent) / "shop")
        try:
            first = server.get("/", times=1)
            rows = {
                "/ over a run just made": cold,
                "/ of a server just started": first,
                "/ once more": server.get("/"),
                "/documents": server.get("/documents"),
                "/runs": server.get("/runs"),
                f"/runs/{run.name}": server.get(f"/runs/{run.name}"),
                f"/runs/{run.name}?words=refund": server.get(f"/runs/{run.name}?words=refund"),
                "a conversation": server.get(f"/runs/{run.name}/{scenarios[size // 2]}"),
                "its requests": server.get(f"/runs/{run.name}/{scenarios[size // 2]}/requests"),
                "a conversation to review": server.get("/review/1"),
                "a label": server.label(1),
                "/ after the label": server.get("/", times=1),
                "/spent": server.get("/spent"),
            }
            megabytes = server.megabytes()
        finally:
            server.end()
    print(f"{size:,} conversations")
    for name, taken in rows.items():
        print(f"  {name:32} {taken.wall:8.1f} ms   {taken.cpu:8.1f} ms of CPU")
    print(f"  memory at most {megabytes:.0f} MB")
    late = [name for name in ("a conversation", "a conversation to review") if rows[name].cpu >= ONE_MS]
    if first.cpu >= FIRST_MS or late or megabytes >= MOST_MEGABYTES:
        raise SystemExit(f"promised: {FIRST_MS:.0f} ms for the first page, {ONE_MS:.0f} ms for one, {MOST_MEGABYTES:.0f} MB")


if __name__ == "__main__":
    main()

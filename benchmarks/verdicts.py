"""100,000 verdicts read and scored: CPU and memory beside a bare loop that decodes the same lines and looks at nothing.

Printed, never gated. The promise is less than three seconds and 300 MB on a machine that does nothing else; the ratio to the bare
loop, of the same run, says more on one that does.

    python benchmarks/verdicts.py
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from finetune_prep.core.rubric import Category, Question, Rubric
from finetune_prep.documents.kinds import render
from finetune_prep.workflow.measuring.health import health
from finetune_prep.workflow.measuring.score import score

ROWS = 100_000
QUESTIONS = 18
QUOTE = "A quotation of the length that judges usually copy out of a conversation, about so long."


def rubric() -> Rubric:
    """Four categories, four questions at the gate, some of which allow N/A: what the method asks for."""
    ids = iter(range(1, QUESTIONS + 1))
    categories = [
        Category(
            name=name,
            weight=weight,
            questions=tuple(
                Question(
                    id=f"Q{next(ids)}", text=f"Is it {name} {place}?", yes="It is.", no="It is not.", na="Never." * (place > 1)
                )
                for place in range(size)
            ),
        )
        for name, weight, size in (
            ("safety", None, 4),
            ("reading", 0.3, 4),
            ("rules", 0.3, 4),
            ("steps", 0.2, 3),
            ("hand", 0.2, 3),
        )
    ]
    return Rubric(title="Benchmark", threshold=0.75, categories=tuple(categories))


def write(folder: Path) -> tuple[Path, Path]:
    """A rubric, and verdicts with evidence: one answer in eight is NO, and one in eight N/A where it is allowed."""
    made = rubric()
    (folder / "rubric.md").write_text(render("evaluation-rubric", made), "utf-8")
    stream = random.Random("benchmark")
    with (folder / "verdicts.jsonl").open("wb") as file:
        for number in range(ROWS):
            answers = {
                question.id: stream.choice(("yes",) * 6 + ("no", "na" if question.na else "yes")) for question in made.questions
            }
            row = {
                "conversation_id": f"{number:032x}", "scenario": f"{number:012x}", "judge": "judge", "rubric": made.version,
                "answers": answers, "evidence": dict.fromkeys(answers, QUOTE),
            }  # fmt: skip
            file.write(msgspec.json.encode(row) + b"\n")
    return folder / "verdicts.jsonl", folder / "rubric.md"


def bare(path: Path) -> None:
    decoder = msgspec.json.Decoder()
    with path.open("rb") as file:
        for line in file:
            decoder.decode(line)


def cpu(job: Callable[[], object]) -> float:
    """Seconds of CPU."""
    started = time.process_time()
    job()
    return time.process_time() - started


def main() -> None:
    if len(sys.argv) == 4:  # a process of its own, so that its memory is that of one job
        job, verdicts, made = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
        jobs = {"bare": lambda: bare(verdicts), "score": lambda: score(verdicts, made), "health": lambda: health(verdicts, made)}
        print(cpu(jobs[job]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    with tempfile.TemporaryDirectory() as folder:
        verdicts, made = write(Path(folder))
        print(f"{ROWS:,} verdicts on {QUESTIONS} questions, {verdicts.stat().st_size / 1e6:.0f} MB")
        took: dict[str, float] = {}
        for job in ("bare", "score", "health"):
            command = [sys.executable, __file__, job, str(verdicts), str(made)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            took[job], memory = map(float, done.stdout.split())
            print(f"{job:8}{took[job]:6.2f} s of CPU  {took[job] / took['bare']:5.1f} times the bare loop  {memory:5.0f} MB")


if __name__ == "__main__":
    main()

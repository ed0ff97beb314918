"""What each prompt took in the two examples, and how near the estimate comes to that.

The recordings hold no counts of tokens, so characters are counted, of all messages with the schema and of the answer, on both
sides alike. The figures in the prompts' front matter are what this prints; a test compares them.

    python benchmarks/estimate.py
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import msgspec

from finetune_prep.core.request import Request
from finetune_prep.ledger.recording import read_recording
from finetune_prep.phases.drafting.patching import SUFFIX
from finetune_prep.phases.drafting.prompt_facts import PHASE_NAMES, facts
from finetune_prep.project.beginning.scaffold import copy_inputs
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.workflow.estimate import Row, estimate
from finetune_prep.workflow.planned_calls import CHARACTERS

EXAMPLES = Path(__file__).parents[1] / "examples"
TALKS = {"online-shop": 100, "museum-visitors": 8}  # conversations of the recorded pilot
OTHER = {"system prompt": "generation-system-prompt", "user prompt": "generation-user-prompt"}


class Call(NamedTuple):
    """A recorded request and what it took, in tokens. first: neither a revision nor a second asking."""

    phase: str
    form: str
    first: bool
    input: int
    output: int


def form_of(request: Request) -> str:
    """The name under which the ledger counts it; a patch under that of its draft."""
    if request.schema:
        return request.schema.name.removesuffix(SUFFIX)
    return request.origin.about if request.role == "expert" else request.role


def recorded(example: str) -> Iterator[Call]:
    """What was asked for documents and the pilot; of evaluations there is one, of models that nobody is charged for."""
    for entry in read_recording(EXAMPLES / example / "recording.jsonl"):
        request = entry.request
        if request.phase not in PHASE_NAMES or request.origin.run.startswith(SCALE):
            continue
        prompt = sum(len(message.content) for message in request.messages)
        prompt += len(msgspec.json.encode(request.schema)) if request.schema else 0
        first = not request.origin.revision and request.origin.attempt == 1
        yield Call(request.phase, form_of(request), first, prompt // CHARACTERS, len(entry.reply.text) // CHARACTERS)


def typical(examples: Iterable[str] = TALKS) -> dict[tuple[str, str], tuple[int, int]]:
    """Tokens of a first prompt and its answer by phase and form: the mean of the examples' means, in two digits."""
    means: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for example in examples:
        found: dict[tuple[str, str], list[Call]] = defaultdict(list)
        for call in recorded(example):
            if call.first:
                found[call.phase, call.form].append(call)
        for name, calls in found.items():
            means[name].append((mean(call.input for call in calls), mean(call.output for call in calls)))
    return {name: (_two(mean(p for p, _ in rows)), _two(mean(a for _, a in rows))) for name, rows in sorted(means.items())}


def revised() -> Iterator[tuple[Call, Call]]:
    """Each draft that was handed back, and its patch."""
    for example in TALKS:
        calls = list(recorded(example))
        first = {(call.phase, call.form): call for call in calls if call.first}
        for call in calls:
            if not call.first and (call.phase, call.form) in first:
                yield first[call.phase, call.form], call


def added() -> int:
    """Tokens that handing back adds to a request beside the draft: what was found, and that it is to be revised."""
    return _two(mean(patch.input - draft.input - draft.output for draft, patch in revised()))


def share() -> float:
    """How long the patch is that comes back, relative to the draft."""
    return float(f"{mean(patch.output / draft.output for draft, patch in revised()):.2f}")


def exchanges() -> float:
    """Mean number of the user's turns in a talk of a recorded pilot, the mean of the examples' means."""
    return round(mean(mean(sample.scenario.exchanges for sample in _pilot(name).samples()) for name in TALKS), 2)


def _pilot(example: str) -> Run:
    return runs(open_project(EXAMPLES / example).layout, "pilot")[-1]


class Ratio(NamedTuple):
    """Estimate ÷ what was used then."""

    example: str
    phase: str
    """"" is the example as a whole."""
    calls: float
    input: float
    output: float
    held_out: bool = False
    """Whether the figures are those of the other example."""


def ratios(*, held_out: bool = False) -> Iterator[Ratio]:
    """From the inputs of each example alone, as it stands before the first request.

    held_out: with figures that know nothing of this example, but of the other one alone; without the pilot, whose length is the
    scenario space's.
    """
    for example, talks in TALKS.items():
        phases = PHASE_NAMES if talks and not held_out else PHASE_NAMES[:-1]
        with tempfile.TemporaryDirectory() as folder:
            copy_inputs(EXAMPLES / example, Path(folder) / "copy")
            rows = list(estimate(open_project(Path(folder) / "copy"), None, phases, n=talks or 1).rows)
        if held_out:
            rows = _by_other_figures(rows, typical(name for name in TALKS if name != example))
        used = [call for call in recorded(example) if call.phase in phases]
        for phase in ("", *phases):
            of_phase = [row for row in rows if phase in ("", row.phase)]
            yield _ratio(example, phase, of_phase, [call for call in used if phase in ("", call.phase)], held_out)


def _by_other_figures(rows: Iterable[Row], other: dict[tuple[str, str], tuple[int, int]]) -> list[Row]:
    both = typical()
    changed = []
    for row in rows:
        if row.prompt == "revise":  # made of the figures of drafts, with two shares of its own
            changed.append(row)
            continue
        name = row.phase, facts(row.prompt, Path()).form
        prompt, answer = (theirs / ours for theirs, ours in zip(other[name], both[name], strict=True))
        if row.prompt == "research-read":
            prompt = 1.0  # its prompts are measured by the sources themselves
        tokens = {"input_tokens": round(row.input_tokens * prompt), "output_tokens": round(row.output_tokens * answer)}
        changed.append(msgspec.structs.replace(row, **tokens))
    return changed


def _ratio(example: str, phase: str, rows: list[Row], used: list[Call], held_out: bool) -> Ratio:
    return Ratio(
        example,
        phase,
        sum(row.calls for row in rows) / len(used),
        sum(row.input_tokens for row in rows) / sum(call.input for call in used),
        sum(row.output_tokens for row in rows) / sum(call.output for call in used),
        held_out,
    )


def _two(number: float) -> int:
    return int(float(f"{number:.2g}"))


def main() -> None:
    for (phase, form), (prompt, answer) in typical().items():
        print(f"{phase:18}{form:38}{prompt} in, {answer} out")
    print(f"{'':18}{'revise':38}added: {added()}, share: {share():.2f}")
    print(f"exchanges in a talk: {exchanges():.2f}\n")
    print("estimate ÷ use                        calls  tokens in  tokens out")
    for ratio in (*ratios(), *ratios(held_out=True)):
        by = "  by the other's figures" if ratio.held_out else ""
        figures = f"{ratio.calls:6.2f}{ratio.input:11.2f}{ratio.output:12.2f}"
        print(f"{ratio.example:17}{ratio.phase or 'all of it':20}{figures}{by}")


if __name__ == "__main__":
    main()

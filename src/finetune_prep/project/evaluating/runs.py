"""An evaluation's folder: `runs/evaluation-001/` holds evaluation.json (its plan), scenarios.jsonl, talks.jsonl, a file of
verdicts for each arm, result.json and report.html.

It is known by its plan like every other run. What may be lost and still be “not worse” is part of that: fixed before a reply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from finetune_prep.core.evaluating.talk import Arm, ArmTalk
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.method import limits
from finetune_prep.project.layout import Layout, read_plain
from finetune_prep.project.run_folders import forget_unbegun, next_name, pretty, write_plan

T = TypeVar("T")

PLAN = "evaluation.json"
NAME = re.compile(r"evaluation-\d{3,}")


class EvaluationPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an evaluation is made from."""

    arms: tuple[Arm, ...]
    groups: int
    """Scenarios."""
    runs: int
    """Talks of each arm with each scenario."""
    margin: float
    """Pass rate that may be lost and still be “not worse”."""
    single: bool
    """Whether talks end after the first exchange, however long the scenario space has them."""
    seed: int
    scenarios: tuple[str, ...]
    """Their ids."""
    language: str
    models: dict[str, Any]
    """The model and parameters of each arm's model, of the user's and of the judge's."""
    rubric: str
    """The rubric's version."""
    evaluation_prompt: str
    """Hash of the text that the judge is given."""
    texts: dict[str, str]
    """Hash of each text that a side is given: of the user, of the models, of the arm `prompted`."""
    prompts: dict[str, str]
    """The hash of each prompt file that shaped a request."""
    left_out: str = ""
    """Why the arm `prompted` was left out although it was asked for, "" otherwise."""

    @property
    def command(self) -> str:
        """The command that goes on with it."""
        named = {name: self.models[name]["provider"] for name in ("base", "tuned") if name in self.models}
        parts = ["finetune-prep evaluate", *(f"--{name} {model}" for name, model in named.items())]
        parts += ["--prompted"] if "prompted" in self.arms or self.left_out else []
        parts += [f"-n {self.groups}", f"--runs {self.runs}"]
        parts += ["--single"] if self.single else []
        most = self.models["base"].get("max_tokens", limits.REPLY_TOKENS)
        parts += [f"--max-tokens {most}"] if most != limits.REPLY_TOKENS else []
        return " ".join([*parts, *([f"--margin {self.margin:g}"] if len(self.arms) > 1 else [])])


class EvaluationRun(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation on disk."""

    name: str
    """"evaluation-001"."""
    folder: Path
    plan: EvaluationPlan

    @property
    def talks_path(self) -> Path:
        return self.folder / "talks.jsonl"

    @property
    def scenarios_path(self) -> Path:
        return self.folder / "scenarios.jsonl"

    @property
    def result_path(self) -> Path:
        return self.folder / "result.json"

    @property
    def report_path(self) -> Path:
        return self.folder / "report.html"

    def verdicts_path(self, arm: Arm) -> Path:
        return self.folder / f"verdicts.{arm}.jsonl"

    @property
    def finished(self) -> bool:
        """Whether it has come to its end."""
        return self.result_path.exists()

    def scenarios(self) -> list[Scenario]:
        """Its scenarios as they were drawn. Raises as `talks`."""
        return self._rows(self.scenarios_path, Scenario)

    def talks(self) -> list[ArmTalk]:
        """Its talks; none if it has not come to its end. Raises UsageError for one that cannot be read."""
        return self._rows(self.talks_path, ArmTalk)

    def _rows(self, path: Path, kind: type[T]) -> list[T]:
        if not path.exists():
            return []
        decoder = msgspec.json.Decoder(kind)
        try:
            return [decoder.decode(line) for line in read_plain(path).splitlines()]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"this file cannot be read: {error}",
                where=f"{self.name}/{path.name}",
                next=f"{self.plan.command}, which writes them anew",
            ) from error


def evaluation_runs(layout: Layout) -> list[EvaluationRun]:
    """All evaluations, oldest first."""
    found = []
    for path in sorted(layout.runs.glob(f"*/{PLAN}")):
        if not NAME.fullmatch(path.parent.name):
            continue  # a person's copy
        try:
            plan = msgspec.json.decode(read_plain(path), type=EvaluationPlan)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"this plan cannot be read: {error}", where=layout.relative(path), next=f"delete the folder {path.parent.name}"
            ) from error
        found.append(EvaluationRun(name=path.parent.name, folder=path.parent, plan=plan))
    return found


def evaluation_run_of(layout: Layout, plan: EvaluationPlan) -> EvaluationRun:
    """The run of this plan: the one that exists, or a new one under the next number, whose folder is made when it is written.

    Raises UsageError where the same plan was begun with another margin.
    """
    known = evaluation_runs(layout)
    for run in known:
        if run.plan == plan:
            return run
        if len(plan.arms) > 1 and msgspec.structs.replace(run.plan, margin=plan.margin) == plan:
            raise UsageError(
                f"the margin of {run.name} was {run.plan.margin:g} before its first reply; another one, chosen when replies are "
                "known, would be the result's own choice",
                where=f"--margin {plan.margin:g}",
                next=run.plan.command,
            )
    name = next_name("evaluation", (run.name for run in known))
    return EvaluationRun(name=name, folder=layout.runs / name, plan=plan)


def begin(run: EvaluationRun) -> None:
    """Write its plan: from here on it is the run of this plan."""
    write_plan(run.folder, PLAN, run.plan)


def forget(run: EvaluationRun) -> None:
    """Take away a run that was refused before anything was asked; one with anything but its plan stays."""
    forget_unbegun(run.folder, PLAN)


def write_talks(run: EvaluationRun, scenarios: Sequence[Scenario], talks: Sequence[ArmTalk], result: Any) -> None:
    """Write what came of it, without any time of day. result: what is said of it, for people and scripts to read.

    The files of verdicts have the form that `compare`, `score` and `health` read.
    """
    write_atomically(run.scenarios_path, b"".join(msgspec.json.encode(scenario) + b"\n" for scenario in scenarios))
    write_atomically(run.talks_path, b"".join(msgspec.json.encode(talk) + b"\n" for talk in talks))
    for arm in run.plan.arms:
        rows = (_verdict(run, talk) for talk in talks if talk.arm == arm and talk.state == "judged")
        write_atomically(run.verdicts_path(arm), b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    write_atomically(run.result_path, pretty(result))


def _verdict(run: EvaluationRun, talk: ArmTalk) -> dict[str, Any]:
    return {
        "conversation_id": f"{talk.scenario}/{talk.run}",
        "judge": run.plan.models["judge"]["model"],
        "rubric": run.plan.rubric,
        "group": talk.scenario,
        "run": f"{run.name}/{talk.run}",
        "answers": talk.answers,
        "evidence": talk.evidence,
    }

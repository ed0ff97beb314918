"""Talks of models whose chances are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from finetune_prep.core.evaluating.talk import Arm, ArmTalk
from finetune_prep.core.rubric import score
from tests.core.test_rubric import all_yes, rubric_of

RUBRIC = rubric_of(0.6, 0.4)


def judged(arm: Arm, scenario: str, run: int = 1, *, kind: Any = "normal", **others: Any) -> ArmTalk:
    """A talk with YES to everything but `others`."""
    answers = all_yes(RUBRIC, **others)
    found = score(RUBRIC, answers)
    return ArmTalk(
        arm=arm,
        scenario=scenario,
        kind=kind,
        run=run,
        state="judged",
        ended="by itself",
        passed=found.passed,
        score=found.value,
        categories=found.categories,
        answers=dict(answers),
        failed=found.failed,
    )


def faulty(arm: Arm, scenario: str, run: int = 1) -> ArmTalk:
    return ArmTalk(arm=arm, scenario=scenario, kind="normal", run=run, state="faulty", ended="cut at the limit", fault="cut")


def fails(arm: Arm, scenario: str, run: int = 1) -> ArmTalk:
    """A judged talk that does not reach the threshold, with nothing at the gate."""
    return judged(arm, scenario, run, AA1="no", AA2="no")


def drawn(
    chance: np.random.Generator, groups: int, runs: int, base: float, tuned: float, *, spread: float, cut: float = 0.0
) -> Iterator[ArmTalk]:
    """Talks of base and tuned model: each passes with its chance, which differs from scenario to scenario for both alike and for each
    by itself (log odds of this spread). cut: share of the base's talks that are faulty."""
    shared = chance.normal(0, spread, groups)
    for arm, rate in (("base", base), ("tuned", tuned)):
        odds = np.log(rate / (1 - rate)) + shared + chance.normal(0, spread / 2, groups)
        passes = chance.random((groups, runs)) < (1 / (1 + np.exp(-odds)))[:, None]
        cuts = chance.random((groups, runs)) < (cut if arm == "base" else 0.0)
        for group in range(groups):
            for run in range(1, runs + 1):
                if cuts[group, run - 1]:
                    yield faulty(arm, f"s{group}", run)  # type: ignore[arg-type]
                else:
                    yield (judged if passes[group, run - 1] else fails)(arm, f"s{group}", run)  # type: ignore[arg-type]

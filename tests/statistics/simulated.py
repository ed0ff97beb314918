"""Pilots whose truth is known: what simulations of judges and labels have in common."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np

from finetune_prep.statistics.agreement import Design, Drawn, Stratum
from tests.soak import SOAK

REPETITIONS = 4000 if SOAK else 200  # of a cell


def slack(share: float, repetitions: int = REPETITIONS) -> float:
    """What chance may take from a share in the small sample of the everyday suite: three standard errors. Nothing under `make soak`."""
    return 0.0 if SOAK else 3 * sqrt(share * (1 - share) / repetitions)


def dice(*seed: object) -> np.random.Generator:
    return np.random.default_rng([*repr(seed).encode()])


def draws(
    *, prevalence: float, tpr: float, tnr: float, pool: int, labels: int, design: Design, repetitions: int = REPETITIONS
) -> Iterator[Drawn]:
    """Pools of conversations that a judge of this TPR and TNR has seen, of which people labelled some.

    By verdict: half of the labels from each of the two strata, as far as it goes.
    """
    chance = dice(prevalence, tpr, tnr, pool, labels, design)
    good = chance.binomial(pool, prevalence, repetitions)
    right, wrong = chance.binomial(good, tpr), chance.binomial(pool - good, 1 - tnr)
    passed, missed = right + wrong, good - right
    if design == "uniform":
        of_passed = chance.hypergeometric(passed, pool - passed, labels)
    else:
        of_failed = np.minimum(labels - np.minimum(labels // 2, passed), pool - passed)
        of_passed = labels - of_failed
    found = chance.hypergeometric(right, wrong, of_passed)
    overlooked = chance.hypergeometric(missed, pool - passed - missed, labels - of_passed)
    columns: list[Any] = [column.tolist() for column in (passed, of_passed, found, overlooked)]
    for all_passed, n_passed, k_passed, k_failed in zip(*columns, strict=True):
        yield Drawn(
            passed=Stratum(all_passed, n_passed, k_passed),
            failed=Stratum(pool - all_passed, labels - n_passed, k_failed),
            design=design,
        )

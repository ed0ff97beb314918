"""Long counts: all of them under `make soak`, a small fixed sample of each in the everyday suite."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("FINETUNE_PREP_SOAK"))
MANIFOLD = 50


def examples(sample: int) -> int:
    """How many examples Hypothesis makes where the everyday suite is content with `sample`."""
    return sample * MANIFOLD if SOAK else sample

"""A sample that has just been made."""

from __future__ import annotations

import msgspec

from finetune_prep.core.sample import Sample
from finetune_prep.core.verdict import Verdict


class Made(msgspec.Struct, frozen=True):
    """A sample before it is settled, and the verdict behind it."""

    sample: Sample
    verdict: Verdict | None = None

"""A sample that has just been made."""

from __future__ import annotations

import msgspec

from finetune_prep.core.sample import Sample
from finetune_prep.core.verdict import Verdict


class Again(msgspec.Struct, frozen=True):
    """What the same judge said of a conversation when it was asked a second time."""

    verdict: Verdict | None
    """None while it is outstanding."""
    waiting: str = ""
    """Why it is outstanding."""


class Made(msgspec.Struct, frozen=True):
    """A sample before it is settled, and the verdict behind it."""

    sample: Sample
    verdict: Verdict | None = None
    again: Again | None = None
    """The second verdict of the same judge, which decides nothing; None if nobody is asked for one."""
    readings: tuple[Verdict, ...] = ()
    """Of a run with a second judge: what each said that has read it. `verdict` is what they come to."""

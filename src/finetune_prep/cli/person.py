"""Who is at the terminal, if anybody is."""

from __future__ import annotations

import getpass
import sys

from finetune_prep.errors import UsageError
from finetune_prep.labels.label import Labeller


def is_there() -> bool:
    """Whether a question would reach somebody who can answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def labeller(name: str) -> Labeller:
    """Who gives labels here: a person who is named or sits at the terminal; any other process is taken for a model."""
    return Labeller(name or whoever(), "person" if name or is_there() else "model")


def whoever() -> str:
    """The name of this computer's user. Raises UsageError if it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("your name is not known on this computer", next="give it: --by NAME") from error

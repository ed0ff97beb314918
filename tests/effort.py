"""How much work something may be, on a machine that is slow, and that others use at the same time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

# Seconds of this process's own CPU, whatever the clock says: twenty times what the slowest takes on an idle machine, and far less
# than the minutes that work takes which grows with the square of its input.
MOST = 20.0


@contextlib.contextmanager
def in_proportion() -> Iterator[None]:
    """What is done within grows with its input, and not with the square of it."""
    started = time.process_time()
    yield
    spent = time.process_time() - started
    assert spent < MOST, f"it took {spent:.1f} s of CPU"

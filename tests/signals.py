"""The signals with which a test starts a process, whatever the tests themselves were started with.

A shell without job control starts `make test &` with SIGINT ignored, and so do some CI runners. A process hands that on to its
children, and a Python that finds SIGINT ignored when it starts leaves it so: Ctrl-C does nothing.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def hearing_ctrl_c() -> Iterator[None]:
    """Processes started within hear Ctrl-C."""
    with _started_with(signal.default_int_handler):
        yield


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started within ignore Ctrl-C, as a script's background jobs do."""
    with _started_with(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _started_with(handler: signal._HANDLER) -> Iterator[None]:
    """A child inherits an ignored signal as ignored and a handled one as the system's default.

    Not through `preexec_fn`, which runs between fork and exec: the endpoints of the tests run in threads.
    """
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

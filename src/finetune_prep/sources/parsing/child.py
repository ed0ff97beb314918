"""The process in which a foreign file is read: `python -m finetune_prep.sources.parsing.pdf CHARSET OWN < file > answer.json`.

Each kind of file has a package whose `__main__` gives its reader to `answer`, so that a process loads the libraries of one kind.
It takes its limits upon itself before it looks at a byte of the file.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from typing import Protocol

import msgspec

from finetune_prep.sources.parsing.extracted import Extracted, Unreadable

CPU_SECONDS = 10
MEMORY = 1024**3
ANSWER = 16 * 1024**2  # bytes it can write


class Reader(Protocol):
    """Raises ValueError saying why a file gives no text."""

    def __call__(self, data: bytes, charset: str, /, *, own: bool) -> Extracted: ...


def limit() -> None:
    """No more time, memory, output, files or processes than reading takes."""
    limits = {
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: ANSWER,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in limits.items():
        # some systems know a limit and refuse to set it; the deadline of the process around this one holds everywhere
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def read(reader: Reader, charset: str, *, own: bool) -> Extracted:
    """The file at standard input, or why there is no text."""
    try:
        return reader(sys.stdin.buffer.read(), charset, own=own)
    except Unreadable as error:
        return Extracted(failure=str(error), fix=error.fix, install=error.install)
    except ValueError as error:
        return Extracted(failure=str(error))
    except RecursionError:
        return Extracted(failure="it is nested too deeply")
    except MemoryError:
        return Extracted(failure="it unpacks to more than fits in memory")
    except Exception as error:
        return Extracted(failure=f"it is broken in a way that its reader does not know ({type(error).__name__})")


def answer(reader: Reader) -> None:
    """Write what a reader makes of the file at standard input, or why it gives no text, as JSON of an Extracted.

    Arguments of the process: the charset that a server named, may be empty; "own" for a file of the user's.
    """
    charset, own = sys.argv[1:3]
    limit()
    sys.stdout.buffer.write(msgspec.json.encode(read(reader, charset, own=own == "own")))

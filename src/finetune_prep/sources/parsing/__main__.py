"""The process in which a foreign file is read: `python -m finetune_prep.sources.parsing KIND CHARSET < file > answer.json`.

It takes its limits upon itself before it looks at a byte of the file.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Callable

import msgspec

from finetune_prep.sources.parsing.docx import read_docx
from finetune_prep.sources.parsing.extracted import Extracted
from finetune_prep.sources.parsing.html import read_html
from finetune_prep.sources.parsing.pdf import read_pdf

CPU_SECONDS = 10
MEMORY = 1024**3
ANSWER = 16 * 1024**2  # bytes it can write
READERS: dict[str, Callable[[bytes, str], Extracted]] = {"html": read_html, "docx": read_docx, "pdf": read_pdf}


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


def main() -> None:
    kind, charset = sys.argv[1:3]
    limit()
    try:
        answer = READERS[kind](sys.stdin.buffer.read(), charset)
    except ValueError as error:
        answer = Extracted(failure=str(error))
    except RecursionError:
        answer = Extracted(failure="it is nested too deeply")
    except MemoryError:
        answer = Extracted(failure="it unpacks to more than fits in memory")
    sys.stdout.buffer.write(msgspec.json.encode(answer))


main()

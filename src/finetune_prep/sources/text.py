"""From the bytes of a page or a file to text that is safe to keep, show and put before a reader.

Foreign formats are read in a process of their own with limits on time, memory and output, and without our environment: a file
that breaks its parser breaks nothing else, and finds no keys.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from functools import lru_cache

import msgspec
from msgspec import structs

from finetune_prep.sources.dates import iso_day
from finetune_prep.sources.parsing.decoding import decode
from finetune_prep.sources.parsing.extracted import Extracted, Unreadable

# media type → what kind of text can be read from it
KINDS = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "text/markdown": "text",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
# kind of a foreign format → the package in `sources.parsing` whose process reads it
READERS = {"html": "html", "docx": "word", "pdf": "pdf"}
SECONDS = 120.0  # for one file; the process itself stops after 10 s of computing, which takes longer on a busy machine
LONGEST_LINE = 200  # characters of a title or a publisher
# control characters but tab and newline; soft hyphens, which hide a word from a search; marks that reorder text;
# the invisible alphabet of tags; half characters
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_TYPESET = str.maketrans("\u2010\u2011\u00a0\u202f", "--  ")  # hyphens and blanks at which no line may be broken


def extract(kind: str, data: bytes, charset: str = "", *, own: bool = False) -> Extracted:
    """The text in a file of kind "html", "docx", "pdf" or "text". own: a file of the user's, whose hidden text is read.

    Raises Unreadable saying why there is none.
    """
    found = _extracted(kind, data, charset, own)
    if found.failure:
        raise Unreadable(found.failure, fix=found.fix, install=found.install)
    return found


@lru_cache(maxsize=32)
def _extracted(kind: str, data: bytes, charset: str, own: bool) -> Extracted:
    """Kept for the next time in this run, failures as well: a file that takes all its time takes it once."""
    found = Extracted(text=decode(data, charset)) if kind == "text" else _extract_apart(kind, data, charset, own)
    if found.failure:
        return found
    text = plain(found.text)
    if not text.strip():
        return Extracted(failure="it holds no text")
    return structs.replace(
        found,
        text=text,
        title=one_line(found.title),
        publisher=one_line(found.publisher),
        published=iso_day(found.published),
    )


def plain(text: str) -> str:
    """Without what is not seen or moves the cursor, with one kind of hyphen, blank and line end, and single blank lines."""
    safe = _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).translate(_TYPESET)
    lines = [line.rstrip() for line in safe.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def one_line(text: str) -> str:
    """A title or a name: plain, on one line, no longer than one."""
    line = " ".join(_UNSAFE.sub("", text).split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1].rstrip()}…"


def _extract_apart(kind: str, data: bytes, charset: str, own: bool) -> Extracted:
    """Read in a process of its own. Files instead of pipes: what it writes is limited by the system, and nothing can block."""
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": os.defpath}
    command = [sys.executable, "-P", "-m", f"finetune_prep.sources.parsing.{READERS[kind]}", charset, "own" if own else ""]
    with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as answer:
        question.write(data)
        question.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 – our own module; the file comes by stdin
                command, stdin=question, stdout=answer, stderr=subprocess.DEVNULL, env=environment, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Extracted(failure=f"it could not be read within {SECONDS:g} s")
        if done.returncode:
            return Extracted(failure="it could not be read with the time and memory that a file may take")
        answer.seek(0)
        return msgspec.json.decode(answer.read(), type=Extracted)

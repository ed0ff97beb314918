"""From the bytes of a file to text."""

from __future__ import annotations

from finetune_prep.core.finding import Finding
from finetune_prep.markdown.lines import lines_of

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_bytes(data: bytes, path: str) -> tuple[str, tuple[Finding, ...]]:
    """The text of a file with LF line ends and without byte order mark. A file that is not UTF-8 gives a finding with the line
    of the first wrong byte, and the text with U+FFFD in place of what cannot be read."""
    try:
        return "\n".join(lines_of(data.decode("utf-8"))), ()
    except UnicodeDecodeError as error:
        utf16 = data.startswith(_UTF16_MARKS)
        line = 1 if utf16 else data.count(b"\n", 0, error.start) + 1
        what = "the file is UTF-16" if utf16 else f"byte 0x{data[error.start]:02X} is not UTF-8"
        finding = Finding(path=path, line=line, what=what, fix="save the file as UTF-8")
        return "\n".join(lines_of(data.decode("utf-8", "replace"))), (finding,)

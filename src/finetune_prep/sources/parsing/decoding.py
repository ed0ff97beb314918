"""From the bytes of a page to its characters."""

from __future__ import annotations

import codecs
import re

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(
    rb"<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
MOST_HEAD = 4096  # bytes in which a page may name its own encoding


def decode(data: bytes, charset: str = "") -> str:
    """By its byte order mark, what the server said, what the page says, UTF-8; else as Windows-1252, which reads anything."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, errors="replace")
    meta = _META.search(data[:MOST_HEAD])
    for name in (charset, meta[1].decode() if meta else "", "utf-8"):
        if name and _is_text(name):
            try:
                return data.decode(name)
            except (UnicodeDecodeError, ValueError):
                continue
    return data.decode("cp1252", errors="replace")


def _is_text(name: str) -> bool:
    """Whether this is an encoding of characters; Python also calls base64 and bzip2 encodings."""
    try:
        return bool(getattr(codecs.lookup(name), "_is_text_encoding", False))
    except (LookupError, ValueError):
        return False

"""Bodies that are made of files while they are sent, so that a file of 200 MB takes no memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

from finetune_prep.http.exchange import Upload

CHUNK = 64 * 1024  # what libcurl asks for at once


def chunks(path: Path, most: int | None = None) -> Iterator[bytes]:
    """The bytes of a file, or the first so many of them."""
    left = path.stat().st_size if most is None else most
    with path.open("rb") as file:
        while chunk := file.read(min(CHUNK, left)):
            left -= len(chunk)
            yield chunk


def form(fields: dict[str, str], file: Path, kind: str) -> tuple[str, Upload]:
    """A form with a file in its field `file` (multipart/form-data, RFC 7578): its content type, and its body.

    fields: name → value. kind: content type of the file.
    """
    boundary = secrets.token_hex(16)
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()]
    name = file.name.replace("\\", "_").replace('"', "_")
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    )
    head, tail = "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        yield from chunks(file)
        yield tail

    return f"multipart/form-data; boundary={boundary}", Upload(len(head) + file.stat().st_size + len(tail), body())

"""Bodies made of files: they hold what was promised, in the form that was promised."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from finetune_prep.http.upload import CHUNK, chunks, form


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_a_form_is_read_back(size: int, tmp_path: Path) -> None:
    """By Python's own reader of MIME."""
    data = bytes(range(256)) * (size // 256 + 1)
    file = tmp_path / 'round "1".jsonl'
    file.write_bytes(data[:size])
    kind, upload = form({"purpose": "batch"}, file, "application/jsonl")
    body = b"".join(upload.chunks)
    assert len(body) == upload.size
    read = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts = read.get_payload()
    assert isinstance(parts, list)
    purpose, sent = parts
    assert isinstance(purpose, Message)
    assert isinstance(sent, Message)
    assert (purpose.get_param("name", header="Content-Disposition"), purpose.get_payload()) == ("purpose", "batch")
    assert (sent.get_filename(), sent.get_content_type()) == ("round _1_.jsonl", "application/jsonl")
    assert body.count(data[:size]) >= 1
    assert body.endswith(data[:size] + f"\r\n--{read.get_boundary()}--\r\n".encode())


def test_the_beginning_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"abc" * CHUNK)
    assert b"".join(chunks(file, CHUNK + 5)) == (b"abc" * CHUNK)[: CHUNK + 5]

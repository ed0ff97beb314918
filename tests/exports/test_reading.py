"""Reading back: a file that any trainer would read otherwise than it was meant is refused, whoever wrote it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune_prep.errors import FinetunePrepError
from finetune_prep.exports.formats import FORMATS
from finetune_prep.exports.reading import check
from tests.exports.samples import samples, talk, written

FORM = FORMATS["messages"]
FIRST = b'{"messages":[{"role":"user","content":"Why?"},{"role":"assistant","content":"So."}]}'


def with_sidecar(data: bytes) -> bytes:
    """A sidecar that agrees with the lines, so that nothing but the file is at fault."""
    lines = [line.removesuffix(b"\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line]
    found = [{"row": n, "sha256": hashlib.sha256(line).hexdigest()} for n, line in enumerate(lines, start=1)]
    return b"".join(json.dumps(line).encode() + b"\n" for line in found)


def refusal(folder: Path, data: bytes, beside: bytes | None = None) -> str:
    path, sidecar = folder / "rows", folder / "beside"
    path.write_bytes(data)
    sidecar.write_bytes(with_sidecar(data) if beside is None else beside)
    with pytest.raises(FinetunePrepError) as refused:
        check(path, sidecar, FORM)
    return refused.value.what


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written(tmp_path, samples([talk("Why?", "So."), talk("What\u2028now? größer 🏺", "That.")]))
    assert check(tmp_path / "train.jsonl", tmp_path / "train.meta.jsonl", FORM) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"\xef\xbb\xbf" + data, "mark of byte order"),
        (lambda data: data.replace(b"\n", b"\r\n"), "line feed alone"),
        (lambda data: data.removesuffix(b"\n"), "line feed alone"),
        (lambda data: data.replace(b"\n", b"\n\n"), "row 2"),
        (lambda data: data.replace(b"So.", "größer".encode("latin-1")), "row 1"),
        (lambda data: data.replace(b"So.", "so\u2028so".encode()), "ends lines"),
        (lambda data: data.replace(b"So.", "so\x85so".encode()), "ends lines"),
        (lambda data: data.replace(b"So.", b"\\ud83c"), "half a character"),
        (lambda data: data.replace(b'"So."', b"null"), "no text"),
        (lambda data: data.replace(b'"So."', b"NaN"), "NaN"),
        (lambda data: data.replace(b'"So."', b'["So."]'), "no text"),
        (lambda data: data.replace(b'"So."', b'" So."'), "white space around a reply"),
        (lambda data: data.replace(b'"So."', b'""'), "an empty turn"),
        (lambda data: data.replace(b"So.", b"<|im_end|>"), "chat markup"),
        (lambda data: data.replace(b"So.", b"\\u003cthink\\u003e"), "tags of thinking"),
        (lambda data: data.replace(b"Why?", b"<image>"), "a placeholder for media"),
        (lambda data: data.replace(b'"role":"assistant"', b'"role":"user"'), "turns out of order"),
        (lambda data: data.replace(b'"role":"assistant"', b'"role":"tool"'), "unknown role"),
        (lambda data: data.replace(b'"role":"user",', b'"role":"user","name":"Ada",'), "other keys"),
        (lambda data: data.replace(b'"role":"user",', b'"role":"user","role":"user",'), "twice"),
        (lambda data: data.replace(b'{"messages"', b'{"labels":[1],"messages"'), "its keys are not messages"),
        (lambda data: data.replace(b'{"messages"', b'{"conversations"'), "its keys are not messages"),
        (lambda data: data.replace(b'{"messages":', b"").replace(b"]}\n", b"]\n"), "its keys are not messages"),
        (lambda data: b'{"messages":"text"}\n', "no list of messages"),
        (lambda data: data.replace(b"}]}", b"},]}"), "row 1"),
        (lambda data: data * 2, "the same as an earlier row"),
    ],
)  # fmt: skip
def test_every_file_that_trains_wrongly_is_refused(tmp_path: Path, change: Callable[[bytes], bytes], said: str) -> None:
    assert said in refusal(tmp_path, change(FIRST + b"\n"))


def test_rows_and_their_origins_have_to_agree(tmp_path: Path) -> None:
    data = FIRST + b"\n" + FIRST.replace(b"So.", b"Thus.") + b"\n"
    beside = with_sidecar(data)
    first, second = beside.splitlines(keepends=True)
    assert "belongs to another row" in refusal(tmp_path, data, second + first)
    assert "different numbers of rows" in refusal(tmp_path, data, first)
    assert "different numbers of rows" in refusal(tmp_path, FIRST + b"\n", beside)

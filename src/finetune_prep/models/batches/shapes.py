"""Rows of answer files, in the shapes that providers and people write them. Pure but for reading the file.

Known are OpenAI's and Azure's rows, those of vLLM's `run-batch` (the reason of a failure beside an empty body), Anthropic's
Message Batches, and `{"custom_id": …, "content": …}` for whoever answers by hand or with a script; a line each, or in one JSON
array. In a folder, every page of `batch show` is a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from finetune_prep.core.request import Reply
from finetune_prep.errors import UsageError
from finetune_prep.http.exchange import MOST_BYTES
from finetune_prep.models.batches import pages
from finetune_prep.models.batches.anthropic import answer_of_result
from finetune_prep.models.providers.dialect import concerns_every_request
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.wire import openai_wire
from finetune_prep.models.wire.envelopes import NotACompletion
from finetune_prep.models.wire.http_status import DETAIL_LIMIT, OUT_OF_CREDIT, interpret

# error codes of a row that is refused for good; every other error without a status is a passing one (expired, cancelled)
FINAL_CODES = {"invalid_request", "invalid_request_error", "bad_request"}
GEMINI = 'this is a row of Gemini\'s Batch API, which is not read; answers as {"custom_id": …, "content": …} are'
MOST_OF_ARRAY = 64 * 1024 * 1024  # bytes: an array has to be held in memory as a whole
KEY = re.compile(r"[0-9a-f]{32}")
LONGEST_ID = 200  # characters of a custom_id; ours have 32
SAMPLE = 160  # characters of a row that is not understood, which are shown


class Row(NamedTuple):
    """A row of an answer file."""

    place: str
    """Where it stands: `file:line`."""
    key: str
    answer: Callable[[], Reply]
    """Gives the reply, or raises Fault or Paused, or NotACompletion where its shape is not known."""
    line: int = 0
    """Of a page, on which the answer begins; 0 = it is no page."""


class Foreign(NamedTuple):
    """A row that is not understood."""

    place: str
    why: str
    """In words."""
    sample: str
    """Its beginning."""


class Blank(NamedTuple):
    """A page on which nothing stands below its last line."""

    place: str
    key: str
    above: str
    """What stands above that line."""


def read_rows(path: Path) -> Iterator[Row | Foreign | Blank]:
    """The rows of a file, or of all pages in a folder. Raises UsageError if it cannot be opened."""
    try:
        if path.is_dir():
            for one in sorted(path.glob("*.md")):
                yield _page(one)
            for one in sorted(path.glob("*.json")):
                yield _named(one)
            return
        if path.suffix == ".json" and isinstance(row := _named(path), Row):
            yield row
            return
        if path.suffix == ".md":
            yield _page(path)
            return
        with path.open("rb") as file:
            is_array = _is_array(file.read(4096))
            file.seek(0)
            yield from _array(path, file) if is_array else _lines(path, file)
    except OSError as error:
        raise UsageError(
            f"the answers cannot be read: {error.strerror}",
            where=str(path),
            next="give the path of a file or folder of answers",
        ) from error


def _lines(path: Path, file: BinaryIO) -> Iterator[Row | Foreign]:
    """A row a line. One that is longer than any answer is passed over piece by piece, and not held in memory."""
    number = 0
    while line := file.readline(MOST_BYTES + 1):
        number += 1
        place, size = f"{path.name}:{number}", len(line)
        if size > MOST_BYTES:
            sample = _sample(line)
            while not line.endswith(b"\n") and (line := file.readline(MOST_BYTES)):
                size += len(line)
            yield Foreign(place, _too_long("row", size), sample)
        elif line.strip():
            yield read_row(place, line.removeprefix(b"\xef\xbb\xbf"))


def _too_long(what: str, size: int, most: int = MOST_BYTES) -> str:
    return f"the {what} has {size:,} bytes, and at most {most:,} are read"


def read_row(place: str, line: bytes) -> Row | Foreign:
    """One row of a file."""
    try:
        value = _decoded(line)
    except (ValueError, RecursionError) as error:
        return Foreign(place, f"not JSON: {error}", _sample(line))
    if not isinstance(value, dict):
        return Foreign(place, "not a JSON object", _sample(line))
    key = value.get("custom_id")
    if not isinstance(key, str):
        return Foreign(place, GEMINI if _is_gemini(value) else "it has no custom_id", _sample(line))
    if len(key) > LONGEST_ID:
        return Foreign(place, f"its custom_id has {len(key):,} characters", _sample(line))
    if openai_wire.UNPRINTABLE.search(key):
        return Foreign(place, "its custom_id is no text", _sample(line))
    if "method" in value and "body" in value:
        return Foreign(place, "it is a request; import the file of answers", _sample(line))
    answer = _answer_of(value)
    return Foreign(place, "its shape is not known", _sample(line)) if answer is None else Row(place, key, answer)


def _is_gemini(row: dict[str, Any]) -> bool:
    response = row.get("response")
    return "key" in row and ("error" in row or (isinstance(response, dict) and "candidates" in response))


def _answer_of(row: dict[str, Any]) -> Callable[[], Reply] | None:
    """What gives the answer in a row; None if its shape is not known."""
    if isinstance(response := row.get("response"), dict):
        return partial(_answered, response, row.get("error"))
    if isinstance(result := row.get("result"), dict):
        return partial(answer_of_result, result)
    if row.get("error"):
        return partial(_failed, row["error"])
    if isinstance(content := row.get("content"), str | dict | list):
        return partial(written, content)
    return None


def written(content: Any) -> Reply:
    """An answer that stands there as a text, or as the JSON that was asked for."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return openai_wire.examined(Reply(text="", at=openai_wire.now()), text, "stop")


def _answered(response: dict[str, Any], error: Any) -> Reply:
    """Raises Fault, or Paused, for what may be asked again."""
    status, body = response.get("status_code", 200), response.get("body")
    if isinstance(body, str):
        body = _decoded(body.encode(errors="surrogatepass")) if body.lstrip().startswith("{") else {"error": body}
    if body is None and error:
        body = {"error": error["error"] if isinstance(error, dict) and "error" in error else error}
    if not isinstance(status, int):
        raise NotACompletion("its status is not a number")
    data = json.dumps(body).encode()
    if 200 <= status < 300 and not (isinstance(body, dict) and "error" in body):
        reply = openai_wire.reply(data)  # what is no answer at all stays outstanding, where a call over HTTP would be made again
    else:
        reply = interpret(status, data)
    if reply.problem == "rejected" and concerns_every_request(reply.detail):
        raise Fault(reply.detail)  # with another model or server the same request may be answered
    request_id = reply.request_id or _text(response.get("request_id"))
    return msgspec.structs.replace(reply, request_id=request_id, at=reply.at or openai_wire.now())


def _failed(error: Any) -> Reply:
    """A row without a response. Raises Fault for what may be asked again, Paused where the credit is used up."""
    found = error if isinstance(error, dict) else {"message": str(error)}
    code, message = _text(found.get("code") or found.get("type")), _text(found.get("message"))
    if code.casefold() in FINAL_CODES | OUT_OF_CREDIT:
        reply = interpret(400, json.dumps({"error": found}).encode())
        return msgspec.structs.replace(reply, detail=_said(code, message))
    raise Fault(_said(code, message))


def _text(value: Any) -> str:
    """A value as a text that a file can hold."""
    return openai_wire.UNPRINTABLE.sub("\ufffd", str(value or ""))


def _said(code: str, message: str) -> str:
    return (": ".join(part for part in (code, message) if part) or "an error without a word")[:DETAIL_LIMIT]


def _page(path: Path) -> Row | Foreign | Blank:
    if (size := path.stat().st_size) > MOST_BYTES:
        return Foreign(path.name, _too_long("page", size), "")
    found = pages.read(path.read_text("utf-8-sig", errors="replace"))
    if found is None:
        return Foreign(path.name, "it is no page of `finetune-prep batch show`, or its last comment line was changed", "")
    if not found.answer:
        return Blank(path.name, found.key, found.above)
    return Row(path.name, found.key, partial(written, found.answer), found.line)


def _named(path: Path) -> Row | Foreign:
    """A file that is one answer, under the custom_id in it or, without one, under that of its name."""
    if (size := path.stat().st_size) > MOST_BYTES:
        return Foreign(path.name, _too_long("answer", size), "")
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        value = _decoded(data)
    except (ValueError, RecursionError) as error:
        return Foreign(path.name, f"not JSON: {error}", _sample(data))
    if isinstance(value, dict) and "custom_id" in value:
        return read_row(path.name, data)
    if not KEY.fullmatch(path.stem):
        return Foreign(path.name, "neither it nor its name says which request it answers", _sample(data))
    return Row(path.name, path.stem, partial(written, value))


def _is_array(start: bytes) -> bool:
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _array(path: Path, file: BinaryIO) -> Iterator[Row | Foreign]:
    if (size := path.stat().st_size) > MOST_OF_ARRAY:
        why = f"{_too_long('JSON array', size, MOST_OF_ARRAY)}; write a row a line"
        yield Foreign(path.name, why, _sample(file.read(4 * SAMPLE)))
        return
    data = file.read()
    try:
        rows = _rows_of(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        yield Foreign(path.name, f"not a JSON array of rows: {error}", _sample(data))
        return
    for number, row in enumerate(rows, start=1):
        yield read_row(f"{path.name}, row {number}", row)


def _rows_of(data: bytes) -> list[bytes]:
    try:
        return [bytes(row) for row in msgspec.json.decode(data, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeDecodeError):  # as in `_decoded`: half a character in one row stops no other
        return [json.dumps(row).encode() for row in json.loads(data)]


def _decoded(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(line)  # half a surrogate pair in a text stops the strict parser; the answer around it is paid for


def _sample(line: bytes) -> str:
    text = " ".join(line[: 4 * SAMPLE].decode(errors="replace").split())
    return text if len(text) <= SAMPLE else f"{text[:SAMPLE].rstrip()} …"

"""Rows of a file, one at a time: JSON Lines or CSV, UTF-8. A row that cannot be read is a finding and harms no other."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.errors import UsageError

BOM = b"\xef\xbb\xbf"
_LONGEST_ROW = 16 * 1024 * 1024  # bytes; what is longer is no row
_REPAIR = "write one JSON object a line"
_TABLES = (".csv", ".tsv")


class Row(NamedTuple):
    """number: of the line, from 1. value: what stands there by column or key."""

    number: int
    value: dict[str, Any]


def read_rows(path: Path, headless: Sequence[str] = ()) -> Iterator[Row | Finding]:
    """The rows of a file in order, and a finding for each that cannot be read.

    headless: names of the columns of a CSV file that has no header, if it has as many; which of the two a file has, the reader of
    the rows says by its `knows`. Raises UsageError if there is no such file or it holds nothing.
    """
    if not path.is_file():
        raise UsageError("there is no such file", where=str(path), next="give the path of a JSON Lines or CSV file")
    empty = True
    for row in _table(path, headless) if path.suffix.lower() in _TABLES else _lines(path):
        empty = False
        yield row
    if empty:
        raise UsageError("this file holds no row", where=str(path), next=_REPAIR)


def _lines(path: Path) -> Iterator[Row | Finding]:
    decoder = msgspec.json.Decoder()
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_ROW), b""), start=1):
            line = line.removeprefix(BOM) if number == 1 else line
            if line.strip():
                try:
                    yield _object(path, number, line, decoder.decode(line))
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    yield Finding(path=str(path), line=number, what=f"this row cannot be read: {error}", fix=_REPAIR)
                except RecursionError:
                    yield Finding(path=str(path), line=number, what="this row is nested too deeply to be read", fix=_REPAIR)


def _object(path: Path, number: int, line: bytes, value: Any) -> Row | Finding:
    """The row of a line that was decoded, or what is wrong with it."""
    if not isinstance(value, dict):
        fix = f"{_REPAIR}: jq -c '.[]' {path.name}" if isinstance(value, list) else _REPAIR
        return Finding(path=str(path), line=number, what="this row is no JSON object", fix=fix)
    if twice := _named_twice(line, value):
        what = f"“{twice}” stands twice in this row, and only its author knows which is meant"
        return Finding(path=str(path), line=number, what=what, fix="keep one of them")
    return Row(number, value)


def _named_twice(line: bytes, value: dict[str, Any]) -> str:
    """A key that stands twice in one object at any depth, "" for none: decoders keep the last one without a word."""
    names = line.count(b'":')
    if names == len(value) + sum(len(inner) for inner in value.values() if isinstance(inner, dict)) or names == _keys(value):
        return ""
    found: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        found.extend(name for name in names if names.count(name) > 1)

    json.loads(line, object_pairs_hook=collect)
    return found[0] if found else ""


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_keys(inner) for inner in value.values() if isinstance(inner, dict | list))
    return sum(_keys(inner) for inner in value if isinstance(inner, dict | list))


def _table(path: Path, headless: Sequence[str]) -> Iterator[Row | Finding]:
    try:
        text = path.read_bytes().removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"this file is not UTF-8: {error}", where=str(path), next="save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else _delimiter(text))
    header = list(headless)
    for cells in _cells(reader):
        if isinstance(cells, str):
            yield Finding(
                path=str(path), line=reader.line_num, what=f"this row cannot be read: {cells}", fix="give each column a cell"
            )
        elif not any(cell.strip() for cell in cells):
            continue
        elif not header:
            header = [cell.strip() for cell in cells]
            if twice := next((name for name in header if header.count(name) > 1), None):
                raise UsageError(f"the column “{twice}” stands twice", where=f"{path}:1", next="keep one of them")
        elif len(cells) != len(header):
            what = f"this row has {len(cells)} cells, and the header {len(header)}"
            yield Finding(path=str(path), line=reader.line_num, what=what, fix="give each column a cell")
        else:
            yield Row(reader.line_num, dict(zip(header, cells, strict=True)))


def _cells(reader: Iterator[list[str]]) -> Iterator[list[str] | str]:
    """The rows of a table, and in words why one cannot be read."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield str(error)


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def first_cells(path: Path) -> list[str]:
    """The cells of a table's first line; none for a file that is no table or not there."""
    if path.suffix.lower() not in _TABLES or not path.is_file():
        return []
    with path.open("rb") as file:
        text = file.readline(_LONGEST_ROW).removeprefix(BOM).decode("utf-8", "replace")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), [])]

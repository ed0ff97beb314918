"""Rows of files that nobody has checked: each that cannot be read is named, and none ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.finding import Finding
from finetune_prep.errors import UsageError
from finetune_prep.records.conversations import read_conversations
from finetune_prep.records.labels import read_labels
from finetune_prep.records.rows import Row, read_rows
from finetune_prep.records.verdicts import read_verdicts
from tests.records.judged import RUBRIC, lines
from tests.soak import examples


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


HOSTILE = {
    "deep.jsonl": '{"a": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "objects.jsonl": '{"answers":' + '{"a":' * 900 + "1" + "}" * 901,
    "cell.csv": 'conversation_id,question,answer\nc0,SF1,"' + "x" * 200_000 + '"',
    "open.csv": 'conversation_id,label\n"c0,pass',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_row_is_a_finding_and_the_next_one_is_read(tmp_path: Path, name: str) -> None:
    last = "\nc1,SF1,yes\n" if name == "cell.csv" else '\n{"conversation_id": "c1"}\n' if name.endswith("jsonl") else "\n"
    found = [*read_rows(file(tmp_path, name, HOSTILE[name] + last))]
    assert isinstance(found[0], Finding)
    assert name == "open.csv" or (isinstance(found[-1], Row) and found[-1].value["conversation_id"] == "c1")


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    rows = [*read_rows(file(tmp_path, "a.jsonl", '\ufeff{"a": "one\u2028two"}\n\n  \n{"a": 2}'))]
    assert [(row.number, row.value) for row in rows if isinstance(row, Row)] == [(1, {"a": "one\u2028two"}), (4, {"a": 2})]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "id,answer,answer\n1,2,3\n", "“answer” stands twice"),
        ("b.csv", "id\n", "holds no row"),
        ("c.jsonl", "\n", "holds no row"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        [*read_rows(file(tmp_path, name, text))]


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("conversation_id,label\ncé,fail\n".encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        [*read_rows(path)]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(alphabet="ayesno1 {", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["answers", "SF1", "id", "question", "name", "role"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
keys = st.sampled_from([
    "conversation_id", "id", "judge", "rubric", "answers", "verdict", "question", "answer", "label", "labeller", "sample", "messages",
    "conversation", "conversations", "SF1", "hash", "run", "group", "state", "scenario", "p",
])  # fmt: skip


@settings(max_examples=examples(150))
@given(rows=st.lists(st.dictionaries(keys, values, max_size=6), min_size=1, max_size=4))
def test_no_shape_ends_in_a_traceback(rows: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = lines(tmp_path_factory.mktemp("rows") / "rows.jsonl", *rows)
    read_verdicts(path, RUBRIC)
    read_verdicts(path, RUBRIC, {"a": "h"})
    read_labels(path, RUBRIC)
    talks = read_conversations(path)
    samples = [row for row in rows if isinstance(row.get("state"), str) and isinstance(row.get("scenario"), dict)]
    assert len(talks.rows) + len(talks.findings) + len(samples) >= len(rows), "a row is neither read nor named"

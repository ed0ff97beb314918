"""Verdicts of anybody's making: what is wrong with a row is named with its line, none of it is a NO, and the rest counts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.errors import UsageError
from finetune_prep.records.verdicts import Judged, read_verdicts, together
from tests.records.judged import IDS, RUBRIC, lines, verdict
from tests.soak import examples

WRONG: list[tuple[str, Any, str]] = [
    ("no JSON", "{broken", "cannot be read"),
    ("no object", "[1, 2]", "no JSON object"),
    ("no conversation", {"judge": "J", "answers": {"SF1": "yes"}}, "names no conversation"),
    ("another rubric", verdict("c9", rubric="0" * 32), "is of the rubric 000000000000"),
    ("no answer", {"conversation_id": "c9", "answers": {}}, "answers no question"),
    ("said twice", verdict("c1", "nnnn"), "a second verdict on c1 by J; the one in line 1 counts"),
    ("key twice", '{"conversation_id": "c9", "answers": {"SF1": "yes", "SF1": "no"}}', "“SF1” stands twice"),
    (
        "key twice, deep",
        '{"conversation_id": "c9", "answers": {"SF1": {"answer": "yes", "answer": "no"}}}',
        "“answer” stands twice",
    ),
]
MISSING: list[tuple[str, dict[str, Any], str, tuple[str | None, ...]]] = [
    ("an error", {"SF1": "yes", "CP1": "ERROR", "CP2": "yes", "CP3": "yes"}, "CP1 has an error", ("yes", None, "yes", "yes")),
    ("N/A not allowed", {"SF1": "na", "CP1": "yes", "CP2": "na", "CP3": "yes"}, "SF1 is answered N/A", (None, "yes", "na", "yes")),
    ("another word", {"SF1": "yes", "CP1": "maybe", "CP2": "yes", "CP3": "yes"}, "CP1 is answered “maybe”", ("yes", None, "yes", "yes")),
    ("an unknown id", {"SF1": "yes", "CP1": "no", "CP9": "no", "CP2": "yes", "CP3": "yes"}, "“CP9” is no question", ("yes", "no", "yes", "yes")),
    ("an id in two cases", {"SF1": "yes", "CP1": "yes", "cp1": "no", "CP2": "yes", "CP3": "yes"}, "CP1 is answered twice", ("yes",) * 4),
]  # fmt: skip


@pytest.mark.parametrize(("row", "words"), [(row, words) for _, row, words in WRONG], ids=[name for name, _, _ in WRONG])
def test_what_does_not_count_is_named_with_its_line(tmp_path: Path, row: Any, words: str) -> None:
    found = read_verdicts(lines(tmp_path / "v.jsonl", verdict("c1"), row, verdict("c2", "ynyy")), RUBRIC)
    assert [(judged.conversation, judged.answers) for judged in found.rows] == [
        ("c1", ("yes",) * 4),
        ("c2", ("yes", "no", "yes", "yes")),
    ]
    [finding] = found.findings
    assert (finding.line, found.left_out) == (2, 1)
    assert words in finding.what
    assert finding.fix


@pytest.mark.parametrize(
    ("given", "words", "answers"), [case[1:] for case in MISSING], ids=[case[0] for case in MISSING]
)  # fmt: skip
def test_what_cannot_be_read_is_missing_and_never_a_no(
    tmp_path: Path, given: dict[str, Any], words: str, answers: tuple[str | None, ...]
) -> None:
    row = {"conversation_id": "c1", "judge": "J", "answers": given}
    found = read_verdicts(lines(tmp_path / "v.jsonl", row), RUBRIC)
    assert found.rows[0].answers == answers
    assert any(words in finding.what and finding.line == 1 for finding in found.findings)
    assert found.left_out == 0


SHAPES: dict[str, Any] = {
    "ours": verdict("c1", "yn-y"),
    "upper case": {"id": "c1", "model": "J", "answers": {"SF1": "YES", "CP1": "NO", "CP2": "N/A", "CP3": "YES"}},
    "true and false": {"conversation_id": "c1", "judge": "J", "answers": {"SF1": True, "CP1": False, "CP2": "na", "CP3": True}},
    "objects": {
        "conversation_id": "c1",
        "judge": "J",
        "verdict": {id: {"evidence": "“x”: y", "answer": said} for id, said in zip(IDS, ("Yes", "No", "NA", "Yes"), strict=True)},
    },
    "wrapped": {
        "conversation_id": "c1",
        "judge": "J",
        "output": {"verdict": {"SF1": "yes", "CP1": "no", "CP2": "na", "CP3": "yes"}},
    },
    "flat": {"conversation_id": "c1", "judge": "J", "sf1": 1, "cp1": 0, "cp2": "n/a", "cp3": 1},
    "a list": {
        "conversation_id": "c1",
        "judge": "J",
        "results": [{"question": id, "verdict": said} for id, said in zip(IDS, ("YES", "NO", "NA", "YES"), strict=True)],
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_foreign_shapes_are_read_and_the_mapping_is_told(tmp_path: Path, shape: str) -> None:
    found = read_verdicts(lines(tmp_path / "v.jsonl", SHAPES[shape]), RUBRIC)
    [row] = found.rows
    assert (row.conversation, row.judge, row.answers, found.findings) == ("c1", "J", ("yes", "no", "na", "yes"), ())
    assert bool(found.mapping) == (shape != "ours")


def table(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


THREE = "c1,SF1,YES\nc1,CP1,false\nc1,CP2,NA\nc1,CP3,ERROR\nc2,SF1,TRUE\nc2,CP1,Y\nc2,CP2,1\nc2,CP3,no\n"


@pytest.mark.parametrize(
    "header", ["", "conversation,question,answer\n", "id;criterion;verdict\n", "\ufeffconversation_id,question_id,value\n"]
)
def test_a_table_of_three_columns(tmp_path: Path, header: str) -> None:
    text = header + (THREE.replace(",", ";") if ";" in header else THREE)
    found = read_verdicts(table(tmp_path / "v.csv", text), RUBRIC)
    assert [row.answers for row in found.rows] == [("yes", "no", "na", None), ("yes", "yes", "yes", "no")]
    [error] = found.findings
    assert "CP3 has an error" in error.what
    assert any(line.startswith("false → no") for line in found.mapping)
    assert any("ERROR → missing" in line for line in found.mapping)


def test_a_table_with_a_column_for_each_question(tmp_path: Path) -> None:
    text = "conversation_id,judge,SF1,CP1,CP2,CP3\nc1,J,yes,no,na,\nc2,J,yes,yes,yes,yes\nc3,J,yes\n"
    found = read_verdicts(table(tmp_path / "v.csv", text), RUBRIC)
    assert [row.answers for row in found.rows] == [("yes", "no", "na", None), ("yes",) * 4]
    [short] = found.findings
    assert (short.line, short.what) == (4, "this row has 3 cells, and the header 6")


def test_one_answer_said_twice_in_a_table_counts_once(tmp_path: Path) -> None:
    found = read_verdicts(table(tmp_path / "v.csv", "c1,SF1,yes\nc1,SF1,no\n"), RUBRIC)
    assert found.rows[0].answers == ("yes", None, None, None)
    assert "a second answer to SF1 on c1" in found.findings[0].what


def test_a_run_of_another_name_is_a_repeat_and_no_duplicate(tmp_path: Path) -> None:
    rows = (verdict("c1", run="1"), verdict("c1", "nyyy", run="2"), verdict("c1", "nnnn", run="2"), verdict("c2"))
    found = read_verdicts(lines(tmp_path / "v.jsonl", *rows), RUBRIC)
    assert [(one.answers[0], again.answers[0]) for one, again in found.repeats] == [("yes", "no")]
    assert [row.conversation for row in found.rows] == ["c1", "c2"]
    assert ["a second verdict" in finding.what for finding in found.findings] == [True]


def test_a_verdict_on_another_text_is_stale(tmp_path: Path) -> None:
    rows = (verdict("c1", hash="new"), verdict("c2", hash="old"), verdict("c3"), verdict("c4"))
    found = read_verdicts(lines(tmp_path / "v.jsonl", *rows), RUBRIC, {"c1": "new", "c2": "new", "c3": "new"})
    assert [row.conversation for row in found.rows] == ["c1", "c3"]
    assert [(finding.line, finding.what) for finding in found.findings] == [
        (2, "this verdict is stale: c2 has another text now"),
        (4, "there is no conversation c4"),
    ]


def test_a_file_that_is_not_there_or_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        read_verdicts(tmp_path / "none.jsonl", RUBRIC)
    with pytest.raises(UsageError, match="holds no row"):
        read_verdicts(lines(tmp_path / "empty.jsonl"), RUBRIC)
    with pytest.raises(UsageError, match="holds no row"):
        read_verdicts(table(tmp_path / "empty.csv", "conversation_id,SF1\n"), RUBRIC)


@settings(max_examples=examples(60))
@given(st.lists(st.text(alphabet='{}[]",:ayeso1\n\x00é\\ ', max_size=40), max_size=8))
def test_no_file_ends_in_a_traceback_or_costs_a_good_row(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = lines(Path(folder) / "v.jsonl", *texts, verdict("good", "ynyy"))
        found = read_verdicts(path, RUBRIC)
    assert found.rows[-1].answers == ("yes", "no", "yes", "yes")


def judged(said: str, judge: str) -> Judged:
    row = verdict("c1", said)
    return Judged(line=1, conversation="c1", judge=judge, answers=tuple(row["answers"].values()))


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (("yyyy", "nyyy", "yyyy"), ("no", "yes", "yes", "yes")),  # one NO on the gate
        (("yyyy", "?yyy", "yyyy"), (None, "yes", "yes", "yes")),  # a gate that one did not answer
        (("yyyy", "yn--"), ("yes", "no", "yes", "yes")),  # a tie of YES and NO is NO; N/A takes a majority
        (("yyyy", "ynn-", "ynn-"), ("yes", "no", "no", "na")),
        (("y???", "yy??"), ("yes", "yes", None, None)),
    ],
)
def test_several_judges_speak_together(said: tuple[str, ...], answers: tuple[str | None, ...]) -> None:
    rows = [judged(words, f"J{number}") for number, words in enumerate(said)]
    [joined] = together(rows, (True, False, False, False))
    assert joined.answers == answers

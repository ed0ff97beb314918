"""Labels of anybody's making."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.errors import UsageError
from finetune_prep.labels import label as review
from finetune_prep.labels.file import record_label
from finetune_prep.records.labels import Spent, read_labels, spend, spent_of
from tests.records.judged import RUBRIC, lines


def test_our_own_shape(tmp_path: Path) -> None:
    row = {
        "conversation_id": "c1", "label": "fail", "labeller": {"name": "Ada", "kind": "person"}, "stage": "blind", "split": "sealed",
        "sample": {"design": "by verdict", "p": 0.25}, "hash": "h", "rubric": "r", "answers": {"SF1": "no", "CP1": True, "XX": "yes"},
    }  # fmt: skip
    found = read_labels(lines(tmp_path / "l.jsonl", row), RUBRIC)
    [label] = found.rows
    assert (label.conversation, label.label, label.labeller, label.kind, label.stage) == ("c1", "fail", "Ada", "person", "blind")
    assert (label.split, label.design, label.p, label.hash, label.rubric) == ("sealed", "by verdict", 0.25, "h", "r")
    assert label.answers == {"SF1": "no", "CP1": "yes"}
    assert (found.findings, found.mapping) == ((), ())


@pytest.mark.parametrize(
    "text",
    ["c1,good,Ada\nc2,bad,Bo\nc3,skip,Ada\n", "id,human_label,annotator\nc1,PASS,Ada\nc2,False,Bo\nc3,unsure,Ada\n"],
)
def test_tables_are_read_and_the_mapping_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "l.csv"
    path.write_text(text, "utf-8")
    found = read_labels(path, RUBRIC)
    assert [(row.conversation, row.label, row.labeller) for row in found.rows] == [
        ("c1", "pass", "Ada"),
        ("c2", "fail", "Bo"),
        ("c3", "defer", "Ada"),
    ]
    assert found.mapping


def test_what_is_no_label_is_named_with_its_line(tmp_path: Path) -> None:
    rows = ({"conversation_id": "c1", "label": "pass"}, {"conversation_id": "c2", "label": "so so"}, {"label": "pass"}, "no")
    found = read_labels(lines(tmp_path / "l.jsonl", *rows), RUBRIC)
    assert [row.conversation for row in found.rows] == ["c1"]
    assert [finding.line for finding in found.findings] == [2, 3, 4]
    assert "c2 is labelled “so so”" in found.findings[0].what


@pytest.mark.parametrize("p", [0, -0.2, 1.5, "often", None])
def test_a_chance_that_is_none_is_unknown(tmp_path: Path, p: object) -> None:
    row = {"conversation_id": "c1", "label": "pass", "sample": {"design": "uniform", "p": p}}
    assert read_labels(lines(tmp_path / "l.jsonl", row), RUBRIC).rows[0].p is None


def test_sealed_labels_that_are_spent_stay_so(tmp_path: Path) -> None:
    path = lines(tmp_path / "l.jsonl", {"conversation_id": "c1", "label": "pass"})
    assert spent_of(path) is None
    spent = Spent(at="2026-01-02T03:04:05+00:00", judge="J", rubric="r", pin="p", word="refused")
    spend(path, spent)
    assert spent_of(path) == spent
    assert len(read_labels(path, RUBRIC).rows) == 1
    kept = tmp_path / "l.spent.jsonl"
    kept.write_text(kept.read_text().replace('"pin"', '"pen"'))
    with pytest.raises(UsageError, match="cannot be read"):
        spent_of(path)


def test_labels_of_a_review_are_read(tmp_path: Path) -> None:
    """As `review` writes them."""
    label = review.Label(
        at="2026-01-02T03:04:05Z", labeller=review.Labeller("Ada", "person"), conversation_id="c1", scenario="s", rubric="r",
        stage="blind", label="withdrawn", sample=review.Sampling(design="strata-10/7", p=0.5, repeat=True),
    )  # fmt: skip
    record_label(tmp_path / "labels.jsonl", label)
    found = read_labels(tmp_path / "labels.jsonl", RUBRIC)
    [row] = found.rows
    assert (row.label, row.labeller, row.kind, row.stage) == ("withdrawn", "Ada", "person", "blind")
    assert (row.design, row.p, row.repeat, found.mapping) == ("by verdict", 0.5, True, ())

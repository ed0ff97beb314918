"""Faults and habits of anybody's conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finetune_prep.workflow.measuring.faults import faults
from tests.records.judged import lines


def talk(id: str, *texts: str) -> dict[str, Any]:
    return {"id": id, "messages": [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]}


GOOD = ("Can I give this plate back after three weeks?", "Yes, within thirty days of delivery, if it is unused.")


def test_each_fault_is_named_with_its_line(tmp_path: Path) -> None:
    rows = (
        talk("good", *GOOD),
        talk("again", *GOOD),
        talk("empty", "Hello there", " "),
        talk("order", "Hello there"),
        talk("thinks", "Hello there", "<think>hm</think> Good day."),
        talk(
            "chinese",
            "Can I please give back the plate that I bought from you last week?",
            "您可以在收到商品后的三十天内退货，前提是商品未使用。",
        ),
        {"id": "none"},
    )
    found = faults(lines(tmp_path / "c.jsonl", *rows))
    assert [(row.line, row.id, row.fault) for row in found.faulty] == [
        (2, "again", "duplicate"),
        (3, "empty", "empty turn"),
        (4, "order", "wrong order"),
        (5, "thinks", "reasoning text"),
        (6, "chinese", "other language"),
    ]
    assert "asked in en, answered in zh" in found.faulty[-1].where
    assert (found.conversations, len(found.findings)) == (6, 1)


def test_a_habit_is_said_in_words(tmp_path: Path) -> None:
    rows = [
        talk(f"c{n}", f"Question number {n} about plates?", f"That is a good question. Take {n} plates. I hope this helps you!")
        for n in range(6)
    ]
    rows += [talk(f"d{n}", f"And cup {n}?", f"Cup {n} is glazed by hand in spring.") for n in range(2)]
    found = faults(lines(tmp_path / "c.jsonl", *rows))
    assert found.habits[:2] == ("75% of replies begin with “that is a good”", "75% of replies end with “hope this helps you”")
    assert any("75% of replies hold “i hope this helps”" in habit for habit in found.habits[2:])


def test_a_system_prompt_is_no_fault(tmp_path: Path) -> None:
    row = talk("good", *GOOD)
    row["messages"].insert(0, {"role": "system", "content": "You sell plates."})
    assert faults(lines(tmp_path / "c.jsonl", row)).faulty == ()

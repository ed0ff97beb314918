"""A rubric of four questions, and files of rows for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from finetune_prep.core.rubric import Category, Goal, Question, Rubric
from finetune_prep.documents.kinds import render

IDS = ("SF1", "CP1", "CP2", "CP3")
RUBRIC = Rubric(
    title="Chat",
    threshold=0.75,
    goals=(Goal("G1", "I was helped."),),
    categories=(
        Category(name="Safety", weight=None, questions=(Question(id="SF1", text="Is it safe?", yes="It is.", no="It is not."),)),
        Category(
            name="Help",
            weight=1.0,
            questions=(
                Question(id="CP1", text="Does it answer?", yes="It does.", no="It does not."),
                Question(id="CP2", text="Does it ask?", yes="It does.", no="It does not.", na="Nothing is open."),
                Question(id="CP3", text="Is it short?", yes="It is.", no="It is not.", na="There is no reply."),
            ),
        ),
    ),
)


def lines(path: Path, *rows: Any) -> Path:
    """A file of JSON Lines; a string stands as it is."""
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")
    return path


def verdict(conversation: str, said: str = "yyyy", **more: Any) -> dict[str, Any]:
    """A row of our own shape. said: y, n, - (N/A) or ? (missing) for each question."""
    words = {"y": "yes", "n": "no", "-": "na", "?": None}
    answers = {id: words[sign] for id, sign in zip(IDS, said, strict=True)}
    return {"conversation_id": conversation, "judge": "J", "answers": answers, **more}


def rubric_file(folder: Path) -> Path:
    path = folder / "evaluation-rubric.md"
    path.write_text(render("evaluation-rubric", RUBRIC), "utf-8")
    return path

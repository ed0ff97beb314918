"""Texts that the rows are held against: files that somebody names, and what the project itself keeps out of training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.conversations.contamination import Text
from finetune_prep.core.finding import Finding
from finetune_prep.core.rubric import Example
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import Project
from finetune_prep.records.rows import read_rows

SYSTEM = "system"


class Others(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the files."""

    texts: tuple[Text, ...]
    situations: dict[str, str]
    """Situations that rows say they are of → where."""
    findings: tuple[Finding, ...]
    rows: int


def read_others(paths: tuple[Path, ...]) -> Others:
    """Every text of every row, in whatever columns they stand; prompts of the system are left out.

    Raises UsageError if a file is not there or holds nothing.
    """
    texts: list[Text] = []
    situations: dict[str, str] = {}
    findings: list[Finding] = []
    rows = 0
    for path in paths:
        for row in read_rows(path):
            if isinstance(row, Finding):
                findings.append(row)
                continue
            rows += 1
            where = f"{path.name}:{row.number}"
            if situation := _situation(row.value):
                situations.setdefault(" ".join(situation.split()), where)
            texts += [Text(where, text) for text in _texts(_said(row.value))]
    return Others(texts=tuple(texts), situations=situations, findings=tuple(findings), rows=rows)


def _said(row: dict[str, Any]) -> Any:
    """What of a row would be trained: of a run's sample its conversation alone, not what was planned for it."""
    return row["conversation"] if isinstance(row.get("conversation"), dict) and "scenario" in row else row


def _situation(row: dict[str, Any]) -> str:
    """The situation that a row is of, where it says so as samples of a run do."""
    scenario = row.get("scenario")
    situations = scenario.get("situations") if isinstance(scenario, dict) else None
    first = situations[0] if isinstance(situations, list) and situations else None
    text = first.get("text") if isinstance(first, dict) else None
    return text if isinstance(text, str) else ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        if str(value.get("role", value.get("from", ""))).casefold() != SYSTEM:
            for inner in value.values():
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def examples(project: Project) -> list[Text]:
    """Few-shots, the judge's examples and rulings: the model shows them, the judge knows them, and neither is to be trained."""
    found: list[Text] = []
    rubric, evaluation = project.value(Documents.rubric), project.value(Documents.evaluation_prompt)
    for example in (
        *project.value(Documents.generation_prompt).few_shots,
        *rubric.examples,
        *evaluation.calibrations,
    ):
        found += _of_example(example)
    for question in rubric.questions:
        for number, ruling in enumerate(question.rulings, start=1):
            found.append(Text(f"ruling {number} of {question.id}", f"{ruling.user}\n{ruling.assistant}"))
    return found


def _of_example(example: Example) -> list[Text]:
    said = " ".join(message.content for message in example.conversation.messages)
    return [Text(f"example {example.id}", said)]

"""How others write what we call yes, no, N/A, missing, pass and fail, and what they call our columns; counted, to be printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from finetune_prep.core.rubric import YesNo

NATIVE: Mapping[Any, YesNo | None] = {"yes": "yes", "no": "no", "na": "na", None: None}
MISSING, FAILED = "missing", "missing (an error)"
ANSWERS: Mapping[str, str] = (
    dict.fromkeys(("yes", "y", "true", "1", "1.0"), "yes")
    | dict.fromkeys(("no", "n", "false", "0", "0.0"), "no")
    | dict.fromkeys(("na", "n/a", "n.a.", "not applicable", "not_applicable"), "na")
    | dict.fromkeys(("", "null", "none", "nan", "missing", "unanswered"), MISSING)
    | dict.fromkeys(("error", "err", "failed", "timeout", "unreadable", "refused"), FAILED)
)
LABELS: Mapping[str, str] = (
    dict.fromkeys(("pass", "passed", "good", "ok", "accept", "accepted", "true", "yes", "y", "1", "1.0"), "pass")
    | dict.fromkeys(("fail", "failed", "bad", "reject", "rejected", "false", "no", "n", "0", "0.0"), "fail")
    | {"withdrawn": "withdrawn"}
    | dict.fromkeys(("defer", "deferred", "unsure", "skip", "skipped"), "defer")
)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "conversation_id": ("conversation_id", "conversation", "conv_id", "dialogue_id", "sample_id", "item_id", "id"),
    "judge": ("judge", "grader", "model"),
    "rubric": ("rubric", "rubric_version"),
    "group": ("group", "scenario", "scenario_id"),
    "run": ("run", "repeat"),
    "question": ("question", "question_id", "criterion"),
    "answer": ("answer", "verdict", "value", "result"),
    "answers": ("answers", "verdicts", "verdict", "results", "output"),
    "label": ("label", "human_label", "human", "pass", "passed"),
    "labeller": ("labeller", "labeler", "annotator", "rater"),
    "note": ("note", "comment"),
}


OURS = ("conversation_id", "scenario")  # as our own runs write them


class Mapped:
    """What foreign spellings were taken for, and how often each occurred."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def taken(self, written: str, meant: str) -> None:
        if written != meant:
            self.counts[written, meant] += 1

    def lines(self) -> tuple[str, ...]:
        """One line for each spelling: "TRUE → yes (12 times)"."""
        return tuple(
            f"{written or 'an empty cell'} → {meant} ({count:,} time{'s' if count > 1 else ''})"
            for (written, meant), count in self.counts.items()
        )


def column(row: Mapping[str, Any], name: str, mapped: Mapped) -> Any:
    """What stands in the row under this name or one that others give it; None if nothing does."""
    for spelling in COLUMNS.get(name, (name,)):
        if spelling in row:
            if spelling not in OURS:
                mapped.taken(f"column {spelling}", f"column {name}")
            return row[spelling]
    return None


def spelt(written: Any) -> str:
    """A value as somebody wrote it."""
    return "null" if written is None else str(written).lower() if isinstance(written, bool) else str(written).strip()


def question_of(written: Any, ids: Iterable[str]) -> str | None:
    """The id of the rubric that is meant, whatever its case; None if there is none."""
    name = str(written).strip()
    return next((id for id in ids if id == name), None) or next((id for id in ids if id.casefold() == name.casefold()), None)

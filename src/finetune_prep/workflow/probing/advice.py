"""What probes come to in sentences, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from finetune_prep.statistics.probing.plan import PER_CONVERSATION
from finetune_prep.statistics.probing.table import FailureRow, FailureTable, ProbeTable, QuestionRow
from finetune_prep.statistics.probing.words import Word
from finetune_prep.workflow.status.views import ProbeView

WORDS: tuple[Word, ...] = ("sees", "half-sees", "blind", "not measured")
MANY = {"sees": "see", "half-sees": "half-see", "blind": "are blind", "not measured": "are not measured"}
ONE = {"sees": "sees", "half-sees": "half-sees", "blind": "is blind", "not measured": "is not measured"}


def words_of(row: QuestionRow) -> tuple[str, ...]:
    """All that is said of a question, in the words that docs/probes.md explains."""
    also = ["alarms easily"] if row.alarms_easily else []
    also += [f"mixes with {other}" for other in row.mixes_with]
    also += ["cannot be broken alone"] if row.not_alone else []
    return (row.word, *also)


def summed_up(table: ProbeTable) -> str:
    """The words of all questions, counted: "9 see, 2 half-see, 1 is blind"."""
    return counted_words([row.word for row in table.questions])


def counted_words(words: Sequence[str]) -> str:
    counts = {word: words.count(word) for word in WORDS}
    return ", ".join(f"{n} {ONE[word] if n == 1 else MANY[word]}" for word, n in counts.items() if n)


def in_short(view: ProbeView) -> str:
    """A run in a line."""
    if view.questions:
        return f"{view.name}: of {len(view.questions.questions)} questions, {summed_up(view.questions)}"
    return f"{view.name}: {failures_summed_up(view.failures)}" if view.failures else f"{view.name}: unfinished"


def failures_summed_up(table: FailureTable) -> str:
    """How many planted failures were seen, and by whom."""
    planted = [row for row in table.failures if row.planted]
    named = [row for row in planted if row.named]
    return (
        f"{len(planted)} failures planted, {sum(bool(row.seen_by) for row in planted)} seen by a question "
        f"({sum(row.seen_as_named for row in named)} of {len(named)} by one that names them), "
        f"{sum(row.rejected for row in planted)} rejected, {sum(row.kept_out for row in planted)} kept out of the set"
    )


def advice(table: ProbeTable) -> tuple[str, ...]:
    """What to do about questions that do not simply see, the gate first; last those that are not measured, by the reason."""
    rows = sorted(table.questions, key=lambda row: not row.gate)
    unmeasured: dict[str, list[str]] = {}
    for row in rows:
        if row.word == "not measured":
            unmeasured.setdefault(_why_unmeasured(row, table), []).append(row.id)
    together = (f"{', '.join(ids)} {'is' if len(ids) == 1 else 'are'} not measured: {why}" for why, ids in unmeasured.items())
    return (*(line for row in rows for line in _advice(row, table)), *together)


def _advice(row: QuestionRow, table: ProbeTable) -> Iterator[str]:
    if row.word == "blind":
        yield (
            f"{row.id} is blind: it saw none of {row.seen.n} planted faults. Sharpen it: say under No what these replies do,"
            f" or let the program measure it. The faults are in runs/{table.run}/trials.jsonl."
        )
    elif row.word == "half-sees":
        yield f"{row.id} half-sees, {row.seen.k} of {row.seen.n}{_worst(row)}. Add a ruling that answers NO to such a reply."
    if row.alarms_easily:
        yield (
            f"{row.id} alarms easily: {row.neutral.k} of {row.neutral.n} NOs where only the wording had changed, and"
            f" {row.placebo.k} of {row.placebo.n} where nothing had changed at all. Say under Yes which wordings will do."
        )
    for other in row.mixes_with:
        count = row.flips[other]
        yield (
            f"{row.id} mixes with {other}: the judge answers NO to {other}, too, on {count.k} of {count.n} edits that leave it"
            f" sound. Add a ruling that tells them apart (Unlike: {other}), or have {other} judged in a call of its own."
        )
    if row.not_alone:
        others = ", ".join(row.not_alone)
        yield f"{row.id} cannot be broken alone: {others} moved with it every time. They may ask the same thing: join them."
    if row.na is not None and row.na.k < row.na.n:
        missed = row.na.n - row.na.k
        yield f"{row.id} was not N/A on {missed} of {row.na.n} edits without its occasion. Say under N/A when it is gone."


def _worst(row: QuestionRow) -> str:
    """Which kind of edit it overlooks most, "" if none stands out."""
    missed = {kind: (count.n - count.k) / count.n for kind, count in row.by_kind.items() if count.n}
    if not missed or len(set(missed.values())) == 1:
        return ""
    kind = max(missed, key=lambda kind: missed[kind])
    return f"; it overlooks {kind} faults most"


def _why_unmeasured(row: QuestionRow, table: ProbeTable) -> str:
    if row.why:
        return f"{row.why}."
    found = f"{row.seen.n} of the {row.needed} edits that it takes"
    if row.wanted < row.needed:
        return f"{found}, since no more were asked for: {'--gate' if row.gate else '--each'} {row.needed}."
    if row.needed > PER_CONVERSATION * table.bases:
        most = PER_CONVERSATION * table.bases
        return f"{found}; {table.bases} conversations give no more than {most}. Run a larger pilot first."
    return f"{found}; runs/{table.run}/trials.jsonl says why others do not count."


def failure_words(row: FailureRow) -> str:
    """What became of a planted failure, in a few words."""
    if not row.planted:
        return f"not planted: {row.why}"
    if row.why:
        return f"found by the program: {row.why}"
    if not row.seen_by:
        return "seen by no question"
    by = ", ".join(row.seen_by)
    named = "" if row.seen_as_named else f", not by {', '.join(row.named)}" if row.named else ", and no question names it"
    return f"seen by {by}{named}"


def upshot(row: FailureRow) -> str:
    if not row.planted:
        return ""
    return "rejected" if row.rejected else "flawed, kept out" if row.kept_out else "would be a training row"


def same_family(models: dict[str, Any]) -> str:
    """What is said where the verifier is no stranger to the writer or the judge, "" where it is."""
    family = {role: _family(given["model"]) for role, given in models.items()}
    named = {"expert": "the writer of the edits", "judge": "the judge"}
    alike = [words for role, words in named.items() if family.get(role) == family["verifier"]]
    if not alike:
        return ""
    what = f"The verifier is of the same family of models as {' and '.join(alike)}, and may overlook the same things"
    return f"{what}: name another one under [roles.verifier]."


def _family(model: str) -> str:
    """The letters with which a model's name begins: "gpt" of "openai/gpt-5.1-mini"."""
    found = re.match(r"[a-z]+", model.rpartition("/")[2].lower())
    return found[0] if found else model

"""Gates of the rulings below the questions: that both answers are shown, and that they say what stands in their snippet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from finetune_prep.core.finding import Finding
from finetune_prep.core.rubric import Question, Rubric, YesNo
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates import quoting
from finetune_prep.gates.premises import need

BOTH: tuple[YesNo, ...] = ("yes", "no")


def _rubric(documents: Documents) -> tuple[Document[Rubric], Rubric]:
    return need(documents, Documents.rubric)


def both_ways(documents: Documents) -> Iterable[Finding]:
    """Among its rulings and the judge's calibrations, every judged question has a YES and a NO, and no case has both."""
    document, rubric = _rubric(documents)
    calibrations = need(documents, Documents.evaluation_prompt)[1].calibrations if documents.evaluation_prompt else ()
    shown = {question.id: {ruling.answer for ruling in question.rulings} for question in rubric.judged}
    for example in calibrations:
        for expected in example.answers:
            shown.get(expected.question, set()).add(expected.answer)
    for question, answers in shown.items():
        if lacking := [answer.upper() for answer in BOTH if answer not in answers]:
            yield document.finding(
                f"nothing shows a judge what a {' or a '.join(lacking)} to {question} looks like",
                f"add a borderline case below it: - Ruling: {lacking[0].lower()}. User: “…” Assistant: “…” Why: …",
                question,
            )
    for asked in rubric.judged:
        yield from _contradicted(document, asked)


def _contradicted(document: Document[Rubric], question: Question) -> Iterator[Finding]:
    """A case that is ruled in two ways teaches a judge to guess."""
    ruled: dict[tuple[str, str], YesNo] = {}
    for ruling in question.rulings:
        case = (" ".join(ruling.user.split()), " ".join(ruling.assistant.split()))
        before = ruled.setdefault(case, ruling.answer)
        if before != ruling.answer:
            yield document.finding(
                f"{question.id} rules {before.upper()} and {ruling.answer.upper()} on the same reply: “{ruling.assistant}”",
                "keep the one that its Yes and No call for",
                question.id,
            )


def unlike(documents: Documents) -> Iterable[Finding]:
    """Rulings are told from other judged questions of the same category, and only by a YES or NO."""
    document, rubric = _rubric(documents)
    for category in rubric.categories:
        judged = {question.id for question in category.questions if question.measured is None}
        for question in category.questions:
            for ruling in question.rulings:
                if other := [id for id in ruling.unlike if id not in judged or id == question.id]:
                    yield document.finding(
                        f"a ruling of {question.id} is unlike {', '.join(other)}, which is no other judged question of "
                        f"“{category.name}”",
                        "name questions of the same category, or take the Unlike out",
                        question.id,
                    )
                if ruling.unlike and ruling.answer == "na":
                    yield document.finding(
                        f"a ruling of {question.id} is N/A, and tells nothing from {', '.join(ruling.unlike)}",
                        "take its Unlike out, or rule yes or no",
                        question.id,
                    )


def not_applicable(documents: Documents) -> Iterable[Finding]:
    """A ruling is N/A only where its question allows it."""
    document, rubric = _rubric(documents)
    for question in rubric.judged:
        if not question.na.strip() and any(ruling.answer == "na" for ruling in question.rulings):
            yield document.finding(
                f"a ruling of {question.id} is N/A, which {question.id} does not allow",
                "rule yes or no, or say when it does not apply: “- N/A: …”",
                question.id,
            )


def quotes(documents: Documents) -> Iterable[Finding]:
    """What a ruling quotes as decisive stands in its snippet."""
    document, rubric = _rubric(documents)
    for question in rubric.judged:
        for ruling in question.rulings:
            for quote in quoting.misquoted(ruling.why, quoting.snippet(ruling)):
                yield document.finding(
                    f"a ruling of {question.id} rests on “{quote}”, which neither the user nor the assistant says there",
                    quoting.FIX,
                    question.id,
                )

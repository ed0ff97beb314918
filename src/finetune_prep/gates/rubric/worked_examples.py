"""Gates of the rubric's worked examples: complete, reasoned, and scored by the program as they claim to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from finetune_prep.core import measures
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.finding import Finding
from finetune_prep.core.rubric import Claim, Example, Rubric, Score, YesNo, score
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates import quoting
from finetune_prep.gates.premises import Unchecked, need
from finetune_prep.method import limits
from finetune_prep.words import count_words

CLAIMS: tuple[Claim, ...] = ("strong", "mediocre", "violation")
FEWEST_WORDS = 3  # of a reason
MOST_ALIKE = 3  # answers of one example with the same reason: “Nobody is hurt.” may decide more than one


def _examples(documents: Documents) -> tuple[Document[Rubric], Rubric]:
    document, rubric = need(documents, Documents.rubric)
    return document, rubric


def kinds(documents: Documents) -> Iterable[Finding]:
    """A strong, a mediocre and a violating conversation are among the examples."""
    document, rubric = _examples(documents)
    present = {example.claim for example in rubric.examples}
    for claim in CLAIMS:
        if claim not in present:
            yield document.finding(
                f"no {claim} example",
                f"add “### E{len(rubric.examples) + 1}. {claim.capitalize()}: …” with its answers",
                "examples",
            )


def complete(documents: Documents) -> Iterable[Finding]:
    """Every worked example answers each judged question, and no others."""
    document, rubric = _examples(documents)
    judged = [question.id for question in rubric.judged]
    measured = {question.id for question in rubric.measured}
    for example in rubric.examples:
        given = [expected.question for expected in example.answers]
        if missing := [question for question in judged if question not in given]:
            yield document.finding(
                f"{example.id} does not answer {', '.join(missing)}", f"add “- {missing[0]}: yes. Why.”", example.id
            )
        for question in given:
            if question not in judged and question not in measured:
                yield document.finding(f"{example.id} answers {question}, which is no question", "drop that line", example.id)


def spoken(documents: Documents) -> Iterable[Finding]:
    """In every example the assistant speaks: questions about its replies have no answer otherwise."""
    document, rubric = _examples(documents)
    for example in rubric.examples:
        if not example.conversation.exchanges:
            yield document.finding(f"in {example.id} the assistant says nothing", "add its reply: > **Assistant:** …", example.id)


def reasons(documents: Documents) -> Iterable[Finding]:
    """Every answer of an example has a reason of its own, in a few words at least."""
    document, rubric = _examples(documents)
    for example in rubric.examples:
        if bare := [expected.question for expected in example.answers if count_words(expected.reason) < FEWEST_WORDS]:
            yield document.finding(
                f"{example.id} gives no reason for {', '.join(bare)}",
                "point at the words that decide: “yes. Names the bowl.”",
                example.id,
            )
        counts = Counter(" ".join(expected.reason.casefold().split()) for expected in example.answers if expected.reason.strip())
        reason, times = counts.most_common(1)[0] if counts else ("", 0)
        if times > MOST_ALIKE:
            yield document.finding(
                f"{example.id} gives the same reason {times} times: “{reason}”",
                "say for each question which words decide",
                example.id,
            )


def quotes(documents: Documents) -> Iterable[Finding]:
    """What the reason for an answer quotes stands in the example's conversation."""
    document, rubric = _examples(documents)
    for example in rubric.examples:
        for expected in example.answers:
            for quote in quoting.misquoted(expected.reason, example.conversation):
                yield document.finding(
                    f"{example.id} answers {expected.question} from “{quote}”, which nobody says there", quoting.FIX, example.id
                )


def not_applicable(documents: Documents) -> Iterable[Finding]:
    """N/A stands only where the question allows it."""
    document, rubric = _examples(documents)
    never = {question.id for question in rubric.questions if not question.na.strip()}
    for example in rubric.examples:
        for expected in example.answers:
            if expected.answer == "na" and expected.question in never:
                yield document.finding(
                    f"{example.id} answers N/A to {expected.question}, which does not allow it",
                    f"answer yes or no, or say under {expected.question} when it does not apply: “- N/A: …”",
                    example.id,
                )


def measured_agree(documents: Documents) -> Iterable[Finding]:
    """Where an example answers a measured question, it says what the program measures."""
    document, rubric = _examples(documents)
    for example in rubric.examples:
        computed = measured_answers(rubric, example.conversation)
        for expected in example.answers:
            measured = computed.get(expected.question, expected.answer)
            if measured != expected.answer:
                yield document.finding(
                    f"{example.id} answers {expected.answer} to {expected.question}; measured, it is {measured}",
                    "drop the line (it is measured anyway), or change the conversation",
                    example.id,
                )


def scores(documents: Documents) -> Iterable[Finding]:
    """Scored by the program, every example comes out as it claims."""
    document, rubric = _examples(documents)
    incomplete: list[str] = []
    for example in rubric.examples:
        if example.claim not in CLAIMS:
            continue
        answers = all_answers(rubric, example)
        if any(question.id not in answers for question in rubric.questions):
            incomplete.append(example.id)
            continue
        yield from _claim_findings(document, rubric, example, score(rubric, answers))
    if incomplete:
        raise Unchecked(f"answers are missing, so there is no score: {', '.join(incomplete)}")


def _claim_findings(document: Document[Rubric], rubric: Rubric, example: Example, result: Score) -> Iterator[Finding]:
    figure = "no score" if result.value is None else f"{result.value:.2f} at a threshold of {rubric.threshold:.2f}"
    violated = ", ".join(result.safety_failed)
    if example.claim == "strong" and not result.passed:
        because = f"a safety NO ({violated})" if violated else f"{figure}; NO to {', '.join(result.failed)}"
        yield document.finding(
            f"{example.id} claims to be strong and fails: {because}", "fix the conversation or the answers", example.id
        )
    elif example.claim == "strong" and (result.value or 0) < limits.STRONG:
        yield document.finding(
            f"{example.id} claims to be strong and scores {result.value:.2f}; NO to {', '.join(result.failed)}",
            f"show what the model should learn: a score of at least {limits.STRONG:.2f}",
            example.id,
        )
    if example.claim == "mediocre" and violated:
        yield document.finding(
            f"{example.id} claims to be mediocre and violates safety ({violated})",
            "make it harmless: it shows what fails by its score alone",
            example.id,
        )
    elif example.claim == "mediocre" and result.passed:
        yield document.finding(
            f"{example.id} claims to be mediocre and passes: {figure}",
            "if its answers are honest, the rubric lets mediocrity pass: tighten it, or choose a weaker conversation",
            example.id,
        )
    if example.claim == "violation" and not violated:
        yield document.finding(
            f"{example.id} claims a violation and has no safety NO", "show one, with NO to the question it breaks", example.id
        )


def measured_answers(rubric: Rubric, conversation: Conversation) -> dict[str, YesNo]:
    """The answers that a program gives: those to measured questions."""
    return {
        question.id: "yes" if measures.holds(question.measured, conversation) else "no"
        for question in rubric.measured
        if question.measured is not None
    }


def all_answers(rubric: Rubric, example: Example) -> Mapping[str, YesNo]:
    """Expected answers joined with measured ones, which prevail."""
    expected: dict[str, YesNo] = {expected.question: expected.answer for expected in example.answers}
    return expected | measured_answers(rubric, example.conversation)

"""Gates for which the judge gets the real evaluation prompt and a conversation, and never the answers expected of it.

Agreeing with oneself proves nothing: a calibration is judged with that calibration left out of the prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.finding import Finding
from finetune_prep.core.prompts import EvaluationPrompt
from finetune_prep.core.request import Origin
from finetune_prep.core.rubric import Example, Rubric, YesNo
from finetune_prep.core.verdict import Judgement, conclude
from finetune_prep.documents import body
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.splice import remove_item
from finetune_prep.gates.premises import Unchecked
from finetune_prep.method.gates import Gate
from finetune_prep.phases.examining.gate_requests import Asked, Sound, quoted, sound
from finetune_prep.phases.pilot.judging import read_verdict, verdict_request
from finetune_prep.phases.session import Requests

Conclude = Callable[[Document[Any], Rubric, Example, dict[str, Judgement]], tuple[Finding, ...]]
SPOKEN: dict[YesNo, str] = {"yes": "YES", "no": "NO", "na": "N/A"}


def ask_blind(requests: Requests, documents: Documents, gate: Gate) -> tuple[Asked, ...]:
    """The requests of a gate: one for each example.

    Raises Unchecked if the prompt does not ask what the rubric asks, or if there is no example.
    """
    judge = sound(documents, Documents.evaluation_prompt)
    rubric = sound(documents, Documents.rubric).value
    _need_same_questions(judge.value, rubric)
    document, value = sound(documents, KINDS[gate.documents[-1]])
    examples, conclusion = EXAMPLES[gate.id](value)
    if not examples:
        raise Unchecked(f"{document.path} holds no conversation to be judged")
    bench = Bench(requests, gate, document, judge, rubric, conclusion)
    return tuple(bench.asked(example) for example in examples)


def _need_same_questions(prompt: EvaluationPrompt, rubric: Rubric) -> None:
    asked = {question.id for category in prompt.categories for question in category.questions}
    if not rubric.judged:
        raise Unchecked("every question of the rubric is measured: there is nothing for a judge to answer")
    if asked != {question.id for question in rubric.judged}:
        path = Documents.evaluation_prompt.path
        raise Unchecked(f"{path} does not ask the rubric's questions; run `finetune-prep evaluation-prompt` first")


class Bench(NamedTuple):
    """Everything by which the examples of one gate are judged."""

    requests: Requests
    gate: Gate
    document: Document[Any]
    """The document in which they stand."""
    judge: Sound[EvaluationPrompt]
    """The evaluation prompt."""
    rubric: Rubric
    conclude: Conclude

    def asked(self, example: Example) -> Asked:
        prompt = prompt_without(self.judge, example.conversation)
        request = verdict_request(self.requests, prompt, self.rubric, example.conversation, Origin(self.gate.id, example.id))
        # phase and origin are no part of a request's key: a verdict that a pilot asked for is the same verdict
        request = msgspec.structs.replace(request, phase=self.gate.phase)
        return Asked(request, lambda text: self.conclude(self.document, self.rubric, example, read_verdict(text, self.rubric)))


def prompt_without(judge: Sound[EvaluationPrompt], conversation: Conversation) -> str:
    """The evaluation prompt as it is sent, without the calibrations that show this conversation and its answers."""
    text = judge.document.text
    for calibration in judge.value.calibrations:
        if calibration.conversation.id == conversation.id:
            text = remove_item(text, calibration.id)
    return body(text).strip()


def disagreements(document: Document[Any], rubric: Rubric, example: Example, judged: dict[str, Judgement]) -> tuple[Finding, ...]:
    """Where the judge answers otherwise than the example expects. Measured questions are the program's, not the judge's."""
    return tuple(
        document.finding(
            f"{example.id} expects {SPOKEN[expected.answer]} to {expected.question}, and a judge who is not shown that answers "
            f"{SPOKEN[given.answer]}, from {_evidence(given)}",
            f"let Yes and No of {expected.question} decide this case, or correct the expected answer",
            example.id,
        )
        for expected in example.answers
        if (given := judged.get(expected.question)) and given.answer != expected.answer
    )


def shortcomings(document: Document[Any], rubric: Rubric, example: Example, judged: dict[str, Judgement]) -> tuple[Finding, ...]:
    """One finding if the judged conversation does not pass the rubric."""
    verdict = conclude(rubric, example.conversation, judged, judge="")
    score = verdict.score(rubric)
    if score is None or score.passed:  # `judged` is complete, so there is a score
        return ()
    figure = "nothing could be assessed" if score.value is None else f"{score.value:.2f} at a threshold of {rubric.threshold:.2f}"
    failed = [f"{question} ({_evidence(verdict.answers[question])})" for question in score.failed]
    return (
        document.finding(
            f"{example.id} does not pass when a judge answers: {figure}" + (f"; NO to {', '.join(failed)}" if failed else ""),
            "rewrite the conversation until it passes, or the question if it is the judge who is wrong",
            example.id,
        ),
    )


def _evidence(judgement: Judgement) -> str:
    return f"“{quoted(judgement.evidence)}”" if judgement.evidence.strip() else "no evidence"


# gate → from the value that holds its examples to these and to what is made of their verdicts
EXAMPLES: dict[str, Callable[[Any], tuple[tuple[Example, ...], Conclude]]] = {
    "worked-examples.judged-blind": lambda rubric: (rubric.examples, disagreements),
    "evaluation-prompt.judged-blind": lambda prompt: (prompt.calibrations, disagreements),
    "generation-prompt.few-shots-pass": lambda prompt: (prompt.few_shots, shortcomings),
}

"""Gates for which the judge gets the real evaluation prompt and a conversation, and never the answers expected of it.

Agreeing with oneself proves nothing: what carries expected answers is judged with all calibrations left out of the prompt. So the
rubric's own words have to decide it, and a calibration that is rewritten leaves what was asked about the others as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.prompts import EvaluationPrompt
from finetune_prep.core.request import Origin
from finetune_prep.core.rubric import Example, Rubric, accepted
from finetune_prep.core.verdict import Judgement, conclude
from finetune_prep.documents import body
from finetune_prep.documents.document import Document
from finetune_prep.documents.evaluation_prompt import CALIBRATION
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.splice import remove_section
from finetune_prep.gates.premises import Unchecked
from finetune_prep.method.gates import Gate
from finetune_prep.phases.examining.gate_requests import Asked, Sound, quoted, sound
from finetune_prep.phases.pilot.judging import SPOKEN, read_verdict, verdict_request
from finetune_prep.phases.requests import Requests

REWRITE = "rewrite the conversation until it passes, or the question if it is the judge who is wrong"
Conclude = Callable[["Bench", Example, dict[str, Judgement]], tuple[Finding, ...]]


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
    known = documents.get(Documents.knowledge)
    grave = rubric.grave(known.value) if known is not None and known.value is not None else frozenset[str]()
    bench = Bench(requests, gate, document, judge, rubric, grave, conclusion)
    return tuple(bench.asked(example) for example in examples)


def _need_same_questions(prompt: EvaluationPrompt, rubric: Rubric) -> None:
    asked = {question.id for category in prompt.categories for question in category.questions}
    if not rubric.judged:
        raise Unchecked("every question of the rubric is measured: there is nothing for a judge to answer")
    if asked != {question.id for question in rubric.judged}:
        # the rubric comes first: a prompt that asks what its last version asked must not keep a person from accepting it
        kind = Documents.evaluation_prompt
        why = f"{kind.path} does not ask the rubric's questions; run `finetune-prep evaluation-prompt` first"
        raise Unchecked(why, lacks=kind.name)


class Bench(NamedTuple):
    """Everything by which the examples of one gate are judged."""

    requests: Requests
    gate: Gate
    document: Document[Any]
    """The document in which they stand."""
    judge: Sound[EvaluationPrompt]
    """The evaluation prompt."""
    rubric: Rubric
    grave: frozenset[str]
    """Ids of the questions of which a NO makes no training row."""
    conclude: Conclude

    def asked(self, example: Example) -> Asked:
        prompt = body(self.judge.document.text).strip() if self.conclude is shortcomings else uncalibrated(self.judge)
        request = verdict_request(self.requests, prompt, self.rubric, example.conversation, Origin(self.gate.id, example.id))
        # phase and origin are no part of a request's key: a verdict that a pilot asked for is the same verdict
        request = msgspec.structs.replace(request, phase=self.gate.phase)
        return Asked(request, lambda text: self.conclude(self, example, self._read(text, example)))

    def _read(self, text: str, example: Example) -> dict[str, Judgement]:
        return read_verdict(text, self.rubric, example.conversation)


def uncalibrated(judge: Sound[EvaluationPrompt]) -> str:
    """The evaluation prompt as it is sent, without its calibrations."""
    return body(remove_section(judge.document.text, CALIBRATION)).strip()


def disagreements(bench: Bench, example: Example, judged: dict[str, Judgement]) -> tuple[Finding, ...]:
    """Where the judge answers otherwise than the example expects. Measured questions are the program's, not the judge's."""
    return tuple(
        bench.document.finding(
            f"{example.id} expects {SPOKEN[expected.answer]} to {expected.question}, and a judge who is not shown that answers "
            f"{SPOKEN[given.answer]}, from {_evidence(given)}",
            f"let Yes and No of {expected.question} decide this case, or correct the expected answer",
            example.id,
        )
        for expected in example.answers
        if (given := judged.get(expected.question)) and given.answer != expected.answer
    )


def shortcomings(bench: Bench, example: Example, judged: dict[str, Judgement]) -> tuple[Finding, ...]:
    """One finding if the judged conversation would be no training row."""
    verdict = conclude(bench.rubric, example.conversation, judged, judge="")
    score = verdict.score(bench.rubric)
    if score is None or accepted(score, bench.grave):  # without a score somebody in it speaks to the judge
        return () if score else (bench.document.finding(f"{example.id} has no score: {verdict.missing}", REWRITE, example.id),)
    if score.passed:
        failed = ", ".join(f"{id} ({_evidence(verdict.answers[id])})" for id in score.failed if id in bench.grave)
        what = f"{example.id} passes and is flawed when a judge answers: NO to {failed}, which catches a serious failure"
        return (bench.document.finding(what, REWRITE, example.id),)
    threshold = bench.rubric.threshold
    figure = "nothing could be assessed" if score.value is None else f"{score.value:.2f} at a threshold of {threshold:.2f}"
    failed = ", ".join(f"{question} ({_evidence(verdict.answers[question])})" for question in score.failed)
    what = f"{example.id} does not pass when a judge answers: {figure}" + (f"; NO to {failed}" if failed else "")
    return (bench.document.finding(what, REWRITE, example.id),)


def _evidence(judgement: Judgement) -> str:
    return f"“{quoted(judgement.evidence)}”" if judgement.evidence.strip() else "no evidence"


# gate → from the value that holds its examples to these and to what is made of their verdicts
EXAMPLES: dict[str, Callable[[Any], tuple[tuple[Example, ...], Conclude]]] = {
    "worked-examples.judged-blind": lambda rubric: (rubric.examples, disagreements),
    "evaluation-prompt.judged-blind": lambda prompt: (prompt.calibrations, disagreements),
    "generation-prompt.few-shots-pass": lambda prompt: (prompt.few_shots, shortcomings),
}

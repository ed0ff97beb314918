"""Gates of prompts/evaluation-prompt.md: the rubric as a judge gets it, and the examples that calibrate the judge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.prompts import EvaluationPrompt
from finetune_prep.core.rubric import Category, Question, Rubric, Ruling
from finetune_prep.core.verdict import STEERING
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates import quoting
from finetune_prep.gates.premises import Unchecked, is_english, need, need_english, parts_in_order
from finetune_prep.gates.wording import leans_outside, placeholders, points_elsewhere, same_words
from finetune_prep.method import limits

PARTS = ("Role and context", "Rubric", "Input format", "Output format", "Calibration examples")
OUTPUT = "output format"
_PURPOSE = re.compile(
    r"\b(?:training (?:data|set|conversations|examples)|fine-?tun\w+|dataset|data set|trained (?:on|with|from)"
    r"|train\w* (?:a|the|another) (?:\w+ )?model)\b",
    re.I,
)
_FILTER = re.compile(r"\b(?:filter\w*|select\w*|decid\w+|keep|kept|choos\w+|chosen|become\w*|enter\w*|admit\w*|go into)\b", re.I)
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<body>.*?)^ {0,3}(?P=fence)", re.MULTILINE | re.DOTALL)
RUN = "run `finetune-prep evaluation-prompt` to put it in anew"


def _prompt(documents: Documents) -> tuple[Document[EvaluationPrompt], EvaluationPrompt]:
    return need(documents, Documents.evaluation_prompt)


def _with_rubric(documents: Documents) -> tuple[Document[EvaluationPrompt], EvaluationPrompt, Rubric]:
    document, prompt = _prompt(documents)
    _, rubric = need(documents, Documents.rubric)
    return document, prompt, rubric


def parts(documents: Documents) -> Iterable[Finding]:
    """Role and context, rubric, input format, output format and calibration examples stand in this order."""
    document, _ = _prompt(documents)
    yield from parts_in_order(document, PARTS)


def purpose(documents: Documents) -> Iterable[Finding]:
    """The prompt says that verdicts decide what becomes training data."""
    document, prompt = _prompt(documents)
    said = f"{prompt.role}\n{prompt.input}\n{prompt.output}"
    if _PURPOSE.search(said) and _FILTER.search(said):
        return
    if not is_english(documents):
        raise Unchecked(
            "no English sentence says what verdicts are for; whoever accepts it decides about other languages", reader=True
        )
    yield document.finding(
        "the prompt does not say what verdicts are for",
        "add: “Your verdicts decide which conversations become training data.”",
        "role and context",
    )


def self_contained(documents: Documents) -> Iterable[Finding]:
    """No link, no file, and no text still to be written: a judge has nothing but the prompt."""
    document, _ = _prompt(documents)
    yield from leans_outside(document)
    yield from placeholders(document, spoken=False)


def says_it_here(documents: Documents) -> Iterable[Finding]:
    """No "see the handbook": everything is said where it is needed."""
    document, _ = _prompt(documents)
    need_english(documents)
    yield from points_elsewhere(document)


def questions(documents: Documents) -> Iterable[Finding]:
    """The judged questions of the rubric stand word for word and in its order, safety first; measured ones are left out."""
    document, prompt, rubric = _with_rubric(documents)
    given = {question.id: question for category in prompt.categories for question in category.questions}
    measured = {question.id for question in rubric.measured}
    for question in rubric.judged:
        if question.id not in given:
            yield document.finding(f"{question.id} of the rubric is not asked: “{question.text}”", RUN, "rubric")
        else:
            yield from _drift(document, question, given[question.id])
    wanted = [question.id for question in rubric.judged]
    for question_id in given:
        if question_id in measured:
            yield document.finding(
                f"{question_id} is asked, and measured by the program", "take it out: judges can't count", question_id
            )
        elif question_id not in wanted:
            yield document.finding(f"{question_id} is asked, and not in the rubric", f"take it out, or {RUN}", question_id)
    order = [question_id for question_id in given if question_id in wanted]
    if order != [question_id for question_id in wanted if question_id in given]:
        yield document.finding(
            f"the questions stand in another order than in the rubric: {', '.join(order)}", f"safety first; {RUN}", "rubric"
        )


def _drift(document: Document[EvaluationPrompt], question: Question, given: Question) -> Iterator[Finding]:
    fields = (
        ("its question", question.text, given.text),
        ("Yes", question.yes, given.yes),
        ("No", question.no, given.no),
        ("N/A", question.na, given.na),
    )
    changed = [name for name, wanted, found in fields if not same_words(wanted, found)]
    if _words(question.as_asked.rulings) != _words(given.as_asked.rulings):
        changed.append("its rulings")
    if changed:
        yield document.finding(f"{question.id} differs from the rubric in {', '.join(changed)}", RUN, question.id)


def _words(rulings: Iterable[Ruling]) -> list[list[str]]:
    return [[ruling.answer, *f"{ruling.user} / {ruling.assistant} / {ruling.why}".split()] for ruling in rulings]


def categories(documents: Documents) -> Iterable[Finding]:
    """The categories have the rubric's names and weights, and hold the same questions."""
    document, prompt, rubric = _with_rubric(documents)
    given = {category.name: category for category in prompt.categories}
    wanted = {category.name: category for category in rubric.categories if any(q.measured is None for q in category.questions)}
    for name, category in wanted.items():
        if name not in given:
            yield document.finding(f"the category “{name}” of the rubric has no heading of its own", RUN, "rubric")
        elif given[name].weight != category.weight:
            here, there = _attribute(given[name]), _attribute(category)
            yield document.finding(f"“{name}” has {here} here and {there} in the rubric", RUN, "rubric")
    for name in given:
        if name not in wanted:
            yield document.finding(f"the category “{name}” is not in the rubric", RUN, "rubric")
    places = {question.id: name for name, category in wanted.items() for question in category.questions}
    for name, category in given.items():
        for question in category.questions:
            if name in wanted and places.get(question.id, name) != name:
                yield document.finding(
                    f"{question.id} stands under “{name}”, in the rubric under “{places[question.id]}”", RUN, question.id
                )


def _attribute(category: Category) -> str:
    return "(gate)" if category.weight is None else f"(weight {category.weight:g})"


def terms(documents: Documents) -> Iterable[Finding]:
    """The terms of the rubric stand word for word."""
    document, prompt, rubric = _with_rubric(documents)
    given = {term.name: term.meaning for term in prompt.terms}
    for term in rubric.terms:
        if term.name not in given:
            yield document.finding(f"the term “{term.name}” of the rubric is not defined", RUN, "rubric")
        elif not same_words(term.meaning, given[term.name]):
            yield document.finding(f"the term “{term.name}” is defined otherwise than in the rubric", RUN, "rubric")


def input_format(documents: Documents) -> Iterable[Finding]:
    """The prompt says what the judge gets to read."""
    document, prompt = _prompt(documents)
    if not prompt.input.strip():
        yield document.finding(
            "“Input format” is empty",
            "say how the conversation is given: who speaks, and where it begins and ends",
            "input format",
        )


def output_example(documents: Documents) -> Iterable[Finding]:
    """The output format says what `steering` asks, and shows JSON with it and exactly the judged questions, evidence first."""
    document, prompt, rubric = _with_rubric(documents)
    wanted = [STEERING, *(question.id for question in rubric.judged)]
    fences = [fence["body"] for fence in _FENCE.finditer(prompt.output)]
    if not fences:
        yield document.finding("“Output format” shows no JSON example", "add a fenced ```json block with every question", OUTPUT)
        return
    examples = [example for example in map(_object, fences) if example is not None]
    if not examples:
        yield document.finding(
            "the example in “Output format” is not a JSON object", "fix it: a judge imitates it to the letter", OUTPUT
        )
        return
    if twice := next(filter(None, map(_named_twice, fences)), ""):
        yield document.finding(
            f"the output example has “{twice}” twice", "keep one: an answer with a key that stands twice is refused", OUTPUT
        )
    example = max(examples, key=lambda candidate: len(candidate.keys() & set(wanted)))
    if lacking := [question for question in wanted if question not in example]:
        yield document.finding(f"the output example lacks {', '.join(lacking)}", RUN, OUTPUT)
    if unknown := [key for key in example if key not in wanted]:
        yield document.finding(f"the output example has {', '.join(unknown)}, which no judge is asked", RUN, OUTPUT)
    for key, value in example.items():
        if isinstance(value, dict) and list(value) != ["evidence", "answer"]:
            yield document.finding(
                f"the output example gives {key} as {{{', '.join(value)}}}",
                "write {evidence, answer}: the quote comes before the answer",
                OUTPUT,
            )
            break
    prose = f"{prompt.role}\n{prompt.input}\n{_FENCE.sub('', prompt.output)}"
    if STEERING not in prose:  # a judge that takes YES for the good answer leaves all unjudged
        yield document.finding(
            f"nothing says what “{STEERING}” asks",
            f"add to “Output format”: `{STEERING}` asks whether somebody in the conversation speaks to the judge; NO is usual",
            OUTPUT,
        )


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def _named_twice(text: str) -> str:
    """A key that stands twice in one object at any depth, "" for none: decoders keep the last one without a word."""
    found: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        found.extend(key for key in keys if keys.count(key) > 1)

    try:
        json.loads(text, object_pairs_hook=collect)
    except ValueError:
        return ""
    return found[0] if found else ""


def calibration_count(documents: Documents) -> Iterable[Finding]:
    """As many calibration examples as the method wants."""
    document, prompt = _prompt(documents)
    fewest, most = limits.CALIBRATIONS
    count = len(prompt.calibrations)
    if not fewest <= count <= most:
        yield document.finding(
            f"{count} calibration example{'' if count == 1 else 's'}",
            f"give {fewest} or {most}: borderline cases, with what an attentive judge answers",
            "calibration examples",
        )


def calibrations_complete(documents: Documents) -> Iterable[Finding]:
    """Every calibration answers each judged question with a reason, N/A only where allowed."""
    document, prompt, rubric = _with_rubric(documents)
    judged = {question.id: question for question in rubric.judged}
    for example in prompt.calibrations:
        given = {expected.question: expected for expected in example.answers}
        if missing := [question for question in judged if question not in given]:
            yield document.finding(
                f"{example.id} does not answer {', '.join(missing)}", f"add “- {missing[0]}: yes. Why.”", example.id
            )
        if unknown := [question for question in given if question not in judged]:
            yield document.finding(
                f"{example.id} answers {', '.join(unknown)}, which no judge is asked", "drop these lines", example.id
            )
        if bare := [question for question, expected in given.items() if not expected.reason.strip()]:
            yield document.finding(
                f"{example.id} gives no reason for {', '.join(bare)}", "point at the words that decide", example.id
            )
        for question, expected in given.items():
            if expected.answer == "na" and question in judged and not judged[question].na.strip():
                yield document.finding(
                    f"{example.id} answers N/A to {question}, which does not allow it", "answer yes or no", example.id
                )


def calibrations_quote(documents: Documents) -> Iterable[Finding]:
    """What the reasons of a calibration quote stands in its conversation."""
    document, prompt = _prompt(documents)
    for example in prompt.calibrations:
        for expected in example.answers:
            for quote in quoting.misquoted(expected.reason, example.conversation):
                what = f"{example.id} answers {expected.question} from “{quote}”, which nobody says there"
                yield document.finding(what, quoting.FIX, example.id)


def calibrations_both_ways(documents: Documents) -> Iterable[Finding]:
    """Among the answers of the calibrations are both yes and no."""
    document, prompt = _prompt(documents)
    answers = {expected.answer for example in prompt.calibrations for expected in example.answers}
    for answer in ("yes", "no"):
        if answers and answer not in answers:
            yield document.finding(
                f"no calibration answers {answer} to anything",
                f"add one where {answer} is right: a judge repeats what it was shown",
                "calibration examples",
            )

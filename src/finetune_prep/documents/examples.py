"""Conversations that teach: worked examples (E1), witnesses (W1), calibrations (C1) and few-shots (X1)."""

from __future__ import annotations

import re

from finetune_prep.core.rubric import Claim, Example, Expected, YesNo
from finetune_prep.markdown.inline import entry_id, guard_category, written
from finetune_prep.markdown.page import bullets, fields, id_list, item_heading
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.turns import render_conversation

_CLAIMS: dict[str, Claim] = {
    "strong": "strong",
    "mediocre": "mediocre",
    "safety violation": "violation",
    "violation": "violation",
    "witness": "witness",
}
_TITLE = re.compile(rf"(?P<claim>{'|'.join(_CLAIMS)})(?:\s+(?:response|example))?\s*:\s*(?P<title>.*)", re.IGNORECASE | re.DOTALL)
_ANSWER = re.compile(r"(?P<answer>yes|no|n/?a)(?:\s*[.,:;–—-])?(?:\s+(?P<reason>.*))?", re.IGNORECASE | re.DOTALL)
_WRITTEN: dict[YesNo, str] = {"yes": "yes", "no": "no", "na": "n/a"}


def read_worked(reader: Reader, part: Part) -> Example:
    """A worked example or witness; the first word of its title says which."""
    found = _TITLE.fullmatch(part.name)
    claim: Claim = "witness" if part.id.startswith("W") else "strong"
    if found:
        claim = _CLAIMS[" ".join(found["claim"].casefold().split())]
    elif claim != "witness":
        fix = f"begin its title with Strong, Mediocre or Violation: {part.id}. Strong: …"
        reader.add(part.node.line, f"{part.id} does not say what it stands for", fix, part.id)
    return Example(
        id=part.id,
        claim=claim,
        title=found["title"].strip() if found else part.name,
        conversation=reader.conversation(part),
        answers=_answers(reader, part),
    )


def read_calibration(reader: Reader, part: Part) -> Example:
    return Example(
        id=part.id, claim="calibration", title=part.name, conversation=reader.conversation(part), answers=_answers(reader, part)
    )


def read_few_shot(reader: Reader, part: Part) -> Example:
    found = reader.fields(part, ("Techniques", "Tone", "Why"))
    return Example(
        id=part.id,
        claim="few-shot",
        title=part.name,
        conversation=reader.conversation(part),
        techniques=found.ids("Techniques"),
        tone=found.get("Tone"),
        why=found.get("Why"),
    )


def _answers(reader: Reader, part: Part) -> tuple[Expected, ...]:
    answers: dict[str, Expected] = {}
    for entry in part.node.entries:
        label = entry_id(entry.nested_text)
        if label is None:
            continue
        found = _ANSWER.fullmatch(label.text)
        if found is None:
            reader.add(
                entry.line, f"{part.id} gives no answer to {label.id}", f"write: - {label.id}: yes. Why (or no, or n/a)", part.id
            )
        elif label.id in answers:
            reader.add(entry.line, f"{part.id} answers {label.id} twice", "remove one of the two", part.id)
        else:
            answers[label.id] = Expected(label.id, _answer(found["answer"]), (found["reason"] or "").strip())
    return tuple(answers.values())


def _answer(text: str) -> YesNo:
    match text.casefold():
        case "yes":
            return "yes"
        case "no":
            return "no"
        case _:
            return "na"


def render_worked(example: Example, level: int) -> list[str]:
    title = guard_category(written(f"{example.claim.capitalize()}: {example.title}"))
    return [item_heading(level, example.id, title), render_conversation(example.conversation), *_render_answers(example)]


def render_calibration(example: Example, level: int) -> list[str]:
    title = guard_category(written(example.title))
    return [item_heading(level, example.id, title), render_conversation(example.conversation), *_render_answers(example)]


def render_few_shot(example: Example, level: int) -> list[str]:
    return [
        item_heading(level, example.id, written(example.title)),
        *fields([("Techniques", id_list(example.techniques)), ("Tone", example.tone)]),
        render_conversation(example.conversation),
        *fields([("Why", example.why)]),
    ]


def _render_answers(example: Example) -> list[str]:
    return bullets(
        f"{answer.question}: {_WRITTEN[answer.answer]}. {written(answer.reason)}".rstrip() for answer in example.answers
    )

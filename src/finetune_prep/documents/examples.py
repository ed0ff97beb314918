"""Conversations that teach: worked examples (E1), rulings of questions, calibrations (C1) and few-shots (X1)."""

from __future__ import annotations

import re

from finetune_prep.core.rubric import Claim, Example, Expected, Ruling, YesNo
from finetune_prep.markdown.inline import entry_id, guard, guard_category, one_line, unguard, unguarded, written
from finetune_prep.markdown.page import bullets, fields, id_list, item_heading
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.turns import render_conversation

_CLAIMS: dict[str, Claim] = {
    "strong": "strong",
    "mediocre": "mediocre",
    "safety violation": "violation",
    "violation": "violation",
}
_TITLE = re.compile(rf"(?P<claim>{'|'.join(_CLAIMS)})(?:\s+(?:response|example))?\s*:\s*(?P<title>.*)", re.IGNORECASE | re.DOTALL)
_ANSWER = re.compile(r"(?P<answer>yes|no|n/?a)(?:\s*[.,:;–—-])?(?:\s+(?P<reason>.*))?", re.IGNORECASE | re.DOTALL)
_WRITTEN: dict[YesNo, str] = {"yes": "yes", "no": "no", "na": "n/a"}
_ANSWER_FIRST = re.compile(r"\W*(?P<answer>yes|no|n/?a)\b", re.IGNORECASE)
_LABEL = re.compile(r"\b(?P<label>User|Assistant|Why|Unlike)[:：]")
_QUOTED = re.compile(r"“(?P<text>.*)”|\"(?P<plain>.*)\"|„(?P<low>.*)[“”]|«(?P<angled>.*)»|「(?P<corner>.*)」", re.DOTALL)
RULING = "write: - Ruling: no. User: “what was said” Assistant: “the reply” Why: what decides it."


def read_worked(reader: Reader, part: Part) -> Example:
    """A worked example; the first word of its title says what it claims to be."""
    found = _TITLE.fullmatch(part.name)
    claim: Claim = "strong"
    if found:
        claim = _CLAIMS[" ".join(found["claim"].casefold().split())]
    else:
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


# ---- rulings, in one line below their question: `- Ruling: no. User: “…” Assistant: “…” Why: …. Unlike: HE2`


def read_ruling(reader: Reader, question: str, line: int, text: str) -> Ruling | None:
    """The ruling that stands in the field's text; None, and a finding, if it is not one."""
    answer, found = _parts(text)
    lacking = [label for label in ("User", "Assistant", "Why") if not found.get(label)]
    if answer is None or lacking:
        what = f"lacks {', '.join(lacking)}" if answer else "begins with no answer"
        reader.lose(line, f"a ruling of {question} {what}", RULING, question)
        return None
    unlike = reader.ids(found.get("Unlike", ""), line, question)
    return Ruling(answer=answer, user=found["User"], assistant=found["Assistant"], why=found["Why"], unlike=unlike)


def _parts(text: str) -> tuple[YesNo | None, dict[str, str]]:
    """The answer, and the values by their labels; of a label that stands twice the first."""
    labels = list(unguarded(_LABEL).finditer(text))
    start = labels[0].start() if labels else len(text)
    begin = _ANSWER_FIRST.match(text[:start])
    answer = _answer(begin["answer"]) if begin else None
    ends = [*(label.start() for label in labels), len(text)][1:]
    found: dict[str, str] = {}
    for label, end in zip(labels, ends, strict=True):
        value = text[label.end() : end].strip()
        found.setdefault(label["label"], _unquoted(value) if label["label"] in ("User", "Assistant") else unguard(value, _LABEL))
    return answer, found


def _unquoted(value: str) -> str:
    """What stands in the quotation marks around a value."""
    quoted = _QUOTED.fullmatch(value.strip("*_ "))
    inner = next(text for text in quoted.groups() if text is not None) if quoted else value
    return unguard(inner.strip(), _LABEL)


def render_ruling(ruling: Ruling) -> str:
    said = f"User: “{_guarded(ruling.user)}” Assistant: “{_guarded(ruling.assistant)}” Why: {_guarded(ruling.why)}"
    unlike = f" Unlike: {id_list(ruling.unlike)}" if ruling.unlike else ""
    return f"{_WRITTEN[ruling.answer]}. {said}{unlike}"


def _guarded(text: str) -> str:
    return guard(one_line(text), _LABEL)

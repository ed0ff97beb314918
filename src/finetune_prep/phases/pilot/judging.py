"""Asking a judge: one call for the whole conversation, which it sees as data; evidence first, then the answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.request import Origin, Request, Schema
from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.verdict import Judgement, Verdict, conclude
from finetune_prep.errors import Unusable
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.session import Requests, Session

SAID: dict[str, YesNo] = {"YES": "yes", "NO": "no", "N/A": "na"}


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    evidence: str
    answer: str


async def judge(session: Session, evaluation_prompt: str, rubric: Rubric, conversation: Conversation, origin: Origin) -> Verdict:
    """The verdict of the judge. An answer that stays unreadable leaves the verdict missing; that is not a NO.

    A rubric whose questions are all measured needs no judge: nobody is asked.
    """
    if not rubric.judged:
        return conclude(rubric, conversation, {}, judge="")
    request = verdict_request(session, evaluation_prompt, rubric, conversation, origin)
    try:
        judged = await session.door.ask_for(request, lambda text: read_verdict(text, rubric))
    except Unusable as error:
        verdict = conclude(rubric, conversation, {}, judge=request.model, missing=error.what)
        return msgspec.structs.replace(verdict, unusable=request.key)
    return conclude(rubric, conversation, judged, judge=request.model)


def verdict_request(
    requests: Requests, evaluation_prompt: str, rubric: Rubric, conversation: Conversation, origin: Origin
) -> Request:
    slots = {
        "evaluation_prompt": evaluation_prompt,
        "boundary": requests.boundary(conversation.id),
        "turns": [{"speaker": message.role, "text": message.shown} for message in conversation.messages],
    }
    return requests.request("judge", slots, phase="pilot", origin=origin, schema=verdict_schema(rubric))


def verdict_schema(rubric: Rubric) -> Schema:
    """JSON Schema of a verdict: an object with every judged question in order; evidence stands before the answer."""
    properties: dict[str, Any] = {}
    for question in rubric.judged:
        allowed = [*SAID] if question.na else ["YES", "NO"]
        properties[question.id] = {
            "type": "object",
            "properties": {"evidence": {"type": "string"}, "answer": {"type": "string", "enum": allowed}},
            "required": ["evidence", "answer"],
            "additionalProperties": False,
        }
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    return Schema(name="verdict", schema=schema)


def read_verdict(text: str, rubric: Rubric) -> dict[str, Judgement]:
    """A judge's answer by question. Raises ValueError naming every question that is not answered as allowed."""
    wanted = {question.id: question for question in rubric.judged}
    given = _given(text, wanted)
    problems = [f"{id} is missing" for id in wanted if id not in given]
    problems += [f"{id} is not a question" for id in given if id not in wanted]
    problems += [f"{id} is answered twice" for id in _answered_twice(text)]
    judged: dict[str, Judgement] = {}
    for id, question in wanted.items():
        if id not in given:
            continue
        said = SAID.get(given[id].answer.strip().upper())
        if said is None:
            problems.append(f"{id} is answered “{given[id].answer}”, not YES, NO or N/A")
        elif said == "na" and not question.na:
            problems.append(f"{id} does not allow N/A")
        else:
            judged[id] = Judgement(said, given[id].evidence)
    if problems:
        raise ValueError(f"{'; '.join(problems)}.")
    return judged


def _given(text: str, wanted: Collection[str]) -> dict[str, Answered]:
    """What the JSON holds. Nothing is repaired: a form that judges are known to give instead is named, and refused."""
    try:
        return schemas.decoded(text, dict[str, Answered])  # what is given twice is named question by question
    except ValueError as error:
        form = _foreign_form(text, wanted)
        if not form:
            raise
        raise ValueError(f"The answer does not follow the schema: {form}.") from error


def _foreign_form(text: str, wanted: Collection[str]) -> str:
    """The form of a verdict that is JSON, but of another kind; "" if it is none of the known ones."""
    try:
        given = json.loads(schemas.unfenced(text))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(given, dict) or not given:
        return ""
    if len(given) == 1 and isinstance(inner := next(iter(given.values())), dict) and set(inner) & set(wanted):
        return f"the questions stand within “{next(iter(given))}”, not at the top"
    answers = [given[id] for id in wanted if id in given]
    if answers and not any(isinstance(answer, dict) for answer in answers):
        return "each question has an answer alone, without evidence"
    if any(isinstance(answer, dict) and isinstance(answer.get("answer"), bool) for answer in answers):
        return "answers are true or false, not YES or NO"
    return ""


def _answered_twice(text: str) -> list[str]:
    """Questions that are given, or answered, more than once: decoders keep the last answer without a word."""
    pairs: list[tuple[str, list[tuple[str, Any]]]] = json.loads(schemas.unfenced(text), object_pairs_hook=list)
    again = [id for id, times in Counter(id for id, _ in pairs).items() if times > 1]
    within = [id for id, parts in pairs if max(Counter(name for name, _ in parts).values()) > 1 and id not in again]
    return [*again, *within]

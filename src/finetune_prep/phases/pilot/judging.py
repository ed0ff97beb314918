"""Asking a judge: one call for the whole conversation, which it sees as data; evidence first, then the answer."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.request import Origin, Request, RoleName, Schema
from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.verdict import CASE, STEERING, Judgement, Verdict, conclude, lacking
from finetune_prep.errors import Unusable
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.requests import Requests

if TYPE_CHECKING:
    from finetune_prep.phases.session import Session

T = TypeVar("T")

SAID: dict[str, YesNo] = {"YES": "yes", "NO": "no", "N/A": "na"}
SPOKEN = {answer: said for said, answer in SAID.items()}


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    evidence: str
    answer: str


async def judge(
    session: Session,
    evaluation_prompt: str,
    rubric: Rubric,
    conversation: Conversation,
    origin: Origin,
    case: str = "",
    *,
    phase: str = "pilot",
) -> Verdict:
    """The verdict of the judge. An answer that stays unreadable leaves the verdict missing; that is not a NO.

    case: what a right answer to the conversation's special case does, "" if it is none. phase: under which the ledger counts it.
    A rubric whose questions are all measured needs no judge: nobody is asked.
    """
    if not rubric.judged:
        return conclude(rubric, conversation, {}, judge="")
    request = verdict_request(session, evaluation_prompt, rubric, conversation, origin, case)
    if phase != request.phase:
        request = msgspec.structs.replace(request, phase=phase)
    return await answered(session, request, rubric, conversation)


async def answered(session: Session, request: Request, rubric: Rubric, conversation: Conversation) -> Verdict:
    """The verdict that a request of `verdict_request` brings. As `judge`."""
    case = request.schema is not None and CASE in request.schema.schema["properties"]
    try:
        judged = await session.door.ask_for(request, lambda text: read_verdict(text, rubric, conversation, case=case))
    except Unusable as error:
        verdict = conclude(rubric, conversation, {}, judge=request.model, missing=error.what)
        return msgspec.structs.replace(verdict, unusable=request.key)
    return conclude(rubric, conversation, judged, judge=request.model)


def verdict_request(
    requests: Requests,
    evaluation_prompt: str,
    rubric: Rubric,
    conversation: Conversation,
    origin: Origin,
    case: str = "",
    *,
    to: RoleName | None = None,
) -> Request:
    """What the judge is asked. case: as of `judge`. to: who is asked in the judge's place."""
    turns = [
        {"turn": number, "speaker": message.role, "text": message.shown}
        for number, message in enumerate(conversation.messages, start=1)
    ]
    slots = {"evaluation_prompt": evaluation_prompt, "turns": turns, "case": case}
    return requests.request("judge", slots, phase="pilot", origin=origin, schema=verdict_schema(rubric, case=bool(case)), to=to)


def verdict_schema(rubric: Rubric, *, case: bool = False) -> Schema:
    """JSON Schema of a verdict: an object with every judged question in order; evidence stands before the answer."""
    return _schema(tuple((question.id, bool(question.na)) for question in rubric.judged), case=case)


@lru_cache(maxsize=8)  # the same for every conversation of a run
def _schema(questions: tuple[tuple[str, bool], ...], *, case: bool) -> Schema:
    """questions: ids, and whether N/A is an answer."""
    allowed = {id: [*SAID] if skippable else ["YES", "NO"] for id, skippable in questions}
    properties = {key: _entry(answers) for key, answers in _with_frame(allowed, ["YES", "NO"], case=case).items()}
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    return Schema(name="verdict", schema=schema)


def _with_frame(questions: Mapping[str, T], framing: T, *, case: bool) -> dict[str, T]:
    """The keys of a verdict in their order: whether somebody steers, the questions, whether the case was met."""
    return {STEERING: framing} | dict(questions) | ({CASE: framing} if case else {})


def _entry(allowed: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"evidence": {"type": "string"}, "answer": {"type": "string", "enum": allowed}},
        "required": ["evidence", "answer"],
        "additionalProperties": False,
    }


def read_verdict(text: str, rubric: Rubric, conversation: Conversation, *, case: bool = False) -> dict[str, Judgement]:
    """A judge's answer by question, with `STEERING` and, if there is a case, `CASE`.

    Raises ValueError naming every question that is not answered as allowed, and those of the gate whose answer lacks the quote
    that it needs: harm is neither claimed nor denied without evidence.
    """
    wanted = _with_frame({question.id: bool(question.na) for question in rubric.judged}, False, case=case)
    given = _given(text, wanted)
    problems = [f"{key} is missing" for key in wanted if key not in given]
    problems += [f"{key} is not a question" for key in given if key not in wanted]
    judged: dict[str, Judgement] = {}
    for key, skippable in wanted.items():
        if key not in given:
            continue
        said = SAID.get(given[key].answer.strip().upper())
        if said is None:
            problems.append(f"{key} is answered “{given[key].answer}”, not YES, NO or N/A")
        elif said == "na" and not skippable:
            problems.append(f"{key} does not allow N/A")
        else:
            judged[key] = Judgement(said, given[key].evidence)
    problems += _unproved(rubric, conversation, judged)
    if problems:
        raise ValueError(f"{'; '.join(problems)}.")
    return judged


def _unproved(rubric: Rubric, conversation: Conversation, judged: Mapping[str, Judgement]) -> list[str]:
    gate = [question for category in rubric.categories if category.gate for question in category.questions]
    return [
        f"{question.id} is answered {SPOKEN[judged[question.id].answer]} and {lacks}"
        for question in gate
        if question.id in judged and (lacks := lacking(question, judged[question.id], conversation))
    ]


def _given(text: str, wanted: Collection[str]) -> dict[str, Answered]:
    """What the JSON holds. Nothing is repaired: a form that judges are known to give instead is named, and refused."""
    try:
        return schemas.read(text, dict[str, Answered])
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

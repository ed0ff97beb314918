"""The pages for looking: where the project stands, the conversations of a run, one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from finetune_prep.core.sample import STATES, Sample
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.project.runs import Run, runs
from finetune_prep.web.desk import Desk
from finetune_prep.web.rendering import page
from finetune_prep.workflow.accepting import ORDER
from finetune_prep.workflow.lookup import requests_of
from finetune_prep.workflow.remembered.answers import standing
from finetune_prep.workflow.reviewing.counting import proof
from finetune_prep.workflow.status.overview import standing_of

BLIND = "to review"  # what stands for the state of a conversation whose verdict is not to be seen yet
A_PAGE = 50  # conversations
SPEAKING = ("user", "assistant")  # who writes a conversation, and knows nothing of its verdict


def start(request: Request) -> Response:
    """Phases, criteria, runs, what waits, and the next command."""
    desk = desk_of(request)
    found = standing(desk.project, standing_of)
    view, criteria = found.overview, found.criteria
    desk.turn_to_what_is(view.due)
    steps = ("finetune-prep accept", "finetune-prep check")
    waits = next((kind for kind in ORDER for step in steps if f"{view.next} ".startswith(f"{step} {kind} ")), "")
    return page(
        request,
        "start.html",
        waits=waits,
        view=view,
        files=desk.files(),
        criteria=criteria,
        met=sum(criterion.answer == "holds" for criterion in criteria),
        waived=sum(criterion.answer == "overridden" for criterion in criteria),
        proof=proof(view.review) if view.review else (),
        waiting=view.due is not None and (view.due.waited_for or desk.anything_waits()),
    )


def talks(request: Request) -> Response:
    """Conversations of a run by state, question and words."""
    desk = desk_of(request)
    run = _run(desk, request.path_params["run"])
    state, question = request.query_params.get("state", ""), request.query_params.get("question", "")
    words = request.query_params.get("words", "").strip()
    cell, thin, odd = (request.query_params.get(name, "") for name in ("cell", "thin", "odd"))
    hidden = desk.hidden()
    rows = [_row(sample, hidden) for sample in desk.samples(run)]
    found = [row for row in rows if _fits(row, state, question, words) and _is_of(row, cell, thin, odd)]
    number = max(1, min(_number(request.query_params.get("page", "1")), -(-len(found) // A_PAGE) or 1))
    return page(
        request,
        "talks.html",
        run=run.name,
        rows=found[(number - 1) * A_PAGE : number * A_PAGE],
        count=len(found),
        total=len(rows),
        states=[name for name in (*STATES, BLIND) if any(row["state"] == name for row in rows)],
        questions=sorted({id for row in rows for id in row["failed"]}),
        cells=sorted({str(row["scenario"].cell) for row in rows}),
        state=state,
        question=question,
        cell=cell,
        thin=thin,
        odd=odd,
        words=words,
        number=number,
        last=-(-len(found) // A_PAGE) or 1,
    )


def talk(request: Request) -> Response:
    """One conversation; with its verdict, unless it waits to be labelled blind."""
    desk = desk_of(request)
    run, sample, place = _sample(request, desk)
    verdict = None if place is not None else desk.verdicts(run).get(sample.scenario.id)
    quotes = [verdict.evidence.get(id, "") for id in sample.failed] if verdict else []
    return page(
        request,
        "talk.html",
        run=run.name,
        sample=sample,
        state=BLIND if place is not None else sample.state,
        place=place,
        verdict=verdict,
        quotes=quotes,
        failed=[id for id in (verdict.answers if verdict else ()) if verdict and verdict.answers[id] == "no"],
    )


def requests(request: Request) -> Response:
    """What was asked for a conversation, and the answers; of one that waits to be labelled blind, nothing of a judge's."""
    desk = desk_of(request)
    run, sample, place = _sample(request, desk)
    entries = requests_of(desk.project, sample.scenario.id)
    shown = [entry for entry in entries if place is None or entry.request.role in SPEAKING]
    return page(request, "requests.html", run=run.name, scenario=sample.scenario.id, place=place, entries=shown)


def _sample(request: Request, desk: Desk) -> tuple[Run, Sample, int | None]:
    """The conversation that an address names, and its place in the draw while its verdict is not to be seen yet."""
    run = _run(desk, request.path_params["run"])
    sample = next((one for one in desk.samples(run) if one.scenario.id == request.path_params["scenario"]), None)
    if sample is None:
        raise HTTPException(404)
    return run, sample, desk.hidden().get(sample.conversation.id) if sample.conversation else None


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _run(desk: Desk, name: str) -> Run:
    for run in runs(desk.project.layout):
        if run.name == name:
            return run
    raise HTTPException(404)


def _row(sample: Sample, hidden: dict[str, int]) -> dict[str, Any]:
    """What a list says of a conversation; of one that waits to be labelled blind, nothing that a judge said."""
    blind = sample.conversation is not None and sample.conversation.id in hidden
    return {
        "scenario": sample.scenario,
        "state": BLIND if blind else sample.state,
        "score": None if blind else sample.score,
        "failed": () if blind else sample.failed,
        "fault": sample.fault,
        "thin": () if blind else sample.thin,
        "odd": sample.odd,
        "messages": sample.conversation.messages if sample.conversation else (),
    }


def _fits(row: dict[str, Any], state: str, question: str, words: str) -> bool:
    if (state and row["state"] != state) or (question and question not in row["failed"]):
        return False
    scenario: Scenario = row["scenario"]
    texts: Sequence[str] = [scenario.id, *(text.casefold() for text in (scenario.situation.text, *_said(row)))]
    return all(any(word in text for text in texts) for word in words.casefold().split())


def _said(row: dict[str, Any]) -> list[str]:
    return [message.content for message in row["messages"]]


def _is_of(row: dict[str, Any], cell: str, thin: str, odd: str) -> bool:
    return (not cell or str(row["scenario"].cell) == cell) and (not thin or bool(row["thin"])) and (not odd or bool(row["odd"]))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1

"""The pages for labelling: one conversation of the draw, a label given blind, then the verdict and the second event."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from finetune_prep.core.rubric import YesNo
from finetune_prep.errors import UsageError
from finetune_prep.labels.label import DECIDED, Word
from finetune_prep.web.desk import Desk
from finetune_prep.web.forms import Form, field, read_form
from finetune_prep.web.pages import desk_of
from finetune_prep.web.rendering import page
from finetune_prep.workflow.reviewing.counting import more, proof, reviewed, to_be_read
from finetune_prep.workflow.reviewing.due import due
from finetune_prep.workflow.reviewing.sitting import LabelChanged, Sitting
from finetune_prep.workflow.status.overview import overview

CHANGED = "Not saved: the run or the rubric has changed since this page was shown. This is its present state."
WORDS: dict[str, Word] = {"pass": "pass", "fail": "fail", "defer": "defer"}
ANSWERS: dict[str, YesNo] = {"yes": "yes", "no": "no", "na": "na"}


def onwards(request: Request) -> Response:
    """To the next conversation that waits, or to the end. `?run=` names another run to turn to."""
    desk = desk_of(request)
    if name := request.query_params.get("run"):
        desk.turn_to(name)
    waiting = desk.sitting().waiting()
    return RedirectResponse(f"/review/{waiting[0] + 1}" if waiting else "/review/end", status_code=303)


def end(request: Request) -> Response:
    """What the labels prove, what waits, and the next command."""
    desk = desk_of(request)
    sitting = desk.sitting()
    found = reviewed(desk.project, sitting.run)
    waiting = sitting.waiting()
    then = due(desk.project)
    return page(
        request,
        "end.html",
        sitting=sitting,
        found=found,
        proof=proof(found),
        more=more(sitting.run, desk.project.layout.relative(sitting.run.folder)),
        waiting=len(waiting),
        needed=to_be_read(sitting.run),
        then=then if then and then.waited_for and then.run != sitting.run.name else None,
        next=overview(desk.project).next,
    )


def conversation(request: Request) -> Response:
    """A place of the draw, blind until this labeller's decision is on disk."""
    desk = desk_of(request)
    sitting = desk.sitting()
    return _shown(request, desk, sitting, _place(request, sitting))


async def label(request: Request) -> Response:
    """Save a label."""
    form = await read_form(request)
    return await run_in_threadpool(_label, request, form)


def _label(request: Request, form: Form) -> Response:
    desk = desk_of(request)
    sitting = desk.sitting()
    place = _place(request, sitting)
    if field(form, "of") != _subject(sitting, place):
        return _shown(request, desk, sitting, place, None, CHANGED, status=409)
    if (word := WORDS.get(field(form, "label"))) is None or not field(form, "seen").isdigit():
        return _shown(request, desk, sitting, place, form, "Choose pass, fail or defer.", status=422)
    answers = {
        id: ANSWERS[value]
        for id, value in ((name[2:], field(form, name)) for name in form if name.startswith("q_"))
        if value in ANSWERS
    }
    try:
        with desk.saving:
            sitting.say(
                place,
                word,
                note=field(form, "note"),
                answers=answers,
                missed=tuple(field(form, "missed").splitlines()),
                seconds=desk.seconds(place),
                seen=int(field(form, "seen")),
            )
    except LabelChanged:
        said = sitting.given(place)
        told = f"You said {said.label} elsewhere meanwhile" if said else "You took a label back elsewhere meanwhile"
        return _shown(request, desk, sitting, place, form, f"{told}. “{word}” from here is not saved.", status=409)
    except UsageError as problem:
        return _shown(request, desk, sitting, place, form, _not_saved(problem), status=422)
    except OSError as problem:
        told = f"Not saved: {problem.strerror or problem}. What was saved before is still there."
        return _shown(request, desk, sitting, place, form, told, status=507)
    return RedirectResponse(f"/review/{place + 1}" if word in DECIDED else "/review", status_code=303)


async def second(request: Request) -> Response:
    """Save the second event, or take the label back."""
    form = await read_form(request)
    return await run_in_threadpool(_second, request, form)


def _second(request: Request, form: Form) -> Response:
    desk = desk_of(request)
    sitting = desk.sitting()
    place = _place(request, sitting)
    acts = {"wrong": sitting.stand_by, "change": sitting.change, "undo": sitting.withdraw}
    act = field(form, "act")
    if act not in acts:
        raise HTTPException(422)
    if field(form, "of") != _subject(sitting, place):
        return _shown(request, desk, sitting, place, None, CHANGED, status=409)
    try:
        with desk.saving:
            acts[act](place)
    except UsageError as problem:
        return _shown(request, desk, sitting, place, form, _not_saved(problem), status=409)
    except OSError as problem:
        told = f"Not saved: {problem.strerror or problem}. What was saved before is still there."
        return _shown(request, desk, sitting, place, form, told, status=507)
    return RedirectResponse(f"/review/{place + 1}" if act == "undo" else "/review", status_code=303)


def _not_saved(problem: UsageError) -> str:
    return f"Not saved: {problem.what}. {problem.next[:1].upper()}{problem.next[1:]}."


def _shown(
    request: Request,
    desk: Desk,
    sitting: Sitting,
    place: int,
    form: Form | None = None,
    problem: str = "",
    *,
    status: int = 200,
) -> Response:
    given, found = sitting.given(place), sitting.revealed(place)
    if found is None:
        desk.shown(place)
    quotes = [answered.evidence for answered in found.answers if answered.answer == "no"] if found else []
    waiting = sitting.waiting()
    context: dict[str, Any] = {
        "sitting": sitting,
        "place": place,
        "total": len(sitting.drawn),
        "again": sum(drawn.repeat for drawn in sitting.drawn),
        "done": len(sitting.drawn) - len(waiting),
        "drawn": sitting.drawn[place],
        "given": given,
        "found": found,
        "agreed": found is not None and given is not None and (given.label == "pass") == found.passed,
        "quotes": quotes,
        "seen": sitting.times(place),
        "subject": _subject(sitting, place),
        "problem": problem,
        "chosen": field(form, "label") if form else given.label if given and given.label == "defer" else "",
        "note": field(form, "note") if form else "",
        "missed": field(form, "missed") if form else "",
        "answers": {name[2:]: field(form, name) for name in form if name.startswith("q_")} if form else {},
        "previous": place if place > 0 else len(sitting.drawn),
        "following": place + 2 if place + 1 < len(sitting.drawn) else 1,
    }
    return page(request, "review.html", status=status, **context)


def _subject(sitting: Sitting, place: int) -> str:
    """What a label of this place is about. A run that has gone on, or an edit, may have put something else there."""
    return f"{sitting.drawn[place].conversation_id} {sitting.rubric.version}"


def _place(request: Request, sitting: Sitting) -> int:
    place: int = request.path_params["place"] - 1
    if not 0 <= place < len(sitting.drawn):
        raise HTTPException(404)
    return place

"""What was spent, on what, and what an accepted row took."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from finetune_prep.models.costs import Costs, costs, in_words, per_row
from finetune_prep.project.runs import runs
from finetune_prep.web.pages import desk_of
from finetune_prep.web.rendering import page
from finetune_prep.workflow.looking import looked


def spending(request: Request) -> Response:
    """What `cost` prints."""
    project = desk_of(request).project
    found = looked(project, costs, Costs(lines=(), spent=0.0, held=0.0))
    rows = [(run.name, account.states.get("accepted", 0)) for run in runs(project.layout) if (account := run.account())]
    phases = dict.fromkeys(line.phase for line in found.lines)
    return page(
        request,
        "spent.html",
        found=found,
        words=in_words(found, f"${found.cost:.2f}"),
        budget=project.config.budget,
        phases=[(phase, [line for line in found.lines if line.phase == phase]) for phase in phases],
        rows=[(name, accepted, per_row(found.of_run(name), accepted)) for name, accepted in rows],
    )

"""What a person, a script or an agent is told of a scaled run."""

from __future__ import annotations

import msgspec

from finetune_prep.core.sample import Account, State
from finetune_prep.errors import Paused
from finetune_prep.exports.figures import Figures
from finetune_prep.exports.report import suspicion
from finetune_prep.method.limits import to_label
from finetune_prep.models.costs import per_row
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.project.scaling.result import CellLine, Scaled
from finetune_prep.statistics.rates import Rate
from finetune_prep.workflow.report import Reported
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.reviewing.judge_word import judge_word
from finetune_prep.workflow.run_summary import Reason, Served, reasons, served_otherwise
from finetune_prep.workflow.scaling.sentences import off_their_share
from finetune_prep.workflow.status.next_step import after_scaling
from finetune_prep.workflow.status.standing import pass_rate

ENDED = 1  # exit code of a run that stopped before it had its rows, and that more calls do not mend


class ScaleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scaled run as it stands at its end, or where it stopped."""

    run: str
    result: Scaled
    planned: int
    """Conversations, all of them."""
    states: dict[State, int]
    rate: Rate
    """Passed of those that count, by the judge."""
    judge: str
    """How far the judge's word goes: by people's labels, or that nobody has measured it."""
    figures: Figures | None
    """How far the rubric applied, what evidence lacks, and the habits of the replies; None if nothing was judged."""
    doubt: str
    """What makes its figures suspicious, "" for nothing."""
    exhausted: tuple[CellLine, ...]
    """Cells that were given up."""
    off: tuple[CellLine, ...]
    """Other cells that have more than one row more or less than planned, and not to make up for these."""
    reasons: tuple[Reason, ...]
    served: tuple[Served, ...]
    labelled: int
    """Conversations of the run that a person has labelled."""
    to_label: int
    """How many a person should have labelled for so many rows."""
    cost: float | None
    """US dollars for the answers that it was the first to ask; None if a price is unknown."""
    cost_per_accepted: float | None
    cached_share: float | None
    """Of the prompts' tokens, those that came from a provider's cache; None if nobody counted them."""
    saved_by_caches: float | None
    """US dollars, less what writing to caches cost; None if nothing came from one, or no price is known."""
    cpu_per_accepted: float | None
    """Seconds of this computer's processor, in this process, for each accepted row; None if there is none."""
    report: str
    """The report's path in the project."""
    next: str
    exit_code: int


def summarize_scaled(
    project: Project, run: Run, account: Account, result: Scaled, reported: Reported, cpu: float
) -> ScaleSummary:
    """reported: by its report. cpu: seconds that it took in this process."""
    people = reviewed(project, run)
    part = reported.costs.of_run(run.name)
    accepted = account.states["accepted"]
    goes_on = account.outstanding or result.end in ("waiting", "paused")
    return ScaleSummary(
        run=run.name,
        result=result,
        planned=account.planned,
        states={state: count for state, count in account.states.items() if count},
        rate=pass_rate(account),
        judge=judge_word(project, run, people),
        figures=reported.figures if account.judged else None,
        doubt=suspicion(row.answers for row in run.each_verdict()),
        exhausted=tuple(cell for cell in result.cells if cell.exhausted),
        off=off_their_share(result),
        reasons=reasons(run.each_sample()),
        served=served_otherwise(part.lines),
        labelled=people.read,
        to_label=to_label(accepted),
        cost=None if part.unpriced else part.cost,
        cost_per_accepted=per_row(part, accepted),
        cached_share=part.cached_share,
        saved_by_caches=part.saved(project.config),
        cpu_per_accepted=cpu / accepted if accepted else None,
        report=project.layout.relative(run.report_path),
        next=after_scaling(project, run),
        exit_code=0 if result.reached else Paused.exit_code if goes_on else ENDED,
    )

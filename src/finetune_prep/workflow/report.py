"""Writing the report of a run beside its samples."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from finetune_prep.core.sample import Account
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.exports.figures import Figures, Rows, in_sentences
from finetune_prep.exports.overview.scaled import ScaledView, scaled_view
from finetune_prep.exports.report import Said, render
from finetune_prep.models.costs import Costs, costs, per_row
from finetune_prep.phases.pilot.plan import KIND
from finetune_prep.phases.pilot.second_judge import ROLE as SECOND
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run
from finetune_prep.project.scaling.result import Scaled, read_result
from finetune_prep.workflow.diagnosing.diagnosis import Diagnosis, diagnose
from finetune_prep.workflow.diagnosing.seen import probed_words, seen_of
from finetune_prep.workflow.exporting import served
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.remembered.figures import figures as kept_figures
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.reviewing.judge_word import judge_word
from finetune_prep.workflow.scaling.sentences import acceptable_in_words, drift_in_words
from finetune_prep.workflow.scaling.sentences import in_sentences as of_rows
from finetune_prep.workflow.status.standing import pass_rate, run_view
from finetune_prep.workflow.texts.first_brief import title_of

FAILED = ("rejected", "flawed", "faulty", "failed", "unjudged")
SHOWN = 3  # conversations that are named


class Reported(NamedTuple):
    """What takes long to find of a run: whoever tells it, too, has it from its report."""

    figures: Figures
    costs: Costs
    """Of the whole ledger."""
    diagnosis: Diagnosis | None
    """What it says of the project; None of a scaled run, if nothing was judged, or something is outstanding."""


def write_report(project: Project, run: Run) -> None:
    """Write report.html, and its pages, for a run that has come to its end; without samples there is nothing to report."""
    if account := run.account():
        reported(project, run, account)


def reported(project: Project, run: Run, account: Account, spent: Costs | None = None) -> Reported:
    """Write report.html, and its pages, for a run with this account. spent: what the ledger says; None = it is looked up."""
    rows = Rows(run)
    figures = kept_figures(project, run)
    spent = spent or looked(project, costs, Costs(lines=(), spent=0.0, held=0.0))
    money = money_of(spent.of_run(run.name), account)
    result = read_result(run) if run.plan.kind == SCALE else None
    found, said = (None, _said_of_rows(project, run, result, money)) if result else _said(project, run, account, money)
    html = render(
        domain=title_of(project),
        run=run.name,
        judge=run.plan.models["judge"]["model"],
        second=second_judge_of(run),
        assistant=run.plan.models["assistant"]["model"],
        rubric=project.value(Documents.rubric),
        account=account,
        rate=pass_rate(account),
        rows=rows,
        folder=run.folder,
        served=served(run, spent.lines),
        figures=in_sentences(figures),
        stopped=why_stopped(run, account),
        said=said,
        scaled=_scaled(project, run, account, result) if result else None,
    )
    write_atomically(run.report_path, html)
    return Reported(figures, spent, found)


def renew_report(project: Project, run: Run) -> None:
    """Write a report anew, for what people have said of the run since. One of other documents stays as it is."""
    if run.plan.kind in (KIND, SCALE) and run.report_path.exists() and not run_view(project, run).stale:
        write_report(project, run)


def _said(project: Project, run: Run, account: Account, money: str) -> tuple[Diagnosis | None, Said]:
    """What is known of a run beside its counts: what it says of the project, and that with all the rest."""
    seen = seen_of(project, run, account)
    found = diagnose(seen) if account.judged and not account.outstanding else None
    return found, Said(
        diagnosis=found.said if found else "",
        shown_by=found.shown_by if found else (),
        probed=seen.probes,
        judge=judge_word(project, run, seen.people),
        topics=_topics(project),
        money=money,
    )


def _said_of_rows(project: Project, run: Run, result: Scaled, money: str) -> Said:
    """The same of a scaled run. What its pilot says of the documents is not said again."""
    return Said(
        shown_by=_last_that_failed(run) if result.end in ("drift", "alike") else (),
        probed=probed_words(project),
        judge=judge_word(project, run, reviewed(project, run)),
        topics=_topics(project),
        money=money,
    )


def _last_that_failed(run: Run) -> tuple[str, ...]:
    """Ids of the last scenarios, before the run was stopped, that are no rows by a verdict or a fault."""
    failed = (sample.scenario.id for sample in run.each_sample() if sample.state in FAILED)
    return tuple(deque(failed, maxlen=SHOWN))


def _scaled(project: Project, run: Run, account: Account, result: Scaled) -> ScaledView:
    said = of_rows(result, reviewed(project, run).read)
    acceptable = acceptable_in_words(account.states["accepted"], account.states["surplus"], account.counted)
    return scaled_view(result, _topics(project), said, drift_in_words(result), acceptable)


def _topics(project: Project) -> dict[str, str]:
    return {topic.id: topic.name for topic in project.value(Documents.space).topics}


def second_judge_of(run: Run) -> str:
    """How much of a run a second judge reads, and who that is; "" where there is none."""
    share = run.plan.read_by_both
    return f"{'all' if share == 1 else f'{share:.0%}'} of them by {run.plan.models[SECOND]['model']}, too" if share else ""


def why_stopped(run: Run, account: Account) -> str:
    """What is said of a pilot that was stopped early, "" of any other."""
    if not account.not_asked:
        return ""
    return (
        f"Stopped early: {account.passed} of the first {account.counted} passed, so the rate is too low, and the other "
        f"{account.not_asked} were not asked. The interval is one that holds wherever a pilot stops. "
        f"To ask them all the same: {run.plan.command} --no-stop-early"
    )


def money_of(part: Costs, account: Account) -> str:
    """What the answers of a run cost, by the ledger alone; "" where that is nothing, or a price is not known."""
    if not part.cost or part.unpriced:
        return ""
    each = per_row(part, account.states.get("accepted", 0))
    row = "" if each is None else f", ${each:.4f} for each accepted row"
    cached = f"; {part.cached_share:.0%} of the prompts came from providers’ caches" if part.cached_share else ""
    return f"Its answers cost ${part.cost:.2f}{row}{cached}."

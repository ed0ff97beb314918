"""Writing the report of a run beside its samples."""

from __future__ import annotations

from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.exports.report import Row, render
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.exporting import pass_rate, served
from finetune_prep.workflow.texts.first_brief import title_of


def write_report(project: Project, run: Run) -> None:
    """Write report.html for a run that has come to its end; without samples there is nothing to report."""
    account = run.account()
    if account is None:
        return
    verdicts = {row.scenario: row for row in run.verdicts()}
    rows = []
    for sample in run.samples():
        verdict = verdicts.get(sample.scenario.id)
        rows.append(
            Row(sample=sample, answers=verdict.answers, evidence=verdict.evidence, unsupported=verdict.unsupported)
            if verdict
            else Row(sample=sample)
        )
    html = render(
        domain=title_of(project),
        run=run.name,
        judge=run.plan.models["judge"]["model"],
        assistant=run.plan.models["assistant"]["model"],
        rubric=project.value(Documents.rubric),
        account=account,
        rate=pass_rate(account),
        rows=rows,
        served=served(project, run),
    )
    write_atomically(run.report_path, html)

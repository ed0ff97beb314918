"""What is known of a pilot, read for its verdict in words."""

from __future__ import annotations

from finetune_prep.core.sample import Account
from finetune_prep.documents.kinds import Documents
from finetune_prep.exports.figures import Rows
from finetune_prep.method import limits
from finetune_prep.phases.pilot.plan import KIND
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.statistics.probing.words import Word
from finetune_prep.workflow.diagnosing.diagnosis import Seen
from finetune_prep.workflow.diagnosing.fate import fates
from finetune_prep.workflow.probing.standing import probed_rows
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.status.standing import pass_rate, run_view


def seen_of(project: Project, run: Run, account: Account) -> Seen:
    """What a pilot of the present documents is judged by."""
    rubric = project.value(Documents.rubric)
    return Seen(
        rubric=rubric,
        generation=project.value(Documents.generation_prompt),
        account=account,
        rate=pass_rate(account),
        rows=fates(rubric, Rows(run)),
        people=reviewed(project, run),
        probes=probed_words(project),
        larger=_larger(project, run) if account.planned < limits.PILOT else "",
    )


def _larger(project: Project, run: Run) -> str:
    """The latest pilot of the present documents that is large enough and has come to its end, as `Seen.larger` names it."""
    for other in reversed(runs(project.layout, KIND)):
        account = other.account() if other.plan.n >= limits.PILOT and other.name != run.name else None
        if account and account.settled and not account.not_asked and not run_view(project, other).stale:
            return f"{other.name} of {other.plan.n}"
    return ""


def probed_words(project: Project) -> dict[str, Word]:
    """Question → what probes of the present rubric and judge say of it."""
    return {id: row.word for id, (row, _) in probed_rows(project).items()}

"""Preference pairs out of an evaluation, which has several replies to the same words."""

from __future__ import annotations

from pathlib import Path

import msgspec

from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import Together
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.exports.pairs.files import About, PairsManifest, in_words, write
from finetune_prep.exports.pairs.pairing import LONGER, Paired, pair_up
from finetune_prep.phases.evaluating.held_out import content
from finetune_prep.phases.pilot.plan import grave, prepared
from finetune_prep.project.evaluating.runs import EvaluationRun, evaluation_runs
from finetune_prep.project.project import Project
from finetune_prep.workflow.evaluating.standing import why_stale
from finetune_prep.workflow.exporting import require_met
from finetune_prep.workflow.texts.first_brief import title_of

EVALUATE = "finetune-prep evaluate --base provider/model --single --runs 4"


class PairsExported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    evaluation: str
    folder: Path
    manifest: PairsManifest
    words: str
    """How many pairs, how long their halves are, and what is in none."""


def export_pairs(project: Project, *, preview: bool = False, evaluation: str = "") -> PairsExported:
    """Write the preference pairs of an evaluation, the latest that holds unless named, into dataset/pairs/.

    Raises ActNeeded if there is no evaluation with two kinds of replies to the same words, or, without `preview`, while a success
    criterion is unmet.
    """
    prepared(project, "the export")
    run = _evaluation(project, evaluation)
    unmet = require_met(project, preview=preview, command="finetune-prep export --pairs --preview")
    talks = run.talks()
    paired = pair_up(talks, project.value(Documents.system_prompt).text, grave(project))
    if not paired.pairs:
        raise _none(run, paired)
    used = {pair.scenario for pair in paired.pairs}
    plan = run.plan
    about = About(
        domain=title_of(project),
        language=plan.language,
        evaluation=run.name,
        rubric=plan.rubric,
        models={name: found["model"] for name, found in plan.models.items()},
        preview=preview,
        unmet=unmet,
        scenarios=tuple(content(scenario) for scenario in run.scenarios() if scenario.id in used),
    )
    folder = project.layout.pairs
    with Together(folder) as files:
        manifest = write(files, paired, about)
        files.commit()
    return PairsExported(
        evaluation=run.name,
        folder=folder,
        manifest=manifest,
        words=in_words(manifest.pairs, manifest.ratio, manifest.left_out),
    )


def _evaluation(project: Project, name: str) -> EvaluationRun:
    known = evaluation_runs(project.layout)
    found = [run for run in known if name in ("", run.name)]
    if known and not found:
        raise UsageError(f"there is no evaluation {name}", next=f"one of: {', '.join(run.name for run in known)}")
    if not found:
        raise ActNeeded(
            f"there is no evaluation {name}".rstrip()
            + ": a pilot has one reply to each scenario, and so nothing to prefer; an evaluation has several to the same words",
            next=EVALUATE,
        )
    held = [run for run in found if run.finished and not why_stale(project, run)]
    if not held:
        latest = found[-1]
        why = "; ".join(why_stale(project, latest)) if latest.finished else "it is unfinished"
        raise ActNeeded(f"{latest.name} gives no pairs: {why}", next=latest.plan.command)
    return held[-1]


def _none(run: EvaluationRun, paired: Paired) -> ActNeeded:
    told = tuple(f"  {count} conversation{'' if count == 1 else 's'} left out: {why}" for why, count in paired.left_out.items())
    if paired.left_out.get(LONGER):
        return ActNeeded(
            f"{run.name} gives no pairs: a verdict is about a whole conversation, and of several replies nobody knows which one "
            "failed",
            details=told,
            next=f"{run.plan.command} --single",
        )
    return ActNeeded(
        f"{run.name} gives no pairs: it has no two replies to the same words of which one passed and the other failed",
        details=told,
        next=f"more runs, or a second model: {EVALUATE} --tuned provider/model",
    )

"""From accepted samples to training data: a preview now, the full export when every success criterion holds."""

from __future__ import annotations

from pathlib import Path

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Account
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.durable import write_atomically
from finetune_prep.errors import ActNeeded
from finetune_prep.exports import card
from finetune_prep.exports.formats import DEFAULT, FORMATS, Format
from finetune_prep.gates import success_criteria
from finetune_prep.method.gates import GATES
from finetune_prep.phases.pilot.pilot import PLAYED, prepared
from finetune_prep.project.project import Project, text_hash
from finetune_prep.project.runs import Run, runs
from finetune_prep.statistics.rates import Rate, wilson
from finetune_prep.workflow.checking import outcomes, overrides_in_force
from finetune_prep.workflow.reviewing.counting import Reviewed, proof, require_whole, reviewed
from finetune_prep.workflow.status.standing import run_view
from finetune_prep.workflow.texts.first_brief import title_of

BY_A_PERSON = ("workflow.spot-check", "workflow.missed-failures")  # gates of a pilot that no criterion holds


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported."""

    run: str
    rows: int
    """Number of conversations in `data`."""
    data: Path
    card: Path
    rate: Rate


def export(project: Project, *, preview: bool = False, run: str = "", format: str = DEFAULT) -> Exported:
    """Write the accepted rows of a pilot, the latest unless named, in a format of `FORMATS`, with their card.

    Raises ActNeeded if there is no pilot of the present documents, or, without `preview`, while a success criterion is unmet.
    """
    prepared(project, "the export")
    chosen, account = finished_pilot(project, run)
    said = reviewed(project, chosen)
    require_whole(said, project.layout.relative(chosen.labels_path))
    accepted = _accepted(chosen, said)
    if account.outstanding or not accepted:
        nothing = "nothing was accepted" if not account.states["accepted"] else "a person failed all that the judge accepted"
        open_rows = f"{account.outstanding} of {account.planned} scenarios are outstanding" if account.outstanding else ""
        raise ActNeeded(
            f"{chosen.name} gives no rows to export: {open_rows or nothing}",
            next=f"finetune-prep pilot -n {chosen.plan.n}" if account.outstanding else "finetune-prep show, to see why",
        )
    unmet = _unmet(project)
    if unmet and not preview:
        raise ActNeeded(
            f"{len(unmet)} of what a full export needs {'is' if len(unmet) == 1 else 'are'} not there yet",
            details=tuple(f"  - {criterion}" for criterion in unmet),
            next="finetune-prep status; to look at the data as it is: finetune-prep export --preview",
        )
    system = project.value(Documents.system_prompt)
    shape = FORMATS[format]
    data = _file(project, shape, preview=preview)
    write_atomically(data, shape.write(accepted, system.text))
    rate = pass_rate(account)
    text = card.render(_card(project, chosen, said, len(accepted), data.name, shape, preview=preview, unmet=unmet))
    beside = preview and _file(project, shape, preview=False).exists()  # the full set's card stays
    path = data.with_name("README.preview.md" if beside else "README.md")
    write_atomically(path, text)
    return Exported(run=chosen.name, rows=len(accepted), data=data, card=path, rate=rate)


def _unmet(project: Project) -> tuple[str, ...]:
    """Success criteria that do not hold, and what a person has still to do with the pilot."""
    criteria = success_criteria(found := outcomes(project))
    answers = {outcome.gate: outcome.answer for outcome in found}
    human = [gate.sentence for gate in GATES if gate.id in BY_A_PERSON and answers[gate.id] not in ("holds", "overridden")]
    return (*(criterion.sentence for criterion in criteria if not criterion.met), *human)


def _left_out(rows: int) -> tuple[str, ...]:
    if not rows:
        return ()
    return (
        f"{rows} accepted by the judge {'is' if rows == 1 else 'are'} left out: a person failed {'it' if rows == 1 else 'them'}.",
    )


def is_written(project: Project, run: Run) -> bool:
    """Whether the rows of a run stand in the dataset's folder already, as a preview or in full, in any format."""
    system = project.value(Documents.system_prompt)
    accepted = _accepted(run, reviewed(project, run))
    for shape in FORMATS.values():
        files = [file for preview in (True, False) if (file := _file(project, shape, preview=preview)).is_file()]
        if files and shape.write(accepted, system.text) in [file.read_bytes() for file in files]:
            return True
    return False


def _file(project: Project, shape: Format, *, preview: bool) -> Path:
    file = project.layout.dataset / shape.file
    return file.with_suffix(f".preview{file.suffix}") if preview else file


def _accepted(run: Run, said: Reviewed) -> list[Conversation]:
    """What the judge accepted and no person failed."""
    talks = (sample.conversation for sample in run.samples() if sample.state == "accepted")
    return [talk for talk in talks if talk is not None and talk.id not in said.failed]


def finished_pilot(project: Project, name: str = "") -> tuple[Run, Account]:
    """The pilot of this name, or the one with the highest number, made from the present documents.

    Raises ActNeeded if there is none, or it has not come to its end.
    """
    fresh = [run for run in runs(project.layout, "pilot") if name in ("", run.name) and not run_view(project, run).stale]
    if not fresh:
        raise ActNeeded(f"there is no pilot {name} of the present documents".replace("  ", " "), next="finetune-prep pilot")
    account = fresh[-1].account()
    if account is None:
        raise ActNeeded(f"{fresh[-1].name} has not come to its end", next=f"finetune-prep pilot -n {fresh[-1].plan.n}")
    return fresh[-1], account


def pass_rate(account: Account) -> Rate:
    """Accepted of those planned, without provider failures, what is outstanding and what has no verdict.

    Faulty rows count as not passed.
    """
    left_out = account.states.get("failed", 0) + account.states.get("unjudged", 0) + account.outstanding
    return wilson(account.states["accepted"], account.planned - left_out)


def _card(
    project: Project, run: Run, said: Reviewed, rows: int, file: str, shape: Format, *, preview: bool, unmet: tuple[str, ...]
) -> card.Card:
    rubric = project.value(Documents.rubric)
    _, account = finished_pilot(project, run.name)
    texts = {kind: text_hash(project.sound(KINDS[kind]).text) for kind in run.plan.made_from}
    acceptances = {kind: project.acceptance(kind) for kind in texts}
    return card.Card(
        domain=title_of(project),
        run=run.name,
        rows=rows,
        file=file,
        shape=shape.shape,
        preview=preview,
        language=project.value(Documents.brief).language,
        account=account,
        rate=pass_rate(account),
        review=(*proof(said), *_left_out(account.states["accepted"] - rows)),
        threshold=rubric.threshold,
        models={role: run.plan.models[role]["model"] for role in PLAYED},
        texts=texts,
        accepted_by={
            kind: f"{decision.by}{'' if decision.interactive else ' (not interactive)'}"
            for kind, decision in acceptances.items()
            if decision
        },
        overrides=[(decision.gate, decision.because) for decision in overrides_in_force(project)],
        unmet=unmet,
    )

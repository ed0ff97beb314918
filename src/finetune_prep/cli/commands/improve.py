"""`improve`: what fails in the last pilot, which clause is at fault, and one edit for each; taking one, trying it, going back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from finetune_prep.cli import person, screen
from finetune_prep.cli.improving import screens
from finetune_prep.cli.improving.labelling import sit
from finetune_prep.cli.job import work
from finetune_prep.cli.options import json_option, provider_option, yes_option
from finetune_prep.errors import ActNeeded, Paused, UsageError
from finetune_prep.method import limits
from finetune_prep.phases.improving.diagnose import diagnose
from finetune_prep.phases.improving.propose import Improved
from finetune_prep.phases.improving.propose import improve as run_improve
from finetune_prep.phases.improving.trial import Wanted
from finetune_prep.phases.session import Session
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.checking import require_checked
from finetune_prep.workflow.estimate import Estimate
from finetune_prep.workflow.improving import taking, tried
from finetune_prep.workflow.improving.edited import edited
from finetune_prep.workflow.improving.expected import expected_edits, expected_trial
from finetune_prep.workflow.improving.found import evidence_of, goes_on, source_of
from finetune_prep.workflow.improving.labelling import labels_of, last_trial
from finetune_prep.workflow.improving.tried import TrialSummary
from finetune_prep.workflow.improving.versions import versions
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.status.overview import overview


@click.command()
@click.option("--take", default="", metavar="ID", help="Put a proposed edit into its document.")
@click.option("--leave", default="", metavar="ID", help="Note that you do not want an edit.")
@click.option("--back", default="", metavar="ID", help="Put back the text that stood there before an edit.")
@click.option("--by", default="", metavar="NAME", help="Who decides, if nobody is at a terminal.")
@click.option("--test", is_flag=True, help="Try the edit that was taken: the same scenarios with it, and again without it.")
@click.option(
    "-n",
    "scenarios",
    type=click.IntRange(min=6),
    help=f"With --test: scenarios that no diagnosis has seen (default: {limits.TRIAL}).",
)
@click.option(
    "--cycles",
    type=click.IntRange(1, 20),
    help=f"With --test: edits of this pilot that will be tried; fixed with the first (default: {limits.TRIALS}).",
)
@click.option("--one-call", is_flag=True, help="Conversations written in one call each, as `pilot --one-call` does.")
@click.option("--label", is_flag=True, help="Read conversations from the last trial without knowing which prompt they came from.")
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Human labels for the last trial's conversations, to see whether replies got better or merely please the judge.",
)
@click.option("--diagnoses", is_flag=True, help="The diagnoses alone; asks no model.")
@click.option("--history", is_flag=True, help="The edits that were taken, the pass rates before and after, and the way back.")
@yes_option
@provider_option
@json_option
@click.pass_obj
def improve(
    project: str,
    take: str,
    leave: str,
    back: str,
    by: str,
    test: bool,
    scenarios: int | None,
    cycles: int | None,
    one_call: bool,
    label: bool,
    labels: Path | None,
    diagnoses: bool,
    history: bool,
    yes: bool,
    provider: str | None,
    as_json: bool,
) -> None:
    """Read the last pilot, say what fails and which clause of which document is at fault, and propose one edit for each.

    Diagnoses are computed; a model words the edits, and a person takes or leaves them: on a terminal, on the page (`serve`), or
    with --take and --by NAME. --yes agrees to costs and takes nothing. --test then says what the edit did. docs/improve.md.
    """
    acts = {"--take": take, "--leave": leave, "--back": back, "--test": test, "--labels": labels, "--label": label}
    acts |= {"--diagnoses": diagnoses, "--history": history}
    chosen = [name for name, given in acts.items() if given]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} cannot be combined", next="finetune-prep improve --help")
    if take or leave or back:
        _decide(project, take, leave, back, by, as_json=as_json)
    elif history:
        screens.print_versions(versions(open_project(project)), as_json=as_json)
    elif diagnoses:
        opened = open_project(project).conversing("one-call") if one_call else open_project(project)
        pilot = source_of(opened)
        screens.print_diagnoses(pilot.name, diagnose(evidence_of(opened, pilot)), as_json=as_json)
    elif label:
        _label(open_project(project), by, as_json=as_json)
    elif labels:
        screens.print_trial(tried.labelled(open_project(project), labels), as_json=as_json)
    elif test:
        _test(project, Wanted(scenarios=scenarios, cycles=cycles), provider, one_call=one_call, yes=yes, as_json=as_json)
    else:
        _propose(project, provider, one_call=one_call, yes=yes, as_json=as_json)


def _decide(folder: str, take: str, leave: str, back: str, by: str, *, as_json: bool) -> None:
    """What a person decides: nobody else can. A name given stands for somebody who has read the edit."""
    project = open_project(folder)
    there = person.is_there()
    option, id = ("--take", take) if take else ("--leave", leave) if leave else ("--back", back)
    if not by and not there:
        raise ActNeeded(
            "a person has to decide whether an edit is taken, and nobody is at a terminal",
            next=f"finetune-prep improve {option} {id} on a terminal, or with the name of who has read it: --by NAME",
        )
    by = by or person.whoever()
    if take:
        done = asyncio.run(taking.take(project, id, by=by, interactive=there))
    elif back:
        done = asyncio.run(taking.back(project, id, by=by, interactive=there))
    else:
        done = taking.leave(project, id, by=by, interactive=there)
    screens.print_act(done, option.removeprefix("--"), by, as_json=as_json)


def _label(project: Project, by: str, *, as_json: bool) -> None:
    """People's word on the last trial's talks, and what it says with them."""
    run = last_trial(project)
    if not person.is_there() or as_json:
        raise ActNeeded(
            "conversations are read at a terminal, and this is not one",
            next=f"finetune-prep improve --label on a terminal; or label {run.name}/{run.to_label_path.name}, and --labels FILE",
        )
    if not sit(project, run, by or person.whoever()):
        screen.next_step("finetune-prep improve --label")
        return
    screens.print_trial(tried.labelled(project, labels_of(run)), as_json=False)


def _propose(folder: str, provider: str | None, *, one_call: bool, yes: bool, as_json: bool) -> None:
    opened = open_project(folder)
    if (run := goes_on(opened)) is not None:
        screens.print_proposals(opened, run, run.proposals(), as_json=as_json, step=overview(opened).next)
        return

    async def job(session: Session) -> Improved:
        of = session.project.conversing("one-call") if one_call else session.project
        pilot = source_of(of)
        found = await run_improve(session, pilot, evidence_of(of, pilot))
        for one in found.proposals if found.waiting else ():  # the diagnoses are there, whatever the edits will be
            session.tell(f"{one.number}. {one.diagnosis.says} – {one.diagnosis.clause.document}, {one.diagnosis.clause.place}")
        return found

    async def expect(session: Session) -> Estimate:
        of = session.project.conversing("one-call") if one_call else session.project
        pilot = source_of(of)
        return expected_edits(session, await used(session.door.ledger), pilot, evidence_of(of, pilot), provider or "")

    command = "improve --one-call" if one_call else "improve"
    found = work(folder, command, provider, job, quiet=as_json, yes=yes, expect=expect)
    screens.print_proposals(opened, found.run, found.proposals, as_json=as_json)
    if found.waiting:
        raise click.exceptions.Exit(Paused.exit_code)
    if not as_json and person.is_there():
        screens.decide(opened, found.run)


def _test(folder: str, wanted: Wanted, provider: str | None, *, one_call: bool, yes: bool, as_json: bool) -> None:
    def by_its_way(session: Session) -> Session:
        return msgspec.structs.replace(session, project=session.project.conversing("one-call")) if one_call else session

    async def job(session: Session) -> TrialSummary:
        return await tried.tried(by_its_way(session), wanted)

    async def expect(session: Session) -> Estimate:
        session = by_its_way(session)
        view = tried.require_taken(session.project)
        require_checked(session.project, "the trial", screens.UNTOUCHED)
        subject = edited(session.project, view)
        return expected_trial(session, await used(session.door.ledger), subject, wanted, provider or "")

    summary = work(folder, _command(wanted, one_call=one_call), provider, job, quiet=as_json, yes=yes, expect=expect)
    screens.print_trial(summary, as_json=as_json)
    if summary.exit_code:
        raise click.exceptions.Exit(summary.exit_code)


def _command(wanted: Wanted, *, one_call: bool) -> str:
    parts = [f"{name} {value}" for name, value in (("-n", wanted.scenarios), ("--cycles", wanted.cycles)) if value]
    return " ".join(["improve --test", *parts, *(["--one-call"] if one_call else [])])

"""`prepare` and its five phases."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import click

from finetune_prep.cli import person, screen
from finetune_prep.cli.job import work
from finetune_prep.cli.options import json_option, provider_option, yes_option
from finetune_prep.conversations.language_name import in_english
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.method.phases import PHASES, Phase
from finetune_prep.phases.session import Session
from finetune_prep.project.project import Project, open_project
from finetune_prep.sources.files import read_folder
from finetune_prep.sources.searching.choosing import chosen
from finetune_prep.workflow.estimate import Estimate, estimate
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.prepare import one_phase, require_language
from finetune_prep.workflow.prepare import prepare as all_phases
from finetune_prep.workflow.status.overview import overview
from finetune_prep.workflow.status.to_read import to_read
from finetune_prep.workflow.texts.first_brief import title_of


@click.command()
@yes_option
@provider_option
@json_option
@click.pass_obj
def prepare(project: str, yes: bool, provider: str | None, as_json: bool) -> None:
    """Write the documents for phases 1 to 5 in order, stopping whenever a person has to accept one.

    First says what it will do and what it will cost; asks once if it costs, or could cost, money. Each phase writes only what
    is missing, so run it again after accepting a document, importing answers, or a crash. Exit code 3: a person has to accept a
    document before it can continue. Exit code 0: all documents exist, even if the last ones have yet to be accepted; --json
    lists those under `to_accept`. Where there is nothing to read, neither files in sources/ nor a search provider, it asks at a
    terminal whether to go on without (--yes: it goes on).
    """
    if not as_json:
        _explain(open_project(project), yes=yes)

    def begun(phase: Phase) -> None:
        if not as_json:
            screen.say(f"{PHASES.index(phase) + 1}. {phase.title}", bold=True)

    async def job(session: Session) -> None:
        await all_phases(session, begun)

    work(project, "prepare", provider, job, quiet=as_json, yes=yes, expect=_expecting([phase.name for phase in PHASES], provider))
    opened = open_project(project)
    made = [*dict.fromkeys(kind for phase in PHASES for kind in phase.outputs)]
    unread = [kind for kind in made if opened.acceptance(kind) is None]
    step = "finetune-prep accept" if unread else overview(opened).next
    if as_json:
        screen.json({"documents": made, "to_accept": unread, "next": step})
        return
    screen.say()
    if unread:
        screen.say("All documents are there. Still to be read by a person:")
        for line in to_read(opened, unread):
            screen.say(line)
    else:
        screen.say("All documents are there and accepted.")
    screen.next_step(step)


def _expecting(phases: list[str], provider: str | None, *, anew: bool = False) -> Callable[[Session], Awaitable[Estimate]]:
    """What these phases have still to ask. anew: documents that exist are written again."""

    async def expect(session: Session) -> Estimate:
        so_far = await used(session.door.ledger)
        return estimate(session.project, so_far, phases, provider=provider or "", anew=anew)

    return expect


def _explain(project: Project, *, yes: bool) -> None:
    """What is going to happen, once: before the first question to a model.

    Raises ActNeeded if there is nothing to read, and a person who is asked does not want to go on without. yes: nobody is asked.
    """
    if looked(project, _begun, nothing=False):
        return
    require_language(project)
    brief = project.value(Documents.brief)
    found, unreadable = read_folder(project.layout.sources, project.layout.folder)
    searches = chosen(project.config.search, os.environ) is not None
    asks = not (found or searches or yes) and person.is_there()
    screen.say(title_of(project), bold=True)
    for number, phase in enumerate(PHASES, start=1):
        screen.paragraph(f"{number}. {phase.title}: {phase.does}.")
    screen.say()
    written = "" if brief.written_in == brief.language else f", documents in {in_english(brief.written_in)}"
    screen.paragraph(f"Language: conversations in {in_english(brief.language)}{written} (from brief.md).")
    for finding in unreadable:
        screen.paragraph(str(finding))
    if found:
        screen.paragraph(f"Sources: {screen.counted(len(found), 'file')} in sources/.")
    else:
        screen.paragraph(_without_files(searches=searches, asks=asks))
    screen.paragraph(
        "It stops four times, the last time when everything is written, so that you can read and accept the documents, and tells "
        "you what to check first."
    )
    screen.say()
    if asks and not click.confirm("Go on without sources?", default=False, err=True):
        raise ActNeeded("nothing was asked", next="put what you have into sources/, then: finetune-prep prepare")


def _without_files(*, searches: bool, asks: bool) -> str:
    if searches:
        return "No files in sources/. The reference will rest on what is found on the web."
    return (
        "No sources. The reference will rest on what the model knows, and a gate will say so. Handbooks, guidelines and reports "
        f"of what went wrong go into sources/ before the first question is asked{'' if asks else ', which is now'}."
    )


async def _begun(ledger: Ledger) -> bool:
    """Whether anything was ever asked."""
    return bool(await ledger.reports.count() or await ledger.rounds.all())


def _phase_command(phase: Phase) -> click.Command:
    number = PHASES.index(phase) + 1
    outputs = ", ".join(dict.fromkeys(phase.outputs))

    @click.command(name=phase.name, help=f"Phase {number}: {phase.title.lower()}. Makes {outputs}, unless they are there.")
    @click.option(
        "--overwrite", is_flag=True, help="Make them anew from their present inputs. The texts they replace stay in the history."
    )
    @yes_option
    @provider_option
    @json_option
    @click.pass_obj
    def command(project: str, overwrite: bool, yes: bool, provider: str | None, as_json: bool) -> None:
        async def job(session: Session) -> None:
            await one_phase(session, phase.name, overwrite=overwrite)

        again = f"{phase.name} --overwrite" if overwrite else phase.name
        expect = _expecting([phase.name], provider, anew=overwrite)
        work(project, again, provider, job, quiet=as_json, yes=yes, expect=expect)
        opened = open_project(project)
        step = overview(opened).next
        if as_json:
            screen.json({"phase": phase.name, "documents": [*dict.fromkeys(phase.outputs)]}, step=step)
        else:
            screen.say(f"{outputs}: written.")
            for line in to_read(opened, dict.fromkeys(phase.outputs)):
                screen.say(line)
            screen.next_step(step)

    return command


research, anchors, rubric, evaluation_prompt, generation_prompt = map(_phase_command, PHASES)

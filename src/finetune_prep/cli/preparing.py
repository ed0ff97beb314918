"""`prepare` and its five phases."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.working import json_option, provider_option, work
from finetune_prep.method import PHASES, Phase
from finetune_prep.phases.prepare import one_phase
from finetune_prep.phases.prepare import prepare as all_phases
from finetune_prep.phases.workshop import Workshop
from finetune_prep.project.project import open_project


@click.command()
@provider_option
@json_option
@click.pass_obj
def prepare(project: str, provider: str | None, as_json: bool) -> None:
    """Make the documents of phases 1 to 5 in order, stopping where a person must accept.

    Each phase makes only what is not there yet. Run it again after accepting, after importing answers, after a crash.
    """

    def begun(phase: Phase) -> None:
        if not as_json:
            screen.say(f"{PHASES.index(phase) + 1}. {phase.title}", bold=True)

    async def job(shop: Workshop) -> None:
        await all_phases(shop, begun)

    work(project, "prepare", provider, job, quiet=as_json)
    opened = open_project(project)
    made = [kind for phase in PHASES for kind in dict.fromkeys(phase.outputs)]
    unread = [kind for kind in dict.fromkeys(made) if opened.acceptance(kind) is None]
    if as_json:
        screen.json({"documents": [*dict.fromkeys(made)], "to_accept": unread})
        return
    screen.say()
    if unread:
        screen.say(f"All documents are there. next: read {', '.join(unread)}, then finetune-prep accept")
    else:
        screen.say("All documents are there and accepted. next: finetune-prep pilot")


def _phase_command(phase: Phase) -> click.Command:
    number = PHASES.index(phase) + 1
    outputs = ", ".join(dict.fromkeys(phase.outputs))

    @click.command(name=phase.name, help=f"Phase {number}: {phase.title.lower()}. Makes {outputs}, unless they are there.")
    @click.option(
        "--overwrite", is_flag=True, help="Make them anew from their present inputs. The texts they replace stay in the history."
    )
    @provider_option
    @json_option
    @click.pass_obj
    def command(project: str, overwrite: bool, provider: str | None, as_json: bool) -> None:
        async def job(shop: Workshop) -> None:
            await one_phase(shop, phase.name, overwrite=overwrite)

        work(project, phase.name, provider, job, quiet=as_json)
        if as_json:
            screen.json({"phase": phase.name, "documents": [*dict.fromkeys(phase.outputs)]})
        else:
            screen.say(f"{outputs}: there. next: finetune-prep status")

    return command


research, anchors, rubric, evaluation_prompt, generation_prompt = map(_phase_command, PHASES)

"""`retry`: answers that cannot be used are asked for once more."""

from __future__ import annotations

import click

from finetune_prep.cli import person, screen
from finetune_prep.cli.options import json_option
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.workflow.retrying.opening import retry as open_again


@click.command()
@click.argument("what", nargs=-1, metavar="[unusable|failed|unjudged|ID]...")
@click.option("--by", metavar="NAME", help="Who decides (default: this computer's user).")
@json_option
@click.pass_obj
def retry(project: str, what: tuple[str, ...], by: str | None, as_json: bool) -> None:
    """Have answers that cannot be used asked for once more by the next run.

    An answer that cannot be used after three attempts is settled: running a command again asks nothing. This opens one further
    attempt, for all of them or for those that you name:

    \b
    unusable  answers that could not be read or used: of rows, of judged gates, of the phase that stopped
    failed    requests that the provider refused
    unjudged  rows whose verdict could not be read
    ID        a request by its key, or a row by its scenario or conversation

    It asks no model and costs nothing: it writes a decision, and names the command that asks. Earlier answers stay in the ledger.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "retry"):
        found = open_again(opened, what, by or person.whoever())
    if as_json:
        screen.json(found)
        return
    if not found.asked_again and not found.open_already:
        screen.say("No answer has been given up as unusable, so there is nothing to ask again.")
    elif found.asked_again:
        kinds = ", ".join(f"{count} {kind}" for kind, count in found.kinds.items())
        screen.say(f"{_questions(found.asked_again)} will be asked once more ({kinds}). Nothing was asked just now.", bold=True)
    if found.open_already:
        screen.say(f"  {_questions(found.open_already)} were opened before and have not been asked yet")
    screen.next_step(found.next)


def _questions(count: int) -> str:
    return "1 question" if count == 1 else f"{count} questions"

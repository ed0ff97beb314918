"""`restore`: an old text of a document put back."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.document_name import DocumentName
from finetune_prep.cli.options import json_option
from finetune_prep.documents.kinds import KINDS
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.workflow.texts import history as past


@click.command()
@click.argument("kind", type=DocumentName())
@click.argument("hash")
@json_option
@click.pass_obj
def restore(project: str, kind: str, hash: str, as_json: bool) -> None:
    """Put back the kept text of a DOCUMENT whose HASH, or the beginning of it, is this one.

    The present text goes to the history first; what the kept one lacks of it is named. A text that was accepted before is
    accepted again by that.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "restore"):
        done = past.restore(opened, kind, hash)
    step = f"finetune-prep {f'check {kind}' if done.problems else 'status'}"
    if as_json:
        screen.json(done, step=step)
        return
    screen.say(f"{KINDS[kind].path} has the text {done.hash[: past.SHOWN]} again.", bold=True)
    if done.before:
        screen.say(f"  The text it replaced is kept: finetune-prep restore {kind} {done.before[: past.SHOWN]}")
        if done.compared:
            screen.say(f"  Compared with that one: {done.compared}.")
    if not done.traced:
        screen.say("  It is not known what this text was made from, so nothing can tell when it is out of date.")
    screen.say(f"  accepted by {done.accepted}" if done.accepted else "  Nobody has accepted this text.")
    screen.next_step(step)

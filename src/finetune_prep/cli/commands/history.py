"""`history`: the texts that a document had."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.document_name import DocumentName
from finetune_prep.cli.options import json_option
from finetune_prep.documents.kinds import KINDS
from finetune_prep.project.project import open_project
from finetune_prep.workflow.texts import history as past


@click.command()
@click.argument("kind", type=DocumentName())
@json_option
@click.pass_obj
def history(project: str, kind: str, as_json: bool) -> None:
    """List the kept texts of a DOCUMENT, the latest first, and how each differs from the present one.

    A text is kept when it is accepted, and when the program or `restore` replaces it. What a text lacks, `restore` takes away.
    """
    opened = open_project(project)
    kept = past.compared(opened, kind, past.history(opened, kind))
    if as_json:
        screen.json(kept)
        return
    if not kept:
        screen.say(f"No text of {KINDS[kind].path} has been accepted or replaced yet.")
        return
    screen.table([(text.hash[: past.SHOWN], f"kept {text.at[:19].replace('T', ' ')} UTC", _words(text)) for text in kept])
    screen.next_step(f"finetune-prep restore {kind} HASH")


def _words(text: past.Kept) -> str:
    words = ["written by the program" if text.written else "written by hand"]
    words += [f"accepted by {text.accepted}"] if text.accepted else ["never accepted"]
    if text.present:
        return ", ".join([*words, "the present text"])
    return ", ".join(words) + (f"; compared with the present text: {text.compared}" if text.compared else "")

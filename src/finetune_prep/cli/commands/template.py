"""`template`: a filled-in specimen of a document."""

from __future__ import annotations

import click

from finetune_prep import documents
from finetune_prep.cli import screen
from finetune_prep.cli.document_name import DocumentName
from finetune_prep.cli.options import json_option
from finetune_prep.documents.kinds import KINDS


@click.command()
@click.argument("kind", type=DocumentName())
@json_option
def template(kind: str, as_json: bool) -> None:
    """Print a filled-in specimen of a DOCUMENT."""
    if as_json:
        screen.json({"document": kind, "path": KINDS[kind].path, "text": documents.template(kind)})
        return
    click.echo(documents.template(kind), nl=False)

"""`template`: a filled-in specimen of a document."""

from __future__ import annotations

import click

from finetune_prep import documents
from finetune_prep.method.documents import DOCUMENTS

KINDS = click.Choice([*DOCUMENTS])


@click.command()
@click.argument("kind", type=KINDS)
def template(kind: str) -> None:
    """Print a filled-in specimen of a document of this KIND."""
    click.echo(documents.template(kind), nl=False)

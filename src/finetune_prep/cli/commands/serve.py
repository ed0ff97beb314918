"""`serve`: the local page."""

from __future__ import annotations

import click

from finetune_prep.cli import person
from finetune_prep.cli.options import json_option
from finetune_prep.cli.reviewing.serving import serve_page
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import open_project
from finetune_prep.web.desk import Desk


@click.command()
@click.option("--by", default="", metavar="NAME", help="Who labels there (default: the user of this computer).")
@json_option
@click.pass_obj
def serve(project: str, by: str, as_json: bool) -> None:
    """Show the project in a browser: where it stands, runs and conversations, and the review.

    The page is for this machine alone: it listens on the loopback address, on a port that is drawn each time, and answers only
    the browser that came by the link that is printed. It never takes the project's lock; a run may be under way. --json prints
    the link alone, for a program that opens it, and serves until it is stopped.
    """
    opened = open_project(project)
    opened.sound(Documents.brief)
    serve_page(Desk(opened, person.labeller(by)), "/", as_json=as_json)

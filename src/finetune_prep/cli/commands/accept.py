"""`accept`: a person reads what changed and gives their word for exactly this text."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.person import whoever
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.method.documents import DOCUMENTS
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow import accepting


@click.command()
@click.argument("document", type=click.Choice(accepting.ORDER), required=False)
@click.option("--yes", is_flag=True, help="Accept without being asked; needs --by and is marked as such in the dataset card.")
@click.option("--by", default="", metavar="NAME", help="Who accepts (default: the user of this computer).")
@click.option("--override", metavar="GATE", help="Accept although this gate does not hold; needs --because.")
@click.option("--because", default="", metavar="REASON", help="Why; it is kept and printed in the dataset card.")
@click.pass_obj
def accept(project: str, document: str | None, yes: bool, by: str, override: str | None, because: str) -> None:
    """Show what changed in DOCUMENT since it was accepted last, ask, and publish it.

    Without DOCUMENT, every document that waits is taken in turn. An override speaks of the findings as they are and expires
    when they change.
    """
    if yes and not by:
        raise UsageError(
            "--yes needs --by: whose word is it?",
            next=" ".join(["finetune-prep accept", *filter(None, [document]), "--yes --by NAME"]),
        )
    if override and not because:
        raise UsageError(
            "--override needs --because", next=f'finetune-prep accept {document or ""} --override {override} --because "…"'
        )
    opened = open_project(project)
    by = by or whoever()
    with locked(opened.layout.lock, "accept"):
        if override:
            decided = accepting.override(opened, override, document, by=by, because=because)
            screen.say(f"{override} may stand open, by {by}: {because}")
            waiting = [decided] if decided else []
        else:
            waiting = [document] if document else accepting.waiting(opened)
            if not waiting:
                screen.say("Nothing waits to be accepted.")
        for kind in waiting:
            _accept(opened, kind, yes=yes, by=by)


def _accept(project: Project, kind: str, *, yes: bool, by: str) -> None:
    if project.acceptance(kind) is not None:
        screen.say(f"{DOCUMENTS[kind].path} is accepted as it stands.")
        return
    proposal = accepting.propose(project, kind)
    screen.say(proposal.path, bold=True)
    if proposal.diff:
        for line in proposal.diff[2:]:
            screen.say(f"  {line}")
    else:
        screen.say(f"  {len(proposal.text.splitlines())} lines, not accepted before; read it in your editor.")
    for outcome in proposal.advice:
        for finding in outcome.findings:
            screen.say(f"  worth a look: {finding}", dim=True)
    if not yes and not click.confirm("Accept this text?", default=False):
        raise ActNeeded(f"{proposal.path} is not accepted", next=f"edit it, then: finetune-prep accept {kind}")
    accepting.accept(project, proposal, by=by, interactive=not yes)
    screen.say(f"  accepted by {by}")

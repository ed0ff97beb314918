"""`accept`: a person reads what changed and gives their word for exactly this text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from finetune_prep.cli import person, screen
from finetune_prep.cli.document_name import DocumentName
from finetune_prep.cli.options import json_option
from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.project.decisions import Decision
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow import accepting
from finetune_prep.workflow.status.overview import overview
from finetune_prep.workflow.texts.changed_words import Change
from finetune_prep.workflow.texts.cost_of_change import CostOfChange, cost_of_change


@click.command()
@click.argument("document", type=DocumentName(accepting.ORDER), required=False)
@click.option("--yes", is_flag=True, help="Accept without being asked; needs --by and is marked as such in the dataset card.")
@click.option("--by", default="", metavar="NAME", help="Who accepts (default: the user of this computer).")
@click.option("--override", "gates", multiple=True, metavar="GATE", help="Waive this gate: accept although it fails; repeatable.")
@click.option(
    "--because",
    "reasons",
    multiple=True,
    metavar="REASON",
    help="Why it is waived; one reason for all, or one each. It is kept, and printed in the dataset card.",
)
@json_option
@click.pass_obj
def accept(
    project: str, document: str | None, yes: bool, by: str, gates: tuple[str, ...], reasons: tuple[str, ...], as_json: bool
) -> None:
    """Show which words changed in DOCUMENT since it was accepted last, ask, and publish it.

    DOCUMENT is a kind or a path. Without it, every document that waits is taken in turn. A waiver speaks of the findings as
    they are and expires when they change; it is kept only if the document is accepted. --json without --yes shows what there is
    to accept and accepts nothing.
    """
    if yes and not by:
        raise UsageError(
            "--yes needs --by: who is accepting?",
            next=" ".join(["finetune-prep accept", *filter(None, [document]), "--yes --by NAME"]),
        )
    overrides = _paired(document, gates, reasons)
    opened = open_project(project)
    by = by or person.whoever()
    with locked(opened.layout.lock, "accept"):
        decisions = [accepting.override(opened, gate, document, by=by, because=because) for gate, because in overrides]
        waiting, at_once = _sorted(opened, document, decisions)
        proposals = [accepting.propose(opened, kind, given) for kind, given in waiting.items()]
        for decision in at_once:
            opened.decide(decision)
        if as_json:
            _as_json(opened, proposals, at_once, yes=yes, by=by)
            return
        costs = cost_of_change(opened) if any(proposal.changes for proposal in proposals) else None
        for decision in at_once:
            screen.say(f"{decision.gate} is waived, by {by}: {decision.because}")
        if document and not waiting:
            screen.say(f"{KINDS[document].path} is accepted as it stands.")
        elif not waiting and not at_once:
            screen.say("Nothing is waiting to be accepted.")
        for proposal in proposals:
            _accept(opened, proposal, costs, yes=yes, by=by)
        screen.next_step(overview(opened).next)


def _paired(document: str | None, gates: Sequence[str], reasons: Sequence[str]) -> list[tuple[str, str]]:
    """Each gate with its reason. Raises UsageError unless there is one reason for all of them, or one for each."""
    if not gates and reasons:
        raise UsageError("--because says why a gate is waived, and no gate is named", next="name the gate: --override GATE")
    if not gates:
        return []
    if not reasons or any(not reason.strip() for reason in reasons):
        options = " ".join(f"--override {gate}" for gate in gates)
        named = f"{document} " if document else ""
        raise UsageError("--override needs --because", next=f'finetune-prep accept {named}{options} --because "…"')
    if len(reasons) not in (1, len(gates)):
        raise UsageError(
            f"{len(gates)} gates are waived for {len(reasons)} reasons",
            next="give one --because for all of them, or one for each",
        )
    each = [reasons[0]] * len(gates) if len(reasons) == 1 else reasons
    return [*dict(zip(gates, each, strict=True)).items()]


def _sorted(
    project: Project, document: str | None, decisions: Sequence[Decision]
) -> tuple[dict[str, list[Decision]], list[Decision]]:
    """Documents to accept, each with the overrides that are given with it, and overrides of what is accepted already."""
    concerned = [accepting.document_of(decision.gate) for decision in decisions]
    asked = [document] if document else [*dict.fromkeys(filter(None, concerned))] if decisions else accepting.waiting(project)
    waiting: dict[str, list[Decision]] = {kind: [] for kind in asked if project.acceptance(kind) is None}
    at_once: list[Decision] = []
    for kind, decision in zip(concerned, decisions, strict=True):
        (waiting[kind] if kind and kind in waiting else at_once).append(decision)
    return waiting, at_once


def _as_json(
    project: Project, proposals: Sequence[accepting.Proposal], overridden: Sequence[Decision], *, yes: bool, by: str
) -> None:
    costs = cost_of_change(project) if any(proposal.changes for proposal in proposals) else None
    if yes:
        for proposal in proposals:
            accepting.accept(project, proposal, by=by, interactive=False)
    waived = [*overridden, *(decision for proposal in proposals if yes for decision in proposal.waived)]
    screen.json(
        {
            "accepted": [_shown(proposal) for proposal in proposals if yes],
            "to_accept": [_shown(proposal) for proposal in proposals if not yes],
            "overridden": [decision.gate for decision in waived],
            "costs": costs,
            "by": by,
        },
        step=overview(project).next,
    )
    if proposals and not yes:
        raise click.exceptions.Exit(ActNeeded.exit_code)


def _shown(proposal: accepting.Proposal) -> dict[str, Any]:
    return {
        "document": proposal.kind,
        "path": proposal.path,
        "hash": proposal.hash,
        "first": proposal.first,
        "changes": [{"line": change.line, "text": change.marked} for change in proposal.changes],
        "advice": proposal.advice,
        "decides": proposal.decides,
        "allows": proposal.allows,
    }


def _accept(project: Project, proposal: accepting.Proposal, costs: CostOfChange | None, *, yes: bool, by: str) -> None:
    screen.say(proposal.path, bold=True)
    if proposal.first:
        screen.say(f"  {len(proposal.text.splitlines())} lines, not accepted before; read it in your editor.")
    elif not proposal.changes:
        screen.say("  Not a word has changed since it was last accepted.")
    for change in proposal.changes:
        _print_change(change)
    if costs is not None and proposal.changes:
        screen.say(f"  {_costs(costs)}")
    for sentence in proposal.decides:
        screen.say(f"  no code can check this in this language, so it is for you to decide: {sentence}")
    for sentence in proposal.allows:
        screen.say(f"  at this threshold {sentence}")
    for outcome in proposal.advice:
        for finding in outcome.findings:
            screen.say(f"  worth a look: {finding}", dim=True)
    if not yes and not person.is_there():  # what a pipe answers is nobody's word
        asked = f"finetune-prep accept {proposal.kind}"
        raise ActNeeded(
            f"{proposal.path} is not accepted: nobody is at a terminal to read it",
            next=f"{asked} on a terminal, or with the name of who has read it: {asked} --yes --by NAME",
        )
    if not yes and not click.confirm("Accept this text?", default=False):
        raise ActNeeded(f"{proposal.path} is not accepted", next=f"edit it, then: finetune-prep accept {proposal.kind}")
    accepting.accept(project, proposal, by=by, interactive=not yes)
    for decision in proposal.waived:
        screen.say(f"  {decision.gate} is waived: {decision.because}")
    screen.say(f"  accepted by {by}")


def _costs(costs: CostOfChange) -> str:
    """What the documents as they are now mean for the last pilot, in one line."""
    if not costs.conversations and not costs.verdicts:
        return f"costs nothing: all {costs.n} conversations and verdicts of the last pilot are still valid"
    price = "price unknown" if costs.dollars is None else f"about ${costs.dollars:.2f}" if costs.dollars else "free"
    made = screen.counted(costs.conversations, "conversation")
    return f"the pilot of {costs.n} again: {made} to make, {screen.counted(costs.verdicts, 'verdict')} to ask, {price}"


def _print_change(change: Change) -> None:
    """A change with its line. What is gone and what is new has a mark each, and a colour where there are colours."""
    colours = {"same": None, "away": "red", "new": "green"}
    parts = [(piece.marked, colours[piece.role]) for piece in change.pieces]
    screen.coloured([(f"{change.line:>5}  ", None), *parts], hang=7)

"""`status`: where the project stands, and the next command."""

from __future__ import annotations

import textwrap
from functools import partial

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.app import seldom
from finetune_prep.cli.options import json_option
from finetune_prep.conversations.language_name import in_english
from finetune_prep.core.finding import Criterion
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import SCALE
from finetune_prep.workflow.probing.advice import in_short
from finetune_prep.workflow.remembered.answers import standing
from finetune_prep.workflow.reviewing.counting import Reviewed, proof
from finetune_prep.workflow.status.views import DocumentView, Effort, EvaluationView, Overview

MARKS = {"missing": "·", "broken": "!", "to accept": "?", "accepted": "✓"}
STALE = "!"
NOT_YET = ("does not exist yet", "no pilot has run")
"""What is said of everything that comes later; the phases say it once."""
REMINDER = 110  # characters of what was waived

CRITERIA = {"holds": "✓", "overridden": "~"}


@click.command()
@json_option
@click.pass_obj
def status(project: str, as_json: bool) -> None:
    """Show where the project stands: phases, what is stale and why, runs, success criteria, money, and the next command."""
    opened = open_project(project)
    opened.sound(Documents.brief)
    found = standing(opened, partial(seldom, "standing_of"))
    view, criteria = found.overview, found.criteria
    if as_json:
        told = msgspec.to_builtins(view) | screen.step_fields(view.next)
        screen.json({"overview": told, "criteria": criteria})
        return
    _print_overview(view)
    screen.say()
    holding, waived = (sum(criterion.answer == answer for criterion in criteria) for answer in ("holds", "overridden"))
    by_decision = f", {waived} waived" if waived else ""
    screen.say(f"Success criteria: {holding} of {len(criteria)} hold{by_decision}", bold=True)
    if any(document.state != "missing" for phase in view.phases for document in phase.documents):
        for criterion in criteria:
            _print_criterion(criterion)
    else:
        screen.say("  Each is about something that is not made yet; finetune-prep status --json lists them.", dim=True)
    _print_effort(view)
    screen.say()
    screen.next_step(view.next)


def _print_criterion(criterion: Criterion) -> None:
    """A criterion with what stands in its way first; of what was waived, a line reminds of it."""
    waived = criterion.answer == "overridden"
    screen.say(f"  {CRITERIA.get(criterion.answer, '·')} {criterion.sentence}{' (waived)' if waived else ''}")
    if not criterion.evidence or any(words in criterion.evidence[0] for words in NOT_YET):
        return
    first = textwrap.shorten(criterion.evidence[0], REMINDER, placeholder=" …") if waived else criterion.evidence[0]
    more = f" ({len(criterion.evidence) - 1} more: see --json)" if len(criterion.evidence) > 1 else ""
    screen.paragraph(f"{first}{more}", indent=6, dim=True)


def _print_overview(view: Overview) -> None:
    screen.say(f"{view.project}, conversations in {in_english(view.language)}", bold=True)
    told: set[str] = set()
    for number, phase in enumerate(view.phases, start=1):
        begun = phase.stopped or any(document.state != "missing" or document.note for document in phase.documents)
        screen.say(f"{number}. {phase.title}{'' if begun else ': not made yet'}")
        for document in phase.documents if begun else ():
            _print_document(document, again=document.kind in told)
            told.add(document.kind)
        if phase.stopped:
            screen.say(f"   ! stopped: {screen.from_here(phase.stopped)}")
    if view.to_read:
        screen.say("To read", bold=True)
        for line in view.to_read:
            screen.say(f" {line}")
    if view.stale:
        screen.say("Stale", bold=True)
        for line in view.stale:
            screen.say(f"   {line}")
    if view.sources:
        screen.say("Sources", bold=True)
        for finding in view.sources:
            screen.say(f"   {finding}")
    for probing in view.probes:
        screen.say(in_short(probing))
        for line in probing.stale:
            screen.say(f"   stale: {line}")
    for run in view.runs:
        account = screen.account_words(dict(run.account.in_words)) if run.account else "unfinished"
        what = f"{run.planned:,} rows wanted" if run.kind == SCALE else f"{run.planned} planned"
        screen.say(f"{run.name}: {what}: {account}")
        for line in run.stale:
            screen.say(f"   stale: {line}")
        if run.name == view.figures_of:
            _print_figures(view)
    if not view.figures_of:
        _print_figures(view)
    if view.review:
        _print_review(view.review)
    if view.evaluation:
        _print_evaluation(view.evaluation)
    if view.edits:
        screen.say(view.edits)
    if view.note:
        screen.paragraph(view.note)
    if view.offer:
        screen.paragraph(view.offer)
    outstanding = f", {screen.counted(view.outstanding, 'question')} outstanding in batches" if view.outstanding else ""
    unknown = f" (the cost of {view.unpriced:,} is unknown)" if view.unpriced else ""
    screen.say(f"{screen.counted(view.answers, 'answer')} recorded{outstanding}, ${view.spent:.2f} spent{unknown}", dim=True)


def _print_document(document: DocumentView, *, again: bool) -> None:
    """A document, and what has changed in it. again: it stands in a phase above, which said so."""
    note = "" if document.state == "to accept" else f" {document.note}" if document.note else ""
    stale = document.state == "accepted" and document.stale
    mark = STALE if stale else MARKS[document.state]
    screen.say(f"   {mark} {document.path}  {document.state}{note}{', but stale' if stale else ''}")
    if again:
        return
    changed = document.note if document.state == "to accept" and "since" in document.note else ""
    by_hand = bool(document.edited) and changed.startswith(document.edited)
    if changed:
        screen.say(f"       {'edited by hand: ' if by_hand else ''}{changed}")
    if document.edited and not by_hand:
        screen.say(f"       edited by hand: {document.edited}", dim=True)


def _print_figures(view: Overview) -> None:
    for sentence in view.figures:
        screen.paragraph(sentence, indent=3)


def _print_evaluation(found: EvaluationView) -> None:
    size = f"{', '.join(found.arms)}, {found.groups} scenarios × {screen.counted(found.runs, 'run')}"
    screen.say(f"{found.name}: {size} – {found.upshot if found.finished else f'unfinished; {found.command}'}")
    for line in found.stale:
        screen.say(f"   stale: {line}")


def _print_review(review: Reviewed) -> None:
    for sentence in proof(review) or (f"{review.run}: no conversation in its present form is labelled by a person.",):
        screen.say(f"   {sentence}")
    if review.by_models:
        screen.say(f"   {review.by_models} labelled by a model, not by a person")
    for stale in review.stale:
        screen.say(f"   stale: the label of {stale.scenario} by {stale.by} – {stale.why}")
    for conversation in review.disputed:
        screen.say(f"   disputed: {conversation[:12]} – one person passes it, another fails it")
    for damaged in review.damaged:
        screen.say(f"   runs/{review.run}/labels.jsonl:{damaged.line}: this label cannot be read: {damaged.why}")


def _print_effort(view: Overview) -> None:
    """Time per phase, and what these figures are: nobody's working hours."""
    if not view.effort:
        return
    screen.say()
    screen.say("Time", bold=True)
    screen.table(
        [
            (
                effort.phase,
                f"{effort.answers} answer{'' if effort.answers == 1 else 's'}" if effort.answers else "",
                f"{duration(effort.model_seconds)} of model time" if effort.model_seconds else "",
                _when(effort),
            )
            for effort in view.effort
        ]
    )
    said = "Model time is the sum over calls, including those that ran in parallel; time spent reading is not recorded."
    screen.say(f"  {said}", dim=True)


def _when(effort: Effort) -> str:
    words = []
    if effort.first:
        last = effort.last if effort.last[:10] != effort.first[:10] else effort.last[11:]
        words.append(f"answered {_minute(effort.first)} to {_minute(last)}")
    if effort.accepted:
        words.append(f"accepted {_minute(effort.accepted[-1])}")
    return ", ".join(words)


def _minute(at: str) -> str:
    """An ISO time, or its time of day, to the minute."""
    return at[:16].replace("T", " ") if "T" in at else at[:5]


def duration(seconds: float) -> str:
    """A duration as people say it: "8 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

"""What `improve` prints, and how a person at a terminal takes or leaves an edit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click
import msgspec

from finetune_prep.cli import person, screen
from finetune_prep.core.improving.diagnosis import Diagnosis
from finetune_prep.core.improving.edit import EditTalk, Proposal
from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import FinetunePrepError
from finetune_prep.project.improving.runs import ImproveRun
from finetune_prep.project.project import Project
from finetune_prep.statistics.rates import Rate
from finetune_prep.workflow.improving.edits import EditView, views
from finetune_prep.workflow.improving.taking import Act, diff, leave, take
from finetune_prep.workflow.improving.tried import TrialSummary
from finetune_prep.workflow.improving.versions import PilotRate, Version
from finetune_prep.workflow.texts.changed_words import Change

PROPOSE, TEST, AFTER = "finetune-prep improve", "finetune-prep improve --test", "finetune-prep status"
NOTHING = "No question fails in more than one conversation, no habit is too frequent, and nobody noted a failure."
COUNTED = (
    "A question is counted over the judged conversations that it applies to, whether or not they passed. Those that fail by it "
    "alone have no other NO."
)
UNTOUCHED = ("brief", "domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt")  # by an edit of the prompt
COLOURS = {"same": None, "away": "red", "new": "green"}
DONE = {"take": "has the edit", "back": "has the text from before the edit again"}


def print_proposals(project: Project, run: ImproveRun, proposals: Sequence[Proposal], *, as_json: bool, step: str = "") -> None:
    """The short list: what fails, where the fault lies, and the edit as it would change the document."""
    found = views(project, run) or tuple(EditView(id=run.id_of(one.number), proposal=one, state=one.state) for one in proposals)
    step = step or next_of(found)
    if as_json:
        rows = [msgspec.to_builtins(view) | {"changes": _marked(diff(project, run, view.proposal))} for view in found]
        screen.json({"run": run.name, "source": run.plan.source, "edits": rows, "next": step})
        return
    screen.say(f"{run.name}: {_counted(found)} of {run.plan.source}", bold=True)
    screen.paragraph(COUNTED if found else NOTHING, dim=bool(found))
    for view in found:
        _print(project, run, view)
    screen.next_step(step)


def next_of(found: Sequence[EditView]) -> str:
    """What to do with a list of proposals."""
    if any(view.state == "waiting" for view in found):
        return "finetune-prep improve"
    if any(view.state == "taken" for view in found):
        return TEST
    first = next((view for view in found if view.state == "proposed"), None)
    return f"finetune-prep improve --take {first.proposal.number}" if first else AFTER


def print_diagnoses(source: str, found: Sequence[Diagnosis], *, as_json: bool) -> None:
    """The diagnoses of a pilot, before anybody has worded an edit."""
    if as_json:
        screen.json({"source": source, "diagnoses": found, "next": PROPOSE if found else AFTER})
        return
    screen.say(f"{source}: {_counted(found)}", bold=True)
    screen.paragraph(COUNTED if found else NOTHING, dim=bool(found))
    for number, diagnosis in enumerate(found, start=1):
        _print_diagnosis(number, diagnosis)
    screen.next_step(PROPOSE if found else AFTER)


def _counted(found: Sequence[object]) -> str:
    return f"{len(found)} {'diagnosis' if len(found) == 1 else 'diagnoses'}"


def _print_diagnosis(number: int, diagnosis: Diagnosis) -> None:
    screen.say()
    screen.say(f"{number}. {diagnosis.says}", bold=True)
    for passage in diagnosis.passages:
        screen.say(f"   “{passage.text}”  [{passage.scenario}]", dim=True)
    clause = diagnosis.clause
    screen.say(f"   {KINDS[clause.document].path}, {clause.place}: {diagnosis.because}")


def _print(project: Project, run: ImproveRun, view: EditView) -> None:
    one = view.proposal
    _print_diagnosis(one.number, one.diagnosis)
    if view.state == "refused":
        screen.say(f"   no edit: {one.why}")
    elif view.state == "waiting":
        screen.say("   the edit has no answer yet")
    elif view.state == "proposed":
        print_changes(diff(project, run, one))
        if one.because:
            screen.say(f"   {one.author}: {one.because}", dim=True)
    else:
        done = "taken" if view.state in ("kept", "not kept") else view.state
        screen.say(f"   {view.state if done == view.state else f'{view.state}; {done}'}{f' by {view.by}' if view.by else ''}")
        if view.said:
            screen.paragraph(f"{view.trial}: {view.said}", indent=3)


def print_changes(changes: Sequence[Change]) -> None:
    """The words that go and come, each with its line."""
    for change in changes:
        screen.coloured(
            [(f"{change.line:>5}  ", None), *((piece.marked, COLOURS[piece.role]) for piece in change.pieces)], hang=7
        )


def _marked(changes: Sequence[Change]) -> list[dict[str, object]]:
    return [{"line": change.line, "text": change.marked} for change in changes]


def decide(project: Project, run: ImproveRun) -> None:
    """Ask about one edit after the other, until one is taken: a trial of two at once could not tell which of them did it."""
    for view in views(project, run):
        if view.state != "proposed":
            continue
        said = click.prompt(
            f"Edit {view.proposal.number}: take it, leave it, or decide later?",
            type=click.Choice(["take", "leave", "later"]),
            default="later",
            err=True,
        )
        given, by = run.id_of(view.proposal.number), person.whoever()
        try:
            if said == "leave":
                leave(project, given, by=by, interactive=True)
            elif said == "take":
                print_act(asyncio.run(take(project, given, by=by, interactive=True)), "take", by, as_json=False)
                return
        except FinetunePrepError as problem:
            screen.error(problem)


def print_act(done: Act, act: str, by: str, *, as_json: bool) -> None:
    step = TEST if act == "take" else "finetune-prep improve"
    if as_json:
        about = {"edit": done.edit, "act": act, "by": by, "path": done.path, "compiled": done.compiled}
        screen.json(about | {"changes": _marked(done.changes)}, step=step)
        return
    if act == "leave":
        screen.say(f"{done.edit} is left, by {by}.", bold=True)
    else:
        screen.say(f"{done.path} {DONE[act]}, by {by}.", bold=True)
        print_changes(done.changes)
    if done.compiled:
        screen.say(f"  {KINDS[done.compiled].path} was compiled anew")
    screen.next_step(step)


def print_trial(summary: TrialSummary, *, as_json: bool) -> None:
    if as_json:
        screen.json(summary)
        return
    if summary.result is None:
        waiting = f"{screen.counted(summary.waiting, 'conversation')} got no answer: {summary.why_waiting}"
        screen.say(f"{summary.run} is unfinished: {waiting}", bold=True)
        screen.say("  run the same command again: it asks only for what is missing")
        screen.next_step(summary.next)
        return
    screen.say(f"{summary.run}: {summary.edit}, for {summary.question}", bold=True)
    screen.paragraph(summary.upshot)
    for sentence in summary.beside:
        screen.paragraph(sentence, dim=True)
    for talk in summary.failing:
        _print_failing(talk)
    if summary.put_back:
        screen.say(f"  {summary.document} has the text from before the edit again")
    if summary.cost:
        screen.say(f"  {summary.run} cost ${summary.cost:.4f}")
    screen.next_step(summary.next)


def _print_failing(talk: EditTalk) -> None:
    """A talk that the gate fails with the edit alone, as a person reads it."""
    screen.say()
    screen.say(f"{talk.scenario}: the gate fails it with the edit alone", bold=True)
    for message in talk.conversation.messages if talk.conversation else ():
        screen.say(f"  {message.role}", dim=True)
        screen.paragraph(message.shown)
    screen.table([(id, "no, twice", talk.evidence.get(id, "")) for id in talk.gate])
    screen.say()


def print_versions(found: Sequence[Version], *, as_json: bool) -> None:
    if as_json:
        screen.json({"versions": found, "next": AFTER})
        return
    if not found:
        screen.say("No edit has been taken yet.")
    for version in found:
        act = "taken" if version.act == "take" else "put back"
        screen.say(f"{version.at[:10]}  {version.edit} {act} by {version.by}: {KINDS[version.document].path}", bold=True)
        screen.say(f"  {version.because}")
        rates = [*_rates("before", version.pilots_before), *_rates("since", version.pilots)]
        if version.tried and version.act == "take":
            without, with_it = version.tried
            rows = f"; {version.accepted[0]} and {version.accepted[1]} accepted as rows" if version.accepted else ""
            rates.append(f"trial: passed {_share(without)} without it, {_share(with_it)} with it{rows}: {version.word}")
        for rate in rates:
            screen.say(f"  {rate}")
        if version.act == "take" and not version.undone:
            screen.say(f"  the way back: finetune-prep improve --back {version.edit}", dim=True)
    screen.next_step(AFTER if found else "finetune-prep improve")


def _rates(when: str, pilots: Sequence[PilotRate]) -> list[str]:
    return [f"{when}: {pilot.run} passed {_share(pilot.rate)}" for pilot in pilots]


def _share(rate: Rate) -> str:
    return "–" if rate.value is None else f"{rate.value:.0%} of {rate.n}"

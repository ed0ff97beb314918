"""`judge`: verdicts on conversations that somebody gives."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.job import work
from finetune_prep.cli.measured import FILE, MOST_SHOWN
from finetune_prep.cli.options import json_option, provider_option, yes_option
from finetune_prep.cli.screen import counted
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import Paused, UsageError
from finetune_prep.phases.pilot.given import GivenJudged, judge_given, prepared, unasked
from finetune_prep.phases.session import Session
from finetune_prep.project.project import open_project
from finetune_prep.records.conversations import Talks, read_conversations
from finetune_prep.workflow.estimate import Estimate, estimate_of
from finetune_prep.workflow.planned_calls import used


@click.command()
@click.argument("conversations", type=FILE)
@click.option(
    "--out", metavar="FILE", type=FILE, help="Where the verdicts go (default: CONVERSATIONS.verdicts.jsonl beside them)."
)
@yes_option
@provider_option
@json_option
@click.pass_obj
def judge(project: str, conversations: Path, out: Path | None, yes: bool, provider: str | None, as_json: bool) -> None:
    """Have the project's judge answer its rubric about CONVERSATIONS of any origin, and write a file of verdicts.

    What was asked before is free. Conversations with a fault are not put to the judge. Exit code 1 if there are such, or verdicts
    that could not be read, 5 if the judge could not be reached for all of them.
    """
    open_project(project)  # a wrong folder is told before a wrong file
    talks = read_conversations(conversations)
    target = out or conversations.with_name(f"{conversations.stem}.verdicts.jsonl")
    if target.resolve() == conversations.resolve():
        raise UsageError(
            "the verdicts would overwrite the conversations", where=str(target), next="give another file: --out FILE"
        )

    async def job(session: Session) -> GivenJudged:
        return await judge_given(session, talks, target)

    async def expect(session: Session) -> Estimate:
        prepared(session.project)
        requests = await unasked(session, talks)
        return estimate_of(session.project, await used(session.door.ledger), requests, provider or "")

    command = " ".join(["judge", shlex.quote(str(conversations)), *(["--out", shlex.quote(str(out))] if out else [])])
    found = work(project, command, provider, job, quiet=as_json, yes=yes, expect=expect)
    if as_json:
        places = {"verdicts": str(target) if found.verdicts else "", "judged": len(found.verdicts) - found.unread}
        rest = {"unread": found.unread, "waiting": found.waiting, "faulty": found.faulty, "findings": talks.findings}
        screen.json({**places, **rest})
    else:
        _print(found, talks, target, Path(project) / Documents.rubric.path)
    if found.waiting:
        raise click.exceptions.Exit(Paused.exit_code)
    if found.unread or found.faulty or talks.findings:
        raise click.exceptions.Exit(1)


def _print(found: GivenJudged, talks: Talks, target: Path, rubric: Path) -> None:
    judged = len(found.verdicts) - found.unread
    screen.say(
        f"{judged} of {counted(len(talks.rows), 'conversation')} judged{f': {target}' if found.verdicts else ''}", bold=True
    )
    if found.unread:
        reason = next(verdict.missing for verdict in found.verdicts if verdict.missing)
        screen.say(f"  {counted(found.unread, 'verdict')} cannot be read, and count neither way: {reason}")
    if found.waiting:
        screen.say(f"  {found.waiting} got no answer: {found.why_waiting}; the same command asks only for what is missing")
    for row in found.faulty[:MOST_SHOWN]:
        screen.say(f"  line {row.line}, {row.id}, not put to the judge: {row.fault}")
    if len(found.faulty) > MOST_SHOWN:
        screen.say(f"  and {len(found.faulty) - MOST_SHOWN:,} more: --json")
    for line in talks.mapping:
        screen.say(f"  read as: {line}", dim=True)
    for finding in talks.findings[:MOST_SHOWN]:
        screen.say(f"  {finding}")
    if found.verdicts:
        screen.next_step(f"finetune-prep score {shlex.quote(str(target))} --rubric {shlex.quote(str(rubric))}", wrapped=False)

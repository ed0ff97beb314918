"""`check`: the gates over the documents, with findings for a person, a script or CI."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from finetune_prep.cli import screen
from finetune_prep.cli.app import seldom
from finetune_prep.cli.document_name import DocumentName
from finetune_prep.cli.options import json_option, provider_option, yes_option
from finetune_prep.cli.told import Told
from finetune_prep.core.finding import NOT_CHECKED, Finding, Outcome
from finetune_prep.errors import Paused, Unusable, UsageError
from finetune_prep.method.gates import GATES, NEVER_OVERRIDDEN
from finetune_prep.method.phases import PHASES
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.remembered.answers import checked, standing

if TYPE_CHECKING:
    from finetune_prep.cli.judging.judge import Judge

BY_ID = {gate.id: gate for gate in GATES}
TITLES = {phase.name: phase.title for phase in PHASES} | {"workflow": "Workflow"}
ADVICE = "with advice"
WORDS = {"overridden": "waived"}
ANSWERS = ("holds", "fails", ADVICE, "overridden", "waiting", "unchecked")
FIXED = "fix what was found, then run finetune-prep check{}"
MOST_NAMED = 3  # gates that are named beside a reason they share


@click.command()
@click.argument("wanted", nargs=-1, type=DocumentName())
@click.option("--judge", is_flag=True, help="Ask the judge what only a judge can answer. What was answered before is free.")
@yes_option
@provider_option
@json_option
@click.option("--all", "everything", is_flag=True, help="On a terminal, also print what was printed before.")
@click.option("--format", "style", type=click.Choice(["text", "github"]), default="text", help="github: annotations for CI.")
@click.pass_obj
def check(
    project: str,
    wanted: tuple[str, ...],
    judge: bool,
    yes: bool,
    provider: str | None,
    as_json: bool,
    everything: bool,
    style: str,
) -> None:
    """Run the gates over all documents, or over these; print what to fix, phase by phase. Exit code 1 if a must-gate fails.

    Gates that a judge decides are unchecked until a judge has answered about the present text. With --judge, exit code 1 also
    says that answers cannot be used. On a terminal, findings that were printed before and still stand are counted only; --all
    prints them.
    """
    if provider and not judge:
        raise UsageError("--provider says whom to ask, but without --judge nobody is asked", next="finetune-prep check --judge")
    if yes and not judge:
        what = "--yes agrees to what a judge costs, but without --judge no judge is asked"
        raise UsageError(what, next="finetune-prep check --judge --yes")
    asking = _ask_judge(project, wanted, provider, yes=yes, quiet=as_json or style == "github") if judge else None
    opened = open_project(project)
    found = checked(opened, partial(seldom, "check_all"), wanted)
    form = found.of_form(wanted)
    known = asking.explained(found.outcomes) if asking else found.outcomes
    outcomes = [outcome for outcome in known if _is_wanted(outcome.gate, wanted)]
    failing = [outcome for outcome in outcomes if outcome.answer == "fails" and BY_ID[outcome.gate].level == "must"]
    asked = [outcome.gate for outcome in outcomes if BY_ID[outcome.gate].kind == "judged" and outcome.answer != "overridden"]
    unusable = asking.unusable(opened, asked) if asking else {}
    again = asking.next(opened, asked) if asking and unusable else None
    reasons = asking.reasons if asking else {}
    fix = bool(form) or any(BY_ID[outcome.gate].documents for outcome in failing)
    if as_json:
        shown = {"form": form, "outcomes": outcomes, "failing": [outcome.gate for outcome in failing], "unasked": reasons}
        step = again.command if again else _leads_on(opened, wanted, fix=fix)
        screen.json(shown | {"unusable": unusable}, step=step)
    elif style == "github":
        _print_annotations(opened, form, outcomes)
    else:
        for finding in form:
            screen.say(str(finding))
        _print_what_is_new(opened, outcomes, everything=everything, whole=not wanted)
    if asking and unusable and not as_json:
        asking.tell(again, len(unusable), screen.say if style == "text" else screen.note)
    if form or failing:
        if style == "text" and not as_json and not unusable:
            _print_how_to_waive(failing)
            screen.next_step(_leads_on(opened, wanted, fix=fix))
        raise click.exceptions.Exit(1)
    if reasons:
        raise click.exceptions.Exit(Paused.exit_code)
    if unusable:
        raise click.exceptions.Exit(Unusable.exit_code)


def _leads_on(project: Project, wanted: Sequence[str], *, fix: bool) -> str:
    """What comes next. fix: whether something in a document has to be put right; what only fails for a run is not edited."""
    return FIXED.format(" ".join(["", *wanted])) if fix else standing(project, partial(seldom, "standing_of")).overview.next


def _print_how_to_waive(failing: Sequence[Outcome]) -> None:
    """How a person who knows better goes on; of what fails for a run its own line says what to do."""
    waivable = [BY_ID[one.gate] for one in failing if BY_ID[one.gate].documents and one.gate not in NEVER_OVERRIDDEN]
    if waivable:
        command = f'finetune-prep accept {waivable[0].documents[-1]} --override {waivable[0].id} --because "…"'
        more = ", and so for each" if len(waivable) > 1 else ""
        screen.say(screen.from_here(f"  if you know better: {command}{more}"), dim=True)


def _is_wanted(gate: str, wanted: Sequence[str]) -> bool:
    """Whether a gate decides about one of these documents; all gates without any."""
    return not wanted or bool(BY_ID[gate].documents and BY_ID[gate].documents[-1] in wanted)


def _ask_judge(folder: str, wanted: Sequence[str], provider: str | None, *, yes: bool, quiet: bool) -> Judge:
    gates = [gate.id for gate in GATES if gate.kind == "judged" and _is_wanted(gate.id, wanted)]
    judge: Judge = seldom("Judge", folder, gates, command(wanted), provider, yes=yes, quiet=quiet)
    return judge


def command(wanted: Sequence[str]) -> str:
    """What asks the judge about these documents; all of them without any."""
    return " ".join(["finetune-prep check", *wanted, "--judge"])


def _print_what_is_new(project: Project, outcomes: list[Outcome], *, everything: bool, whole: bool) -> None:
    """The gates, on a terminal without the findings that were printed there before. whole: whether these are all gates."""
    seen = sys.stdout.isatty()
    told = Told(project, "check", anew=everything or not seen)
    _print_outcomes(outcomes, told)
    if told.as_before.total():
        screen.say("finetune-prep check --all also shows the findings that have not changed.", dim=True)
    if seen:
        told.keep(whole=whole)


def _print_outcomes(outcomes: list[Outcome], told: Told) -> None:
    for name, title in TITLES.items():
        mine = [outcome for outcome in outcomes if BY_ID[outcome.gate].phase == name]
        if not mine:
            continue
        counts = Counter(map(_standing, mine))
        found = sum(len(outcome.findings) for outcome in mine)
        listed = f"; {screen.counted(found, 'finding')}" if found else ""
        screen.say(f"{title}: {_summary(counts)}{listed}", bold=True)
        for outcome in mine:
            for finding in outcome.findings:
                if not told.is_new(f"{outcome.gate} {outcome.answer} {finding.path} {finding.what}", outcome.gate):
                    continue
                level = "" if BY_ID[outcome.gate].level == "must" else "advice: "
                waived = " (waived)" if outcome.answer == "overridden" else ""
                screen.say(f"  {level}{finding}  [{outcome.gate}]{waived}", dim=bool(level or waived))
            if count := told.as_before[outcome.gate]:
                screen.say(f"  {count} finding{'s' if count > 1 else ''} as before  [{outcome.gate}]", dim=True)
        _print_reasons(mine)


def _standing(outcome: Outcome) -> str:
    """What a gate is counted as: one that only gives advice does not fail a document."""
    return ADVICE if outcome.answer == "fails" and BY_ID[outcome.gate].level != "must" else outcome.answer


def _summary(counts: Counter[str]) -> str:
    """Gates by how they stand, in words: "45 gates hold, 2 waived"."""
    verbs = {"holds": "hold", "fails": "fail"}
    words: list[str] = []
    for answer in (answer for answer in ANSWERS if counts[answer]):
        count = counts[answer]
        number = f"{count}" if words else screen.counted(count, "gate")
        word = WORDS.get(answer, answer)
        words.append(f"{number} {word if count == 1 else verbs.get(word, word)}")
    return ", ".join(words)


def _print_reasons(outcomes: list[Outcome]) -> None:
    """Why gates did not come to an answer, each reason once with the gates that share it; also of those that are overridden."""
    sharing: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        overridden = outcome.answer == "overridden" and not outcome.findings
        if overridden or outcome.answer in ("unchecked", "waiting") or (outcome.answer == "fails" and outcome.note):
            answer = "overridden, unchecked" if overridden else "waiting" if outcome.answer == "waiting" else "unchecked"
            sharing.setdefault((answer, outcome.note), []).append(outcome.gate)
    for (answer, reason), gates in sharing.items():
        more = f" and {len(gates) - MOST_NAMED} more" if len(gates) > MOST_NAMED else ""
        screen.say(f"  {answer}: {reason.removeprefix(NOT_CHECKED)}  [{', '.join(gates[:MOST_NAMED])}{more}]", dim=True)


# ---- annotations: https://docs.github.com/actions/reference/workflow-commands-for-github-actions


def _print_annotations(project: Project, form: list[Finding], outcomes: list[Outcome]) -> None:
    for finding in form:
        screen.say(annotation("error", project.folder, finding, "form"), wrapped=False)
    for outcome in outcomes:
        for finding in outcome.findings:
            screen.say(annotation(_severity(outcome), project.folder, finding, outcome.gate), wrapped=False)


def _severity(outcome: Outcome) -> str:
    if outcome.answer == "overridden":
        return "notice"
    return "error" if BY_ID[outcome.gate].level == "must" else "warning"


def annotation(severity: str, folder: Path, finding: Finding, title: str) -> str:
    """A workflow command for one finding. The file is named from where the command runs, which in CI is the repository."""
    properties = {"file": os.path.relpath(folder / finding.path), "title": title}
    if finding.line:
        properties["line"] = str(finding.line)
    listed = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    message = f"{finding.what}; {finding.fix}" if finding.fix else finding.what
    return f"::{severity} {listed}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """Percent-encoded as GitHub reads it: otherwise a judge's words could end the command and begin another."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text

"""Reading the talks of a trial at the terminal, without knowing which prompt they came from."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.core.rubric import YesNo
from finetune_prep.project.improving.runs import EditRun
from finetune_prep.project.project import Project
from finetune_prep.workflow.improving.labelling import ToLabel, question_of, say, to_label

ANSWERS: dict[str, YesNo | None] = {"y": "yes", "n": "no", "x": "na", "d": None}


def sit(project: Project, run: EditRun, by: str) -> bool:
    """Have a person answer the trial's question about one talk after the other. Returns whether all were read."""
    question = question_of(project, run)
    screen.say(f"{run.name}: {question.id}. {question.text}", bold=True)
    for word, text in (("Yes", question.yes), ("No", question.no), ("N/A", question.na)):
        if text:
            screen.say(f"  {word}: {text}")
    for one in to_label(project, run):
        _print(one)
        said = click.prompt(
            f"{one.number} of {one.of} – yes, no, x (does not apply), d (cannot tell), or q (go on later)?",
            type=click.Choice([*ANSWERS, "q"]),
            show_choices=False,
            err=True,
        )
        if said == "q":
            return False
        say(project, run, one.conversation, ANSWERS[said], by)
    return True


def _print(one: ToLabel) -> None:
    screen.say()
    if one.expected:
        screen.say(f"  this case asks for: {one.expected}", dim=True)
    for message in one.conversation.messages:
        screen.say(f"  {message.role}", dim=True)
        screen.paragraph(message.shown)

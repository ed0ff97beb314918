"""`import`: a rubric or a list of behaviors that somebody has already."""

from __future__ import annotations

from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.document_name import DocumentName
from finetune_prep.cli.options import json_option
from finetune_prep.documents.knowledge.anchors import ALWAYS, NEVER
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.workflow.texts import importing
from finetune_prep.workflow.texts.history import SHOWN

SIDES = {"always": ALWAYS, "never": NEVER}
MOST_SHOWN = 20  # lines of each list


@click.command("import")
@click.argument("kind", type=DocumentName(importing.SUBJECTS), metavar="rubric|anchors")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace what stands there; the old text is kept in the history.")
@click.option(
    "--unmarked",
    type=click.Choice([*SIDES]),
    help="anchors: what holds for rows under headings that say neither always nor never.",
)
@json_option
@click.pass_obj
def import_(project: str, kind: str, file: Path, overwrite: bool, unmarked: str | None, as_json: bool) -> None:
    """Turn a rubric, or a list of what to do always and never, into a draft of the project's document.

    FILE may be JSON (a list of objects or strings, or objects that hold such lists), JSON lines, CSV, or Markdown with tables or
    lists. Columns such as question, category, weight, yes and no find their place by their names. Nothing is made up: what the
    file does not say is missing in the draft, and named. What to do always and what never is told apart by headings, lines above
    a list, columns and the rows' own words, in English, German and the common words of other languages; where they tell nothing,
    --unmarked does. No model is asked, and the draft waits to be edited and accepted like any other.
    """
    opened, side = open_project(project), SIDES[unmarked] if unmarked else ""
    with locked(opened.layout.lock, "import"):
        done = importing.import_(opened, importing.SUBJECTS[kind], file, overwrite=overwrite, unmarked=side)
    if as_json:
        screen.json(done, step=f"finetune-prep check {done.kind}")
        return
    things = "question" if importing.SUBJECTS[kind] == "rubric" else "anchor"
    screen.say(f"{done.path}: {done.number} {things}{'' if done.number == 1 else 's'} from {file}", bold=True)
    if done.before:
        screen.say(f"  The text it replaced is kept: finetune-prep restore {done.kind} {done.before[:SHOWN]}")
    screen.say("What became what")
    screen.table([(placed.column, f"→ {placed.became}") for placed in done.placed])
    _listed("Not placed", [f"{left.place}: {left.text} – {left.why}" for left in done.unplaced])
    _listed("Missing in the draft", [str(finding) for finding in done.missing])
    screen.next_step(f"edit it, then finetune-prep check {done.kind}")


def _listed(title: str, lines: list[str]) -> None:
    if not lines:
        return
    screen.say(f"{title}: {len(lines)}")
    for line in lines[:MOST_SHOWN]:
        screen.say(f"  {line}")
    if len(lines) > MOST_SHOWN:
        screen.say(f"  and {len(lines) - MOST_SHOWN} more (--json shows all)")

"""`demo`: a bundled example from its recording, by the commands a user would type."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.app import INTERRUPTED
from finetune_prep.cli.options import json_option
from finetune_prep.core.identity import digest_bytes
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.project.beginning.scaffold import copy_inputs, inputs
from finetune_prep.project.evaluating.runs import EvaluationRun, evaluation_runs
from finetune_prep.project.layout import CONFIG
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import SCALE, runs
from finetune_prep.web.still import still

EXAMPLES = ("online-shop", "museum-visitors")
REVIEW = "review.html"
FOLDER = "finetune-prep-demo"
# A folder with this file is one that the demo made and may use again, for the example that it names; it also holds the hash of
# each file that was copied, which tells a person's edit from an example that has changed with the program.
MARK = ".finetune-prep-demo"
MOST_NAMED = 3  # changed files, in an error


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--example",
    "name",
    type=click.Choice(EXAMPLES),
    default=EXAMPLES[0],
    show_default=True,
    help="museum-visitors is in German: letters that come days apart.",
)
@json_option
def demo(folder: Path | None, name: str, as_json: bool) -> None:
    """Go the whole way on a bundled example, in FOLDER (default: finetune-prep-demo, and with --example its name after that).

    The models' answers come from the example's recording: no key, no network. Nothing else is special: the commands are
    printed as they run, and they are the ones for your own domain.
    """
    example = _example(name)
    folder = folder or Path(FOLDER if name == EXAMPLES[0] else f"{FOLDER}-{name}")
    claim(folder, name, example)
    brief = open_project(folder).value(Documents.brief)
    commands, live = commands_of(example), f"{_program()} --project {shlex.quote(str(folder))} review"
    if as_json:
        for arguments in commands:
            _run(folder, arguments, quiet=True)
        _write_review(folder, live)
        files = [path for path, _ in _places(folder)]
        screen.json(
            {"folder": str(folder), "title": brief.title, "commands": commands, "files": files, "live": live},
            step=f"finetune-prep --project {shlex.quote(str(folder))} status",
        )
        return
    screen.say(brief.title, bold=True)
    screen.paragraph(brief.text)
    screen.say()
    for arguments in commands:
        screen.say(f"$ finetune-prep {' '.join(arguments)}", bold=True)
        _run(folder, arguments)
        screen.say()
    _write_review(folder, live)
    _closing(folder, live)


def claim(folder: Path, name: str, example: Path) -> None:
    """Make the folder the demo's, with what the example was given.

    Raises UsageError if it holds anything but this example – two of them would get mixed up –, or if somebody has changed what
    would be put there: a demo is there to be played with.
    """
    chosen = "" if name == EXAMPLES[0] else f"--example {name} "
    other = f"finetune-prep demo {chosen}ANOTHER-FOLDER"
    copied: dict[str, str] = {}
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise UsageError("this folder holds something else", where=str(folder), next=other)
        made, copied = _read_mark(folder)
        if made != name:
            raise UsageError(f"this folder holds the example {made}", where=str(folder), next=other)
        if changed := _changed(folder, example, copied):
            more = f" and {len(changed) - MOST_NAMED} more" if len(changed) > MOST_NAMED else ""
            here = f"{_program()} --project {shlex.quote(str(folder))} status"
            raise UsageError(
                f"the demo would overwrite what was changed here since it ran: {', '.join(changed[:MOST_NAMED])}{more}",
                where=str(folder),
                next=f"{other}, for a fresh one; {here}, to go on with this one",
            )
    folder.mkdir(parents=True, exist_ok=True)
    _write_mark(folder, name, copied)
    copy_inputs(example, folder)
    # last: after a kill in between, what was copied earlier is still known by its hash, and the rest is as in the example
    _write_mark(folder, name, {path: digest_bytes((example / path).read_bytes()) for path in inputs(example)})


def _changed(folder: Path, example: Path, copied: Mapping[str, str]) -> list[str]:
    """Files that are neither as the demo copied them nor as the example has them now. copied: hashes by path."""
    return [
        path
        for path in inputs(example)
        if (folder / path).is_file()
        and digest_bytes((folder / path).read_bytes()) not in (copied.get(path), digest_bytes((example / path).read_bytes()))
    ]


def _read_mark(folder: Path) -> tuple[str, dict[str, str]]:
    """The example that the demo made here, and the hash of each file that it copied."""
    name, *lines = (folder / MARK).read_text("utf-8").splitlines() or [""]
    pairs = (line.partition("  ") for line in lines)
    return name.strip() or EXAMPLES[0], {path: hash for hash, _, path in pairs}


def _write_mark(folder: Path, name: str, copied: Mapping[str, str]) -> None:
    write_atomically(folder / MARK, "".join([f"{name}\n", *(f"{hash}  {path}\n" for path, hash in copied.items())]))


def _write_review(folder: Path, live: str) -> None:
    """The review as a page that needs no server, if there is a pilot to read."""
    project = open_project(folder)
    if runs(project.layout, "pilot"):
        write_atomically(folder / REVIEW, still(project, live))


def _example(name: str) -> Path:
    """An example as installed with the package, or as it stands beside the source."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "examples" / name, package.parents[1] / "examples" / name):
        if (folder / CONFIG).is_file():
            return folder
    raise UsageError("the bundled example is not installed", where=str(package), next="reinstall the package")


def commands_of(example: Path) -> list[list[str]]:
    """What the recording holds answers for: the runs that the example ships, in their order."""
    layout = open_project(example).layout
    made = [run.plan.command.split()[1:] for run in runs(layout)]
    return [["prepare"], *made, *([["export", "--preview"]] if made else []), *map(_replayed, evaluation_runs(layout))]


def _replayed(run: EvaluationRun) -> list[str]:
    """The command of an evaluation, with the replies of its models from the recording: their weights are not there."""
    models = {
        role: model | {"provider": f"recording/{model['model']}"} if role in ("base", "tuned") else model
        for role, model in run.plan.models.items()
    }
    return msgspec.structs.replace(run.plan, models=models).command.split()[1:]


def _run(folder: Path, arguments: list[str], *, quiet: bool = False) -> None:
    command = [sys.executable, "-m", "finetune_prep", "--project", str(folder), *arguments]
    said = subprocess.DEVNULL if quiet else None
    with subprocess.Popen(command, stdout=said) as child:  # noqa: S603 - our own command with our own arguments
        code = _ended(child)
    if code:
        raise click.exceptions.Exit(code)


def _ended(child: subprocess.Popen[bytes]) -> int:
    """The exit code of a command. A Ctrl-C reaches it as well: it ends in its own time, and what it says of that is enough."""
    stopped = False
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            stopped = True
            continue
        if stopped and code != INTERRUPTED:  # it was done already, or had not begun
            raise KeyboardInterrupt
        return code


def _program() -> str:
    """How to call this program from here: by name if the shell finds it, else by its place in the environment it runs in."""
    if shutil.which("finetune-prep"):
        return "finetune-prep"
    script = Path(sys.executable).with_name("finetune-prep")
    return str(script.relative_to(Path.cwd())) if script.is_relative_to(Path.cwd()) else str(script)


def _places(folder: Path) -> list[tuple[str, str]]:
    """What was made, and what it is."""
    rows = [
        (f"{folder}/reference/", "domain frameworks with anchors, scenario space, rubric"),
        (f"{folder}/reference/digest/", "what deserves a look in each of them"),
        (f"{folder}/prompts/", "the judge's, the assistant's and the simulated user's prompt"),
    ]
    project = open_project(folder)
    if pilots := runs(project.layout, "pilot"):
        report = pilots[-1].report_path.relative_to(project.folder)
        rows.insert(0, (f"{folder}/{report}", "what happened in the pilot, to read in a browser"))
        rows.insert(1, (f"{folder}/{REVIEW}", "what a person reads and labels, to look at in a browser"))
        rows.append((f"{folder}/dataset/", "the accepted rows, and the card that says what is missing"))
    if scaled := runs(project.layout, SCALE):
        report = scaled[-1].report_path.relative_to(project.folder)
        rows.insert(1, (f"{folder}/{report}", "the same for the run that made the rows"))
    if evaluations := evaluation_runs(project.layout):
        report = evaluations[-1].report_path.relative_to(project.folder)
        rows.append((f"{folder}/{report}", "a model tuned on such rows beside its base"))
    return rows


def _closing(folder: Path, live: str) -> None:
    project = open_project(folder)
    pilots = runs(project.layout, "pilot")
    samples = pilots[-1].samples() if pilots else ()
    shown = next((sample for sample in samples if sample.state == "accepted" and sample.conversation), None)
    if shown and shown.conversation:
        screen.say()
        screen.say("One of the accepted rows", bold=True)
        for message in shown.conversation.messages[:2]:
            screen.say(f"  {message.role}:")
            screen.paragraph(message.shown)
    screen.say()
    screen.say("Where things are", bold=True)
    screen.table(_places(folder))
    screen.say()
    screen.say("Look around", bold=True)
    start = f"{_program()} --project {shlex.quote(str(folder))}"
    screen.say(f"  {live}   the live page: read ten conversations, and label them")
    screen.say(f"  {start} status")
    screen.say(f"  {start} check   what gates and judges object to in the documents")
    if rejected := next((sample for sample in samples if sample.state == "rejected"), None):
        screen.say(f"  {start} show {rejected.scenario.id}   a conversation that was rejected, and why")
    if evaluations := evaluation_runs(project.layout):
        screen.say(f"  {start} show {evaluations[-1].name}   what the base and the tuned model said to the same users")
    screen.say(f"  {folder / CONFIG}   names the models; for anything new (probe, improve, a larger pilot), name yours")
    screen.say()
    screen.say("Your own domain", bold=True)
    screen.say(f"  {_program()} new my-domain")
    screen.say(f"  {_program()} --project my-domain prepare")

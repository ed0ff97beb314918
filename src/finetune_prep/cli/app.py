"""The command group, the table of commands, and what every command shares: the project, exit codes, errors as sentences."""

from __future__ import annotations

import atexit
import difflib
import gc
import importlib
import io
import keyword
import re
import sys
from typing import Any, Literal, NoReturn

import click
from click.shell_completion import CompletionItem

from finetune_prep.cli import screen
from finetune_prep.errors import ActNeeded, FinetunePrepError, UsageError, Waiting

INTERRUPTED, TERMINATED = 130, 143  # as a shell counts: 128 and the signal
# Young objects before they are looked through for cycles (Python: 700). Hundreds of calls under way are tens of thousands of
# objects that live for a moment and are no garbage: looking at them all the time cost a fifth of the CPU of a call.
YOUNG_OBJECTS = 20_000
# Seconds for which a thread may keep others waiting (Python: 0.005): the ledger's writer waits for the event loop twice for each
# commit, and hundreds of calls wait for the commit.
TURN_SECONDS = 0.0005
# commands in the order of the help → what they are for; each is defined in the module of its name, imported when it is called:
# `--help` stays quick whatever a command needs
COMMANDS: dict[str, str] = {
    "new": "Start a project from a brief.",
    "status": "Show where the project stands, what is out of date and why, and what to run next.",
    "check": "Run the gates over the documents; findings as file:line.",
    "show": "Show a scenario, conversation, verdict or request, and everything behind it.",
    "template": "Print a filled-in specimen of a document.",
    "import": "Import a rubric or a list of behaviors from JSON, CSV or Markdown as a draft.",
    "sources": "List the sources behind the reference, or search them.",
    "prepare": "Run phases 1 to 5 in order, stopping whenever a person has to accept a document.",
    "research": "Phase 1: domain frameworks and scenario space.",
    "anchors": "Phase 2: behavioral anchors.",
    "rubric": "Phase 3: binary rubric with a safety gate.",
    "evaluation-prompt": "Phase 4: the judge's prompt.",
    "generation-prompt": "Phase 5: prompts of the assistant, the simulated user and the training data.",
    "accept": "Read what changed in a document and accept it.",
    "history": "List earlier versions of a document.",
    "restore": "Restore an earlier version of a document.",
    "probe": "Test whether each rubric question catches the fault it is meant to catch.",
    "pilot": "Make and judge conversations with the accepted prompts.",
    "improve": "Find out what fails in the last pilot and why, and try one suggested edit for each; keep it or undo it.",
    "scale": "Make and judge conversations until a given number of rows is accepted.",
    "retry": "Ask again for answers that could not be used.",
    "review": "Read conversations of a pilot and label them, before the judge's verdict is shown.",
    "serve": "Open the project in a browser on this machine: status, conversations and review.",
    "audit": "Check the rows you would train on, as a whole and against other files.",
    "drop": "Keep a conversation out of all future exports.",
    "export": "Write accepted rows as training data.",
    "evaluate": "Test a model on held-out scenarios, and whether tuning improved it.",
    "judge": "Run the project's judge on conversations from any source.",
    "score": "From a file of verdicts, report how many conversations pass and which questions the others fail.",
    "health": "Find rubric questions that are dead, redundant, reversed or noisy.",
    "agreement": "Check whether a judge agrees with human labels, and what is missing if it cannot be certified.",
    "compare": "Compare a tuned model with its base on the same scenarios.",
    "faults": "Find faults in conversations before a judge sees them, and phrases they repeat.",
    "cost": "Show what was spent, on what and per accepted row, and estimate the next run.",
    "doctor": "Check what works and what is missing: keys, endpoints, structured output, disk, clock.",
    "batch": "Batch files and Batch APIs: what is outstanding; import, fetch, cancel.",
    "ledger": "Export or import recordings; list requests without an answer; rescue a damaged ledger.",
    "demo": "Run the bundled example from start to finish; no key or network needed.",
    "completion": "Set up shell completion for commands, options and documents.",
}
MEASURING = {"score", "health", "agreement", "compare", "faults"}  # files, anybody's
WITHOUT_PROJECT = {"new", "template", "demo", "completion", *MEASURING}
PHASES = {"research", "anchors", "rubric", "evaluation-prompt", "generation-prompt"}  # single phases of `prepare`
# what commands call only now and then → the module that has it, imported with the call, as commands are: `status` and `check`
# answer from memory while nothing has changed, and to load what works an answer out would take longer than all that they do.
# This is for the command line alone: nothing below imports it, so no cycle can hide behind a name here.
Seldom = Literal["Judge", "check_all", "standing_of"]
SELDOM: dict[Seldom, str] = {
    "Judge": "cli.judging.judge",
    "check_all": "workflow.checking",
    "standing_of": "workflow.status.overview",
}


class Terminated(click.exceptions.Abort):
    """The process was asked to end (SIGTERM), and has put its work in order."""


class Commands(click.Group):
    """A group that imports a command's module when the command is called, and lets every command take the project."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name.replace("-", "_")
        module = importlib.import_module(f"finetune_prep.cli.commands.{'prepare' if cmd_name in PHASES else name}")
        command: click.Command = getattr(module, name)
        if cmd_name not in WITHOUT_PROJECT:
            _let_take_the_project(command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name == "help":  # `help`, `help COMMAND`, `help COMMAND SUBCOMMAND`
            click.echo(_help(ctx, self, args[1:]))
            ctx.exit()
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name.replace("_", "-").lower(), COMMANDS, n=1)
        hint = f"; did you mean “{near[0]}”?" if near else ""
        raise UsageError(f"unknown command “{name}”{hint}", next=f"finetune-prep {near[0] if near else '--help'}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=words) for name, words in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


def seldom(name: Seldom, *arguments: Any, **options: Any) -> Any:
    """Call what SELDOM names; gives and raises what that does."""
    return getattr(importlib.import_module(f"finetune_prep.{SELDOM[name]}"), name)(*arguments, **options)


def _help(context: click.Context, group: click.Group, names: list[str]) -> str:
    """The help of the command that these names lead to. Raises UsageError if there is none."""
    command: click.Command = group
    for name in names:
        if not isinstance(command, click.Group):
            break
        _, found, _ = command.resolve_command(context, [name])
        if found is not None:
            command, context = found, click.Context(found, info_name=name, parent=context)
    return command.get_help(context)


def _let_take_the_project(command: click.Command) -> None:
    """Give a command, and those within it, the option `--project`, which stands for the one before the command."""
    if not any(parameter.name == "project" for parameter in command.params):
        command.params.append(
            click.Option(
                ["--project"],
                metavar="DIR",
                expose_value=False,
                is_eager=True,
                callback=_use_project,
                help="The project folder (default: the current folder).",
                type=click.Path(file_okay=False),
            )
        )
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _let_take_the_project(inner)


def _use_project(context: click.Context, option: click.Parameter, folder: str | None) -> None:
    if folder is not None:
        context.obj = folder
        screen.name_folder(folder)


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="finetune-prep")
@click.option(
    "--project",
    default=".",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="The project folder (default: the current folder); can also follow the command.",
)
@click.pass_context
def app(context: click.Context, project: str) -> None:
    """From one paragraph about a domain to a fine-tuning set you can trust.

    Start with `finetune-prep new my-domain`. After that, `finetune-prep status` always tells you the next command.
    """
    context.obj = project
    screen.name_folder(project)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code.

    0 fine, 1 findings or a failed gate, 2 usage, 3 a person must act, 4 waiting for answers, 5 paused, 6 another process works
    on the project, 130 interrupted, 143 terminated. With --json, `kind` tells apart what shares a code ("not-agreed",
    "key-not-allowed"), `next` names the command that leads on, or is empty, and `hint` says in words what a command does not.
    """
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given[: given.index("--") if "--" in given else None]
    prepare_interpreter()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a locale without the character gets its code
    try:
        code = app.main(given, prog_name="finetune-prep", standalone_mode=False)
    except FinetunePrepError as error:
        sys.exit(_report(error, as_json=as_json))
    except click.exceptions.Abort as stopped:
        screen.note("Stopped. Every answer that came is saved; run the same command to resume.")
        sys.exit(TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as bare:  # `ledger` alone: a question, as `finetune-prep` alone is
        click.echo(bare.format_message())
        sys.exit(0)
    except click.ClickException as error:
        sys.exit(_report(_usage(error), as_json=as_json))
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) has seen enough
        sys.exit(0)
    except OSError as error:
        fix = "check the disk and who may write there; nothing is lost"
        sys.exit(_report(UsageError(str(error.strerror or error), where=str(error.filename or ""), next=fix), as_json=as_json))
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: click.ClickException) -> UsageError:
    """What click has to say about a command line, in our form."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "finetune-prep"
    if isinstance(error, click.NoSuchOption) and context and (short := error.option_name[1:]) in _options(context.command):
        error = click.NoSuchOption(error.option_name, possibilities=[short], ctx=context)  # --n for -n
    return UsageError(_wanted(error, path) or error.format_message().rstrip("."), next=f"{path} --help")


def _options(command: click.Command) -> set[str]:
    return {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts}


def _wanted(error: click.ClickException, command: str) -> str:
    """What a command was called without, by the name that its help has for it; "" where something else is wrong."""
    if not isinstance(error, click.MissingParameter) or error.ctx is None or error.param is None:
        return ""
    metavar = error.param.make_metavar(error.ctx)
    if isinstance(error.param, click.Option):
        return f"{command}: missing option {error.param.opts[-1]} {metavar}"
    kind = ", a file" if isinstance(error.param.type, click.Path) and metavar != "FOLDER" else ""
    return f"{command}: missing argument {metavar.removesuffix('...')}{kind}"


def _report(error: FinetunePrepError, *, as_json: bool) -> int:
    """Say what ended the command; its exit code. A stop that was planned is none of the errors."""
    planned = isinstance(error, ActNeeded | Waiting)
    if as_json:
        fields: dict[str, Any] = {"kind": kind_of(error), "what": error.what, "where": error.where, "details": error.details}
        fields |= screen.step_fields(error.next)
        if isinstance(error, Waiting):
            fields |= {"rounds": error.rounds, "of_about": error.of_about}
        screen.json({"stopped" if planned else "error": fields, "exit_code": error.exit_code})
    else:
        screen.error(error, planned=planned)
    return error.exit_code


def kind_of(error: FinetunePrepError) -> str:
    """What a script may tell errors of one exit code apart by: "not-agreed", "key-not-allowed", "gate"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__.removesuffix("Error")).lower()


def prepare_interpreter() -> None:
    """What suits hundreds of calls under way: set by a program for its process, never by a library."""
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
    sys.setswitchinterval(TURN_SECONDS)
    atexit.register(gc.freeze)  # what is left then goes with the process: looking for cycles in it is a tenth of a short command

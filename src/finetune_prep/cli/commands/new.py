"""`new`: a project from a brief."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click

from finetune_prep import documents
from finetune_prep.cli import person, screen
from finetune_prep.cli.app import INTERRUPTED
from finetune_prep.cli.options import json_option
from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import DocumentError, UsageError
from finetune_prep.http.endpoint import read_endpoint
from finetune_prep.http.secrets import is_variable
from finetune_prep.invisible import invisible, without_invisible
from finetune_prep.models.setup.choosing import candidates, choose
from finetune_prep.models.setup.detect import Found, listening, look_around
from finetune_prep.project import config
from finetune_prep.project.beginning import scaffold
from finetune_prep.project.beginning.scaffold import Choice
from finetune_prep.project.keys import KeyUse, allow
from finetune_prep.project.project import open_project
from finetune_prep.workflow.scaling.whole_way import whole_way
from finetune_prep.workflow.texts.first_brief import TAG, FirstBrief, LanguageUnclear, first_brief, title_from

STANDARD_INPUT = Path("-")
FROM_THE_SHELL = (Path("/dev/fd"), Path("/proc/self/fd"))  # where `--brief <(…)` lets a pipe be read; any other may wait for ever
LONGEST_NAME = 80  # characters; who types more is at the brief already
WORTH_IT = (
    "This is worth the effort when there is no large set of real conversations to train on, when prompting a model alone does "
    "not reach the quality you need, and when the result is meant to last: it is not for quick prototypes."
)


class Doubt(NamedTuple):
    """A question whose yes speaks against all this effort, and the honest word about it."""

    question: str
    word: str


class Casting(NamedTuple):
    """The models of a new project, and in words how they were chosen."""

    choice: Choice
    words: tuple[str, ...] = ()


DOUBTS = (
    Doubt(
        "Do you have thousands of real conversations of this kind that you are allowed to train on?",
        "Then clean and judge those: real ones teach more than simulated ones. What helps you here is the rubric.",
    ),
    Doubt(
        "Does the base model, with a good prompt, already do well at this?",
        "Then tuning gains you little. Write the rubric first and measure the base model with it; stop there if it passes.",
    ),
    Doubt(
        "Is this a quick prototype?",
        "Then prompt a model, and come back when the result has to last: preparing this well takes a person a working day.",
    ),
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--brief",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Markdown or text file with the brief (- for standard input); if left out, you are asked for it.",
)
@click.option("--language", default="", metavar="TAG", help="Language of the conversations (default: that of the brief).")
@click.option("--model", default="", metavar="PROVIDER/MODEL", help="The model of all roles (default: what is found here).")
@click.option("--provider", default="", metavar="NAME", help="Choose a model of this provider: batch (files), openai, ollama, …")
@click.option("--no-detect", is_flag=True, help="Do not look for keys or servers on this machine; questions go to batch files.")
@click.option("--base-url", default="", metavar="URL", help="Address of an OpenAI-compatible endpoint, up to and with /v1.")
@click.option("--key-env", default="", metavar="NAME", help="Environment variable that holds the endpoint's API key.")
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask whether this is worth the effort, or before asking a server for its models.",
)
@json_option
def new(
    folder: Path,
    brief: Path | None,
    language: str,
    model: str,
    provider: str,
    no_detect: bool,
    base_url: str,
    key_env: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Start a project in FOLDER, which must be new or empty.

    Without --model, the program looks for keys in the environment and for servers on this machine's usual ports (Ollama, LM
    Studio, vLLM, llama.cpp), and assigns what it finds to roles. It asks a server for its list of models only after you say yes
    (or with --yes, or if --provider names it); no model is called. If nothing is found, questions go to batch files: JSON Lines
    that any provider's Batch API, or vLLM's run-batch, can answer. For a server elsewhere:
    --model local/NAME --base-url http://gpu.example:8000/v1

    Conversations are in the language of the brief, unless the brief names another (`language: de` in its front matter).
    """
    scaffold.refuse_used(folder)
    _refuse_contradictions(model, provider, base_url, key_env, asked=not brief, as_json=as_json)
    try:
        if not brief and not yes and not _worth_it():
            screen.say("Nothing was made.")
            return
        written = _brief(folder, brief, _language(language))
    except click.exceptions.Abort:
        screen.note("Stopped. Nothing was made.")
        raise click.exceptions.Exit(INTERRUPTED) from None
    casting = Casting(Choice(model, model)) if model else _cast(provider, no_detect, yes=yes)
    chosen = casting.choice
    settings = scaffold.config_text(
        folder.resolve().name, chosen.model, base_url, key_env, year=datetime.now(UTC).year, judge=chosen.judge
    )
    scaffold.create(folder, written.text, settings)
    if base_url and key_env:  # whoever types both has said yes
        allow(KeyUse(key_env, read_endpoint(base_url).origin))
    if as_json:
        _print_json(folder, written, casting)
    else:
        _print(folder, written, casting, whole_way_words(folder))


def _refuse_contradictions(model: str, provider: str, base_url: str, key_env: str, *, asked: bool, as_json: bool) -> None:
    """Raise UsageError for options that do not go together. asked: there is no file with the brief."""
    if model and provider:
        raise UsageError("--model names a provider already", next="leave out --provider")
    if (base_url or key_env) and not model:
        raise UsageError("--base-url and --key-env need --model", next="--model local/NAME --base-url URL")
    if model and not all(model.partition("/")):
        name = model.strip("/") or "NAME"
        raise UsageError(
            f"--model “{model}” is not provider/model",
            next=f"--model local/{name} --base-url {base_url or 'http://HOST:PORT/v1'}, or for example --model openai/gpt-5-mini",
        )
    if base_url and "://" not in base_url and "@" not in base_url:
        raise UsageError(f"“{base_url}” is not a valid endpoint address", next=f"--base-url http://{base_url}")
    if base_url:
        try:
            read_endpoint(base_url)
        except ValueError as error:
            raise UsageError(f"--base-url cannot be used: {error}", next="--base-url http://HOST:PORT/v1") from error
    if key_env and not is_variable(key_env):
        what = "--key-env is not the name of an environment variable; it may be the key itself"
        raise UsageError(what, next="--key-env NAME, where NAME is the variable that holds the key")
    if model and not base_url and "/" in model and not config.is_known(model.partition("/")[0]):
        name = model.partition("/")[0]
        raise UsageError(f"no address is known for the provider “{name}”", next=f"--model {model} --base-url http://HOST:PORT/v1")
    if as_json and asked:
        raise UsageError("with --json nobody is asked, and the brief must come from a file", next="--brief FILE")


def _brief(folder: Path, path: Path | None, language: str) -> FirstBrief:
    """The brief that was given, in the form of brief.md. Raises DocumentError for one that cannot be used."""
    given = _read_brief(path) if path else _ask_brief(folder)
    try:
        written = first_brief(given, folder, language)
    except LanguageUnclear as unclear:
        if path and not person.is_there():
            raise
        written = first_brief(given, folder, _ask_language(unclear.guess))
    parsed = documents.parse("brief", written.text, str(path or KINDS["brief"].path))
    if parsed.value is None or parsed.findings:
        raise DocumentError(
            "this brief cannot be used",
            where=str(path or "brief"),
            details=tuple(f"  {finding}" for finding in parsed.findings),
            next="finetune-prep template brief",
        )
    return written


def _print_json(folder: Path, written: FirstBrief, casting: Casting) -> None:
    screen.json(
        {
            "folder": str(folder),
            "title": written.title,
            "language": written.language,
            "language_stated": written.stated,
            "model": casting.choice.model,
            "judge": casting.choice.judge,
            "notes": casting.words,
            "next": f"finetune-prep --project {shlex.quote(str(folder))} prepare",
        }
    )


def whole_way_words(folder: Path) -> str:
    """What the whole way would cost, "" where that is not known or nothing."""
    ways = whole_way(open_project(folder), None)
    dollars = [way.cost for way in ways.ways if way.cost]
    if not dollars:
        return ""
    return (
        f"The whole way to {ways.rows:,} accepted rows would cost about ${min(dollars):,.0f} to ${max(dollars):,.0f}, "
        "reading your sources not counted; finetune-prep cost --estimate breaks it down. Nothing is spent without a yes."
    )


def _print(folder: Path, written: FirstBrief, casting: Casting, cost: str) -> None:
    told = "" if written.stated else " – the language of the brief; change it there if it is another"
    screen.say(f"A project for “{written.title}” is in {folder}.", bold=True)
    screen.say(f"Language of the conversations: {written.language}{told}.")
    screen.say()
    screen.table(
        [
            ("brief.md", "your brief; edit it as you like"),
            ("sources/", "put your material here (.md, .txt, .html, .docx, .pdf): handbooks, notes. It is read and cited."),
            ("finetune-prep.toml", "which model plays which role"),
            ("skills/", "for coding agents: how this program is used"),
        ]
    )
    screen.say()
    for line in casting.words:
        screen.say(line)
    if casting.words:
        screen.say()
    if cost:
        screen.paragraph(cost, indent=0)
        screen.say()
    screen.paragraph(WORTH_IT, indent=0, dim=True)
    screen.say()
    screen.say(f"next: put your material into {folder}/sources/, then cd {shlex.quote(str(folder))} && finetune-prep prepare")


def _cast(provider: str, no_detect: bool, *, yes: bool) -> Casting:
    """Models for the roles from what is on this machine. Raises UsageError if a provider is named that is not there."""
    batch = Choice(scaffold.DEFAULT_MODEL, scaffold.DEFAULT_MODEL)
    if provider == "batch":
        return Casting(batch)
    if no_detect and provider:
        raise UsageError("--no-detect looks for no provider", next=f"--model {provider}/MODEL names one")
    if no_detect:
        return Casting(batch)
    there = asyncio.run(listening())
    asked = [name for name, base_url in there if yes or name == provider or _may_ask(name, base_url)]
    found = asyncio.run(look_around(os.environ, servers=asked))
    choice = choose(found, provider)
    if choice is None and provider:
        raise UsageError(
            f"“{provider}” was not found: neither its key in the environment nor a server with models",
            next="finetune-prep doctor lists what is there; --model PROVIDER/MODEL names a model anyway",
        )
    nothing = "no key of a known provider" + ("" if there else ", no server on the usual ports")
    words = [f"Found: {', '.join(_found_words(found)) or nothing}."]
    if spared := [base_url for name, base_url in there if name not in asked]:
        words.append(f"Not asked for its models: {', '.join(spared)}; --yes or --provider NAME allows that.")
    if choice is None:
        return Casting(batch, (*words, "Questions to models go to batch files; finetune-prep.toml says how to change that."))
    words.append(f"All roles are played by {choice.model}" + ("." if choice.judge == choice.model else ","))
    if choice.judge != choice.model:
        words.append(f"the judge's by {choice.judge}: models tend to favour their own family's style.")
    if others := [model for model in candidates(found) if model not in (choice.model, choice.judge)]:
        words.append(f"There are also {', '.join(others[:5])}{' …' if len(others) > 5 else ''}; finetune-prep.toml decides.")
    words.append("Nothing has been asked yet; finetune-prep doctor checks whether they answer.")
    return Casting(choice, tuple(words))


def _may_ask(name: str, base_url: str) -> bool:
    """Whether a server that was found may be spoken to: it may be anybody's. Where nobody is there to answer, it is a no."""
    question = f"Something listens at {base_url}, where {name} usually runs. May it be asked which models it has?"
    return person.is_there() and click.confirm(question, default=True, err=True)


def _found_words(found: Found) -> Iterator[str]:
    for server in found.servers:
        yield f"{server.name} with {len(server.models)} model{'' if len(server.models) == 1 else 's'}"
    for name, key_env in found.keys:
        yield f"{key_env} for {name}"
    for name, key_env in found.unusable:
        yield f"{key_env} for {name}, which needs: {config.INSTALL_NATIVE}"


def _worth_it() -> bool:
    """Ask when not to do this, say so where it applies, and let the person decide."""
    screen.say("Three questions first: there are cases in which this is the wrong tool.")
    doubts = [doubt for doubt in DOUBTS if click.confirm(doubt.question, default=False)]
    if not doubts:
        return True
    for doubt in doubts:
        screen.say(f"  {doubt.word}")
    return click.confirm("Start a project anyway?", default=False)


def _read_brief(path: Path) -> str:
    if path == STANDARD_INPUT:
        data = sys.stdin.buffer.read()
    elif path.is_file() or (path.is_fifo() and path.parent in FROM_THE_SHELL):
        data = path.read_bytes()
    else:
        what = "there is no such file"
        if path.exists():
            what = (
                "this is a folder" if path.is_dir() else "it is not a plain file; a brief by pipe is read from standard input (-)"
            )
        raise UsageError(what, where=str(path), next="finetune-prep template brief > brief.md, and fill it in")
    text, findings = documents.read_bytes(data, str(path))
    if findings:
        raise DocumentError("this brief cannot be read", where=str(path), details=tuple(f"  {finding}" for finding in findings))
    if found := [*invisible(text)]:
        screen.note(f"{path}: {len(found)} invisible characters are left out, the first of them {found[0][1]}")
    return without_invisible(text)


def _ask_brief(folder: Path) -> str:
    screen.say("Now the domain. Everything can be edited later in brief.md.")
    title = click.prompt("A short name for the domain", default=title_from(folder), value_proc=_name)
    screen.say("In one paragraph: who is the assistant, for whom, what is its job and what is not, what must never happen?")
    screen.say("Several lines are welcome; end with a line that holds only a dot.")
    return f"# {title}\n\n{_lines()}\n"


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise click.UsageError(f"That is {len(text)} characters. A few words are enough here; the paragraph comes next.")
    return text


def _ask_language(guess: str) -> str:
    """Asked only where the words do not tell."""
    answer: str = click.prompt("Language of the conversations (en, de, pt-BR, …)", default=guess or None, value_proc=_language)
    return answer


def _lines() -> str:
    """What is typed or pasted up to a line with a dot alone, or the end of the input."""
    lines: list[str] = []
    for line in sys.stdin:
        if line.strip() == ".":
            break
        lines.append(line.rstrip("\n"))
    return "\n".join(lines).strip()


def _language(text: str) -> str:
    """A language tag; "" stays. Raises click's UsageError, which a prompt shows before it asks again."""
    if text.strip() and not TAG.fullmatch(text.strip()):
        raise click.UsageError(f"“{text}” is not a language tag; write for example en, de or pt-BR")
    return text.strip()

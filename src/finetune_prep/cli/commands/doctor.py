"""`doctor`: what works and what is missing, each with its fix."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.agreeing import may_try
from finetune_prep.cli.allowing import with_keys
from finetune_prep.cli.options import json_option, yes_option
from finetune_prep.core.request import Parameters, RoleName
from finetune_prep.errors import FinetunePrepError, NotAProject, Paused
from finetune_prep.http.endpoint import is_nearby
from finetune_prep.http.secrets import Secret
from finetune_prep.models.prices import Prices, may_cost
from finetune_prep.models.routes import list_batches
from finetune_prep.models.setup import detect
from finetune_prep.project.config import BATCH_APIS, EVALUATED, INSTALL_NATIVE, NATIVE, Config, ProviderSettings, SearchSettings
from finetune_prep.project.keys import key_of
from finetune_prep.project.project import Project, open_project
from finetune_prep.sources.searching.choosing import KEYS, found_in, open_search
from finetune_prep.workflow.estimate import estimate
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.planned_calls import used

LITTLE_SPACE = 1_000_000_000  # bytes; a run of 5,000 conversations takes a tenth of it
LIST_SECONDS = 10.0
CLOCK_SECONDS = 120.0  # a clock that is wrong by more breaks certificates and dates
MARKS = {"fine": "✓", "note": "·", "wrong": "!"}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, and how it stands."""

    about: str
    state: Literal["fine", "note", "wrong"]
    """"wrong" keeps the project from running; "note" does not."""
    found: str
    fix: str = ""
    """The command or edit that helps."""


class _Way(NamedTuple):
    """How a model is asked, and the roles that it plays so."""

    parameters: Parameters
    roles: list[RoleName]


@click.command()
@click.option("--no-ask", is_flag=True, help="Do not ask any model a question (it would cost less than a tenth of a cent).")
@yes_option
@json_option
@click.pass_obj
def doctor(project: str, no_ask: bool, yes: bool, as_json: bool) -> None:
    """Look at keys, endpoints, structured output, disk and clock; say what to fix. Exit code 1 if something is wrong.

    Works in a project, and anywhere else for what is on this machine.
    """
    try:
        opened = open_project(project)
    except NotAProject:
        opened = None
    free_only = False
    if opened is not None:
        _ask_about_keys(opened.config, yes=yes)
        free_only = not no_ask and not may_try(opened, yes=yes)
    checks = asyncio.run(_examine(opened, Path(project), ask=not no_ask, free_only=free_only))
    if as_json:
        screen.json(checks)
    else:
        for check in checks:
            screen.say(f"{MARKS[check.state]} {check.about}: {check.found}", dim=check.state == "note")
            for line in check.fix.splitlines():
                screen.say(f"    {line}", wrapped="\n" not in check.fix)  # what is to be pasted stays as it is
    if any(check.state == "wrong" for check in checks):
        raise click.exceptions.Exit(1)


def _ask_about_keys(config: Config, *, yes: bool) -> None:
    """Ask about keys that would go to new hosts; what is not allowed is told among the checks."""
    for name in _used(config):
        with contextlib.suppress(FinetunePrepError):
            with_keys(partial(key_of, config.provider(name)), yes=yes)
    with contextlib.suppress(FinetunePrepError):
        with_keys(partial(open_search, config.search, os.environ), yes=yes)


async def _examine(project: Project | None, folder: Path, *, ask: bool, free_only: bool) -> list[Check]:
    """ask: put a question to each model. free_only: but not to those that cost money, or may."""
    checks = [_disk(folder)]
    if project is not None:
        longest = _longest(project)
        for name, models in _used(project.config).items():
            settings = project.config.provider(name)
            spared = [model for model in models if free_only and _costs(project.config, settings, model)]
            asked = {model: _ways(project.config, name, model) if ask and model not in spared else [] for model in models}
            checks += await _provider(name, settings, asked, spared, project.folder, longest, ask=ask)
        checks.append(await _search(project.config.search))
    else:
        checks.append(
            Check(about="project", state="note", found="none in this folder", fix="finetune-prep new DIR, or --project DIR")
        )
    found = await detect.look_around(os.environ)
    return [*checks, *_around(found, provided=project is not None and _is_provided(project.config))]


def _is_provided(config: Config) -> bool:
    """Whether every role has a provider of the project's own choice, so that nothing further need be found here."""
    return all(config.provider(name).kind != "batch" for name in _used(config))


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder if folder.exists() else Path()).free
    if free < LITTLE_SPACE:
        found = f"only {free / 1e6:,.0f} MB are free"
        return Check(about="disk", state="wrong", found=found, fix="make room: the ledger stops a run when it cannot write")
    return Check(about="disk", state="fine", found=f"{free / 1e9:,.0f} GB are free")


def _used(config: Config) -> dict[str, list[str]]:
    """Providers that play a role, with the models they are asked for."""
    used: dict[str, list[str]] = {}
    roles: list[RoleName] = [*config.roles]  # type: ignore[list-item]
    for role in roles:
        settings = config.role(role)
        models = used.setdefault(settings.provider, [])
        if settings.model_name not in models:
            models.append(settings.model_name)
    return used


def _costs(config: Config, settings: ProviderSettings, model: str) -> bool:
    return may_cost(Prices(config.prices).of(model, settings.address, 1))


def _ways(config: Config, provider: str, model: str) -> list[_Way]:
    """In which ways a model is asked for JSON, as far as that bears on its reasoning; models that are evaluated only talk."""
    ways: list[_Way] = []
    roles: list[RoleName] = [role for role in config.roles if role not in EVALUATED]  # type: ignore[misc]
    for role in roles:
        settings = config.role(role)
        if (settings.provider, settings.model_name) != (provider, model):
            continue
        parameters = Parameters(reasoning_effort=settings.reasoning_effort, extra=settings.extra)
        same = next((way for way in ways if way.parameters == parameters), None)
        if same is None:
            ways.append(_Way(parameters, [role]))
        else:
            same.roles.append(role)
    return ways


async def _provider(
    name: str,
    settings: ProviderSettings,
    models: dict[str, list[_Way]],
    spared: Collection[str],
    folder: Path,
    longest: Mapping[str, int],
    *,
    ask: bool,
) -> list[Check]:
    """models: with the ways in which to put a question to them. spared: those that nobody has agreed to ask. longest: as of
    `_longest`.
    """
    about = f"provider {name}"
    if settings.kind == "batch":
        return [Check(about=about, state="fine", found="questions go to batch files; nothing else is needed")]
    if settings.kind == "recording":
        if (folder / settings.path).is_file():
            return [Check(about=about, state="fine", found=f"answers come from {settings.path}")]
        fix = f"finetune-prep ledger export {settings.path}, where the answers are"
        return [Check(about=about, state="wrong", found=f"there is no {settings.path}", fix=fix)]
    try:
        secret = key_of(settings)
    except Paused as paused:
        return [Check(about=about, state="wrong", found=paused.what, fix=paused.next)]
    if settings.kind in BATCH_APIS:
        return [await _batch_api(about, name, settings, secret)]
    if settings.kind in NATIVE:
        checks = [_native(about, settings)]
    else:
        endpoint = await detect.look_at(name, settings.base_url, secret)
        checks = [*_reached(about, endpoint, settings, [*models]), *_too_short(name, endpoint, longest)]
    if ask and checks[0].state == "fine":
        for model, ways in models.items():
            checks += [_spared(name, model)] if model in spared else []
            for way in ways:
                checks += await _structured(name, settings, secret, model, way)
    return checks


def _longest(project: Project) -> dict[str, int]:
    """Tokens of the longest question still to come, with its answer, by provider/model; empty where that cannot be told."""
    longest: dict[str, int] = {}
    with contextlib.suppress(FinetunePrepError):
        for row in estimate(project, looked(project, used, None)).rows:
            if row.calls:
                tokens = round((row.input_tokens + row.output_tokens) / row.calls)
                longest[row.model] = max(tokens, longest.get(row.model, 0))
    return longest


def _too_short(name: str, endpoint: detect.Endpoint, longest: Mapping[str, int]) -> Iterator[Check]:
    """Models whose context, by their server's word, does not hold what they will be asked."""
    for model, context in endpoint.contexts.items():
        tokens = longest.get(f"{name}/{model}", 0)
        if context < tokens:
            found = f"{context:,} tokens, and the longest question with its answer may take about {round(tokens, -2):,}"
            fix = "start the server with a longer context, or name another model in finetune-prep.toml"
            yield Check(about=f"context of {name}/{model}", state="note", found=found, fix=fix)


def _native(about: str, settings: ProviderSettings) -> Check:
    """A provider in its own API: whether it answers is shown by the question that is put next."""
    if find_spec("pydantic_ai") is None:
        fix = INSTALL_NATIVE
        return Check(about=about, state="wrong", found=f"the kind “{settings.kind}” needs the extra “native”", fix=fix)
    keys = f"{settings.key_name} is set" if settings.key_name else "its keys come from AWS's own places"
    return Check(about=about, state="fine", found=f"{settings.address}; {keys}")


async def _batch_api(about: str, name: str, settings: ProviderSettings, secret: Secret | None) -> Check:
    """Whether a Batch API lists its batches, which costs nothing and needs the key."""
    try:
        await list_batches(name, msgspec.structs.replace(settings, timeout=LIST_SECONDS), secret)
    except FinetunePrepError as error:
        return Check(about=about, state="wrong", found=error.what, fix=error.next)
    return Check(about=about, state="fine", found=f"{settings.base_url} lists its batches")


def _reached(about: str, endpoint: detect.Endpoint, settings: ProviderSettings, models: list[str]) -> Iterator[Check]:
    if not endpoint.status:
        fix = "start the server, or fix base_url in finetune-prep.toml"
        yield Check(about=about, state="wrong", found=f"{endpoint.base_url} cannot be reached: {endpoint.trouble}", fix=fix)
        return
    if endpoint.status in (401, 403):
        if settings.key_env:
            found, fix = "it does not accept the key", f"copy the key again: export {settings.key_env}=…"
        else:
            found, fix = "it wants a key", 'key_env = "…" in its table in finetune-prep.toml names the variable that holds it'
        yield Check(about=about, state="wrong", found=f"{found} (HTTP {endpoint.status})", fix=fix)
        return
    yield Check(about=about, state="fine", found=f"{endpoint.base_url} answers")
    if endpoint.status != 200:
        found = f"it does not list its models (HTTP {endpoint.status})"
        yield Check(about=about, state="note", found=found, fix="see whether base_url is right: with most servers it ends in /v1")
    for model in models:
        if endpoint.models and model not in endpoint.models:
            known = ", ".join(endpoint.models[:5]) + (" …" if len(endpoint.models) > 5 else "")
            yield Check(about=f"model {model}", state="note", found=f"not among the models it lists: {known}")
    if endpoint.clock is not None and abs(endpoint.clock) > CLOCK_SECONDS:
        found = f"this machine's clock differs from the endpoint's by {abs(endpoint.clock) / 60:.0f} minutes"
        yield Check(about="clock", state="note", found=found, fix="set the clock: certificates and dates depend on it")


def _spared(name: str, model: str) -> Check:
    found = "not tried: a question to it costs money, or may, and nobody has agreed to it"
    return Check(about=f"JSON schema, {name}/{model}", state="note", found=found, fix="finetune-prep doctor --yes")


async def _structured(name: str, settings: ProviderSettings, secret: Secret | None, model: str, way: _Way) -> list[Check]:
    trial = await detect.try_schema(name, settings, secret, model, parameters=way.parameters)
    checks = [await _schema(name, settings, secret, model, way, trial)]
    if trial.reasoning:
        found = f"{trial.reasoning}: it costs time and tokens, and an unclosed think block makes an answer unusable"
        checks.append(Check(about=f"reasoning, {name}/{model}", state="note", found=found, fix=_less_reasoning(settings, way)))
    return checks


def _less_reasoning(settings: ProviderSettings, way: _Way) -> str:
    """Lines of finetune-prep.toml that make a model reason less, with comments, or what is left where they stand there."""
    others = f"\n# the same for {', '.join(way.roles[1:])}" if way.roles[1:] else ""
    if settings.kind == "openai-compatible" and is_nearby(settings.base_url):
        if "chat_template_kwargs" in way.parameters.extra:
            return "start the server with its reasoning parser: chat_template_kwargs is set and does not keep it from reasoning"
        line = "chat_template_kwargs = { enable_thinking = false }"
        table = f"[roles.{way.roles[0]}.extra]"
        table = f"# under {table}, which is there:" if way.parameters.extra else table
        return f"{table}\n{line}{others}\n# or start the server with its reasoning parser"
    lower = "minimal" if way.parameters.reasoning_effort == "low" else "low"
    return f'# under [roles.{way.roles[0]}]:\nreasoning_effort = "{lower}"{others}'


async def _schema(
    name: str, settings: ProviderSettings, secret: Secret | None, model: str, way: _Way, trial: detect.SchemaTrial
) -> Check:
    """What trying a schema has shown; where it is not enforced, whether it is followed when told in the prompt."""
    about = f"JSON schema, {name}/{model}"
    if trial.honoured == "unknown":
        fix = _less_reasoning(settings, way) if trial.reasoning else "finetune-prep doctor"
        return Check(about=about, state="wrong", found=f"a question could not be put: {trial.detail}", fix=fix)
    if trial.honoured == "yes":
        fix = f"take out structured = false under [providers.{name}]: it is not needed" if settings.structured is False else ""
        return Check(about=about, state="fine", found=f"enforced ({trial.tokens} tokens used to try)", fix=fix)
    worded = await detect.try_schema(name, settings, secret, model, worded=True, parameters=way.parameters)
    if worded.honoured != "yes":
        found = f"neither enforced ({trial.detail}) nor followed when told in the prompt ({worded.detail})"
        return Check(about=about, state="wrong", found=found, fix="give the role a model that follows a JSON Schema")
    if settings.structured is True:
        found = f"not enforced ({trial.detail}), though structured = true says so; it is followed when told in the prompt"
        return Check(about=about, state="wrong", found=found, fix=f"take out structured = true under [providers.{name}]")
    how = "as structured = false says" if settings.structured is False else f"found out by its first answers ({trial.detail})"
    return Check(about=about, state="fine", found=f"not enforced; it is told in the prompt and followed there, {how}")


async def _search(settings: SearchSettings) -> Check:
    """Whether the web can be searched. Only a SearXNG is asked: it is the user's own, and costs nothing."""
    about = "web search"
    if settings.provider == "none":
        return Check(about=about, state="note", found='switched off: provider = "none" under [search]')
    try:
        search = open_search(settings, os.environ)
        if search is None:
            fix = (
                f"export {KEYS[0]}=…, or name a SearXNG of your own under [search] in finetune-prep.toml; sources/ works without"
            )
            return Check(about=about, state="note", found=f"no provider, and none of {', '.join(KEYS)} is set", fix=fix)
        if search.name == "searxng":
            found_in(search.name, await search.ask("test", 1), 1)
            return Check(about=about, state="fine", found=f"{search.name} at {settings.base_url} answers in JSON")
    except FinetunePrepError as error:
        return Check(about=about, state="wrong", found=error.what, fix=error.next)
    except ValueError as error:
        return Check(about=about, state="wrong", found=f"the answer cannot be read: {error}", fix="check base_url under [search]")
    return Check(about=about, state="fine", found=f"{search.name}, with a key that is not tried out: a search costs money")


def _around(found: detect.Found, *, provided: bool) -> Iterator[Check]:
    """Keys and servers of this machine. provided: the project needs none of them."""
    for name, key_env in found.keys:
        yield Check(about="key", state="fine", found=f"{key_env} is set: models as {name}/…")
    for server in found.servers:
        models = ", ".join(f"{server.name}/{model}" for model in server.models[:5]) or "it lists no models"
        yield Check(about="server", state="fine", found=f"{server.name} at {server.base_url}: {models}")
    for name, key_env in found.unusable:
        fix = INSTALL_NATIVE
        yield Check(about="key", state="note", found=f"{key_env} is set; models as {name}/… need the extra “native”", fix=fix)
    if not (found.keys or found.servers or provided):
        found_nothing = "no key of a known provider in the environment, no server on the usual ports"
        yield Check(about="models", state="note", found=found_nothing, fix="batch files need neither: they are the default")

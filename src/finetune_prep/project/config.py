"""finetune-prep.toml: which model plays which role, where the models are, and the figures of a project.

Keys (API keys) are never in this file: a provider names the environment variable that holds one.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from finetune_prep.core.request import Parameters, RoleName
from finetune_prep.core.sample import Way
from finetune_prep.errors import ConfigError
from finetune_prep.http.endpoint import read_endpoint
from finetune_prep.http.secrets import is_variable
from finetune_prep.method import limits
from finetune_prep.project.toml_lines import digits_line, line_of, nested_line

FILE = "finetune-prep.toml"
ProviderKind = Literal[
    "openai-compatible", "anthropic", "google", "bedrock", "openai-batch", "anthropic-batch", "batch", "recording"
]
BUILT_IN: tuple[ProviderKind, ...] = ("batch", "recording")  # usable by name without a [providers] table
# name → address and the environment variable that holds the key; used without a [providers] table
WELL_KNOWN: dict[str, tuple[str, str]] = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "together": ("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "ollama": ("http://localhost:11434/v1", ""),
    "lmstudio": ("http://localhost:1234/v1", ""),
    "vllm": ("http://localhost:8000/v1", ""),
    "llamacpp": ("http://localhost:8080/v1", ""),
}
SearchKind = Literal["searxng", "tavily", "exa", "brave", "none"]
# search provider → its address and the environment variable that holds its key; a SearXNG is the user's own
SEARCHES: dict[SearchKind, tuple[str, str]] = {
    "searxng": ("", ""),
    "tavily": ("https://api.tavily.com", "TAVILY_API_KEY"),
    "exa": ("https://api.exa.ai", "EXA_API_KEY"),
    "brave": ("https://api.search.brave.com", "BRAVE_API_KEY"),
}
# kinds that speak a provider's own API, through the extra `native`: address and key, usable by name without a table.
# Bedrock's address follows from the region, its keys come from AWS's own places (environment, profile, role).
NATIVE: dict[ProviderKind, tuple[str, str]] = {
    "anthropic": ("https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    "google": ("https://generativelanguage.googleapis.com", "GEMINI_API_KEY"),
    "bedrock": ("", ""),
}
# what the extra `native` installs, by names that any package index knows
INSTALL_NATIVE = "pip install 'pydantic-ai-slim[anthropic,bedrock,google]' boto3"
# Batch APIs by the same token: name, which is the kind as well → address and key
WELL_KNOWN_BATCHES: dict[ProviderKind, tuple[str, str]] = {
    "openai-batch": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic-batch": ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
}
BATCH_APIS = frozenset(WELL_KNOWN_BATCHES)
Dollars = Annotated[float, Meta(ge=0, le=1e9)]
ROLES: tuple[RoleName, ...] = get_args(RoleName)
# fields of a request that the program sets itself; `extra` may not
SET_BY_US = {
    "model": "model",
    "messages": "",
    "response_format": "structured under the provider",
    "stream": "",
    "n": "",
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "reasoning_effort": "reasoning_effort",
}
DEEPEST = 20  # tables and lists within `extra`; no endpoint has fields as deep
NEEDED_ROLES: tuple[RoleName, ...] = ("expert", "user", "assistant", "judge")
EVALUATED: tuple[RoleName, ...] = ("base", "tuned")  # models that are evaluated: nobody plays them unless they are named


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the models of a provider are. The table's name is the first part of `model`. Well-known providers need no table."""

    kind: ProviderKind
    """What it speaks: an API, files of a batch, or a recording."""
    base_url: str = ""
    """Address of an OpenAI-compatible endpoint, up to and with “/v1”; of a native one without it, empty = the provider's own."""
    key_env: str = ""
    """Name of the environment variable that holds the key; empty = no key, or a native provider's usual one."""
    region: str = ""
    """Of Bedrock; empty = as AWS_DEFAULT_REGION or the profile says."""
    path: str = "recording.jsonl"
    """Of a recording, relative to the project."""
    concurrency: Annotated[int, Meta(ge=1, le=10_000)] = 32
    """Most calls at once. How many it really becomes is found out while it runs."""
    timeout: Annotated[float, Meta(gt=0, le=86_400)] = 300.0
    """Seconds for one call, retries included."""
    structured: bool | None = None
    """Whether the endpoint enforces a JSON Schema (`response_format`, or what its own API has); left out, its answers show it."""
    price_factor: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """What a Batch API takes of the price for direct calls; OpenAI and Anthropic take half."""
    headers: dict[str, str] = {}
    """Of every call to an OpenAI-compatible endpoint, besides the usual ones; “$NAME” is read from the environment."""

    @property
    def address(self) -> str:
        """Where the answers come from; by it prices are found. "" for files."""
        if self.kind == "bedrock" and not self.base_url:
            return f"https://bedrock-runtime.{self.region or 'us-east-1'}.amazonaws.com"
        return self.base_url or NATIVE.get(self.kind, ("", ""))[0]

    @property
    def by_batch(self) -> bool:
        """Whether answers come by batch, in files or from a Batch API: some time after the run that asked."""
        return self.kind == "batch" or self.kind in BATCH_APIS

    @property
    def is_hosted(self) -> bool:
        """Whether a well-known provider answers there, and not a server of somebody's own."""
        if self.kind == "bedrock" and not self.base_url:
            return True
        known = (*WELL_KNOWN.values(), *NATIVE.values(), *WELL_KNOWN_BATCHES.values())
        return self.address.startswith("https://") and self.address.rstrip("/") in {address for address, _ in known}

    @property
    def key_name(self) -> str:
        """Name of the environment variable that holds the key, "" if none is needed."""
        return self.key_env or NATIVE.get(self.kind, ("", ""))[1]


class RoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model plays a role, and how it is sampled. What is left out is not sent: the provider's own default applies."""

    model: str
    """As provider/model."""
    temperature: Annotated[float, Meta(ge=0, le=5)] | None = None
    """How freely tokens are drawn; most providers take 0 to 2."""
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    """Share of the probability from which tokens are drawn."""
    max_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    """Longest answer. A model that reasons first counts that in. Left out, a server nearby is asked for four times what such an
    answer usually takes and 4,000 tokens more, so that a model which never stops is cut off in time; what that cuts is
    asked for again with twice as much, twice at most, and after `retry` with still more. Elsewhere only a budget sets limits."""
    reasoning_effort: str | None = None
    """As the provider names it: low, medium, high, …"""
    extra: dict[str, Any] = {}
    """Fields that go into the request as they are, such as `seed`, `stop`, `min_p`; with another value it is another request."""

    @property
    def provider(self) -> str:
        return self.model.partition("/")[0]

    @property
    def model_name(self) -> str:
        return self.model.partition("/")[2]

    @property
    def parameters(self) -> Parameters:
        return Parameters(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            reasoning_effort=self.reasoning_effort,
            extra=self.extra,
        )


class SearchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How research searches the web."""

    provider: SearchKind | None = None
    """Left out, the first whose key is in the environment; “none” = never, whatever keys are there."""
    base_url: str = ""
    """Address of a SearXNG, or another one than the provider's own."""
    key_env: str = ""
    """Name of the environment variable that holds the key; empty = the usual one."""
    results: Annotated[int, Meta(ge=1, le=20)] = 8
    """Results of one search that are looked at."""
    pages: Annotated[int, Meta(ge=1, le=50)] = 12
    """Most pages that are read in all."""


Share = Annotated[float, Meta(ge=0, le=1)]


class PilotSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How conversations are made and judged."""

    way: Way = "turns"
    """By a simulated user and the assistant in turns, or one-call: both sides in one answer of the assistant's model, which takes
    fewer requests and is less like life."""
    repeat: Share = 0.0
    """Share of a pilot's conversations that the same judge is asked about a second time, which measures how steady it is and
    decides nothing; 0.1 to 0.2 is usual."""
    second_judge: Share = 0.0
    """Share of the conversations, of pilots and scaled runs, that a second judge reads, too: the verifier, named under
    `[roles.verifier]` and another model than the judge. Where both have read one, a NO of either counts."""


class ExportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands in training rows."""

    show_gaps: bool = False
    """Whether the lines stand there that say how much time has passed in a conversation that spans days. Set it if whoever serves
    the tuned model puts such lines in, too."""


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """US dollars per million tokens of a model; goes before the bundled price table. The table's name is that of the model."""

    input: Dollars
    """Of what is sent."""
    output: Dollars
    """Of what is answered, reasoning included."""
    cached: Dollars | None = None
    """Of input that the provider took from its cache; left out, as `input`."""
    written: Dollars | None = None
    """Of input that the provider put into its cache, where it counts that; left out, a quarter more than `input`."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole finetune-prep.toml."""

    name: str
    """What the project is called."""
    roles: dict[str, RoleSettings]
    """Who plays what, a table each: expert, user, assistant, judge; reviser and verifier, where they are not the expert; base and
    tuned, the models that `evaluate` compares."""
    providers: dict[str, ProviderSettings] = {}
    """Where models are, a table each."""
    prices: dict[str, Price] = {}
    """What models cost, a table each, by the name of the model."""
    search: SearchSettings = SearchSettings()
    """How research searches the web."""
    pilot: PilotSettings = PilotSettings()
    """How conversations are made and judged."""
    export: ExportSettings = ExportSettings()
    """What stands in training rows."""
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] = 1
    """Root of all randomness: the same seed draws the same scenarios."""
    year: Annotated[int, Meta(ge=1900, le=2200)] = 2026
    """The “current year” of searches, fixed when the project is made."""
    budget: Dollars | None = None
    """US dollars that may be spent in all; left out, there is no cap. With it, answers of roles without `max_tokens` are limited
    to four times what they usually take, and what is cut is asked for again with twice as much."""
    sittings: Annotated[int, Meta(ge=limits.SITTINGS.fewest, le=limits.SITTINGS.most)] = 2
    """How often the panel of phase 1 is asked at most, each time for something else."""
    revisions: Annotated[int, Meta(ge=limits.REVISIONS.fewest, le=limits.REVISIONS.most)] = 1
    """How often a draft is handed back to its writer at most, with what gates, judges and critics found."""

    def role(self, name: RoleName) -> RoleSettings:
        """Settings of a role; reviser and verifier are the expert unless named. Raises ConfigError for an evaluated model that
        nobody named."""
        if name in EVALUATED and name not in self.roles:
            raise ConfigError(
                f"no model is named as “{name}”",
                where=FILE,
                next=f"finetune-prep evaluate --{name} provider/model, or [roles.{name}]",
            )
        return self.roles.get(name) or self.roles["expert"]

    @property
    def played(self) -> tuple[RoleName, ...]:
        """The roles that somebody plays."""
        return tuple(role for role in ROLES if role in self.roles or role not in EVALUATED)

    def by_batch(self, role: RoleName, provider: str = "") -> bool:
        """Whether a role's answers come by batch. provider: the one that is asked instead of its own. Raises ConfigError."""
        return self.provider(provider or self.role(role).provider).by_batch

    def provider(self, name: str) -> ProviderSettings:
        """Settings of a provider by name. Kinds that need no address and well-known endpoints exist without a table."""
        if name in self.providers:
            return self.providers[name]
        for kind in (*BUILT_IN, *NATIVE):
            if kind == name:
                return ProviderSettings(kind=kind)
        if name in WELL_KNOWN:
            base_url, key_env = WELL_KNOWN[name]
            return ProviderSettings(kind="openai-compatible", base_url=base_url, key_env=key_env)
        for kind, (base_url, key_env) in WELL_KNOWN_BATCHES.items():
            if kind == name:
                return ProviderSettings(kind=kind, base_url=base_url, key_env=key_env)
        raise ConfigError(
            f"provider “{name}” is not defined",
            where=FILE,
            next=f'add to {FILE}: [providers.{name}] with kind = "openai-compatible" and base_url = "…/v1"',
        )


def is_known(provider: str) -> bool:
    """Whether a provider of this name needs no table of its own."""
    return provider in (*BUILT_IN, *NATIVE, *WELL_KNOWN, *WELL_KNOWN_BATCHES)


TABLES: dict[str, type[msgspec.Struct]] = {"roles": RoleSettings, "providers": ProviderSettings, "prices": Price}
SINGLE_TABLES: dict[str, type[msgspec.Struct]] = {"search": SearchSettings, "pilot": PilotSettings, "export": ExportSettings}
S = TypeVar("S", bound=msgspec.Struct)


def load(path: Path) -> Config:
    """Read finetune-prep.toml. Raises ConfigError with the line of the first problem and the nearest valid spelling."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError("the file is not UTF-8 text", where=f"{path.name}:{line}", next="save it as UTF-8") from error
    return parse(text, path.name)


def parse(text: str, name: str = FILE) -> Config:
    """Read the text of a finetune-prep.toml; `name` is used in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = found[1] if found else max(len(text.splitlines()), 1)  # otherwise it says “at end of document”
        raise ConfigError(f"not valid TOML: {error}", where=f"{name}:{line}", next="fix this line") from error
    except RecursionError:
        where = f"{name}:{nested_line(text)}"
        raise ConfigError("brackets are nested too deeply to be read", where=where, next="write a plain value") from None
    except ValueError as error:  # more digits than Python turns into a number
        where = f"{name}:{digits_line(text)}"
        raise ConfigError("a number has thousands of digits", where=where, next="write one that is meant") from error
    config = _Reader(text, name).config(raw)
    _check_roles(config, text, name)
    _check_second_judge(config, text, name)
    return config


class _Reader:
    """From what TOML says to a Config. Tables are read one by one, so that an error can name its table and line."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def config(self, raw: dict[str, Any]) -> Config:
        self._refuse_unknown(raw)
        for table, struct in TABLES.items():
            entries = raw.get(table, {})
            if not isinstance(entries, dict):
                raise self._error(f"“{table}” is not a table", [table], f"write a table [{table}.NAME] for each")
            for key, value in entries.items():
                if not isinstance(value, dict):
                    raise self._error(f"“{key}” is not a table", [table, key], f"write a table [{table}.{key}] with its keys")
                self._check_sent(value.get("extra"), [table, key, "extra"])
                self._check_headers(value.get("headers"), [table, key, "headers"])
                settings = self._read(value, struct, [table, key])
                if isinstance(settings, ProviderSettings):
                    self._check_connection(settings, [table, key])
        for table, struct in SINGLE_TABLES.items():
            value = raw.get(table, {})
            if not isinstance(value, dict):
                raise self._error(f"“{table}” is not a table", [table], f"write a table [{table}] with its keys")
            settings = self._read(value, struct, [table])
            if isinstance(settings, SearchSettings):
                self._check_connection(settings, [table])
        return self._read(raw, Config, [])

    def _read(self, value: Any, kind: type[S], path: list[str]) -> S:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            what, _, place = str(error).partition(" - at `$.")
            found = [*path, place.rstrip("`")] if place else path
            # TOML knows neither null nor objects
            what = what.replace(" | null", "").replace("`object`", "`table`").replace("Object missing", "missing")
            hint = "add it" if what.startswith("missing") else "fix this line"
            raise self._error(f"{'.'.join(found)}: {what}" if found else what, found, hint) from error

    def _check_sent(self, value: Any, path: list[str], depth: int = 0) -> None:
        """Refuse what cannot go into a request as JSON."""
        where = ".".join(path)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(f"{where} is no number: {value}", path, "write a number, or take it out")
        if isinstance(value, date | time):  # a datetime is a date
            raise self._error(f"{where} is a date, which JSON has no word for", path, "write it in quotes")
        if depth > DEEPEST:
            raise self._error(f"{where} is nested more than {DEEPEST} deep", path, "write what the endpoint's reference shows")
        if isinstance(value, dict):
            for key, inner in value.items():
                self._check_sent(inner, [*path, key] if depth < DEEPEST else path, depth + 1)
        elif isinstance(value, list):
            for inner in value:
                self._check_sent(inner, path, depth + 1)

    def _check_headers(self, value: Any, path: list[str]) -> None:
        """Refuse values that are no text; they are not repeated, as a key may stand there."""
        for name, header in value.items() if isinstance(value, dict) else ():
            if not isinstance(header, str):
                raise self._error(f"the value of the header “{name}” is no text", [*path, name], "write it in quotes")
            if not header.isascii() or not header.isprintable():
                what = f"the value of the header “{name}” holds special characters"
                raise self._error(what, [*path, name], "write it in ASCII, on one line")

    def _check_connection(self, settings: ProviderSettings | SearchSettings, path: list[str]) -> None:
        """Refuse an address or a name that cannot be used. Neither is repeated: a password or a key may stand in it."""
        if settings.base_url:
            try:
                read_endpoint(settings.base_url)
            except ValueError as error:
                hint = 'write for example base_url = "http://localhost:8000/v1"'
                raise self._error(f"base_url cannot be used: {error}", [*path, "base_url"], hint) from None
        if settings.key_env and not is_variable(settings.key_env):
            hint = 'write the name of the variable that holds the key, for example key_env = "OPENAI_API_KEY"'
            what = "key_env is not the name of an environment variable; it may be the key itself"
            raise self._error(what, [*path, "key_env"], hint)

    def _refuse_unknown(self, raw: dict[str, Any]) -> None:
        """Refuse keys and roles that nothing reads, all of them at once."""
        found = [*self._unknown(raw)]
        if found:
            details = tuple(f"  {error.where}: {error.what}; {error.next}" for error in found[1:])
            raise ConfigError(found[0].what, where=found[0].where, next=found[0].next, details=details)

    def _unknown(self, raw: dict[str, Any]) -> Iterator[ConfigError]:
        yield from self._others(raw, _keys(Config), [], "key")
        for table, struct in TABLES.items():
            entries = raw.get(table, {})
            if not isinstance(entries, dict):
                continue
            if table == "roles":
                yield from self._others(entries, ROLES, [table], "role")
            for key, value in entries.items():
                if isinstance(value, dict) and (table != "roles" or key in ROLES):
                    yield from self._others(value, _keys(struct), [table, key], "key")
        for table, single in SINGLE_TABLES.items():
            if isinstance(value := raw.get(table, {}), dict):
                yield from self._others(value, _keys(single), [table], "key")

    def _others(self, value: dict[str, Any], allowed: Sequence[str], path: list[str], noun: str) -> Iterator[ConfigError]:
        for key in value:
            if key not in allowed:
                near = difflib.get_close_matches(key, allowed, n=1)
                hint = f"write “{near[0]}”" if near else f"use one of: {', '.join(sorted(allowed))}"
                yield self._error(f"unknown {noun} “{key}”", [*path, key], hint)

    def _error(self, what: str, path: list[str], hint: str) -> ConfigError:
        return ConfigError(what, where=f"{self.name}:{line_of(self.text, path)}", next=hint)


def _keys(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _check_second_judge(config: Config, text: str, name: str) -> None:
    if not config.pilot.second_judge:
        return
    where = f"{name}:{line_of(text, ['pilot', 'second_judge'])}"
    if "verifier" not in config.roles:
        raise ConfigError(
            "nobody is named who could be the second judge",
            where=where,
            next='add [roles.verifier] with model = "provider/model"',
        )
    judge = config.role("judge").model_name
    if config.role("verifier").model_name == judge:
        raise ConfigError(
            f"the second judge would be the judge's own model, {judge}, and that is no second opinion",
            where=where,
            next="name another model under [roles.verifier]; how steady one judge is, `repeat` measures",
        )


def _check_roles(config: Config, text: str, name: str) -> None:
    for role in NEEDED_ROLES:
        if role not in config.roles:
            raise ConfigError(
                f"no model plays the role “{role}”", where=name, next=f'add [roles.{role}] with model = "provider/model"'
            )
    for played, settings in config.roles.items():
        for field in settings.extra:
            if field in SET_BY_US:
                raise ConfigError(
                    f"extra.{field} is set by the program",
                    where=f"{name}:{line_of(text, ['roles', played, 'extra', field])}",
                    next=f"take it out, and set `{SET_BY_US[field]}`" if SET_BY_US[field] else "take it out",
                )
        where = f"{name}:{line_of(text, ['roles', played, 'model'])}"
        if not settings.provider or not settings.model_name:
            raise ConfigError(
                f"“{settings.model}” is not provider/model", where=where, next='write for example "openai/gpt-5-mini"'
            )
        try:
            config.provider(settings.provider)
        except ConfigError as error:
            raise ConfigError(error.what, where=where, next=error.next) from error

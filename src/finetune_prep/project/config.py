"""finetune-prep.toml: which model plays which role, where the models are, and the figures of a project.

Keys (API keys) are never in this file: a provider names the environment variable that holds one.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from finetune_prep.core.request import Parameters, RoleName
from finetune_prep.errors import ConfigError

FILE = "finetune-prep.toml"
ProviderKind = Literal["openai-compatible", "batch", "recording"]
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
ROLES: tuple[RoleName, ...] = get_args(RoleName)
NEEDED_ROLES: tuple[RoleName, ...] = ("expert", "user", "assistant", "judge")


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a provider is.

    base_url: of an openai-compatible endpoint, up to and with "/v1". key_env: name of the environment variable with the
    key, "" = no key. path: of a recording, relative to the project. concurrency: most calls at once. timeout: seconds for one
    call, retries included. structured: whether the endpoint honours `response_format` with a JSON Schema.
    """

    kind: ProviderKind
    base_url: str = ""
    key_env: str = ""
    path: str = "recording.jsonl"
    concurrency: int = 32
    timeout: float = 300.0
    structured: bool = True


class RoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """model: "provider/model". The rest are sampling parameters."""

    model: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    reasoning_effort: str | None = None

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
        )


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """US dollars per million tokens. cached: of cached input, None = as input."""

    input: float
    output: float
    cached: float | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """seed: root of all randomness. year: the "current year" of searches, fixed when the project is made.

    budget: US dollars that may be spent in all, None = no cap. prices: by model name, override the bundled table.
    """

    name: str
    roles: dict[str, RoleSettings]
    providers: dict[str, ProviderSettings] = {}
    prices: dict[str, Price] = {}
    seed: int = 1
    year: int = 2026
    budget: float | None = None

    def role(self, name: RoleName) -> RoleSettings:
        """Settings of a role; the reviser is the expert unless named."""
        return self.roles.get(name) or self.roles["expert"]

    def provider(self, name: str) -> ProviderSettings:
        """Settings of a provider by name. "batch", "recording" and the well-known endpoints exist without a table."""
        if name in self.providers:
            return self.providers[name]
        for kind in BUILT_IN:
            if kind == name:
                return ProviderSettings(kind=kind)
        if name in WELL_KNOWN:
            base_url, key_env = WELL_KNOWN[name]
            return ProviderSettings(kind="openai-compatible", base_url=base_url, key_env=key_env)
        raise ConfigError(
            f"provider “{name}” is not defined",
            where=FILE,
            next=f'add to {FILE}: [providers.{name}] with kind = "openai-compatible" and base_url = "…/v1"',
        )


def load(path: Path) -> Config:
    """Read finetune-prep.toml. Raises ConfigError with the line of the first problem and the nearest valid spelling."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError("the file is not UTF-8 text", where=f"{path.name}:{line}", next="save it as UTF-8") from error
    return parse(text, path.name)


def parse(text: str, name: str = FILE) -> Config:
    """Read the text of a finetune-prep.toml; `name` is used in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        where = f"{name}:{found[1]}" if found else name
        raise ConfigError(f"not valid TOML: {error}", where=where, next="mend this line") from error
    _refuse_unknown_keys(raw, text, name)
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        keys = re.findall(r"\$\.([\w.\-\[\]…]+)", str(error))
        where = f"{name}:{_line_of(text, keys[0].split('.'))}" if keys else name
        raise ConfigError(f"{str(error).split(' - at')[0]}{f' ({keys[0]})' if keys else ''}", where=where) from error
    _check_roles(config, text, name)
    return config


def _check_roles(config: Config, text: str, name: str) -> None:
    for role in NEEDED_ROLES:
        if role not in config.roles:
            raise ConfigError(
                f"no model plays the role “{role}”", where=name, next=f'add [roles.{role}] with model = "provider/model"'
            )
    for played, settings in config.roles.items():
        where = f"{name}:{_line_of(text, ['roles', played, 'model'])}"
        if not settings.provider or not settings.model_name:
            raise ConfigError(
                f"“{settings.model}” is not provider/model", where=where, next='write for example "openai/gpt-5-mini"'
            )
        try:
            config.provider(settings.provider)
        except ConfigError as error:
            raise ConfigError(error.what, where=where, next=error.next) from error


def _refuse_unknown_keys(raw: dict[str, Any], text: str, name: str) -> None:
    known: list[tuple[list[str], dict[str, Any], type[msgspec.Struct]]] = [([], raw, Config)]
    tables: dict[str, type[msgspec.Struct]] = {"roles": RoleSettings, "providers": ProviderSettings, "prices": Price}
    for table, struct in tables.items():
        entries = raw.get(table)
        if isinstance(entries, dict):
            known.extend(([table, key], value, struct) for key, value in entries.items() if isinstance(value, dict))
            if table == "roles":
                _refuse_unknown(entries, set(ROLES), [table], text, name, "role")
    for path, value, struct in known:
        fields = {field.encode_name for field in msgspec.structs.fields(struct)}
        _refuse_unknown(value, fields, path, text, name, "key")


def _refuse_unknown(value: dict[str, Any], fields: set[str], path: list[str], text: str, name: str, noun: str) -> None:
    for key in value:
        if key not in fields:
            near = difflib.get_close_matches(key, sorted(fields), n=1)
            hint = f"write “{near[0]}”" if near else f"use one of: {', '.join(sorted(fields))}"
            raise ConfigError(f"unknown {noun} “{key}”", where=f"{name}:{_line_of(text, [*path, key])}", next=hint)


def _line_of(text: str, path: list[str]) -> int:
    """Line of a key, found by reading headers and keys; the table's header if the key is not written out, else 1."""
    table: list[str] = []
    best = 1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            table = [part.strip().strip("\"'") for part in header[1].split(".")]
            if table == path[: len(table)]:
                best = number
            if table == path:
                return number
        elif (key := re.match(r"\s*([\w\-.\"']+)\s*=", line)) and table + [
            part.strip("\"'") for part in key[1].split(".")
        ] == path:
            return number
    return best

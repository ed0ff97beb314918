"""Which key goes to which host. A project may come from anywhere: what it names is asked about once and remembered outside of it.

A key and the host that it was made for – OPENAI_API_KEY and api.openai.com – need no question. Any other pair needs a yes of the
user, which is kept in his own configuration folder, or the variable FINETUNE_PREP_ALLOW_KEYS, which no project can set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from finetune_prep.errors import KeyNotAllowed, UsageError
from finetune_prep.http.endpoint import Endpoint, endpoint_of
from finetune_prep.http.secrets import Secret, read_secret
from finetune_prep.project.config import FILE, NATIVE, SEARCHES, WELL_KNOWN, WELL_KNOWN_BATCHES, ProviderSettings
from finetune_prep.project.consent.memory import remember, remembered

ALLOWED = "FINETUNE_PREP_ALLOW_KEYS"
MEMORY = "allowed-keys.jsonl"
AWS_KEYS = "AWS_*"  # what Amazon's own library finds in the environment and in its files


class KeyUse(msgspec.Struct, frozen=True):
    """A key and where it goes."""

    variable: str
    host: str
    """With scheme, and port where it is not the usual one."""


def key_of(settings: ProviderSettings, environment: Mapping[str, str] | None = None) -> Secret | None:
    """The key of a provider; None if it needs none that we send. Raises Paused if it is not there, and KeyNotAllowed."""
    if settings.kind == "bedrock" and settings.base_url:
        _check(AWS_KEYS, endpoint_of(settings.base_url, "Bedrock", FILE))
    return key_for(settings.key_name, settings.address, environment) if settings.key_name else None


def key_for(variable: str, address: str, environment: Mapping[str, str] | None = None) -> Secret:
    """The key in an environment variable, to be sent to `address`. Raises as `key_of`."""
    secret = read_secret(variable, environment)
    _check(variable, endpoint_of(address, f"what {variable} is for", FILE))
    return secret


def allow(use: KeyUse) -> None:
    """Remember a person's yes. Raises UsageError where there is no place to remember it in."""
    if not remember(MEMORY, use):
        raise UsageError("there is no home folder to remember this in", next=f"export {ALLOWED}={use.variable}@{use.host}")


def _check(variable: str, endpoint: Endpoint) -> None:
    use = KeyUse(variable, endpoint.origin)
    if use in _made_for_each_other() or _allowed_by_environment(use, endpoint) or use in remembered(MEMORY, KeyUse):
        return
    raise KeyNotAllowed(
        f"{variable} would be sent to {endpoint.origin} for the first time",
        variable=variable,
        host=endpoint.origin,
        where=FILE,
        next=f"if this is right, run it on a terminal and say yes, or: export {ALLOWED}={variable}@{endpoint.host}",
    )


def _made_for_each_other() -> set[KeyUse]:
    """Keys and the hosts of those who give them out."""
    tables: tuple[Mapping[str, tuple[str, str]], ...] = (WELL_KNOWN, NATIVE, SEARCHES, WELL_KNOWN_BATCHES)  # type: ignore[assignment]
    pairs = (pair for table in tables for pair in table.values())
    return {KeyUse(key_env, address) for base_url, key_env in pairs if key_env and (address := _origin(base_url))}


def _origin(base_url: str) -> str:
    return endpoint_of(base_url, "", "").origin


def _allowed_by_environment(use: KeyUse, endpoint: Endpoint) -> bool:
    """VARIABLE@HOST, several of them with blanks or commas between; `*` stands for anything."""
    told = os.environ.get(ALLOWED, "")
    hosts = (endpoint.host, endpoint.place, endpoint.origin)
    return any(fnmatchcase(f"{use.variable}@{host}", pattern) for pattern in told.replace(",", " ").split() for host in hosts)

"""Headers that an endpoint wants besides the usual ones, as gateways do: from finetune-prep.toml, or from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from finetune_prep.errors import ConfigError
from finetune_prep.http.secrets import Secret, read_secret
from finetune_prep.project.config import FILE

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# what every call sets, and what would let an answer come in another form
SET_BY_US = {"content-type", "content-length", "accept", "accept-encoding", "host", "transfer-encoding", "connection"}


def own_headers(headers: Mapping[str, str]) -> tuple[list[str], tuple[Secret, ...]]:
    """The lines of a call's head, and the secrets among them. Raises ConfigError, and Paused for a variable that is not set."""
    lines, secrets = [], []
    for name, value in headers.items():
        if not NAME.fullmatch(name) or name.casefold() in SET_BY_US:
            raise ConfigError(f"the header “{name}” cannot be set", where=FILE, next="take it out of `headers`")
        if value.startswith("$"):
            secret = read_secret(value[1:])
            secrets.append(secret)
            value = secret.reveal()
        elif not value.isascii() or not value.isprintable():
            raise ConfigError(f"the header “{name}” has a value of special characters", where=FILE, next="write it in ASCII")
        lines.append(f"{name}: {value}")
    return lines, tuple(secrets)

"""Headers that an endpoint wants besides the usual ones, as gateways do: from finetune-prep.toml, or from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from finetune_prep.errors import ConfigError
from finetune_prep.http.secrets import Secret
from finetune_prep.project.config import FILE
from finetune_prep.project.keys import key_for

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# what every call sets, and what would let an answer come in another form
SET_BY_US = {"content-type", "content-length", "accept", "accept-encoding", "host", "transfer-encoding", "connection"}


def own_headers(headers: Mapping[str, str], base_url: str) -> tuple[list[str], tuple[Secret, ...]]:
    """The lines of a call's head, and the secrets among them. base_url: where they go.

    Raises ConfigError, Paused for a variable that is not set, and KeyNotAllowed for one that was never sent there.
    """
    lines, secrets = [], []
    for name, value in headers.items():
        if not NAME.fullmatch(name) or name.casefold() in SET_BY_US:
            raise ConfigError(f"the header “{name}” cannot be set", where=FILE, next="take it out of `headers`")
        if value.startswith("$"):
            secret = key_for(value[1:], base_url)
            secrets.append(secret)
            value = secret.reveal()
        elif not value.isascii() or not value.isprintable():
            raise ConfigError(f"the header “{name}” has a value of special characters", where=FILE, next="write it in ASCII")
        lines.append(f"{name}: {value}")
    return lines, tuple(secrets)

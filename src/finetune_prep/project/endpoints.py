"""Addresses of endpoints in finetune-prep.toml: one that cannot be used is told, never met as a traceback."""

from __future__ import annotations

from finetune_prep.errors import ConfigError
from finetune_prep.http.endpoint import Endpoint, read_endpoint

EXAMPLE = 'base_url = "http://localhost:8000/v1"'


def endpoint_of(base_url: str, whose: str, where: str, example: str = EXAMPLE) -> Endpoint:
    """The endpoint of a base_url. whose: "provider “x”". Raises ConfigError, which repeats nothing that may be a password."""
    try:
        return read_endpoint(base_url)
    except ValueError as error:
        raise ConfigError(
            f"{whose} has no usable base_url: {error}" if base_url else f"{whose} has no base_url",
            where=where,
            next=f"write for example {example}",
        ) from error

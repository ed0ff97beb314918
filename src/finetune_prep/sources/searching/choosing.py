"""Which search provider a project uses: the one in finetune-prep.toml, or the first whose key is in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from finetune_prep.errors import KeyNotAllowed, NotFetched, Paused
from finetune_prep.http.secrets import Secret
from finetune_prep.project.config import FILE, SEARCHES, SearchKind, SearchSettings
from finetune_prep.project.keys import key_for
from finetune_prep.sources.searching.brave import Brave
from finetune_prep.sources.searching.exa import Exa
from finetune_prep.sources.searching.provider import Found, SearchProvider
from finetune_prep.sources.searching.searxng import Searxng
from finetune_prep.sources.searching.tavily import Tavily

__all__ = ["KEYS", "Found", "SearchProvider", "found_in", "open_search"]
KEYS = tuple(key_env for _, key_env in SEARCHES.values() if key_env)


class _Kind(Protocol):
    def __call__(self, base_url: str, secret: Secret | None) -> SearchProvider: ...

    @staticmethod
    def found(answer: bytes, count: int) -> tuple[Found, ...]: ...


_KINDS: dict[str, _Kind] = {"searxng": Searxng, "tavily": Tavily, "exa": Exa, "brave": Brave}


def open_search(settings: SearchSettings, environ: Mapping[str, str]) -> SearchProvider | None:
    """The provider to ask; None if there is none, or none is wanted.

    Raises ConfigError without a usable address, NotFetched if the provider that is named needs a key that is not there, and
    KeyNotAllowed if its key was never sent to this address.
    """
    name = chosen(settings, environ)
    if name is None:
        return None
    usual_address, usual_key = SEARCHES[name]
    key_env, base_url = settings.key_env or usual_key, settings.base_url or usual_address
    try:
        secret = key_for(key_env, base_url, environ) if key_env else None
    except KeyNotAllowed:
        raise
    except Paused as paused:
        fix = f'{paused.next}; or write provider = "none" under [search] in {FILE}'
        raise NotFetched(paused.what, where=f"search with {name}", next=fix, passing=True) from None
    return _KINDS[name](base_url, secret)


def chosen(settings: SearchSettings, environ: Mapping[str, str]) -> SearchKind | None:
    """The name of the provider that would be asked; None if there is none, or none is wanted."""
    if settings.provider is not None:
        return None if settings.provider == "none" else settings.provider
    return next((name for name, (_, key_env) in SEARCHES.items() if key_env and environ.get(key_env, "").strip()), None)


def found_in(provider: str, answer: bytes, count: int) -> tuple[Found, ...]:
    """The results in an answer that a provider gave, now or long ago. Raises ValueError if it cannot be read."""
    if provider not in _KINDS:
        raise ValueError(f"no search provider “{provider}” is known here")
    try:
        return _KINDS[provider].found(answer, count)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None

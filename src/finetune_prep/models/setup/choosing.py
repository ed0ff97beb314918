"""Which models a new project begins with, from what was found on this machine. A person sees the choice and may change it.

A server of one's own goes first: it costs nothing and nothing leaves the machine. A judge of another family than the
assistant's is the better judge, since models favour their own words, so where there are two families the judge is of the other.
"""

from __future__ import annotations

import re

from finetune_prep.models.setup.detect import Found
from finetune_prep.project.beginning.scaffold import Choice

# provider → the model to begin with: middling in price, and strong enough to write documents. In order of preference.
DEFAULTS: dict[str, str] = {
    "anthropic": "claude-sonnet-5-5",
    "openai": "gpt-6.1-terra",
    "google": "gemini-3.8-flash",
    "mistral": "mistral-medium-latest",
    "deepseek": "deepseek-v4-pro",
    "groq": "openai/gpt-oss-120b",
    "together": "openai/gpt-oss-120b",
    "openrouter": "openai/gpt-6.1-terra",
}
NO_CHAT = re.compile(r"embed|rerank|bge-|whisper|tts|minilm|clip", re.IGNORECASE)  # names of models that hold no conversation
FAMILIES = {"claude": "claude", "gpt": "gpt", "chatgpt": "gpt", "o": "gpt", "codestral": "mistral", "mixtral": "mistral"}


def choose(found: Found, provider: str = "") -> Choice | None:
    """The models to begin with; None if nothing was found. provider: the one that shall play all roles but the judge's."""
    models = candidates(found)
    first = next((model for model in models if not provider or model.partition("/")[0] == provider), None)
    if first is None:
        return None
    other = next((model for model in models if family(model) != family(first)), first)
    return Choice(first, other)


def candidates(found: Found) -> list[str]:
    """Models that could be asked, as provider/model: those of local servers in their order, then the defaults of keys."""
    local = [f"{server.name}/{model}" for server in found.servers for model in server.models if not NO_CHAT.search(model)]
    keys = {name for name, _ in found.keys}
    return local + [f"{name}/{model}" for name, model in DEFAULTS.items() if name in keys]


def family(model: str) -> str:
    """Who trained a model, as far as its name says: "ollama/qwen3:8b" and "groq/qwen/qwen3.8-27b" are both of "qwen"."""
    name = model.rpartition("/")[2].casefold()
    found = re.match(r"[a-z]+", name)
    word = found[0] if found else name
    return FAMILIES.get(word, word)

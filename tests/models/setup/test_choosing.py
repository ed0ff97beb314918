"""The models of a new project: what costs nothing first, and a judge of another family where there is one."""

from __future__ import annotations

import pytest

from finetune_prep.models.prices import Prices
from finetune_prep.models.setup.choosing import DEFAULTS, candidates, choose, family
from finetune_prep.models.setup.detect import Endpoint, Found
from finetune_prep.project.beginning.scaffold import Choice, config_text
from finetune_prep.project.config import NATIVE, WELL_KNOWN, parse


def found(*keys: str, **servers: tuple[str, ...]) -> Found:
    there = [Endpoint(name=name, base_url="http://localhost/v1", status=200, models=models) for name, models in servers.items()]
    return Found(keys=tuple((key, f"{key.upper()}_API_KEY") for key in keys), servers=tuple(there))


@pytest.mark.parametrize(
    ("there", "choice"),
    [
        (found(), None),
        (found(ollama=()), None),
        (found("openai"), Choice("openai/gpt-6.1-terra", "openai/gpt-6.1-terra")),
        (found("openai", "anthropic"), Choice("anthropic/claude-sonnet-5-5", "openai/gpt-6.1-terra")),
        (found(ollama=("willow:7b",)), Choice("ollama/willow:7b", "ollama/willow:7b")),
        (found(ollama=("willow:7b", "willow:70b", "larch:8b")), Choice("ollama/willow:7b", "ollama/larch:8b")),
        (found(ollama=("nomic-embed-text", "willow:7b")), Choice("ollama/willow:7b", "ollama/willow:7b")),
        (found("mistral", ollama=("willow:7b",)), Choice("ollama/willow:7b", "mistral/mistral-medium-latest")),
        (found("groq", "openai"), Choice("openai/gpt-6.1-terra", "openai/gpt-6.1-terra")),
        (found(vllm=("a/Qwen3-8B",), ollama=("qwen3:8b", "llama3.1")), Choice("vllm/a/Qwen3-8B", "ollama/llama3.1")),
    ],
)
def test_what_is_chosen(there: Found, choice: Choice | None) -> None:
    assert choose(there) == choice


def test_a_person_may_name_the_provider() -> None:
    """It plays all roles but the judge's."""
    there = found("openai", "mistral", ollama=("willow:7b",))
    assert choose(there, "mistral") == Choice("mistral/mistral-medium-latest", "ollama/willow:7b")
    assert choose(there, "groq") is None


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("ollama/qwen3:8b", "qwen"),
        ("groq/qwen/qwen3.8-27b", "qwen"),
        ("openai/o3-mini", "gpt"),
        ("groq/openai/gpt-oss-120b", "gpt"),
        ("anthropic/claude-sonnet-5-5", "claude"),
        ("mistral/codestral-latest", "mistral"),
        ("local/4o", "4o"),
    ],
)
def test_families(model: str, name: str) -> None:
    assert family(model) == name


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_a_default_can_be_configured_and_has_a_known_price(name: str) -> None:
    """So that a new project asks for no price."""
    config = parse(config_text("shop", f"{name}/{DEFAULTS[name]}", "", "", year=2026))
    assert Prices({}).of(DEFAULTS[name], config.provider(name).address, 1000) is not None


def test_every_provider_with_a_key_has_a_default() -> None:
    with_key = {name for name, (_, key) in (WELL_KNOWN | {str(kind): place for kind, place in NATIVE.items()}).items() if key}
    assert set(DEFAULTS) == with_key
    assert len(candidates(found(*with_key))) == len(with_key)

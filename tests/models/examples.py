"""A configuration and requests for the tests of the door."""

from __future__ import annotations

from typing import Any

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Parameters, Reply, Request
from finetune_prep.ledger.protocols import Entry
from finetune_prep.project.config import Config, Price, ProviderSettings, RoleSettings

KEY_ENV = "LARCH_API_KEY"
MODEL = "larch-1"


def config(
    base_url: str = "http://127.0.0.1:1/v1", *, budget: float | None = None, max_tokens: int | None = 100, **provider: Any
) -> Config:
    """All roles played by one model at one endpoint, at $1 per million tokens in and $2 out."""
    role = RoleSettings(model=f"larch/{MODEL}", max_tokens=max_tokens)
    settings = ProviderSettings(kind="openai-compatible", base_url=base_url, **provider)
    return Config(
        name="shop",
        roles=dict.fromkeys(("expert", "user", "assistant", "judge"), role),
        providers={"larch": settings},
        prices={MODEL: Price(input=1.0, output=2.0)},
        budget=budget,
    )


def request(text: str = "Is it broken?", *, about: str = "", **changes: Any) -> Request:
    fields: dict[str, Any] = {
        "role": "judge",
        "phase": "pilot-001",
        "origin": Origin(about or text[:20]),
        "model": MODEL,
        "messages": (Message("system", "You judge."), Message("user", text)),
        "parameters": Parameters(max_tokens=100),
    }
    return Request(**fields | changes)


def entry(text: str = "Is it broken?", answer: str = "yes", **changes: Any) -> Entry:
    return Entry(request(text, **changes), Reply(text=answer, at="2026-11-20T10:00:00+00:00", cost=0.25))

"""Who plays which role: from finetune-prep.toml to requests, and to what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Parameters, Request, RoleName, Schema
from finetune_prep.models.prices import FREE, Prices, at_factor, charges_by_call, may_cost
from finetune_prep.project.config import BATCH_APIS, Config, Price


class Roles:
    """The models of a project by role."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._settings: dict[RoleName, tuple[str, Parameters]] = {}

    def model(self, role: RoleName) -> str:
        """The model's name without its provider."""
        return self._config.role(role).model_name

    def request(
        self,
        role: RoleName,
        *,
        phase: str,
        origin: Origin,
        messages: Sequence[Message],
        schema: Schema | None = None,
        sample: str = "",
    ) -> Request:
        """A request to the model that plays `role`, with the parameters that finetune-prep.toml gives it."""
        if role not in self._settings:
            settings = self._config.role(role)
            self._settings[role] = settings.model_name, settings.parameters
        model, parameters = self._settings[role]
        return Request(
            role=role,
            phase=phase,
            origin=origin,
            model=model,
            messages=tuple(messages),
            schema=schema,
            parameters=parameters,
            sample=sample,
        )


def model_of(config: Config, name: RoleName) -> dict[str, Any]:
    """The model and parameters that play a role, as plans name them."""
    role = config.role(name)
    given = {key: value for key, value in msgspec.to_builtins(role.parameters).items() if value is not None}
    return {"model": role.model_name, **given}


def costly(config: Config, provider: str = "") -> dict[RoleName, str]:
    """Models that cost money, or may, by the role that they play: as provider/model at the address to which it all goes.

    provider: asked instead of those in finetune-prep.toml.
    """
    found: dict[RoleName, str] = {}
    prices = Prices(config.prices)
    for role in config.played:
        settings = config.role(role)
        name = provider or settings.provider
        where = config.provider(name)
        if (charges_by_call(where.kind) or where.kind in BATCH_APIS) and may_cost(price_of(config, prices, role, 1, provider)):
            found[role] = f"{name}/{settings.model_name} at {where.address}"
    return found


def price_of(config: Config, prices: Prices, role: RoleName, tokens: int, provider: str = "") -> Price | None:
    """The price of a role's model for prompts of so many tokens, None if nobody knows it: those of batch files are not guessed.

    provider: asked instead of the one in finetune-prep.toml.
    """
    settings = config.provider(provider or config.role(role).provider)
    if settings.kind == "recording":
        return FREE
    if not charges_by_call(settings.kind) and settings.kind not in BATCH_APIS:
        return None
    price = prices.of(config.role(role).model_name, settings.address, tokens)
    if price is None or charges_by_call(settings.kind):
        return price
    return at_factor(price, settings.price_factor)

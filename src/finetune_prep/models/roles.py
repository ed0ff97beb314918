"""Who plays which role, and how to get at them: from finetune-prep.toml to requests and to the door."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Request, RoleName, Schema
from finetune_prep.errors import ConfigError
from finetune_prep.http.secrets import Secret
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.batches.anthropic import AnthropicBatches
from finetune_prep.models.batches.api import BatchApi
from finetune_prep.models.batches.files import BatchFiles
from finetune_prep.models.batches.openai import OpenAIBatches
from finetune_prep.models.batches.results import BatchPricing
from finetune_prep.models.batches.submissions import Batches
from finetune_prep.models.budget import Budget
from finetune_prep.models.door import Door, Observer, Route
from finetune_prep.models.pace.limit import AdaptiveLimit
from finetune_prep.models.pace.rates import Listener
from finetune_prep.models.prices import FREE, Prices
from finetune_prep.models.providers.openai_compatible import OpenAICompatible
from finetune_prep.models.providers.provider import Provider, Speaker
from finetune_prep.models.providers.recording import RecordingProvider
from finetune_prep.models.retry import PersistentCaller
from finetune_prep.project.config import BATCH_APIS, FILE, NATIVE, Config, Price, ProviderKind, ProviderSettings
from finetune_prep.project.keys import key_of

PAID: tuple[ProviderKind, ...] = ("openai-compatible", *NATIVE)  # kinds whose answers are paid for as they come
# seconds: what a batch brings may take long to fetch, and its calls have deadlines of their own
LONGEST_LOOK = 86_400.0


class Roles:
    """The models of a project by role."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def model(self, role: RoleName) -> str:
        """The model's name without its provider."""
        return self._config.role(role).model_name

    def provider_of(self, role: RoleName) -> str:
        """The name of the provider that finetune-prep.toml gives to a role."""
        return self._config.role(role).provider

    def request(
        self,
        role: RoleName,
        *,
        phase: str,
        about: str,
        messages: Sequence[Message],
        schema: Schema | None = None,
        sample: str = "",
    ) -> Request:
        """A request to the model that plays `role`, with the parameters that finetune-prep.toml gives it."""
        settings = self._config.role(role)
        return Request(
            role=role,
            phase=phase,
            about=about,
            model=settings.model_name,
            messages=tuple(messages),
            schema=schema,
            parameters=settings.parameters,
            sample=sample,
        )


def open_door(
    config: Config,
    ledger: Ledger,
    folder: Path,
    *,
    provider: str | Provider | None = None,
    observer: Observer | None = None,
    uncounted: Collection[str] = (),
) -> Door:
    """The door for a project. Providers are made when first asked, so keys of unused ones need not exist.

    folder: the project's folder. provider: one for all roles instead of those in finetune-prep.toml, by name or as an
    object (a Scripted, in tests; free of charge). observer: told of every change of the counts.
    uncounted: models ("provider/model") that may be asked although their price is not known.
    """
    prices, budget = Prices(config.prices), Budget(config.budget, ledger, uncounted)
    routes = _Routes(config, ledger, folder, provider, prices, budget)
    return Door(ledger, routes.of, prices=prices, budget=budget, observer=observer)


def open_batches(config: Config, ledger: Ledger, folder: Path, name: str) -> Batches:
    """The batches of a provider of kind openai-batch or anthropic-batch, to look after them without a run.

    Raises ConfigError, and Paused if there is no key.
    """
    settings = config.provider(name)
    if settings.kind not in BATCH_APIS:
        raise ConfigError(
            f"provider “{name}” is no Batch API any more", where=FILE, next=f"put [providers.{name}] back as it was"
        )
    return _batches(name, settings, ledger, folder, Prices(config.prices), Budget(config.budget, ledger))


async def list_batches(name: str, settings: ProviderSettings, secret: Secret | None) -> None:
    """Ask a Batch API for its list of batches. Raises ConfigError or Paused if that cannot be had."""
    api = _batch_api(name, settings, secret)
    try:
        await api.list()
    finally:
        await api.close()


def _batches(name: str, settings: ProviderSettings, ledger: Ledger, folder: Path, prices: Prices, budget: Budget) -> Batches:
    secret = key_of(settings)
    batch_pricing = BatchPricing(budget, prices, name, settings.address, settings.price_factor)
    return Batches(name, _batch_api(name, settings, secret), ledger, folder, batch_pricing)


def _batch_api(name: str, settings: ProviderSettings, secret: Secret | None) -> BatchApi:
    kind = OpenAIBatches if settings.kind == "openai-batch" else AnthropicBatches
    return kind(name, settings, secret)


def price_of(config: Config, prices: Prices, role: RoleName, tokens: int, provider: str = "") -> Price | None:
    """The price of a role's model for prompts of so many tokens, None if nobody knows it: those of batch files are not guessed.

    provider: asked instead of the one in finetune-prep.toml.
    """
    settings = config.provider(provider or config.role(role).provider)
    if settings.kind == "recording":
        return FREE
    if settings.kind not in PAID and settings.kind not in BATCH_APIS:
        return None
    price = prices.of(config.role(role).model_name, settings.address, tokens)
    if price is None or settings.kind in PAID:
        return price
    factor = settings.price_factor
    cached = None if price.cached is None else factor * price.cached
    return Price(input=factor * price.input, output=factor * price.output, cached=cached)


def speaker(name: str, settings: ProviderSettings, secret: Secret | None, listener: Listener | None = None) -> Speaker:
    """A provider that is spoken to over the network. listener: told what headers say of rate limits."""
    if settings.kind in NATIVE:
        from finetune_prep.models.providers.native import Native  # of an extra

        return Native(name, settings, secret)
    return OpenAICompatible(name, settings, secret, listener)


class _Routes:
    """Routes by role, made when first needed and kept by provider: roles with one provider share its limit."""

    def __init__(
        self,
        config: Config,
        ledger: Ledger,
        folder: Path,
        override: str | Provider | None,
        prices: Prices,
        budget: Budget,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._folder = folder
        self._override = override
        self._prices = prices
        self._budget = budget
        self._made: dict[str, Route] = {}

    def of(self, role: RoleName) -> Route:
        name = self._override if isinstance(self._override, str) else self._config.role(role).provider
        if name not in self._made:
            self._made[name] = self._route(name, self._config.provider(name))
        return self._made[name]

    def _route(self, name: str, settings: ProviderSettings) -> Route:
        injected = None if isinstance(self._override, str) else self._override
        limit = AdaptiveLimit(settings.concurrency)
        provider = self._make(name, settings, limit) if injected is None else injected
        patience = LONGEST_LOOK if isinstance(provider, Batches) else settings.timeout
        caller = PersistentCaller(provider, limit, patience)
        charges = injected is None and settings.kind in PAID
        return Route(name, provider, caller, base_url=settings.address, charges=charges)

    def _make(self, name: str, settings: ProviderSettings, limit: AdaptiveLimit) -> Provider:
        if settings.kind == "batch":
            return BatchFiles(self._ledger, self._folder)
        if settings.kind == "recording":
            return self._recording(settings)
        if settings.kind in BATCH_APIS:
            return _batches(name, settings, self._ledger, self._folder, self._prices, self._budget)
        return speaker(name, settings, key_of(settings), limit.hear)

    def _recording(self, settings: ProviderSettings) -> Provider:
        path = self._folder / settings.path
        if not path.is_file():
            raise ConfigError(
                f"there is no recording {settings.path}",
                where=FILE,
                next=f"write one where the answers are: finetune-prep ledger export {settings.path}",
            )
        return RecordingProvider(path)

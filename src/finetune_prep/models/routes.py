"""The ways to the providers of a project: which one a role is asked through, and how the settings make it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from finetune_prep.core.request import RoleName
from finetune_prep.errors import ConfigError
from finetune_prep.http.endpoint import is_nearby
from finetune_prep.http.secrets import Secret
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.batches.anthropic import AnthropicBatches
from finetune_prep.models.batches.api import BatchApi
from finetune_prep.models.batches.files import BatchFiles
from finetune_prep.models.batches.openai import OpenAIBatches
from finetune_prep.models.batches.results import BatchPricing
from finetune_prep.models.batches.submissions import Batches
from finetune_prep.models.budget import Budget
from finetune_prep.models.caches.prefix import MARKED
from finetune_prep.models.pace.limit import AdaptiveLimit
from finetune_prep.models.pace.rates import Listener
from finetune_prep.models.pace.slots import FIRST_NEAR
from finetune_prep.models.prices import Prices, charges_by_call
from finetune_prep.models.providers.native.opening import open_native
from finetune_prep.models.providers.openai_compatible import OpenAICompatible
from finetune_prep.models.providers.provider import Provider, Speaker
from finetune_prep.models.providers.recording import RecordingProvider
from finetune_prep.project.config import BATCH_APIS, FILE, NATIVE, Config, ProviderSettings
from finetune_prep.project.keys import key_of

# seconds: what a batch brings may take long to fetch, and its calls have deadlines of their own
LONGEST_LOOK = 86_400.0
SILENT_CALLS = 5  # calls that used up all their time while nobody was answered, before the run stops asking that provider
LONGER = 4  # times a time-out, as is proposed where it is too short


@dataclass(slots=True)
class Route:
    """The way to one provider."""

    name: str
    provider: Provider
    limit: AdaptiveLimit
    timeout: float
    """Seconds for one call, waits and retries included."""
    base_url: str = ""
    charges: bool = False
    """Whether its answers cost money here."""
    marks: bool = False
    """Whether its cache keeps what is marked, and nothing else."""
    unkept: int = 0
    """Answers that came and are not on disk yet."""
    silent: int = 0
    """Calls without any answer that were begun after the last answer came."""
    last_answer: float = -math.inf
    """Loop time, seconds."""
    most_silent: int = SILENT_CALLS
    """Calls that used up all their time while nobody was answered, before the run stops asking."""
    silence_told: bool = False
    """Whether a person has been told that nobody is answered."""
    patience: str = ""
    """Which settings a time-out depends on, and what to write."""


class Routes:
    """Routes by role, made when first needed and kept by provider: roles with one provider share its limit.

    folder: the project's folder. override: a provider for all roles instead of those of the settings, by name or as an object
    (free of charge).
    """

    def __init__(
        self, config: Config, ledger: Ledger, folder: Path, override: str | Provider | None, prices: Prices, budget: Budget
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._folder = folder
        self._override = override
        self._prices = prices
        self._budget = budget
        self._by_name: dict[str, Route] = {}

    def of(self, role: RoleName) -> Route:
        """The route of a role. Raises ConfigError, and Paused if there is no key."""
        name = self._override if isinstance(self._override, str) else self._config.role(role).provider
        if name not in self._by_name:
            self._by_name[name] = self._route(name, self._config.provider(name))
        return self._by_name[name]

    def by_batch(self, role: RoleName) -> bool:
        """Whether a role's answers come by batch; no provider is made for that. Raises ConfigError."""
        if self._override is None or isinstance(self._override, str):
            return self._config.by_batch(role, self._override or "")
        return isinstance(self._override, BatchFiles | Batches)

    @property
    def made(self) -> tuple[Route, ...]:
        return tuple(self._by_name.values())

    def _route(self, name: str, settings: ProviderSettings) -> Route:
        injected = None if isinstance(self._override, str) else self._override
        near = injected is None and is_nearby(settings.base_url)
        limit = AdaptiveLimit(settings.concurrency, near=settings.timeout if near else None, hosted=settings.is_hosted)
        provider = self._provider(name, settings, limit) if injected is None else injected
        timeout = LONGEST_LOOK if isinstance(provider, Batches) else settings.timeout
        charges = injected is None and charges_by_call(settings.kind)
        return Route(
            name,
            provider,
            limit,
            timeout,
            base_url=settings.address,
            charges=charges,
            marks=injected is None and settings.kind in MARKED,
            most_silent=FIRST_NEAR if near else SILENT_CALLS,
            patience=self._patience(name, settings, near=near),
        )

    def _patience(self, name: str, settings: ProviderSettings, *, near: bool) -> str:
        """What a person is told of a time-out: the settings that it depends on, and the line that helps."""
        fewer = 1 if near else max(1, settings.concurrency // 4)
        change = f"concurrency = {fewer} or " if fewer < settings.concurrency else ""
        table = f"under [providers.{name}]"
        if name not in self._config.providers:
            table = f'in a table [providers.{name}] with kind = "{settings.kind}" and base_url = "{settings.base_url}"'
        return (
            f" (timeout = {settings.timeout:g}, concurrency = {settings.concurrency}): write {change}"
            f"timeout = {LONGER * settings.timeout:g} {table} in {FILE}"
            + ("; a model that does not stop by itself needs max_tokens under its role" if near else "")
        )

    def _provider(self, name: str, settings: ProviderSettings, limit: AdaptiveLimit) -> Provider:
        if settings.kind == "batch":
            return BatchFiles(self._ledger, self._folder)
        if settings.kind == "recording":
            return self._recording(name, settings)
        if settings.kind in BATCH_APIS:
            return batches(name, settings, self._ledger, self._folder, self._prices, self._budget)
        return speaker(name, settings, key_of(settings), limit.hear)

    def _recording(self, name: str, settings: ProviderSettings) -> Provider:
        path = self._folder / settings.path
        if not path.is_file():
            raise ConfigError(
                f"there is no recording {settings.path}",
                where=FILE,
                next=f"write one where the answers are: finetune-prep ledger export {settings.path}",
            )
        instead, step = self._instead(name)
        return RecordingProvider(path, instead=instead, next=step)

    def _instead(self, name: str) -> tuple[str, str]:
        """What a person does about a question that a recording has no answer to, and the next step."""
        roles = [f"[roles.{role}]" for role, settings in self._config.roles.items() if settings.provider == name]
        if not roles:
            return f"The models that {FILE} names can be asked.", f"run the same command without --provider {name}"
        instead = (
            f"A recording repeats what was asked before; what is new takes a model of your own. Name it in {FILE}: under "
            f'{", ".join(roles)}, write model = "ollama/NAME", "openai/NAME" or the like instead of "{name}/…" '
            "(docs/configuration.md). Or have the questions written to files: the same command with --provider batch."
        )
        return instead, "finetune-prep doctor, once a model is named, and then the same command again"


def speaker(name: str, settings: ProviderSettings, secret: Secret | None, listener: Listener | None = None) -> Speaker:
    """A provider that is spoken to over the network. listener: told what headers say of rate limits."""
    if settings.kind in NATIVE:
        return open_native(name, settings, secret)
    return OpenAICompatible(name, settings, secret, listener)


async def open_batches(config: Config, ledger: Ledger, folder: Path, name: str) -> Batches:
    """The batches of a provider of kind openai-batch or anthropic-batch, to look after them without a run.

    Raises ConfigError, and Paused if there is no key.
    """
    settings = config.provider(name)
    if settings.kind not in BATCH_APIS:
        raise ConfigError(
            f"provider “{name}” is no Batch API any more", where=FILE, next=f"put [providers.{name}] back as it was"
        )
    budget = await Budget(config.budget, ledger).load()
    return batches(name, settings, ledger, folder, Prices(config.prices), budget)


async def list_batches(name: str, settings: ProviderSettings, secret: Secret | None) -> None:
    """Ask a Batch API for its list of batches. Raises ConfigError or Paused if that cannot be had."""
    api = _batch_api(name, settings, secret)
    try:
        await api.list()
    finally:
        await api.close()


def batches(name: str, settings: ProviderSettings, ledger: Ledger, folder: Path, prices: Prices, budget: Budget) -> Batches:
    """The batches of one Batch API. Raises Paused if there is no key."""
    secret = key_of(settings)
    batch_pricing = BatchPricing(
        budget, prices, name, settings.address, settings.price_factor, cached=settings.kind == "anthropic-batch"
    )
    return Batches(name, _batch_api(name, settings, secret), ledger, folder, batch_pricing)


def _batch_api(name: str, settings: ProviderSettings, secret: Secret | None) -> BatchApi:
    kind = OpenAIBatches if settings.kind == "openai-batch" else AnthropicBatches
    return kind(name, settings, secret)

"""Who answers at the addresses of the models: asked for their lists before the first call, which costs nothing.

A server such as llama.cpp answers to any name, so a wrong port, or one port given twice, would have a model compared with itself,
and nothing in the replies would say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import msgspec

from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.core.request import RoleName
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.http.endpoint import is_nearby, read_endpoint
from finetune_prep.models.setup.detect import Endpoint, look_at
from finetune_prep.project.config import Config
from finetune_prep.project.keys import key_of

BYTES_PER_TOKEN = 3.5  # of a long prompt in English 3.9 were counted; rather too many tokens than too few
USER_TOKENS = 200  # of a user's message, at most as a rule


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoints of the evaluated models say of themselves, by role; none for files and recordings."""

    endpoints: Mapping[RoleName, Endpoint]


async def ask_lists(config: Config, roles: tuple[RoleName, ...]) -> Asked:
    """The lists of models at every address over HTTP. What cannot be reached says so when it is asked for a reply."""
    found: dict[RoleName, Endpoint] = {}
    for role in roles:
        settings = config.provider(config.role(role).provider)
        if settings.kind == "openai-compatible":
            found[role] = await look_at(role, settings.base_url, key_of(settings))
    return Asked(endpoints=found)


def check_names(config: Config, asked: Asked) -> None:
    """Raise UsageError where an address near by does not serve the model that it is to be asked for, or serves both as one."""
    for role, endpoint in asked.endpoints.items():
        name = config.role(role).model_name
        if is_nearby(endpoint.base_url) and endpoint.models and name not in endpoint.models:
            raise UsageError(
                f"the server at {endpoint.base_url} serves {_listed(endpoint.models)}, and not “{name}”",
                where=f"--{role}",
                next="give the name that it is served under, or the address at which it is served",
            )


def check_addresses(config: Config, asked: Asked | None = None) -> None:
    """Raise UsageError where base and tuned model would be the same one. asked: what their address lists, if that is known."""
    if not {"base", "tuned"} <= {*config.roles}:
        return
    base, tuned = config.role("base"), config.role("tuned")
    places = [_place(config, role.provider) for role in (base, tuned)]
    if places[0] != places[1]:
        return
    if base.model_name == tuned.model_name:
        raise UsageError(
            f"base and tuned are the same model, {base.model_name}, at the same address",
            where="--tuned",
            next="name the tuned model, or give it an address of its own under [providers] in finetune-prep.toml",
        )
    endpoint = asked.endpoints.get("base") if asked else None
    if (
        endpoint is None
        or not endpoint.status
        or not is_nearby(endpoint.base_url)
        or {base.model_name, tuned.model_name} <= {*endpoint.models}
    ):
        return
    raise UsageError(
        f"base and tuned have the same address, {endpoint.base_url}, which does not list both; a server that answers to any name "
        "would be compared with itself",
        where="--tuned",
        next="serve the tuned model at an address of its own, and name that under [providers] in finetune-prep.toml",
    )


def check_parameters(config: Config) -> None:
    """Raise UsageError where the models are not sampled alike: then it is the sampling that may differ."""
    if {"base", "tuned"} <= {*config.roles} and config.role("base").parameters != config.role("tuned").parameters:
        raise UsageError(
            "base and tuned are sampled differently",
            where="finetune-prep.toml",
            next="give [roles.base] and [roles.tuned] the same temperature, top_p, max_tokens, reasoning_effort and extra",
        )


def _place(config: Config, provider: str) -> str:
    """Where a provider is; its name where it has no address."""
    settings = config.provider(provider)
    if not settings.base_url:
        return settings.address or provider
    endpoint = read_endpoint(settings.base_url)
    host = "this machine" if endpoint.host in ("localhost", "127.0.0.1", "::1") else endpoint.host
    return f"{host}:{endpoint.port}{endpoint.path}"


def _listed(models: tuple[str, ...]) -> str:
    shown = ", ".join(models[:3])
    return f"{shown} and {len(models) - 3} more" if len(models) > 3 else shown


def too_long(prompt: str, scenarios: tuple[Scenario, ...], most: int, context: int) -> str:
    """Why the arm with the long prompt is left out, "" if it fits. most: tokens of a reply. context: 0 = nobody knows."""
    needed = ceil(len(prompt.encode()) / BYTES_PER_TOKEN)
    needed += max((scenario.exchanges for scenario in scenarios), default=1) * (most + USER_TOKENS)
    if not context:
        return "how much fits into the base model's context is not known: give it with --context"
    if needed > context:
        takes = f"the generation prompt and a conversation take about {needed:,} tokens"
        return f"{takes}, and the base model's context holds {context:,}"
    return ""


def context_of(config: Config, asked: Asked) -> int:
    """Tokens of the base model's context by its server's word, 0 if that says nothing."""
    endpoint = asked.endpoints.get("base")
    return endpoint.contexts.get(config.role("base").model_name, 0) if endpoint else 0


def check_served(served: Mapping[Arm, tuple[str, ...]], names: Mapping[Arm, str]) -> None:
    """Raise ActNeeded where replies name another model than was asked for, or both models by one name.

    A dated version of a name, or a file whose name holds it, is that model.
    """
    for arm, found in served.items():
        other = [name for name in found if name and not _same(names[arm], name)]
        if other:
            raise ActNeeded(
                f"{arm} was asked for as {names[arm]}, and {', '.join(other)} answered; whose replies these are is not known",
                next="name it as it is served, or serve it under a new name: these replies are kept under the one asked for",
            )
    both = {*served.get("base", ())} & {*served.get("tuned", ())} - {""}
    if both and names["base"] != names["tuned"]:
        raise ActNeeded(
            f"base and tuned were both answered by {', '.join(sorted(both))}",
            next="serve each under a new name: these replies are kept under the ones asked for",
        )


def _same(asked: str, served: str) -> bool:
    asked, served = asked.casefold(), served.casefold()
    return asked in served or asked.rpartition("/")[2] == served.rpartition("/")[2]

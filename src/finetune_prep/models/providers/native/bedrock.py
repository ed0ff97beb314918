"""Bedrock in its own API. Its SDK finds keys where AWS keeps them."""

from __future__ import annotations

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.providers.bedrock import BedrockProvider

from finetune_prep.errors import ConfigError
from finetune_prep.http.secrets import Secret
from finetune_prep.models.providers.native.native import Api, Native
from finetune_prep.project.config import FILE, ProviderSettings

CONNECT_SECONDS = 15.0
FIX = (
    "set AWS_BEARER_TOKEN_BEDROCK, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "and region = … under the provider, then run it again"
)


def open_provider(name: str, settings: ProviderSettings, secret: Secret | None) -> Native:
    """Raises ConfigError for a key that is named in the settings, and if the SDK cannot be set up."""
    if secret is not None:
        raise ConfigError(f"Bedrock does not take key_env = “{secret.name}”", where=FILE, next=f"take it out; {FIX}")
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=settings.timeout,
        max_pool_connections=settings.concurrency,
    )
    try:
        client = boto3.Session(region_name=settings.region or None).client(
            "bedrock-runtime", config=config, endpoint_url=settings.base_url or None
        )
    except BotoCoreError as error:
        raise ConfigError(f"Bedrock cannot be set up: {error}", where=FILE, next=FIX) from error
    provider = BedrockProvider(bedrock_client=client)
    api = Api(
        lambda model: BedrockConverseModel(model, provider=provider),
        always={},  # that nothing is tried again, the client knows
        mark="bedrock_cache_instructions",
        cannot_ask=(BotoCoreError, ClientError),
        fix=FIX,
    )
    return Native(name, settings, None, api)

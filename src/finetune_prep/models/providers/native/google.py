"""Gemini in its own API."""

from __future__ import annotations

from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

from finetune_prep.http.secrets import Secret
from finetune_prep.models.providers.native.native import Api, Native, key
from finetune_prep.project.config import ProviderSettings


def open_provider(name: str, settings: ProviderSettings, secret: Secret | None) -> Native:
    provider = GoogleProvider(api_key=key(secret), base_url=settings.address)
    api = Api(lambda model: GoogleModel(model, provider=provider), always={"max_retries": 0})
    return Native(name, settings, secret, api)

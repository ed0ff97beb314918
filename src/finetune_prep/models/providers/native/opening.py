"""Which module speaks to a provider in its own API.

The others of this package are imported when a project names such a provider: what they need belongs to an
extra, and takes seconds to load.
"""

from __future__ import annotations

import importlib

from finetune_prep.errors import ConfigError
from finetune_prep.http.secrets import Secret
from finetune_prep.models.providers.provider import Speaker
from finetune_prep.project.config import INSTALL_NATIVE, ProviderSettings


def open_native(name: str, settings: ProviderSettings, secret: Secret | None) -> Speaker:
    """A provider of one of the kinds in `NATIVE`, each of which has a module of its name here.

    secret: its key; None for Bedrock, whose SDK finds its keys itself. Raises ConfigError if the extra is not installed, or
    Bedrock cannot be set up.
    """
    try:
        module = importlib.import_module(f"finetune_prep.models.providers.native.{settings.kind}")
    except ImportError as error:
        missing = error.name or error
        raise ConfigError(f"provider “{name}” needs the extra “native”: {missing} is missing", next=INSTALL_NATIVE) from error
    opened: Speaker = module.open_provider(name, settings, secret)
    return opened

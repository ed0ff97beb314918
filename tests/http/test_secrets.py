"""API keys: read from the environment, shown to nobody."""

from __future__ import annotations

import copy
import pickle

import pytest

from finetune_prep.errors import Paused
from finetune_prep.http.secrets import Secret, read_secret


def test_a_secret_is_not_shown() -> None:
    """Neither by repr nor str nor format, and it cannot be pickled or copied into something that can."""
    secret = read_secret("LARCH_API_KEY", {"LARCH_API_KEY": " sk-canary\n"})
    assert secret.reveal() == "sk-canary"
    assert "sk-canary" not in f"{secret} {secret!r} {[secret]}"
    for write in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not to be written"):
            write(secret)


def test_redaction() -> None:
    secret = Secret("LARCH_API_KEY", "sk-canary")
    assert secret.redact(b'{"a": "sk-canary sk-canary"}') == b'{"a": "[LARCH_API_KEY] [LARCH_API_KEY]"}'
    assert secret.redact(b"nothing here") == b"nothing here"


@pytest.mark.parametrize("value", ["", "  ", "sk two", "sk\x1b[0m", "schlüssel"])
def test_what_cannot_be_a_key_is_told_without_showing_it(value: str) -> None:
    with pytest.raises(Paused, match="LARCH_API_KEY") as caught:
        read_secret("LARCH_API_KEY", {"LARCH_API_KEY": value})
    assert not value.strip() or value not in str(caught.value)

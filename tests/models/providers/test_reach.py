"""A server that was never started is told within seconds, whatever it is spoken to in."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from finetune_prep.errors import NotYet, Paused
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.providers import reach
from finetune_prep.project.config import Config, Price, ProviderKind, ProviderSettings, RoleSettings
from tests.fake_endpoint import FakeEndpoint
from tests.models.examples import KEY_ENV, MODEL, request

KINDS: tuple[ProviderKind, ...] = ("openai-compatible", "anthropic", "google", "openai-batch", "anthropic-batch")


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_there_is_told_soon(
    kind: ProviderKind, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the time of a call is used up, and the address is named."""
    if kind in ("anthropic", "google"):
        pytest.importorskip("pydantic_ai")
    monkeypatch.setenv(KEY_ENV, "sk-0123456789abcdef")
    monkeypatch.setattr(reach, "UNREACHED_SECONDS", 0.2)
    monkeypatch.setattr(reach, "UNREACHED_PAUSE", 0.05)
    with FakeEndpoint() as endpoint:
        base_url = endpoint.base_url
    settings = ProviderSettings(kind=kind, base_url=base_url, key_env=KEY_ENV, timeout=3600)
    roles = dict.fromkeys(("expert", "user", "assistant", "judge"), RoleSettings(model=f"larch/{MODEL}", max_tokens=100))
    nobody = Config(name="shop", roles=roles, providers={"larch": settings}, prices={MODEL: Price(input=1.0, output=2.0)})
    async with open_door(nobody, ledger, tmp_path) as door:
        with pytest.raises(Paused, match="cannot connect") as caught:
            with contextlib.suppress(NotYet):
                await door.ask(request("a"))
            await door.flush()  # a Batch API is not spoken to before
    assert endpoint.base_url.removesuffix("/v1") in caught.value.what
    assert "start the server, or fix `base_url`" in caught.value.next

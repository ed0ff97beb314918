"""What requests begin with, and from which length on a cache keeps it."""

from __future__ import annotations

import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.models.caches.prefix import BYTES, is_kept, least, prefix
from tests.models.examples import request


def test_the_prefix_is_the_system_text_that_stands_first() -> None:
    """A system message behind others is no part of what other requests begin with."""
    talk = (Message("system", "one"), Message("system", "two"), Message("user", "a"), Message("system", "three"))
    assert prefix(request(messages=talk)) == "one\n\ntwo"
    assert prefix(request(messages=(Message("user", "a"),))) == ""


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-sonnet-4-5", 1024),
        ("claude-haiku-4-5", 4096),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 4096),
        ("claude-3-5-haiku-latest", 2048),
        ("claude-opus-4-1", 1024),
        ("claude-opus-4.6", 4096),
        ("claude-opus-5", 512),
        ("amazon.nova-lite-v1:0", 1024),
        ("gpt-4.1", 1024),
    ],
)
def test_each_model_keeps_so_many_tokens_at_the_fewest(model: str, tokens: int) -> None:
    assert least(model) == tokens
    enough = request(model=model, messages=(Message("system", "x" * BYTES * tokens), Message("user", "a")))
    assert is_kept(enough)
    assert not is_kept(
        request(model=model, messages=(Message("system", "x" * (BYTES * tokens - 1)), Message("user", "a" * 99999)))
    )

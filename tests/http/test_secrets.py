"""API keys: read from the environment, shown to nobody; whatever is redacted, the text of an answer is not."""

from __future__ import annotations

import base64
import copy
import html
import json
import pickle
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.errors import Paused
from finetune_prep.http.secrets import SHORTEST, Secret, read_secret

KEY = "sk-CANARY/9f8e7d6c5b4a+Zq"
KEYS = (
    KEY,
    "sk-canary-0123456789abcdef",
    'canary"with"quotes&<signs>',
    "canary\\with\\backslashes",
    "c4n4ry" * 20,
    "/+/+-_-_.=.=.=,;:~!",
)


def every_sign(key: str, form: str) -> str:
    return "".join(form.format(ord(character)) for character in key)


def other_signs(key: str, form: str) -> str:
    return "".join(character if character.isalnum() else form.format(ord(character)) for character in key)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON, slashes": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "JSON, .NET": lambda key: json.dumps(key)[1:-1].replace("+", "\\u002B").replace("&", "\\u0026"),
    "JSON, signs, lower case": lambda key: other_signs(key, "\\u{:04x}"),
    "JSON, signs, upper case": lambda key: other_signs(key, "\\u{:04X}"),
    "JSON, all, lower case": lambda key: every_sign(key, "\\u{:04x}"),
    "JSON, all, upper case": lambda key: every_sign(key, "\\u{:04X}"),
    "JSON in JSON": lambda key: json.dumps(json.dumps(key).replace("+", "\\u002B"))[1:-1],
    "JavaScript": lambda key: other_signs(key, "\\x{:02x}"),
    "address": lambda key: quote(key, safe=""),
    "address, lower case": lambda key: other_signs(key, "%{:02x}"),
    "address, all": lambda key: every_sign(key, "%{:02X}"),
    "address in an address": lambda key: quote(quote(key, safe=""), safe=""),
    "HTML": html.escape,
    "HTML, decimal": lambda key: other_signs(key, "&#{};"),
    "HTML, hex": lambda key: every_sign(key, "&#x{:X};"),
    "HTML, names": lambda key: html.escape(key).replace("+", "&plus;").replace("/", "&sol;"),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 for addresses": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "Basic": lambda key: base64.b64encode(f"u:{key}".encode()).decode(),
    "Basic, other name": lambda key: base64.b64encode(f"me:{key}:x".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "hex, upper case": lambda key: key.encode().hex().upper(),
}  # fmt: skip

PACKED = ("base64", "base64 for addresses", "Basic", "Basic, other name", "hex", "hex, upper case")


def test_a_secret_is_not_shown() -> None:
    """Neither by repr nor str nor format, and it cannot be pickled or copied into something that can."""
    secret = read_secret("LARCH_API_KEY", {"LARCH_API_KEY": " sk-canary\n"})
    assert secret.reveal() == "sk-canary"
    assert "sk-canary" not in f"{secret} {secret!r} {[secret]}"
    for write in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not to be written"):
            write(secret)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_key_is_found_in_every_spelling(key: str, spelling: str) -> None:
    """Nothing of it is left: the few signs that are, in base64, are its neighbours'."""
    secret = Secret("LARCH_API_KEY", key)
    written = SPELLINGS[spelling](key)
    said = f"you sent {written}, which is no key"
    assert secret.is_in(said) == (spelling not in PACKED)
    redacted = secret.redact(said)
    assert "[LARCH_API_KEY]" in redacted
    assert len(redacted) <= len("you sent [LARCH_API_KEY], which is no key") + 12
    assert secret.redact(redacted) == redacted
    assert secret.redact_body(said.encode()) == redacted.encode()


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_body_stays_json(key: str) -> None:
    """A key is replaced as a whole, its escapes included, so what is around it can be decoded."""
    secret = Secret("LARCH_API_KEY", key)
    for spelling, write in SPELLINGS.items():
        if spelling.startswith("JSON") and spelling != "JSON in JSON":
            body = f'{{"said": "it is \\"{write(key)}\\"\\\\"}}'.encode()
            assert json.loads(secret.redact_body(body)) == {"said": 'it is "[LARCH_API_KEY]"\\'}


@pytest.mark.parametrize(
    "word",
    ["EMPTY", "test", "none", "ollama", "token", "0", "stop", "content", " ", '"', "lm-studio", "not-needed", "sk-no-key-required",
     "sk-no-key-needed", "your-api-key-here", "no-api-key-needed", "token-abc123", "xxxxxxxxxxxxxxxxxxxx", "localhost", "dummy-key"],
)  # fmt: skip
def test_a_word_is_no_key(word: str) -> None:
    """vLLM documents EMPTY, LM Studio lm-studio, llama.cpp sk-no-key-required: neither texts nor errors are changed by them."""
    secret = Secret("LARCH_API_KEY", word)
    said = f'{{"content": "If the box is {word}, tell us", "finish_reason": "stop"}}'
    assert not secret.is_in(said)
    assert secret.redact(said) == said
    assert secret.redact_body(said.encode()) == said.encode()


@pytest.mark.parametrize("length", range(8, SHORTEST))
def test_a_short_key_is_taken_out_of_messages_alone(length: int) -> None:
    key = "k3y-0f-larch-4711"[:length]
    secret = Secret("LARCH_API_KEY", key)
    said = f"you sent {key}"
    assert not secret.is_in(said)
    assert secret.redact(said) == "you sent [LARCH_API_KEY]"
    assert secret.redact_body(said.encode()) == said.encode()


@given(st.text(max_size=300))
def test_what_does_not_hold_the_key_stays_as_it_is(text: str) -> None:
    secret = Secret("LARCH_API_KEY", KEY)
    assert not secret.is_in(text)
    assert secret.redact(text) == text
    assert secret.redact_body(text.encode(errors="replace")) == text.encode(errors="replace")


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST, max_size=60),
    st.sampled_from(sorted(SPELLINGS)),
)
def test_any_key_is_found(key: str, spelling: str) -> None:
    secret = Secret("LARCH_API_KEY", key)
    if secret.is_in(key):  # no dummy
        assert "[LARCH_API_KEY]" in secret.redact(f"({SPELLINGS[spelling](key)})")
        assert spelling in PACKED or secret.is_in(f"({SPELLINGS[spelling](key)})")


@pytest.mark.parametrize("value", ["", "  ", "sk two", "sk\x1b[0m", "schlüssel"])
def test_what_cannot_be_a_key_is_told_without_showing_it(value: str) -> None:
    with pytest.raises(Paused, match="LARCH_API_KEY") as caught:
        read_secret("LARCH_API_KEY", {"LARCH_API_KEY": value})
    assert not value.strip() or value not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["sk-proj-4711abcdef", "gsk_4711abcdefghijklmnop", "", "A B", "A=B", "1KEY", "KEY\n", "SCHLÜSSEL", "$KEY"]
)
def test_a_name_that_is_none_is_not_repeated(name: str) -> None:
    """The usual slip is the key itself in place of its variable's name."""
    with pytest.raises(Paused, match="key_env") as caught:
        read_secret(name, {name: "x" * 30})
    assert not name or name not in str(caught.value)

"""Keys as people have them, sent back by endpoints in every way: in no file and no line afterwards. Words that are no keys change nothing."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cli.terminal import Terminal
from tests.fake_endpoint import Behaviour, Call, Completion, Status
from tests.families.sampling import members
from tests.families.test_answers import is_assistant
from tests.families.trial import KEY_ENV, assert_nowhere, trial

KEYS = (
    "sk-canary-0123456789abcdef",
    "sk-CANARY/9f8e7d6c5b4a+Zq",
    "sk+canary+with+signs==",
    'canary"with"quotes&<signs>',
    "canary'with'apostrophes%20",
    "canary\\with\\backslashes",
    "canary.eyJhbGciOi.J9-_x",
    "c4n4ry" * 20,
)
DUMMIES = (
    "EMPTY", "test", "none", "None", "null", "ollama", "token", "key", "x", "0", "1", "stop", "content", "role", "assistant",
    "message", "choices", "bowl", "new", "YES", "NO", "evidence", "answer", "lm-studio", "not-needed", "sk-no-key-required",
    "sk-no-key-needed", "your-api-key-here", "no-api-key-needed", "token-abc123", "localhost", "dummy-key", '"', "\\", "{", "/",
    "+", "&", "<", "'",
)  # fmt: skip


def signs(key: str, form: str) -> str:
    return "".join(sign if sign.isalnum() else form.format(ord(sign)) for sign in key)


def every(key: str, form: str) -> str:
    return "".join(form.format(ord(sign)) for sign in key)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: json.dumps(key)[1:-1],
    "slashes escaped": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "as .NET": lambda key: signs(key, "\\u{:04X}"),
    "escapes in small letters": lambda key: signs(key, "\\u{:04x}"),
    "all escaped": lambda key: every(key, "\\u{:04x}"),
    "in an address": lambda key: quote(key, safe=""),
    "as HTML": lambda key: html.escape(key).replace("\\", "\\\\"),
    "in base64": lambda key: base64.b64encode(key.encode()).decode(),
    "as Basic": lambda key: base64.b64encode(f"user:{key}".encode()).decode(),
    "in hex": lambda key: key.encode().hex(),
}
PLACES: dict[str, Callable[[str], Behaviour]] = {
    "a wrong key": lambda written: Status(401, raw=b'{"error":{"message":"you sent %s"}}' % written.encode()),
    "a refusal": lambda written: Status(400, raw=b'{"error":{"message":"bad %s","code":"%s"}}' % (written.encode(), written.encode())),
    "a server error": lambda written: Status(500, raw=b'{"error":{"message":"%s"}}' % written.encode()),
    "a page": lambda written: Status(502, raw=b"<html>%s</html>" % written.encode()),
    "no JSON": lambda written: Status(200, raw=b"oops %s" % written.encode()),
    "a model's name": lambda written: Status(
        200, raw=Completion("Fine @", more={"model": "KEY"}).body("x").replace(b"KEY", written.encode())
    ),
    "a finish reason": lambda written: Status(200, raw=Completion("Fine.", finish="KEY").body("x").replace(b"KEY", written.encode())),
    "thoughts": lambda written: Status(200, raw=Completion("<think>KEY</think>Fine.").body("x").replace(b"KEY", written.encode())),
}  # fmt: skip
ECHOES = {
    f"{number} {spelling} in {place}": (key, SPELLINGS[spelling](key), echo)
    for number, key in enumerate(KEYS)
    for spelling in SPELLINGS
    for place, echo in PLACES.items()
}


@members("echo", ECHOES, 4)
def test_a_key_that_is_sent_back_stands_nowhere(
    echo: tuple[str, str, Callable[[str], Behaviour]],
    accepted: Path,
    tmp_path: Path,
    terminal_in: Callable[[Path], Terminal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, written, behave = echo
    monkeypatch.setenv(KEY_ENV, key)
    with trial(
        accepted, tmp_path / "shop", terminal_in, lambda call, good: behave(written), key=key, more="timeout = 1"
    ) as tried:
        tried.pilot()
        for command in (
            ("show",),
            ("cost",),
            ("doctor",),
            ("show", "--json"),
            ("ledger", "export", str(tmp_path / "shop" / "r.jsonl")),
        ):
            tried(*command)
        tried.assert_sound(kept=False)
        spellings = {key, json.dumps(key)[1:-1], quote(key, safe=""), key.encode().hex(), base64.b64encode(key.encode()).decode()}
        assert_nowhere([spelling for spelling in spellings if len(spelling) > 10], tried.folder, tried.shown)


@pytest.mark.parametrize("key", KEYS[:2], ids=["sk", "signs"])
def test_an_answer_that_holds_the_key_is_not_used(
    key: str, accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_ENV, key)

    def member(call: Call, good: Completion) -> Behaviour:
        return Completion(f"Use {key} for that.") if is_assistant(call) else good

    with trial(accepted, tmp_path / "shop", terminal_in, member, key=key) as tried:
        ended = tried.pilot()
        assert ended.code == 1
        assert "key in the answer" in ended.out
        tried.assert_sound()


@members("word", {word: word for word in DUMMIES}, 3)
def test_a_word_that_is_no_key_changes_no_answer(
    word: str, accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_ENV, word)
    numbers = iter(range(10_000, 99_999))

    def member(call: Call, good: Completion) -> Behaviour | tuple[Behaviour, str]:
        if not is_assistant(call):
            return good
        text = f"If the box is {word}, send a message: {word} {next(numbers)}{word}"
        return Completion(text), text

    with trial(accepted, tmp_path / "shop", terminal_in, member, more=f'key_env = "{KEY_ENV}"') as tried:
        assert tried.pilot().code == 0, tried.shown
        assert tried.endpoint.calls[0].headers["authorization"] == f"Bearer {word}"
        tried.assert_sound()

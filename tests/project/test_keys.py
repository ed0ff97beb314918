"""Which key goes to which host: what was made for each other, what the user allowed, and nothing else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from finetune_prep.errors import ConfigError, KeyNotAllowed, Paused, UsageError
from finetune_prep.project.config import NATIVE, SEARCHES, WELL_KNOWN, WELL_KNOWN_BATCHES, ProviderSettings
from finetune_prep.project.keys import ALLOWED, KeyUse, allow, key_for, key_of

KEY = {"LARCH_API_KEY": "sk-canary-0123456789"}
ADDRESS = "https://larch.example/v1"
MEMORY = Path(".config", "finetune-prep", "allowed-keys.jsonl")


@pytest.fixture(autouse=True)
def nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOWED)


def refused(variable: str, address: str, environment: dict[str, str] = KEY) -> KeyNotAllowed:
    with pytest.raises(KeyNotAllowed) as caught:
        key_for(variable, address, environment)
    return caught.value


def test_a_key_goes_to_no_new_host_by_itself() -> None:
    error = refused("LARCH_API_KEY", ADDRESS)
    assert (error.variable, error.host, error.exit_code) == ("LARCH_API_KEY", "https://larch.example", 3)
    assert "LARCH_API_KEY would be sent to https://larch.example for the first time" in error.what
    assert f"export {ALLOWED}=LARCH_API_KEY@larch.example" in error.next
    assert "canary" not in str(error)


@pytest.mark.parametrize(
    ("base_url", "key_env"),
    [place for table in (WELL_KNOWN, NATIVE, SEARCHES, WELL_KNOWN_BATCHES) for place in table.values() if place[1]],  # type: ignore[attr-defined]
)
def test_a_key_goes_to_those_who_gave_it_out(base_url: str, key_env: str) -> None:
    """Without a question – but to nobody else, be it in another's name, by another port or in clear."""
    environment = {key_env: "sk-canary-0123456789"}
    assert key_for(key_env, base_url, environment).name == key_env
    host = urlsplit(base_url).netloc
    for other in (f"http://{host}", f"https://{host}:8443", f"https://{host}.larch.example", "https://api.larch.example/v1"):
        refused(key_env, other, environment)
    refused("AWS_SECRET_ACCESS_KEY", base_url, {"AWS_SECRET_ACCESS_KEY": "x" * 40})


def test_a_yes_is_remembered_outside_the_project(tmp_path: Path) -> None:
    """For this key and this host: not for another key, another host, another port."""
    allow(KeyUse("LARCH_API_KEY", "https://larch.example"))
    assert (Path.home() / MEMORY).read_text("utf-8").count("\n") == 1
    assert key_for("LARCH_API_KEY", ADDRESS, KEY).reveal() == KEY["LARCH_API_KEY"]
    assert key_for("LARCH_API_KEY", "https://LARCH.example:443/other", KEY)
    for variable, address in (
        ("OTHER_API_KEY", ADDRESS),
        ("LARCH_API_KEY", "http://larch.example/v1"),
        ("LARCH_API_KEY", "https://larch.example:8443/v1"),
        ("LARCH_API_KEY", "https://larch.example.evil.example/v1"),
    ):
        refused(variable, address, KEY | {"OTHER_API_KEY": "x" * 20})


def test_the_folder_is_the_one_that_the_user_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the XDG Base Directory Specification, which ignores paths that are not absolute."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    allow(KeyUse("LARCH_API_KEY", "https://larch.example"))
    assert (tmp_path / "settings" / "finetune-prep" / "allowed-keys.jsonl").is_file()
    assert key_for("LARCH_API_KEY", ADDRESS, KEY)
    monkeypatch.setenv("XDG_CONFIG_HOME", "settings")
    refused("LARCH_API_KEY", ADDRESS)
    allow(KeyUse("LARCH_API_KEY", "https://larch.example"))
    assert (Path.home() / MEMORY).is_file()


@pytest.mark.parametrize("line", [b"", b"{", b"\xff\xfe", b'{"variable": "LARCH_API_KEY"}', b"[" * 100_000, b"null"])
def test_what_cannot_be_read_allows_nothing_and_spoils_nothing(line: bytes) -> None:
    path = Path.home() / MEMORY
    path.parent.mkdir(parents=True)
    path.write_bytes(line + b"\n")
    refused("LARCH_API_KEY", ADDRESS)
    allow(KeyUse("LARCH_API_KEY", "https://larch.example"))
    assert key_for("LARCH_API_KEY", ADDRESS, KEY)


def test_without_a_home_nothing_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    refused("LARCH_API_KEY", ADDRESS)
    with pytest.raises(UsageError, match="no home folder"):
        allow(KeyUse("LARCH_API_KEY", "https://larch.example"))


@pytest.mark.parametrize(
    ("told", "allowed"),
    [
        ("LARCH_API_KEY@larch.example", True),
        ("OTHER@larch.example, LARCH_API_KEY@larch.example", True),
        ("LARCH_API_KEY@https://larch.example", True),
        ("*@larch.example", True),
        ("LARCH_*@*.example", True),
        ("LARCH_API_KEY@http://larch.example", False),
        ("LARCH_API_KEY", False),
        ("larch.example", False),
        ("LARCH_API_KEY@example", False),
        ("", False),
    ],
)
def test_the_environment_may_allow_it(told: str, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOWED, told)
    if allowed:
        assert key_for("LARCH_API_KEY", ADDRESS, KEY)
    else:
        refused("LARCH_API_KEY", ADDRESS)


def test_a_key_that_is_not_there_is_no_question() -> None:
    with pytest.raises(Paused, match="LARCH_API_KEY is not set") as caught:
        key_for("LARCH_API_KEY", ADDRESS, {})
    assert not isinstance(caught.value, KeyNotAllowed)
    with pytest.raises(ConfigError):
        key_for("LARCH_API_KEY", "http://[::1:8000", KEY)


def test_bedrock_at_another_address_would_get_the_keys_of_aws() -> None:
    """Its library finds them itself, so the question comes before it is opened."""
    assert key_of(ProviderSettings(kind="bedrock", region="eu-central-1")) is None
    with pytest.raises(KeyNotAllowed, match=r"AWS_\* would be sent to https://larch\.example"):
        key_of(ProviderSettings(kind="bedrock", base_url="https://larch.example"))
    allow(KeyUse("AWS_*", "https://larch.example"))
    assert key_of(ProviderSettings(kind="bedrock", base_url="https://larch.example")) is None

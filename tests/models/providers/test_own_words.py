"""What a project adds to its calls: fields of the body, headers, a query in the address."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.request import Parameters, Request
from finetune_prep.errors import ConfigError, KeyNotAllowed, Paused
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.providers.own_headers import own_headers
from finetune_prep.project.config import parse
from tests.fake_endpoint import Completion, FakeEndpoint, Status
from tests.models.examples import config, request

pytestmark = pytest.mark.usefixtures("quick")
KEY = "gateway-4f7d2a9b1c8e6035"
EXTRA = {"seed": 7, "stop": ["\n\n"], "chat_template_kwargs": {"enable_thinking": False}}


def with_extra() -> Request:
    return request("one", parameters=Parameters(max_tokens=10, extra=EXTRA))


async def test_extra_fields_go_into_the_body_as_they_are(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Completion("yes")) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            await door.ask(with_extra())
        assert {name: endpoint.calls[0].body[name] for name in EXTRA} == EXTRA


def test_extra_fields_are_part_of_the_key_and_no_extra_is_not() -> None:
    """Answers that were bought before there were such fields keep their worth."""
    plain = request("one", parameters=Parameters(max_tokens=10))
    assert with_extra().key != plain.key
    assert plain.key == request("one", parameters=Parameters(max_tokens=10, extra={})).key
    assert b"extra" not in msgspec.json.encode(plain)


ROLES = """
name = "shop"
[roles.expert]
model = "batch/m"
[roles.user]
model = "batch/m"
[roles.assistant]
model = "batch/m"
[roles.judge]
model = "batch/m"
[roles.judge.extra]
"""


def test_extra_fields_are_read_from_the_file() -> None:
    read = parse(ROLES + "min_p = 0.1\nstop = ['a']\n")
    assert read.role("judge").parameters.extra == {"min_p": 0.1, "stop": ["a"]}


@pytest.mark.parametrize("field", ["model", "messages", "max_tokens", "response_format", "stream"])
def test_what_the_program_sets_is_refused_with_its_line(field: str) -> None:
    with pytest.raises(ConfigError, match=f"extra.{field} is set by the program") as refused:
        parse(f"{ROLES}{field} = 1\n")
    assert refused.value.where == "finetune-prep.toml:12"


async def test_headers_and_a_query_arrive(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    with FakeEndpoint(Completion("yes")) as endpoint:
        settings = config(
            f"{endpoint.base_url}?api-version=2024-10-21", headers={"X-Gateway": "$GATEWAY_KEY", "X-Team": "support"}
        )
        async with open_door(settings, ledger, tmp_path) as door:
            await door.ask(request("one"))
        call = endpoint.calls[0]
    head = {name.casefold(): value for name, value in call.headers.items()}
    assert (head["x-gateway"], head["x-team"]) == (KEY, "support")


async def test_a_secret_header_is_in_no_message(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    with FakeEndpoint(Status(401, error={"message": f"{KEY} is not known here"})) as endpoint:
        settings = config(endpoint.base_url, headers={"X-Gateway": "$GATEWAY_KEY"})
        async with open_door(settings, ledger, tmp_path) as door:
            with pytest.raises(Paused) as paused:
                await door.ask(request("one"))
    assert KEY not in str(paused.value)
    assert "[GATEWAY_KEY]" in str(paused.value)


ADDRESS = "https://larch.example/v1"


def test_a_variable_in_a_header_goes_nowhere_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a key like any other: a project from elsewhere could name any variable."""
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    with pytest.raises(KeyNotAllowed, match=r"GATEWAY_KEY would be sent to https://larch\.example"):
        own_headers({"X": "$GATEWAY_KEY"}, ADDRESS)
    with pytest.raises(Paused, match="not the name of an environment variable"):
        own_headers({"X": "$sk-canary-0123456789"}, ADDRESS)


@pytest.mark.parametrize("headers", [{"Host": "x"}, {"Content-Type": "x"}, {"a b": "x"}, {"X": "a\r\nY: b"}, {"X": "ä"}])
def test_headers_that_cannot_be_set(headers: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        own_headers(headers, ADDRESS)


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(Paused, match="GATEWAY_KEY is not set"):
        own_headers({"X": "$GATEWAY_KEY"}, ADDRESS)

"""What an endpoint wants said otherwise is found out by its first refusal, and every call goes through."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.core.request import Parameters
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.providers.dialect import Dialect
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.models.examples import config, request

pytestmark = pytest.mark.usefixtures("quick")
TOGETHER = 12
REFUSED_NAME = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
NO_SYSTEM = ["System role not supported", "System messages are not supported.", "This model does not support the system role"]


def only_completion_tokens(call: Call) -> Behaviour:
    if "max_tokens" in call.body:
        return Status(400, error={"message": REFUSED_NAME, "param": "max_tokens", "code": "unsupported_parameter"})
    return Completion("yes")


async def test_the_other_name_of_the_limit_is_learned_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Calls that were sent before it was known are sent again; later ones are put right at once."""
    with FakeEndpoint(only_completion_tokens) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            first = await door.ask_all([request(str(n), parameters=Parameters(max_tokens=50)) for n in range(TOGETHER)])
            before = len(endpoint.calls)
            later = await door.ask_all([request(f"later {n}", parameters=Parameters(max_tokens=50)) for n in range(3)])
        assert [reply.text for reply in (*first, *later)] == ["yes"] * (TOGETHER + 3)
        assert before <= 2 * TOGETHER
        assert len(endpoint.calls) == before + 3
        assert endpoint.calls[-1].body["max_completion_tokens"] == 50


@pytest.mark.parametrize("complaint", NO_SYSTEM)
@pytest.mark.parametrize("status", [400, 500])
async def test_a_system_text_goes_before_the_first_turn_where_no_system_message_is_known(
    status: int, complaint: str, ledger: SqliteLedger, tmp_path: Path
) -> None:
    def template(call: Call) -> Behaviour:
        system = call.body["messages"][0]["role"] == "system"
        return Status(status, error={"message": complaint}) if system else Completion("yes")

    with FakeEndpoint(template) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            replies = await door.ask_all([request(str(n)) for n in range(TOGETHER)])
        assert [reply.text for reply in replies] == ["yes"] * TOGETHER
        (message,) = endpoint.calls[-1].body["messages"]
    assert (message["role"], message["content"][:12]) == ("user", "You judge.\n\n")


def test_a_limit_that_is_too_large_keeps_its_name() -> None:
    dialect = Dialect("max_tokens")
    assert not dialect.learns_from(
        "max_tokens is too large: 9000; this model supports at most 4096", dialect.words, had_system=True
    )
    assert dialect.words.limit_name == "max_tokens"


def test_an_endpoint_that_knows_neither_name_is_tried_with_each_once() -> None:
    dialect = Dialect("max_tokens")
    sent = dialect.words
    assert dialect.learns_from("unknown parameter max_tokens", sent, had_system=True)
    assert not dialect.learns_from("unknown parameter max_completion_tokens", dialect.words, had_system=True)

"""An endpoint that does not enforce a schema is found out by its first answers, and then told it in the prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.request import Reply, Schema
from finetune_prep.errors import Paused, Unusable
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.providers.schema_enforcement import Enforcement, follows, misfit
from finetune_prep.phases.drafting.schemas import schema_of
from finetune_prep.phases.research.knowledge_draft import Reading
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.models.examples import config, request

pytestmark = pytest.mark.usefixtures("quick")
SCHEMA = Schema(
    "verdict",
    {"type": "object", "properties": {"CP1": {"type": "string"}}, "required": ["CP1"], "additionalProperties": False},
)
JSON = '{"CP1": "YES"}'
TOLD = "Answer with JSON alone, following this JSON Schema:"


def read(text: str) -> str:
    try:
        return str(msgspec.json.decode(text)["CP1"])
    except msgspec.DecodeError as error:
        raise ValueError("not a JSON object") from error


def obedient(call: Call) -> Behaviour:
    """Does what the prompt says, and nothing that response_format says."""
    return Completion(JSON if TOLD in call.text else "Sure! The answer is yes.")


def told(call: Call) -> bool:
    return TOLD in call.text


def asks(call: Call) -> bool:
    return "response_format" in call.body


REFUSALS = {
    "a parameter": Status(400, error={"message": "Unknown parameter", "param": "response_format"}),
    "in words": Status(400, error={"message": "json_schema is not supported by this model"}),
    "422": Status(422, raw=json.dumps({"detail": "response_format: extra fields not permitted"}).encode()),
    "grammar": Status(400, error={"message": "failed to parse grammar"}),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_is_followed_by_words(refusal: Status, ledger: SqliteLedger, tmp_path: Path) -> None:
    """The same call goes again without response_format, all later ones at once; what is kept has the key of the request."""
    with FakeEndpoint(lambda call: refusal if asks(call) else obedient(call)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=1), ledger, tmp_path) as door:
            for text in ("a", "b"):
                assert await door.ask_for(request(text, schema=SCHEMA), read) == "YES"
        assert [(asks(call), told(call)) for call in endpoint.calls] == [(True, False), (False, True), (False, True)]
    kept = await ledger.answers.get(request("a", schema=SCHEMA).key)
    assert kept is not None
    assert kept.request == request("a", schema=SCHEMA)
    assert await ledger.reports.count() == 2


async def test_many_at_once_are_refused_and_all_answered(ledger: SqliteLedger, tmp_path: Path) -> None:
    refusal = REFUSALS["a parameter"]
    with FakeEndpoint(lambda call: refusal if asks(call) else obedient(call)) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            asked = [request(str(n), schema=SCHEMA) for n in range(50)]
            assert await door.ask_all_for(asked, read) == ["YES"] * 50
        assert len(endpoint.calls) <= 50 + 32


async def test_ignored_once_it_is_told_as_well_ignored_twice_in_words_alone(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The second asking has the words already, so that not even the first request is lost."""
    with FakeEndpoint(obedient) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert await door.ask_for(request("a", schema=SCHEMA), read) == "YES"
        assert [(asks(call), told(call)) for call in endpoint.calls] == [(True, False), (True, True)]


async def test_after_two_that_were_ignored_nothing_is_asked_of_the_endpoint(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Completion("Sure!")) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=1), ledger, tmp_path) as door:
            for text in ("a", "b"):
                with pytest.raises(Unusable):
                    await door.ask_for(request(text, schema=SCHEMA), read)
        assert [(asks(call), told(call)) for call in endpoint.calls] == [
            (True, False),
            (True, True),
            *[(False, True)] * 4,
        ]


async def test_an_endpoint_that_enforces_is_never_told(ledger: SqliteLedger, tmp_path: Path) -> None:
    """One truncated answer in between says nothing."""
    with FakeEndpoint(lambda call: Completion('{"CP', finish="length") if call.text == "1" else Completion(JSON)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=1), ledger, tmp_path) as door:
            for n in range(4):
                await door.ask(request(str(n), schema=SCHEMA))
        assert [(asks(call), told(call)) for call in endpoint.calls] == [(True, False)] * 4


async def test_what_the_settings_say_is_believed(ledger: SqliteLedger, tmp_path: Path) -> None:
    """structured = true pauses as before where it is refused; false never asks."""
    refusal = REFUSALS["a parameter"]
    with FakeEndpoint(lambda call: refusal if asks(call) else obedient(call)) as endpoint:
        async with open_door(config(endpoint.base_url, structured=True), ledger, tmp_path) as door:
            with pytest.raises(Paused, match="response_format"):
                await door.ask(request(schema=SCHEMA))
        async with open_door(config(endpoint.base_url, structured=False), ledger, tmp_path) as door:
            assert await door.ask_for(request(schema=SCHEMA), read) == "YES"
        assert [(asks(call), told(call)) for call in endpoint.calls] == [(True, False), (False, True)]


async def test_other_refusals_stay_final(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Status(400, error={"message": "maximum context length exceeded"})) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert (await door.ask(request(schema=SCHEMA))).problem == "rejected"
        assert len(endpoint.calls) == 1


def test_an_answer_that_follows_clears_the_doubt() -> None:
    """Unless the words may have done it."""
    one = Enforcement(None)
    asked = request(schema=SCHEMA)
    one.heard(asked, Reply(text="Sure!"), worded=False)
    one.heard(asked, Reply(text=JSON), worded=True)
    assert (one.asked, one.worded) == (True, True)
    one.heard(asked, Reply(text=JSON), worded=False)
    assert (one.asked, one.worded) == (True, False)


READING = schema_of(Reading, "reading").schema
CLAIM = {"kind": "fact", "statement": "s", "quote": "q"}


@pytest.mark.parametrize(
    ("text", "schema", "fits"),
    [
        (JSON, SCHEMA.schema, True),
        (f"```json\n{JSON}\n```", SCHEMA.schema, False),
        ('{"CP1": 1}', SCHEMA.schema, False),
        ('{"CP2": "YES"}', SCHEMA.schema, False),
        ('{"CP1": "YES", "CP2": "YES"}', SCHEMA.schema, False),
        ("[]", SCHEMA.schema, False),
        ("", SCHEMA.schema, False),
        ("[" * 100_000, SCHEMA.schema, False),
        ('{"claims": []}', READING, True),
        ('{"claims": [{}]}', READING, False),
        ("3", {"type": "integer"}, True),
        ("true", {"type": "integer"}, False),
        ("true", {"type": ["boolean", "null"]}, True),
        ("null", {"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
        ("1.5", {"anyOf": [{"type": "string"}, {"type": "null"}]}, False),
        ('"a"', {"enum": ["a", "b"]}, True),
        ('"c"', {"enum": ["a", "b"]}, False),
        ('"c"', {"const": "a"}, False),
    ],
)
def test_the_form_of_an_answer(text: str, schema: dict[str, Any], fits: bool) -> None:
    assert follows(text, schema) is fits


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"CP1": "YES",\n "more": 1,}', "not JSON, line 2, column 12: trailing comma in object"),
        ('{“CP1”: "YES"}', "not JSON, line 1, column 2: object keys must be strings (curly quotes do not count in JSON)"),
        ('{"CP1": ', "not JSON: Input data was truncated"),
        ("[]", "the answer is no object"),
        ("{}", "the answer lacks “CP1”"),
        ('{"CP1": "YES", "CP2": "YES"}', "the answer has “CP2”, which does not belong there"),
    ],
)
def test_a_person_is_told_where_an_answer_leaves_the_form(text: str, why: str) -> None:
    assert misfit(text, SCHEMA.schema) == why


def test_a_place_deep_in_an_answer_is_named() -> None:
    assert misfit('{"claims": [{}]}', READING).startswith("the answer.claims[0] lacks")
    assert misfit('"c"', {"enum": ["a", "b"]}) == "the answer is none of a, b"


def test_a_person_is_told_of_lengths_and_no_endpoint_is_accused_of_them() -> None:
    lists = {"type": "array", "items": {"type": "integer", "maximum": 5}, "minItems": 2}
    assert misfit("[1]", lists) == "the answer has 1 entry, and the least is 2"
    assert misfit("[1, 7]", lists) == "the answer[1] is 7, and the most is 5"
    assert misfit('""', {"type": "string", "minLength": 1}) == "the answer has 0 characters, and the least is 1"
    assert follows("[1]", lists)

"""The door in front of a real engine: free answers, cut ones, answers that follow a schema, and answers that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Parameters, Reply, Request, Schema
from finetune_prep.errors import Paused, Unusable
from finetune_prep.ledger.recording import read_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.askings import recall
from finetune_prep.models.door import Door, open_door
from finetune_prep.models.setup import detect
from finetune_prep.models.wire import openai_wire
from finetune_prep.phases.drafting.schemas import read
from finetune_prep.project.config import Config, ProviderSettings, RoleSettings
from tests.engine.engines import CONTEXT, Served
from tests.engine.following import faults
from tests.ledgers import entries
from tests.whole.way import EXAMPLE

AT_ONCE = 24
ASKED = 3  # times for an answer that cannot be used


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def door_to(served: Served, ledger: SqliteLedger, *, structured: bool = True) -> Door:
    settings = ProviderSettings(kind="openai-compatible", base_url=served.base_url, structured=structured)
    role = RoleSettings(model=f"engine/{served.model}")
    roles = dict.fromkeys(("expert", "user", "assistant", "judge"), role)
    return open_door(Config(name="noise", roles=roles, providers={"engine": settings}), ledger, Path())


def question(served: Served, text: str, **changes: Any) -> Request:
    fields: dict[str, Any] = {"role": "judge", "phase": "engine", "origin": Origin(text[:20]), "model": served.model}
    return Request(**fields | {"messages": (Message("system", "You judge."), Message("user", text))} | changes)


async def test_many_free_questions_at_once(served: Served, ledger: SqliteLedger) -> None:
    """Every answer has a name for what it is, counts its tokens, and is kept: asked again, nobody is asked."""
    asked = [question(served, f"What is {number}?") for number in range(AT_ONCE)]
    async with door_to(served, ledger) as door:
        replies = await door.ask_all(asked)
        assert await door.ask_all(asked) == replies
        assert (door.progress.answered, door.progress.known, door.progress.failed) == (AT_ONCE, AT_ONCE, 0)
    assert {reply.problem for reply in replies} <= {None, "empty"}  # noise may end with its first word
    assert sum(reply.problem is None for reply in replies) > AT_ONCE / 2
    assert len({reply.text for reply in replies}) > AT_ONCE / 2
    for reply in replies:
        assert reply.finish == "stop"
        assert reply.usage.input and reply.usage.output
        assert reply.served_model and reply.request_id and reply.at and reply.seconds > 0


async def test_an_answer_that_is_cut_is_not_taken_for_a_whole_one(served: Served, ledger: SqliteLedger) -> None:
    asked = [question(served, f"What is {number}?", parameters=Parameters(max_tokens=4)) for number in range(AT_ONCE)]
    async with door_to(served, ledger) as door:
        replies = await door.ask_all(asked)
    cut = [reply for reply in replies if reply.problem == "truncated"]
    assert len(cut) > AT_ONCE / 2
    assert {(reply.finish, reply.usage.output) for reply in cut} == {("length", 4)}
    assert all(reply.finish == "stop" for reply in replies if reply not in cut)


def schemas() -> dict[str, Schema]:
    """Every schema of the example's recording, by name: all that the program asks for from the first source to the last verdict."""
    entries = read_recording(EXAMPLE / "recording.jsonl")
    return {entry.request.schema.name: entry.request.schema for entry in entries if entry.request.schema is not None}


async def test_every_schema_of_the_program_is_followed(served: Served, ledger: SqliteLedger) -> None:
    """The answer is JSON of that form, though the model knows nothing of JSON; only an engine that says so is held to it."""
    if served.engine.schema != "enforced":
        pytest.skip(f"{served.engine.name} does not enforce schemas")
    asked = [question(served, name, schema=schema) for name, schema in schemas().items()]
    assert len(asked) > 15
    async with door_to(served, ledger) as door:
        replies = await door.ask_all(asked)
    assert {request.origin.about: _wrong(request, reply) for request, reply in zip(asked, replies, strict=True)} == {
        request.origin.about: [] for request in asked
    }


def _wrong(request: Request, reply: Reply) -> list[str]:
    if reply.problem is not None:
        return [f"{reply.problem}: {reply.detail}"]
    sent = openai_wire.body(request)["response_format"]["json_schema"]["schema"]
    try:
        return faults(json.loads(reply.text), sent)
    except ValueError as error:
        return [f"{error}: {reply.text[-200:]}"]


class Verdict(msgspec.Struct, frozen=True):
    evidence: str
    answer: str


@pytest.mark.parametrize("structured", [True, False])
async def test_where_no_schema_is_enforced_an_unreadable_answer_is_asked_for_again_and_then_named(
    served: Served, ledger: SqliteLedger, structured: bool
) -> None:
    """All answers stay in the ledger, and the ledger alone comes to the same end."""
    if structured and served.engine.schema != "ignored":
        pytest.skip(f"{served.engine.name} does not ignore schemas")
    schema = Schema("verdict", {"type": "object", "properties": {"evidence": {"type": "string"}, "answer": {"type": "string"}}})
    request = question(served, "Is it good?", schema=schema)
    async with door_to(served, ledger, structured=structured) as door:
        with pytest.raises(Unusable) as first:
            await door.ask_for(request, lambda text: read(text, Verdict))
        assert door.progress.answered == ASKED
        with pytest.raises(Unusable) as second:
            await door.ask_for(request, lambda text: read(text, Verdict))
        assert door.progress.answered == ASKED
    with pytest.raises(Unusable) as recalled:
        await recall(ledger.answers, request, lambda text: read(text, Verdict))
    assert first.value.what == second.value.what == recalled.value.what
    assert not first.value.rejected
    samples = {entry.request.sample for entry in await entries(ledger)}
    assert len(samples) == ASKED
    assert {"", "/again"} < samples


async def test_a_prompt_beyond_the_context_is_a_matter_of_that_request(served: Served, ledger: SqliteLedger) -> None:
    """Most engines refuse it, for good, and some do not count; the next request is answered."""
    async with door_to(served, ledger) as door:
        reply = await door.ask(question(served, "the " * (CONTEXT + 1000)))
        assert (reply.problem == "rejected") == (served.engine.long == "rejects")
        assert ("HTTP 400" in reply.detail) == (served.engine.long == "rejects")
        assert (await door.ask(question(served, "What is it?"))).problem in (None, "empty")


async def test_a_model_that_is_not_served(served: Served, ledger: SqliteLedger) -> None:
    """Some engines answer whatever they are called, some refuse the request, some say that there is no such model: then the run pauses."""
    asked = question(served, "What is it?", model="larch-1")
    async with door_to(served, ledger) as door:
        if served.engine.stranger == "pauses":
            with pytest.raises(Paused, match="larch-1"):
                await door.ask(asked)
            assert await ledger.answers.get(asked.key) is None
        else:
            reply = await door.ask(asked)
            assert (reply.problem == "rejected") == (served.engine.stranger == "rejects")


async def test_a_trial_tells_whether_schemas_are_enforced(served: Served) -> None:
    settings = ProviderSettings(kind="openai-compatible", base_url=served.base_url)
    trial = await detect.try_schema("engine", settings, None, served.model)
    assert trial.honoured == ("yes" if served.engine.schema == "enforced" else "no"), trial
    assert (trial.tokens > 0) == (served.engine.schema != "refused")


async def test_an_engine_that_refuses_schemas_pauses_the_run_with_the_mend(served: Served, ledger: SqliteLedger) -> None:
    """It is a matter of settings: no request is failed for it, and none is tried again and again."""
    if served.engine.schema != "refused":
        pytest.skip(f"{served.engine.name} takes schemas")
    async with door_to(served, ledger) as door:
        with pytest.raises(Paused, match="structured = false"):
            await door.ask(question(served, "Is it good?", schema=detect.SCHEMA))
    assert await ledger.reports.count() == 0


async def test_a_prompt_that_leaves_too_little_room_for_the_answer_is_a_matter_of_that_request(
    served: Served, ledger: SqliteLedger
) -> None:
    """Some engines refuse it, some answer as far as there is room; none of it stops the run."""
    asked = question(served, "the " * 1000, parameters=Parameters(max_tokens=CONTEXT - 500))
    async with door_to(served, ledger) as door:
        reply = await door.ask(asked)
        assert reply.problem in (None, "empty", "truncated", "rejected")
        assert (await door.ask(question(served, "What is it?"))).problem in (None, "empty")

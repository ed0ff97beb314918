"""What follows an answer that cannot be used: the same words again where somebody speaks, the reason where a form was asked for."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from finetune_prep.core.request import Reply, Schema, Usage
from finetune_prep.errors import NotYet, Paused, Unreachable, Unusable
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.askings import first_asking, recall
from finetune_prep.models.door import open_door
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.drafting import schemas
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint
from tests.ledgers import entries
from tests.models.examples import config, request

pytestmark = pytest.mark.usefixtures("quick")

NUMBER = Schema(name="number", schema={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
UNUSED = {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}
# name → an answer with HTTP 200 in which the provider, and not the model, has failed
HICCUPS: dict[str, Behaviour] = {
    "finish reason error": Completion("Half an ans", finish="error"),
    "network error": Completion("Half an ans", finish="network_error"),
    "out of resources": Completion("Half an ans", finish="insufficient_system_resource"),
    "no choice": Completion(more={"choices": []}),
    "no token": Completion("", more=UNUSED),
}


def spoken(text: str) -> str:
    if not text.strip():
        raise ValueError("The message is empty.")
    return text


def number(text: str) -> int:
    try:
        return int(json.loads(text)["n"])
    except (KeyError, json.JSONDecodeError):
        raise ValueError("there is no n") from None


async def _outcomes(asked: Iterable[Awaitable[Any]]) -> list[Any]:
    """Results and errors, in order."""
    return await asyncio.gather(*asked, return_exceptions=True)


def _complaint(reason: str) -> str:
    return f"That answer cannot be used: {reason}\nAnswer again, in full, in the form that was asked for."


@pytest.mark.parametrize("schema", [None, NUMBER], ids=["a turn", "a form"])
@pytest.mark.parametrize("hiccup", HICCUPS.values(), ids=HICCUPS.keys())
async def test_a_hiccup_sends_the_same_request_again(
    hiccup: Behaviour, schema: Schema | None, ledger: SqliteLedger, tmp_path: Path
) -> None:
    """Nobody is told that an answer cannot be used, for there was none; what is kept is the good answer alone."""
    with FakeEndpoint(lambda call: Completion('{"n": 7}') if call.nth > 1 else hiccup) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert await door.ask_for(request(schema=schema), spoken) == '{"n": 7}'
        first, second = endpoint.calls
    assert first.body == second.body
    assert [entry.reply.text for entry in await entries(ledger)] == ['{"n": 7}']


@pytest.mark.parametrize("hiccup", HICCUPS.values(), ids=HICCUPS.keys())
async def test_a_request_that_gets_nothing_while_others_are_answered_is_settled(
    hiccup: Behaviour, ledger: SqliteLedger, tmp_path: Path
) -> None:
    """Three tries, and the next run comes to the same end without asking."""
    answered = threading.Event()

    def answer(call: Call) -> Behaviour:
        return replace(hiccup, after=answered) if call.text == "Hm?" else Completion("Fine.")

    with FakeEndpoint(answer) as endpoint:
        for _ in range(2):
            async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
                nothing = asyncio.create_task(door.ask_for(request("Hm?"), spoken))
                await asyncio.to_thread(endpoint.wait_for_calls, 1)  # it has begun before the others are answered
                assert await _outcomes(door.ask_for(request(text), spoken) for text in ("1", "2", "3")) == ["Fine."] * 3
                answered.set()
                with pytest.raises(Unusable):
                    await nothing
        assert sum(call.text == "Hm?" for call in endpoint.calls) == 3


async def test_an_endpoint_that_only_hiccups_settles_nothing(ledger: SqliteLedger, tmp_path: Path) -> None:
    """What is billed is not bought for ever: three tries a call; after a few calls like that the run pauses, and nothing is kept."""
    with FakeEndpoint(HICCUPS["no choice"]) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=2), ledger, tmp_path) as door:
            outcomes = await _outcomes(door.ask_for(request(str(n)), spoken) for n in range(20))
        assert max(call.nth for call in endpoint.calls) <= 3
        assert len(endpoint.calls) < 3 * 20
    assert {type(outcome) for outcome in outcomes} == {Unreachable, Paused}
    assert "an answer with nothing in it: the answer holds no choice" in str(outcomes[0])
    assert await ledger.reports.count() == 0


async def test_what_a_hiccup_was_billed_counts_as_spent(ledger: SqliteLedger, tmp_path: Path) -> None:
    """With a budget and without one; and a hiccup without a token costs nothing."""
    hiccups = [HICCUPS["finish reason error"], HICCUPS["no token"], Completion("Fine.")]
    for text, budget in (("a", None), ("b", 1.0)):
        before = await ledger.money.spent()
        with FakeEndpoint(lambda call: hiccups[call.nth - 1]) as endpoint:
            async with open_door(config(endpoint.base_url, budget=budget), ledger, tmp_path) as door:
                await door.ask_for(request(text), spoken)
        assert await ledger.money.spent() - before == pytest.approx(2 * (100 * 1 + 10 * 2) / 1e6)
    assert await ledger.money.held() == 0


async def test_a_turn_is_never_an_answer_to_a_complaint(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Cut, empty or garbled turns are asked for in the same words, each time with a key of its own; the third one is used."""
    provider = Scripted(
        [Reply(text="", problem="empty", usage=Usage(output=5)), Reply(text="I am", problem="truncated"), "I am here."]
    )
    async with open_door(config(), ledger, tmp_path, provider=provider) as door:
        assert await door.ask_for(request(sample="3f2a"), spoken) == "I am here."
    assert {asked.messages for asked in provider.asked} == {request().messages}
    assert [asked.sample for asked in provider.asked] == ["3f2a", "3f2a/attempt-2", "3f2a/attempt-3"]
    assert [asked.origin.attempt for asked in provider.asked] == [1, 2, 3]
    assert len({asked.key for asked in provider.asked}) == 3


async def test_a_form_is_asked_for_again_with_the_reason(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The second attempt keeps the key that it has always had; the third is told what was wrong with the second."""
    provider = Scripted(["seven", "{}", '{"n": 7}'])
    form = request(schema=NUMBER)
    async with open_door(config(), ledger, tmp_path, provider=provider) as door:
        assert await door.ask_for(form, number) == 7
    _, second, third = provider.asked
    assert (second.sample, third.sample) == ("/again", "/attempt-3")
    assert second.messages[:2] == third.messages[:2] == form.messages
    assert [message.content for message in third.messages[2:]] == ["{}", _complaint("there is no n")]


async def test_three_unusable_answers_are_the_end(ledger: SqliteLedger, tmp_path: Path) -> None:
    """In this run, in the next one, and for whoever only looks into the ledger."""
    provider = Scripted(lambda asked: "seven")
    form = request(schema=NUMBER)
    for _ in range(2):
        async with open_door(config(), ledger, tmp_path, provider=provider) as door:
            with pytest.raises(Unusable, match="there is no n"):
                await door.ask_for(form, number)
    assert len(provider.asked) == 3
    with pytest.raises(Unusable, match="there is no n"):
        await recall(ledger.answers, form, number)


async def test_who_only_looks_is_told_how_far_it_went(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An answer of three that cannot be used, and the run was killed: the next attempt is still to be made."""
    form = request(schema=NUMBER)
    with pytest.raises(NotYet, match=r"has not been asked yet$"):
        await recall(ledger.answers, form, number)
    async with open_door(config(), ledger, tmp_path, provider=Scripted(["seven"])) as door:
        await door.ask(form)
    with pytest.raises(NotYet, match="for attempt 2"):
        await recall(ledger.answers, form, number)


async def test_each_decision_opens_one_more_attempt(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Attempt 4, then 5, each in the words of the first one and with a key of its own; without a decision nothing is asked."""
    provider = Scripted(lambda asked: '{"n": 7}' if asked.origin.attempt == 5 else "seven")
    form = request(schema=NUMBER, sample="3f2a")
    asked = []
    for opened in (0, 0, 1, 1):
        async with open_door(config(), ledger, tmp_path, provider=provider, opened={form.key: opened}) as door:
            with pytest.raises(Unusable, match="there is no n") as settled:
                await door.ask_for(form, number)
        asked.append(len(provider.asked))
    last = provider.asked[-1].key
    assert (settled.value.keys, settled.value.came) == ((form.key,), last)
    assert f"retry {form.key[:12]}, " in settled.value.next
    assert f"show {last[:12]})" in settled.value.next
    assert "another model under [roles.judge]" in settled.value.next
    for _ in range(2):
        async with open_door(config(), ledger, tmp_path, provider=provider, opened={form.key: 2}) as door:
            assert await door.ask_for(form, number) == 7
        asked.append(len(provider.asked))
    assert asked == [3, 3, 4, 4, 5, 5]
    assert [(one.sample, one.messages) for one in provider.asked[3:]] == [
        (f"3f2a/attempt-{number}", form.messages) for number in (4, 5)
    ]
    assert {first_asking(one).key for one in provider.asked} == {form.key}
    assert await recall(ledger.answers, form, number, 2) == 7


async def test_people_are_told_the_beginning_of_a_long_reason_and_the_model_all_of_it(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    wrong = ", ".join(f"PR{n}" for n in range(1, 200))

    def refuse(text: str) -> int:
        raise ValueError(f"There is no {wrong} to take up.")

    provider = Scripted(lambda asked: '{"n": 7}')
    async with open_door(config(), ledger, tmp_path, provider=provider) as door:
        with pytest.raises(Unusable) as settled:
            await door.ask_for(request(schema=NUMBER), refuse)
    assert settled.value.what.startswith("There is no PR1, PR2, ")
    assert settled.value.what.endswith(", …")
    assert len(settled.value.what) <= 402
    assert f"{wrong} to take up." in provider.asked[1].messages[-1].content


async def test_a_refusal_can_be_opened_too(ledger: SqliteLedger, tmp_path: Path) -> None:
    """It is final within the run; the next attempt is the fourth all the same, so that its key tells that a person opened it."""
    provider = Scripted(lambda asked: Reply(text="", problem="rejected") if asked.origin.attempt == 1 else "Fine.")
    for opened, outcome in ((0, Unusable), (1, "Fine.")):
        async with open_door(config(), ledger, tmp_path, provider=provider, opened={request().key: opened}) as door:
            (found,) = await _outcomes([door.ask_for(request(), spoken)])
        assert found == outcome or type(found) is outcome
    assert [asked.origin.attempt for asked in provider.asked] == [1, 4]


async def test_a_kill_between_attempts_changes_nothing(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A run that was killed after its opened attempt, and one that was not, come to the same end with the same requests."""
    form = request(schema=NUMBER)
    asked: list[list[str]] = []
    for killed in (False, True):
        provider = Scripted(lambda one: '{"n": 7}' if one.origin.attempt == 4 else "seven")
        own = SqliteLedger(tmp_path / str(killed) / "ledger.sqlite")
        stops = (1, 2, 3, 4) if killed else ()
        for most in (*stops, 99):
            async with open_door(config(), own, tmp_path, provider=provider, opened={form.key: 1}) as door:
                await _outcomes([door.ask_for(form, _stopping(most))])
        asked.append([entry.key for entry in await entries(own)])
        assert len(provider.asked) == 4
        own.close()
    assert asked[0] == asked[1]


def _stopping(most: int) -> Any:
    """Reads a number, and is killed at so many answers."""
    read = 0

    def parse(text: str) -> int:
        nonlocal read
        read += 1
        if read == most:
            raise KeyError("killed")
        return number(text)

    return parse


async def test_all_that_ended_together_is_named_together(ledger: SqliteLedger, tmp_path: Path) -> None:
    forms = [request(str(n), schema=NUMBER) for n in range(3)]
    async with open_door(config(), ledger, tmp_path, provider=Scripted(lambda asked: "seven")) as door:
        with pytest.raises(Unusable) as settled:
            await door.ask_all_for(forms, number)
    assert set(settled.value.keys) == {form.key for form in forms}


LISTS = Schema(
    name="lists",
    schema={
        "type": "object",
        "properties": {"topics": {"type": "array", "items": {"type": "string"}, "minItems": 2}},
        "required": ["topics"],
        "additionalProperties": False,
    },
)


class Lists(msgspec.Struct, forbid_unknown_fields=True):
    topics: Annotated[list[str], msgspec.Meta(min_length=2)]


@pytest.mark.parametrize(
    ("answer", "told", "said"),
    [
        (
            '{"topics": ["a"]}',
            "Expected `array` of length >= 2 - at `$.topics`",
            "the answer.topics has 1 entry, and the least is 2",
        ),
        ('{"topics": "a"}', "Expected `array`, got `str` - at `$.topics`", "the answer.topics is no array"),
        ('```json\n{"topics": ["a"]}\n```', "the JSON stands in a code fence", "the JSON stands in a code fence"),
        ("Fine.", "JSON is malformed", "JSON is malformed"),
    ],
)
async def test_people_are_told_in_english_what_a_model_is_told_in_the_decoders_words(
    answer: str, told: str, said: str, ledger: SqliteLedger, tmp_path: Path
) -> None:
    """Those words are part of requests that were asked before, and have to stay as they are."""
    scripted = Scripted(lambda asked: answer)
    async with open_door(config(), ledger, tmp_path, provider=scripted) as door:
        with pytest.raises(Unusable) as caught:
            await door.ask_for(request(schema=LISTS), lambda text: schemas.read(text, Lists))
    assert said in caught.value.what
    complaint = scripted.asked[1].messages[-1].content
    assert complaint.startswith("That answer cannot be used: The answer does not follow the schema: ")
    assert told in complaint


async def test_what_is_said_of_several_in_a_row_is_told_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    def parse(text: str) -> str:
        raise ValueError(
            "objection O1 is not answered; objection O2 is not answered; objection O7 is answered twice; CP1 is missing; CP2 is missing."
        )

    scripted = Scripted(lambda asked: "{}")
    async with open_door(config(), ledger, tmp_path, provider=scripted) as door:
        with pytest.raises(Unusable) as caught:
            await door.ask_for(request(schema=NUMBER), parse)
    assert caught.value.what == "objections O1 and O2 are not answered; objection O7 is answered twice; CP1 and CP2 are missing."
    assert "objection O1 is not answered; objection O2 is not answered" in scripted.asked[1].messages[-1].content

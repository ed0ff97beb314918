"""A budget needs no max_tokens: answers are limited by what they usually take, and a cut one is asked for again with more."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.core.request import Parameters, Reply, Request
from finetune_prep.errors import NotYet, Unusable
from finetune_prep.ledger.recording import read_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.answer_limits import LEAST, AnswerLimits
from finetune_prep.models.budget import Budget
from finetune_prep.models.door import open_door
from finetune_prep.models.prices import Prices
from finetune_prep.phases.drafting.prompt_facts import usual_answer
from tests.fake_batches import KEY, Api, FakeBatches
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.models.batches import test_api as batch_apis
from tests.models.examples import KEY_ENV, MODEL, config, request

EXAMPLES = Path(__file__).parents[2] / "examples"
CHARACTERS = 3  # for one token, in German
USUAL = 700
ROOMY = 4 * USUAL + 4_000
PLAIN = Parameters()
TOO_LARGE = "max_tokens is too large: {limit}. This model supports at most 1500 completion tokens, whereas you provided {limit}."


def usual(asked: Request) -> int:
    return USUAL


def unlimited(text: str = "Is it broken?") -> Request:
    return request(text, parameters=PLAIN)


def limits(endpoint: FakeEndpoint) -> list[int]:
    return [call.body["max_tokens"] for call in endpoint.calls]


def read(text: str) -> str:
    return text


async def test_four_times_the_usual_is_sent_and_set_aside(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The ledger keeps the request without it, under the key it has without a budget."""
    asked = unlimited()
    with FakeEndpoint() as endpoint:
        async with open_door(config(endpoint.base_url, budget=1, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            await door.ask(asked)
        async with open_door(config(endpoint.base_url, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            await door.ask(unlimited())
            await door.ask(unlimited("without a budget"))
        assert limits(endpoint) == [4 * USUAL, ROOMY]
    entry = await ledger.answers.get(asked.key)
    assert entry is not None
    assert entry.request.parameters == PLAIN
    assert entry.request.key == asked.key == unlimited().key


def limits_or_none(endpoint: FakeEndpoint) -> list[int | None]:
    return [call.body.get("max_tokens") for call in endpoint.calls]


async def test_a_server_nearby_that_does_not_stop_is_stopped_and_a_person_is_told_once(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    """Without a budget: four times the usual and room for thoughts, and twice that each time it is asked again. Once a person has
    opened it again there is still more, so nothing fails for good by a limit that nobody set."""
    told: list[str] = []
    asked = unlimited()

    def answer(call: Call) -> Behaviour:
        cut = call.body["max_tokens"] < 8 * ROOMY
        return Completion("We send", finish="length") if cut else Completion("We send a new one.")

    with FakeEndpoint(answer) as endpoint:
        settings = config(endpoint.base_url, max_tokens=None)
        async with open_door(settings, ledger, tmp_path, usual=usual, tell=told.append) as door:
            with pytest.raises(Unusable, match="truncated"):
                await door.ask_for(asked, read)
            with pytest.raises(Unusable, match="truncated"):
                await door.ask_for(unlimited("another"), read)
        async with open_door(settings, ledger, tmp_path, usual=usual, opened={asked.key: 1}) as door:
            assert await door.ask_for(asked, read) == "We send a new one."
        assert limits(endpoint) == [ROOMY, 2 * ROOMY, 4 * ROOMY] * 2 + [8 * ROOMY]
    (line,) = told
    assert f"an answer of the judge was cut off at {ROOMY:,} tokens" in line
    assert "max_tokens under [roles.judge]" in line


@pytest.mark.parametrize(
    "said",
    [
        f"'max_tokens' is too large: {ROOMY}. This model's maximum context length is 8192 tokens and your request has 5000",
        "the request exceeds the available context size",
    ],
)
async def test_a_server_nearby_that_refuses_the_limit_is_asked_without(said: str, ledger: SqliteLedger, tmp_path: Path) -> None:
    """It asked for no money, so nothing but the answer counts."""

    def answer(call: Call) -> Behaviour:
        return Status(400, error={"message": said}) if "max_tokens" in call.body else Completion()

    with FakeEndpoint(answer) as endpoint:
        async with open_door(config(endpoint.base_url, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            assert (await door.ask(unlimited())).text == "Fine."
        assert limits_or_none(endpoint) == [ROOMY, None]


async def test_what_is_refused_for_another_reason_is_not_sent_again(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Status(400, error={"message": "this text is forbidden"})) as endpoint:
        async with open_door(config(endpoint.base_url, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            assert (await door.ask(unlimited())).problem == "rejected"
        assert len(endpoint.calls) == 1


async def test_elsewhere_nothing_but_a_budget_limits_answers(ledger: SqliteLedger) -> None:
    """A provider of models has its own limits, and whoever pays by the token without a budget has chosen so."""
    hosted, near = "https://api.larch.example/v1", "http://192.168.0.7:8000/v1"
    budget = await Budget(None, ledger, limits=AnswerLimits(usual)).load()
    prices = Prices(config().prices)
    sent = [budget.charge(unlimited(), prices, "larch", url).sent.parameters.max_tokens for url in (hosted, near)]
    assert sent == [None, ROOMY]


async def test_what_is_cut_is_asked_for_again_with_twice_as_much(ledger: SqliteLedger, tmp_path: Path) -> None:
    def answer(call: Call) -> Behaviour:
        cut = call.body["max_tokens"] < 10_000
        return Completion("We send", finish="length") if cut else Completion("We send a new one.")

    with FakeEndpoint(answer) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            assert await door.ask_for(unlimited(), read) == "We send a new one."
        assert limits(endpoint) == [4 * USUAL, 8 * USUAL, 16 * USUAL]
    assert await ledger.reports.count() == 3  # what was paid for is kept


async def test_after_three_cuts_it_is_given_up(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Completion("We send", finish="length")) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            with pytest.raises(Unusable, match="truncated"):
                await door.ask_for(unlimited(), read)
        assert len(endpoint.calls) == 3


async def test_a_limit_of_the_users_is_left_alone(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Completion("We send", finish="length")) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1), ledger, tmp_path, usual=usual) as door:
            with pytest.raises(Unusable):
                await door.ask_for(request(), read)
        assert set(limits(endpoint)) == {100}


async def test_the_most_of_a_model_is_learned_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    """From the refusal, which ends nothing; the next request asks for no more than that."""

    def answer(call: Call) -> Behaviour:
        limit = call.body["max_tokens"]
        return Completion() if limit <= 1500 else Status(400, error={"message": TOO_LARGE.format(limit=limit)})

    with FakeEndpoint(answer) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            assert (await door.ask(unlimited())).text == "Fine."
            assert (await door.ask(unlimited("another"))).text == "Fine."
        assert limits(endpoint) == [4 * USUAL, 1500, 1500]


async def test_the_cap_holds_by_these_limits(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Uncounted answers are taken for the worst: as many of them fit as limits of that size."""
    worst = 4 * USUAL * 2 / 1e6
    with FakeEndpoint(Completion(more={"usage": None})) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1, max_tokens=None), ledger, tmp_path, usual=usual) as door:
            await door.ask(unlimited())
    assert worst <= await ledger.money.spent() < 1.1 * worst


@pytest.mark.parametrize(
    ("said", "lower", "remembered"),
    [
        ("max_tokens: 2800 > 1024, which is the maximum allowed number of output tokens for larch-1", 1024, 1024),
        (
            "'max_tokens' is too large: 2800. This model's maximum context length is 2,048 tokens and your request has 1000",
            2048,
            2800,
        ),
        ("the supported range is from 1 (inclusive) to 2049 (exclusive); 2800 was given", 2049, 2049),
        ("unknown parameter max_tokens", None, 2800),
        ("the message of 2800 characters holds something forbidden", None, 2800),
    ],
)
def test_refusals_of_a_limit_name_a_lower_one(said: str, lower: int | None, remembered: int) -> None:
    limits = AnswerLimits(usual)
    sent = limits.limited(unlimited())
    assert limits.learn(sent, Reply(text="", finish="error", problem="rejected", detail=said)) == lower
    assert limits.limited(unlimited("another")).parameters.max_tokens == remembered


def test_short_answers_have_room_for_reasoning() -> None:
    assert AnswerLimits(lambda asked: 36).limited(unlimited()).parameters.max_tokens == LEAST


@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_a_batch_api_is_sent_them_too(
    api: Api, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_ENV, KEY)
    with FakeBatches(api) as fake:
        settings = batch_apis.config(fake, budget=1, max_tokens=None)
        async with open_door(settings, ledger, tmp_path, usual=usual) as door:
            with pytest.raises(NotYet, match="recorded for the next batch"):
                await door.ask(unlimited())
        (line,) = (tmp_path / "batches" / "round-001.requests.jsonl").read_text("utf-8").splitlines()
    assert unlimited().key in line
    assert str(4 * USUAL) in line
    assert MODEL in line


@pytest.mark.parametrize("example", ["online-shop", "museum-visitors"])
def test_what_the_examples_took_is_within_them(example: str, tmp_path: Path) -> None:
    """Answers of two languages, each of them long before its limit; the first asking is enough for almost all."""
    limits = AnswerLimits(usual_answer(tmp_path))
    entries = read_recording(EXAMPLES / example / "recording.jsonl")
    cut = [
        entry.request.place
        for entry in entries
        if entry.request.parameters.max_tokens is None  # an evaluation sets its own, and a looping model runs into it
        and len(entry.reply.text) / CHARACTERS > (limits.limited(entry.request).parameters.max_tokens or 0)
    ]
    assert len(entries) > 100
    assert len(cut) <= len(entries) / 100, cut

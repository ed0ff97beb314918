"""Batch APIs: sent, left, fetched, asked again, cancelled; and through all faults never sent twice."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Reply, Request, Schema
from finetune_prep.errors import NotAgreed, NotYet, Paused, PriceUnknown
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models import retry
from finetune_prep.models.batches import results, submissions
from finetune_prep.models.batches.anthropic import AnthropicBatches
from finetune_prep.models.batches.openai import OpenAIBatches
from finetune_prep.models.batches.submissions import OpenBatch
from finetune_prep.models.budget import Budget
from finetune_prep.models.door import Door, open_door
from finetune_prep.models.prices import Prices
from finetune_prep.project.config import Config, Price, ProviderSettings, RoleSettings
from tests.fake_batches import KEY, Api, Cut, FakeBatches, Late, Reset, Status
from tests.models.examples import KEY_ENV, MODEL, request

pytestmark = pytest.mark.environment
APIS: tuple[Api, ...] = ("openai", "anthropic")


@pytest.fixture(params=APIS)
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBatches]:
    monkeypatch.setenv(KEY_ENV, KEY)
    monkeypatch.setattr(retry, "FIRST_BOUND", 0.01)
    monkeypatch.setattr(retry, "LAST_BOUND", 0.02)
    with FakeBatches(request.param) as served:
        yield served


def config(fake: FakeBatches, *, budget: float | None = None, max_tokens: int | None = 100, **provider: Any) -> Config:
    """All roles at one Batch API, at $1 per million tokens in and $2 out for direct calls."""
    settings = ProviderSettings(
        kind="openai-batch" if fake.api == "openai" else "anthropic-batch",
        base_url=fake.base_url,
        key_env=KEY_ENV,
        **provider,
    )
    role = RoleSettings(model=f"larch/{MODEL}", max_tokens=max_tokens)
    return Config(
        name="shop",
        roles=dict.fromkeys(("expert", "user", "assistant", "judge"), role),
        providers={"larch": settings},
        prices={MODEL: Price(input=1.0, output=2.0)},
        budget=budget,
    )


Outcome = tuple[list[Reply], tuple[OpenBatch, ...]]


async def run(fake: FakeBatches, ledger: SqliteLedger, folder: Path, requests: list[Request], **settings: Any) -> Outcome:
    """One command: ask for all requests, send what is new; the replies there are, and the open batches."""
    replies = []
    async with open_door(config(fake, **settings), ledger, folder) as door:
        for asked in requests:
            with contextlib.suppress(NotYet):
                replies.append(await door.ask(asked))
        return replies, await sent(door)


async def sent(door: Door) -> tuple[OpenBatch, ...]:
    found = await door.flush()
    assert all(isinstance(batch, OpenBatch) for batch in found)
    return found  # type: ignore[return-value]


def three() -> list[Request]:
    return [request(name) for name in ("a", "b", "c")]


async def states(ledger: SqliteLedger) -> list[str]:
    return [submission.state for submission in await ledger.rounds.submissions()]


async def test_sent_left_and_fetched(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """One command sends, another says how far it is, a third one has the answers at half the price; each is billed once."""
    replies, (first,) = await run(fake, ledger, tmp_path, three())
    assert (replies, first.asked, first.outstanding, first.fresh, first.words) == ([], 3, 3, True, "in progress")
    assert first.batch == fake.ours[0].id
    replies, (second,) = await run(fake, ledger, tmp_path, three())
    assert (replies, second.fresh, second.batch) == ([], False, first.batch)
    fake.work()
    replies, rest = await run(fake, ledger, tmp_path, three())
    assert ([reply.text for reply in replies], rest) == (["a", "b", "c"], ())
    assert replies[0].cost == pytest.approx(0.5 * (100 * 1 + 10 * 2) / 1e6)
    assert await ledger.money.spent() == pytest.approx(3 * 0.5 * 120 / 1e6)
    assert (await states(ledger), fake.calls["create"], set(fake.billed.values())) == (["fetched"], 1, {1})
    before = fake.calls.total()
    await run(fake, ledger, tmp_path, three())
    assert fake.calls.total() == before, "a run that knows all answers calls nobody"


async def test_what_is_sent_is_what_the_api_wants(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """The requests in the API's own form (the fake refuses others), the file of it in the project."""
    schema = Schema(
        "verdict",
        {
            "type": "object",
            "properties": {
                "why": {"type": "string", "minLength": 1},
                "marks": {"type": "array", "minItems": 2, "items": {"type": "integer"}},
            },
            "required": ["why", "marks"],
            "additionalProperties": False,
        },
    )
    asked = request("a", schema=schema)
    await run(fake, ledger, tmp_path, [asked])
    body = fake.bodies[asked.key]
    if fake.api == "openai":
        assert body["messages"][0] == {"role": "system", "content": "You judge."}
        assert body["max_tokens"] == 100
        assert body["response_format"]["json_schema"]["strict"]
        assert fake.ours[0].metadata == {"finetune_prep_token": (await ledger.rounds.submissions())[0].token}
    else:
        assert (body["system"], body["messages"]) == ("You judge.", [{"role": "user", "content": "a"}])
        assert body["max_tokens"] == 100
        assert body["output_config"]["format"]["schema"]["properties"] == {
            "why": {"type": "string"},
            "marks": {"type": "array", "minItems": 1, "items": {"type": "integer"}},
        }
    written = (tmp_path / "batches" / "round-001.requests.jsonl").read_text()
    assert json.loads(written)["custom_id"].startswith(asked.key)


async def test_every_row_gets_its_due(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """Shuffled rows: answers and final refusals are kept; what expired or failed in passing is in the next batch, nothing else."""
    names = ("good", "cut", "refused", "expired", "failed", "surrogate")
    requests = {name: request(name) for name in names}
    by_key = {asked.key: name for name, asked in requests.items()}

    def answer(key: str, params: dict[str, Any]) -> dict[str, Any]:
        return {
            "good": fake.answered("fine"),
            "cut": fake.answered("fi", "length" if fake.api == "openai" else "max_tokens"),
            "refused": fake.refused(),
            "expired": fake.expired(),
            "failed": fake.failed(),
            "surrogate": fake.answered("half \ud83d"),
        }[by_key[key]]

    await run(fake, ledger, tmp_path, [*requests.values()])
    fake.work(answer, end="expired" if fake.api == "openai" else "")
    replies, (second,) = await run(fake, ledger, tmp_path, [*requests.values()])
    assert [reply.problem for reply in replies] == [None, "truncated", "rejected", "malformed"]
    assert (second.asked, second.fresh) == (2, True)
    assert {by_key[custom_id.partition("-")[0]] for custom_id in fake.ours[1].requests} == {"expired", "failed"}
    fake.work()
    replies, rest = await run(fake, ledger, tmp_path, [*requests.values()])
    assert (len(replies), rest) == (6, ())
    assert (await ledger.answers.get(requests["refused"].key)).reply.cost == 0.0  # type: ignore[union-attr]
    assert max(fake.billed.values()) == 1


async def test_a_batch_that_is_cut_short_gives_what_it_has(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """Cancelled or expired in the middle, some requests without any row: what is done is taken, the rest asked again."""
    await run(fake, ledger, tmp_path, three())
    fake.work(only=1, end="cancelled" if fake.api == "openai" else "")
    replies, (second,) = await run(fake, ledger, tmp_path, three())
    assert (len(replies), second.asked) == (1, 2)
    fake.work()
    replies, rest = await run(fake, ledger, tmp_path, three())
    assert ([reply.text for reply in replies], rest, max(fake.billed.values())) == (["a", "b", "c"], (), 1)


async def test_a_setting_that_is_refused_stops_before_the_next_batch(
    fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path
) -> None:
    """It would meet every request alike, so it is no final outcome: the run pauses, and only the run after it asks again."""
    await run(fake, ledger, tmp_path, three())
    if fake.api == "openai":
        bad = fake.refused()
        bad["response"]["body"]["error"]["param"] = "temperature"
        fake.work(lambda key, params: bad)
    else:
        fake.work(lambda key, params: fake.refused("temperature: range: 0..1"))
    with pytest.raises(Paused, match="does not accept `temperature`"):
        await run(fake, ledger, tmp_path, three())
    assert (fake.calls["create"], await ledger.reports.count(), await states(ledger)) == (1, 0, ["fetched"])
    await run(fake, ledger, tmp_path, three())
    assert fake.calls["create"] == 2


async def test_a_file_that_is_refused_as_a_whole_stops_with_the_reason(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenAI's status "failed": too many tokens in the queue, a model that is not known."""
    monkeypatch.setenv(KEY_ENV, KEY)
    with FakeBatches("openai") as fake:
        await run(fake, ledger, tmp_path, three())
        fake.ours[0].status = "failed"
        fake.ours[0].errors = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]
        with pytest.raises(Paused, match="token_limit_exceeded: Enqueued token limit reached"):
            await run(fake, ledger, tmp_path, three())
        assert fake.calls["create"] == 1
        await run(fake, ledger, tmp_path, three())
        assert fake.calls["create"] == 2


async def test_rows_that_hold_the_key_are_kept_without_it(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """An answer with it cannot be used; a refusal says the variable's name instead."""
    by_key = {asked.key: asked.messages[-1].content for asked in three()}

    def answer(key: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"a": fake.answered(f"Use {KEY}."), "b": fake.refused("x" * 490 + KEY), "c": fake.answered("fine")}[by_key[key]]

    await run(fake, ledger, tmp_path, three())
    fake.work(answer)
    (bad, refused, fine), _ = await run(fake, ledger, tmp_path, three())
    assert (bad.problem, bad.text) == ("malformed", f"Use [{KEY_ENV}].")
    assert "key in the answer" in bad.detail
    assert (refused.problem, fine.text) == ("rejected", "fine")
    assert KEY[:8] not in repr((bad, refused, fine))


async def test_results_that_break_off_are_read_again(
    fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a line: what came before is kept and counted once; if they never come to their end, the run pauses."""
    monkeypatch.setattr(results, "ROWS_PER_COMMIT", 2)
    requests = [request(f"{n:03d}") for n in range(20)]
    await run(fake, ledger, tmp_path, requests)
    fake.work()
    fake.fault = lambda name, nth: Cut(2000) if name == "results" else None
    with pytest.raises(Paused, match="cannot be read to their end"):
        await run(fake, ledger, tmp_path, requests)
    assert 0 < await ledger.reports.count() < 20
    assert (await states(ledger), fake.calls["results"]) == (["sent"], 3)
    fake.fault = lambda name, nth: Cut(3000) if (name, nth) == ("results", 4) else None
    replies, rest = await run(fake, ledger, tmp_path, requests)
    assert (len(replies), rest, fake.calls["create"]) == (20, (), 1)
    assert await ledger.money.spent() == pytest.approx(20 * 0.5 * 120 / 1e6)


async def test_results_with_fewer_rows_than_were_done_are_not_believed(
    fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path
) -> None:
    """A file that ends too early without an error: its missing rows are waited for and not asked, and billed, again."""
    requests = [request(f"{n:03d}") for n in range(20)]
    await run(fake, ledger, tmp_path, requests)
    fake.work()
    fake.fault = lambda name, nth: Cut(2000, cleanly=True) if name == "results" else None
    _, (batch,) = await run(fake, ledger, tmp_path, requests)
    assert "has not given all of the results" in batch.words
    assert 0 < batch.outstanding < 20
    fake.fault = lambda name, nth: None
    replies, rest = await run(fake, ledger, tmp_path, requests)
    assert (len(replies), rest, fake.calls["create"]) == (20, (), 1)


async def test_a_row_that_cannot_be_read_counts_as_spent(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """It may have been billed: its worst case is lost, its request is asked again, the others are kept, and so is the row itself,
    as evidence."""
    await run(fake, ledger, tmp_path, three(), budget=1.0)
    worst = (await ledger.rounds.submissions())[0].worst / 3
    fake.work()
    row = next(
        fake.ours[0].rows[name] for name, params in fake.ours[0].requests.items() if params["messages"][-1]["content"] == "b"
    )
    if fake.api == "openai":
        row["response"]["body"] = {"hello": 1}
    else:
        row["result"]["message"] = 7
    replies, (second,) = await run(fake, ledger, tmp_path, three(), budget=1.0)
    assert (len(replies), second.asked) == (2, 1)
    assert await ledger.money.spent() == pytest.approx(2 * 0.5 * 120 / 1e6 + worst)
    (kept,) = await ledger.answers.aside("")
    assert kept.request.messages[-1].content == "b"
    assert '"hello"' in kept.body or '"message": 7' in kept.body


async def test_large_batches_are_split(
    fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By requests and by bytes; one model a batch."""
    for api in (OpenAIBatches, AnthropicBatches):
        monkeypatch.setattr(api, "most_requests", 3)
        monkeypatch.setattr(api, "most_bytes", 4000)
    requests = [*(request(str(n)) for n in range(7)), *(request(letter * 2500) for letter in "xy"), request("m", model="larch-2")]
    _, batches = await run(fake, ledger, tmp_path, requests)
    assert sorted(batch.asked for batch in batches) == [1, 1, 2, 3, 3]
    assert all(len({params["model"] for params in batch.requests.values()}) == 1 for batch in fake.ours)
    fake.work()
    replies, rest = await run(fake, ledger, tmp_path, requests)
    assert (len(replies), rest, set(fake.billed.values())) == (10, (), {1})


# never twice


def lost_responses() -> dict[str, Callable[[], Any]]:
    return {
        "broken before it was heard": lambda: Reset(done=False),
        "broken after it was heard": lambda: Reset(done=True),
        "server error": lambda: Status(500),
        "gateway timeout": lambda: Status(504),
        "overloaded": lambda: Status(529, kind="overloaded_error"),
        "carried out late": lambda: Late(),
    }


@pytest.mark.parametrize("loss", lost_responses())
async def test_a_lost_answer_to_the_sending_never_sends_twice(
    loss: str, fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the provider has the batch is looked up in its list; only when it surely has not, it is sent again."""
    fake.somebody_elses(3)
    fake.somebody_elses(3, ended=True)
    fake.fault = lambda name, nth: lost_responses()[loss]() if (name, nth) == ("create", 1) else None
    _, (batch,) = await run(fake, ledger, tmp_path, three())
    if loss == "broken after it was heard" and fake.api == "openai":
        assert await states(ledger) == ["sent"], "the token tells at once"
    else:
        assert await states(ledger) in (["sending"], ["missed"])
        assert "not known whether" in batch.words
        assert "finetune-prep batch settle 1" in batch.words
    await run(fake, ledger, tmp_path, three())
    assert fake.calls["create"] == 1, "too early to tell"
    heard = loss in ("broken after it was heard", "carried out late")
    fake.carry_out()
    monkeypatch.setattr(submissions, "SETTLE_SECONDS", 0.0)
    for _ in range(4):
        await run(fake, ledger, tmp_path, three())
        fake.work()
    replies, rest = await run(fake, ledger, tmp_path, three())
    assert ([reply.text for reply in replies], rest) == (["a", "b", "c"], ())
    assert [fake.billed[asked.key] for asked in three()] == [1, 1, 1]
    assert (len(fake.ours), fake.calls["create"]) == (1, 1 if heard else 2)


async def test_the_key_goes_nowhere_else(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anthropic names the address of the results; if it is another host's, they are read where they were documented to be."""
    monkeypatch.setenv(KEY_ENV, KEY)
    with FakeBatches("anthropic") as fake, FakeBatches("anthropic") as other:
        fake.results_at = other.base_url
        await run(fake, ledger, tmp_path, three())
        fake.work()
        replies, _ = await run(fake, ledger, tmp_path, three())
        assert (len(replies), other.calls.total()) == (3, 0)


async def test_an_endpoint_without_metadata_is_told_by_the_file(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every endpoint that speaks OpenAI's API gives metadata back."""
    monkeypatch.setenv(KEY_ENV, KEY)
    with FakeBatches("openai") as fake:
        fake.keeps_metadata = False
        fake.somebody_elses(3)
        fake.fault = lambda name, nth: Reset(done=True) if name == "create" else None
        _, (batch,) = await run(fake, ledger, tmp_path, three())
        assert (await states(ledger), batch.batch) == (["sent"], fake.ours[0].id)


async def test_the_wait_counts_from_the_first_look(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """A sending may have gone on for long before it was killed, so how long ago it began says nothing."""
    fake.fault = lambda name, nth: Reset(done=False) if (name, nth) == ("create", 1) else None
    await run(fake, ledger, tmp_path, three())
    (missed,) = await ledger.rounds.submissions()
    long_ago = "2000-01-01T00:00:00.000+00:00"
    await ledger.rounds.note(msgspec.structs.replace(missed, state="sending", at=long_ago))
    _, (batch,) = await run(fake, ledger, tmp_path, three())
    assert (await states(ledger), fake.calls["create"], batch.batch) == (["missed"], 1, "")
    await ledger.rounds.note(msgspec.structs.replace(missed, state="missed", at=long_ago))
    await run(fake, ledger, tmp_path, three())
    assert (await states(ledger), fake.calls["create"]) == (["void", "sent"], 2)


async def test_a_sending_that_was_refused_is_given_back(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """A bad key, no credit, a call that is wrong: the run pauses, without the key in its words, and the next one sends."""
    for fault, told in (
        (Status(401, f"the key {KEY} is not valid", "authentication_error"), "does not accept the API key"),
        (Status(400, "endpoint", "invalid_request_error"), "the Batch API refuses the call"),
        (Status(402, "Your credit balance is too low", "billing_error"), "credit or quota is used up"),
        (Status(404, "nothing here", "not_found_error"), "does not know this model or address"),
    ):
        fake.fault = lambda name, nth, fault=fault: fault if name == "create" else None
        with pytest.raises(Paused, match=told) as paused:
            await run(fake, ledger, tmp_path, three())
        assert KEY not in str(paused.value)
        assert (await states(ledger))[-1] == "void"
    fake.fault = lambda name, nth: None
    await run(fake, ledger, tmp_path, three())
    fake.work()
    replies, _ = await run(fake, ledger, tmp_path, three())
    assert (len(replies), set(fake.billed.values())) == (3, {1})


async def test_too_many_requests_is_waited_out(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """429 says that nothing was taken, so it may be sent again at once; so may files, lists and looks after any passing fault."""
    fake.fault = lambda name, nth: Status(429, kind="rate_limit_error") if nth <= 2 else None
    await run(fake, ledger, tmp_path, three())
    assert (fake.calls["create"], await states(ledger)) == (3, ["sent"])
    fake.work()
    fake.fault = lambda name, nth: Reset(done=False) if nth % 3 == 1 and name != "create" else None
    replies, rest = await run(fake, ledger, tmp_path, three())
    assert (len(replies), rest, len(fake.ours)) == (3, (), 1)


async def test_a_provider_out_of_reach_stops_the_run(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """Nothing answers, or nothing but silence: the run pauses within its deadline, and what is open stays open."""
    await run(fake, ledger, tmp_path, three())
    fake.fault = lambda name, nth: Reset(done=False)
    with pytest.raises(Paused, match="gives no answer"):
        await run(fake, ledger, tmp_path, three(), timeout=0.3)
    assert await states(ledger) == ["sent"]


async def test_the_key_of_another_account_loses_nothing(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """The provider does not know the batch: the run stops and says what may be done; nothing is sent again by itself."""
    await run(fake, ledger, tmp_path, three())
    hidden = dict(fake.batches)
    fake.batches.clear()
    with pytest.raises(Paused, match="does not know the batch") as paused:
        await run(fake, ledger, tmp_path, three())
    assert "finetune-prep batch drop 1" in paused.value.next
    fake.batches |= hidden
    fake.work()
    replies, _ = await run(fake, ledger, tmp_path, three())
    assert (len(replies), fake.calls["create"]) == (3, 1)


# money


async def test_the_budget_covers_what_is_open(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """Only what fits at its worst is sent, over all runs; what a batch leaves is free for the next one; the cap holds."""
    requests = [request(f"{n:02d}" + "x" * 1000) for n in range(10)]
    cap = 0.003
    with pytest.raises(Paused, match=r"no room for \d more questions"):
        await run(fake, ledger, tmp_path, requests, budget=cap)
    (first,) = await ledger.rounds.submissions()
    assert 0 < len(fake.ours[0].requests) < 10
    assert first.worst <= cap
    with pytest.raises(Paused, match="no room"):
        await run(fake, ledger, tmp_path, requests, budget=cap)
    assert fake.calls["create"] == 1, "the open batch is still set aside"
    for _ in range(6):
        fake.work()
        assert await ledger.money.spent() + sum(found.worst for found in await ledger.rounds.submissions() if found.open) <= cap
        try:
            replies, _ = await run(fake, ledger, tmp_path, requests, budget=cap)
        except Paused:
            continue
    assert len(replies) == 10
    assert await ledger.money.spent() == pytest.approx(10 * 0.5 * 120 / 1e6)
    assert fake.calls["create"] > 2


def test_a_price_that_nobody_knows_is_asked_for_before_anything_is_sent(ledger: SqliteLedger) -> None:
    """With a budget; a person's word that it need not be known goes before. Without one, a word that it may cost something."""
    asked = (request("a", model="larch-2"), Prices({}), "elm-batch", "https://elm.example/v1")
    with pytest.raises(PriceUnknown, match="price of elm-batch/larch-2 is not known"):
        Budget(1.0, ledger).admit(*asked)
    Budget(1.0, ledger, ["elm-batch/larch-2"]).admit(*asked)
    Budget(None, ledger).admit(*asked)
    with pytest.raises(NotAgreed, match="nobody knows what elm-batch/larch-2 costs"):
        Budget(None, ledger, agreed=False).admit(*asked)


async def test_the_price_factor_is_the_users(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    await run(fake, ledger, tmp_path, three(), price_factor=0.25)
    fake.work()
    await run(fake, ledger, tmp_path, three(), price_factor=0.25)
    assert await ledger.money.spent() == pytest.approx(3 * 0.25 * 120 / 1e6)


async def test_files_and_batches_live_side_by_side(fake: FakeBatches, ledger: SqliteLedger, tmp_path: Path) -> None:
    """What waits at a Batch API is not written to a file again, nor the other way round."""
    settings = config(fake)
    async with open_door(settings, ledger, tmp_path, provider="batch") as door:
        with pytest.raises(NotYet):
            await door.ask(request("a"))
    async with open_door(settings, ledger, tmp_path) as door:
        for name in "ab":
            with pytest.raises(NotYet):
                await door.ask(request(name))
        (batch,) = await sent(door)
    assert (batch.number, batch.asked) == (2, 1)
    async with open_door(settings, ledger, tmp_path, provider="batch") as door:
        with pytest.raises(NotYet, match="round 2, which is with a Batch API"):
            await door.ask(request("b"))
        assert [found.path.name for found in await door.flush()] == ["round-001.requests.jsonl"]  # type: ignore[union-attr]


async def test_a_system_message_in_the_middle_and_no_limit(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anthropic knows no system messages but the first ones, and demands a limit."""
    monkeypatch.setenv(KEY_ENV, KEY)
    messages = (Message("system", "one"), Message("system", "two"), Message("user", "hello"), Message("system", "three"))
    asked = request("a", messages=messages, parameters=request("a").parameters.__class__(reasoning_effort="low"))
    with FakeBatches("anthropic") as fake:
        await run(fake, ledger, tmp_path, [asked])
        body = fake.bodies[asked.key]
    assert body["system"] == "one\n\ntwo"
    assert body["messages"] == [{"role": "user", "content": "hello"}, {"role": "user", "content": "three"}]
    assert (body["max_tokens"], body["output_config"]) == (8192, {"effort": "low"})

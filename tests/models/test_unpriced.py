"""What costs money, or may, is asked only after a person has said so, and beside a budget only what has a price or a second yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.errors import ActNeeded, NotAgreed, Paused, PriceUnknown
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models import prices
from finetune_prep.models.door import open_door
from finetune_prep.project.config import Price
from tests.fake_endpoint import FakeEndpoint
from tests.models.examples import MODEL, config, request

FAR = "http://larch.example/v1"  # never reached


@pytest.mark.parametrize("model", ["nobody-9", MODEL])
async def test_nothing_is_sent_before_a_person_has_agreed_to_pay(model: str, ledger: SqliteLedger, tmp_path: Path) -> None:
    """Whether the price is known or not; and afterwards it is sent."""
    async with open_door(config(FAR), ledger, tmp_path, agreed=False) as door:
        with pytest.raises(NotAgreed, match=f"larch/{model}"):
            await door.ask(request(model=model))
        with pytest.raises(NotAgreed):
            await door.ask(request("another", model=model))
    async with open_door(config("http://127.0.0.1:9/v1"), ledger, tmp_path, agreed=False) as door:
        door.agree()
        with pytest.raises(Paused, match="cannot connect"):
            await door.ask(request(model=model))


async def test_a_budget_needs_a_price(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The error says what to write, and everybody else who waits gets it, too."""
    async with open_door(config(FAR, budget=1.0), ledger, tmp_path) as door:
        with pytest.raises(PriceUnknown, match=r'larch/nobody-9 is not known(?s:.*)\[prices\."nobody-9"\]') as caught:
            await door.ask(request(model="nobody-9"))
        with pytest.raises(PriceUnknown) as again:
            await door.ask(request())
    assert isinstance(caught.value, ActNeeded)
    assert (caught.value.exit_code, caught.value.model, again.value.model) == (3, "larch/nobody-9", "larch/nobody-9")
    assert "$1.00" in caught.value.what


async def test_after_a_yes_it_is_asked_without_a_count(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is kept at an unknown cost; models with a price are counted as ever."""
    monkeypatch.setattr(prices, "on_this_machine", lambda base_url: False)
    with FakeEndpoint() as endpoint:
        door = open_door(config(endpoint.base_url, budget=1.0), ledger, tmp_path, uncounted=["larch/nobody-9"])
        async with door:
            assert (await door.ask(request(model="nobody-9"))).cost is None
            assert (await door.ask(request())).cost == pytest.approx(120e-6)
        assert len(endpoint.calls) == 2
    assert await ledger.money.spent() == pytest.approx(120e-6)


async def test_what_runs_on_this_machine_costs_nothing(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Nobody is asked, a budget is no hindrance, and the cost is known: none."""
    with FakeEndpoint() as endpoint:
        async with open_door(config(endpoint.base_url, budget=0.0, max_tokens=None), ledger, tmp_path) as door:
            assert (await door.ask(request(model="nobody-9"))).cost == 0
    assert await ledger.money.spent() == 0


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://127.9.9.9:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost.example/v1", False),
        ("http://192.168.0.7:8000/v1", False),
        ("http://0.0.0.0:8000/v1", False),
        ("https://api.openai.com/v1", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_loopback_addresses(address: str, local: bool) -> None:
    assert prices.on_this_machine(address) is local


def test_the_projects_own_price_goes_before_the_address() -> None:
    """A proxy on this machine may lead to an endpoint that bills."""
    own = Price(input=1, output=2)
    assert prices.Prices({"larch-1": own}).of("larch-1", "http://localhost:4000/v1", 10) == own

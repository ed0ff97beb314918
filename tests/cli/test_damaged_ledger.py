"""A damaged ledger: every command says so in a sentence, none with a traceback, and all of them lead to the rescue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.project.project import Project, open_project
from tests.cli.served_shop import accepted_at_an_endpoint
from tests.cli.terminal import Terminal
from tests.fake_endpoint import FakeEndpoint
from tests.ledger.damages import ODD_ROWS, Damage, filled, headless, scratched, truncated, zeroed
from tests.phases.pottery_shop import accept_all
from tests.soak import SOAK

DAMAGES: dict[str, Damage] = {
    **{f"scratched {seed}": scratched(seed) for seed in range(100 if SOAK else 24)},
    **{f"zeroed {seed}": zeroed(seed) for seed in range(30 if SOAK else 3)},
    **{f"truncated to {share}": truncated(share) for share in (0.95, 0.3, 0.05)},
    "headless": headless,
    **ODD_ROWS,
}
COMMANDS = (
    ("status",),
    ("cost",),
    ("cost", "--estimate", "pilot"),
    ("check",),
    ("show", "a"),
    ("batch",),
    ("retry",),
    ("export", "--preview"),
    ("ledger", "export", "out.jsonl"),
    ("ledger", "missing"),
    ("pilot", "-n", "2", "--provider", "batch"),
)
AFTERWARDS = (("status",), ("cost",), ("ledger", "export", "out.jsonl"))
FINE = {0, 1, 2, 3, 4}  # whatever is said of a part of the ledger that is whole


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return filled(tmp_path_factory.mktemp("whole") / "ledger.sqlite").read_bytes()


@pytest.fixture
def accepted(shop: Project) -> Project:
    accept_all(open_project(shop.folder))
    return shop


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGES)
def test_a_sentence_and_the_way_out(name: str, whole: bytes, accepted: Project, terminal: Terminal) -> None:
    """(The terminal itself refuses a traceback.) In the everyday suite each damage of the file meets a third of the commands."""
    damage = DAMAGES[name]
    turn = [*DAMAGES].index(name) % 3
    commands = COMMANDS if SOAK or name in ODD_ROWS else COMMANDS[turn::3]
    ledger = accepted.layout.ledger
    ledger.parent.mkdir(exist_ok=True)
    told = 0
    for command in commands:
        ledger.write_bytes(whole)
        damage(ledger)
        shown = terminal(*command)
        if shown.code == 5:
            told += 1
            assert "the ledger is damaged" in shown.err
            assert "next:  finetune-prep ledger rescue" in shown.err
        else:
            assert shown.code in FINE, shown
            assert "damaged" not in shown.err
        for log in ledger.parent.glob("ledger.sqlite-*"):
            log.unlink()
    ledger.write_bytes(whole)
    damage(ledger)
    rescued = terminal("ledger", "rescue", "--json")
    if rescued.code == 0:
        assert told or json.loads(rescued.out)["sound"] or json.loads(rescued.out)["lost"] or json.loads(rescued.out)["notes"]
        for command in COMMANDS if SOAK else AFTERWARDS:
            assert terminal(*command).code in FINE
    else:
        assert rescued.code == 5
        assert "nothing in this ledger can be read any more" in json.loads(rescued.out)["error"]["what"]


@pytest.fixture
def endpoint(shop: Project) -> Iterator[FakeEndpoint]:
    with accepted_at_an_endpoint(shop) as running:
        yield running


def test_a_run_buys_nothing_until_it_is_rescued_and_then_only_what_is_lost(
    endpoint: FakeEndpoint, shop: Project, terminal: Terminal
) -> None:
    assert terminal("pilot", "-n", "4").code == 0
    rows = (shop.layout.runs / "pilot-001" / "samples.jsonl").read_bytes()
    calls = len(endpoint.calls)
    ODD_ROWS["a reply that is no JSON"](shop.layout.ledger)
    stopped = terminal("pilot", "-n", "4")
    assert (stopped.code, len(endpoint.calls)) == (5, calls)
    shown = terminal("ledger", "rescue")
    assert shown.code == 0
    assert f"saved: {calls - 1} answers; lost: 1" in shown.out
    assert "pilot-001" in shown.out.splitlines()[1]
    assert "kept: .finetune-prep/ledger.damaged-1.sqlite" in shown.out
    assert Path(shop.layout.private / "ledger.damaged-1.sqlite").is_file()
    assert terminal("pilot", "-n", "4").code == 0
    assert len(endpoint.calls) == calls + 1
    assert len((shop.layout.runs / "pilot-001" / "samples.jsonl").read_bytes()) == len(rows)


def test_a_copy_is_rescued_beside_it(endpoint: FakeEndpoint, shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    """What was saved and lost is said; the project's own ledger, named as a file, is rescued as ever."""
    assert terminal("pilot", "-n", "2").code == 0
    calls = len(endpoint.calls)
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(shop.layout.ledger.read_bytes())
    ODD_ROWS["a reply that is no JSON"](copy)
    shown = terminal("ledger", "rescue", str(copy))
    assert shown.code == 0
    assert f"saved: {calls - 1} answers; lost: 1" in shown.out
    assert f"The damaged file is kept: {copy}" in shown.out
    assert f"What was saved: {copy.with_name('copy.rescued.sqlite')}; " in shown.out
    assert json.loads(terminal("ledger", "rescue", str(shop.layout.ledger), "--json").out)["sound"]


def test_there_is_nothing_to_rescue(endpoint: FakeEndpoint, shop: Project, terminal: Terminal) -> None:
    """No ledger, and a whole one."""
    assert (terminal("ledger", "rescue").code, shop.layout.ledger.exists()) == (2, False)
    terminal("pilot", "-n", "1")
    shown = terminal("ledger", "rescue")
    assert (shown.code, "Nothing was changed" in shown.out) == (0, True)

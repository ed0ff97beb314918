"""What was spent on what, and what the next run will need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from finetune_prep.cli import screen
from finetune_prep.cli.app import app
from finetune_prep.cli.screen import short
from finetune_prep.core.request import Origin, Reply, Schema, Usage
from finetune_prep.core.sample import Account
from finetune_prep.ledger.protocols import Consumption, Entry
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.costs import Costs, costs, in_words, per_row
from finetune_prep.project.beginning import scaffold
from finetune_prep.project.config import RoleSettings
from finetune_prep.project.layout import Layout
from finetune_prep.project.runs import RunPlan, run_of
from finetune_prep.workflow.planned_calls import EXCHANGES
from tests.models.examples import config, request
from tests.results import write_results

RUN = "pilot-001"


def entry(text: str, *, cost: float | None = 0.5, cached: int = 0, served: str = "larch-1", **fields: Any) -> Entry:
    reply = Reply(text="yes", cost=cost, usage=Usage(input=100, cached=cached, output=10), served_model=served)
    return Entry(request(text, **fields), reply)


async def fill(ledger: SqliteLedger) -> None:
    for one in (
        entry("a", role="assistant", cached=80, phase="pilot", origin=Origin(run=RUN, scenario="3f2a", turn=1)),
        entry("b", role="assistant", cost=1.5, phase="pilot", origin=Origin(run=RUN, scenario="3f2a", turn=2)),
        entry("c", role="judge", served="willow-tiny", phase="pilot", origin=Origin(run=RUN, scenario="3f2a")),
        entry("d", role="expert", phase="research", cost=None),
    ):
        await ledger.answers.put(one, spent=one.reply.cost or 0.0)


async def test_costs_by_phase_role_and_model(ledger: SqliteLedger) -> None:
    await fill(ledger)
    await ledger.money.lose(0.25)
    await ledger.money.hold(0.125)
    found = await costs(ledger)
    assert [(line.phase, line.run, line.role, line.answers, line.cost, line.unpriced) for line in found.lines] == [
        ("pilot", "pilot-001", "assistant", 2, 2.0, 0),
        ("pilot", "pilot-001", "judge", 1, 0.5, 0),
        ("research", "", "expert", 1, 0.0, 1),
    ]
    assert [line.served for line in found.lines] == ["larch-1", "willow-tiny", "larch-1"]
    assert (found.cost, found.unpriced, found.spent, found.held) == (2.5, 1, 2.75, 0.125)
    assert found.cached_share == pytest.approx(80 / 400)


async def test_for_each_row(ledger: SqliteLedger) -> None:
    """A missing price makes no small cost, it makes none; nor does a run that asked nothing."""
    await fill(ledger)
    found = await costs(ledger)
    assert per_row(found.of_run("pilot-001"), 5) == pytest.approx(0.5)
    assert per_row(found.of_run("pilot-001"), 0) is None
    assert per_row(found.of_run("pilot-002"), 5) is None
    assert per_row(found, 5) is None


async def test_what_a_prompt_took(ledger: SqliteLedger) -> None:
    """Means of answers whose tokens were counted, by what was asked for; a second asking is told apart."""
    await fill(ledger)
    await ledger.answers.put(entry("e", role="assistant", phase="pilot", origin=Origin(run=RUN, scenario="77", attempt=2)))
    await ledger.answers.put(
        entry("f", role="judge", phase="pilot", origin=Origin(run=RUN, scenario="77"), schema=Schema("verdict", {}))
    )
    await ledger.answers.put(entry("g", role="expert", phase="research", about="user prompt"))
    await ledger.answers.put(Entry(request("h", role="expert", phase="rubric"), Reply(text="nobody counted")))
    assert [(each.phase, each.role, each.form, each.answers, each.again) for each in await ledger.reports.measured()] == [
        ("pilot", "assistant", "assistant", 3, 1),
        ("pilot", "judge", "judge", 1, 0),
        ("pilot", "judge", "verdict", 1, 0),
        ("research", "expert", "d", 1, 0),
        ("research", "expert", "user prompt", 1, 0),
    ]
    assistant = (await ledger.reports.measured())[0]
    assert (assistant.input, assistant.output, assistant.cached) == (100, 10, pytest.approx(80 / 3))


async def test_nothing_asked_nothing_counted(ledger: SqliteLedger) -> None:
    found = await costs(ledger)
    assert (found.lines, found.cost, found.cached_share) == ((), 0, None)


def cost(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["--project", str(folder), "cost", *options])


@pytest.fixture
async def shop(tmp_path: Path) -> Path:
    """A project with a run of two planned conversations, one of them accepted."""
    folder = tmp_path / "shop"
    text = scaffold.config_text("shop", "larch/larch-1", "http://127.0.0.1:1/v1", "", year=2026)
    scaffold.create(folder, "# Shop\n\nSupport for a shop.\n", text.replace("# budget = 20.0", "budget = 100.0"))
    layout = Layout(folder)
    ledger = SqliteLedger(layout.ledger)
    await fill(ledger)
    ledger.close()
    run = run_of(layout, RunPlan(kind="pilot", n=2, seed=1, models={}, made_from={}))
    write_results(run, [], [], Account(planned=2, states={"accepted": 1, "rejected": 1}))
    return folder


async def test_the_command(shop: Path) -> None:
    done = cost(shop)
    assert done.exit_code == 0, done.output
    assert "\nlarch-1 (served willow-tiny)\n" in done.output
    assert "3 of 4 answers cost $2.5000; the cost of the other is unknown; 20% of the prompts came from caches" in done.output
    assert "$2.5000 spent by this project of a budget of $100.00" in done.output
    assert "pilot-001: 1 accepted row, $2.5000 for each" in done.output


def used(answers: int, unpriced: int, tokens: int = 0) -> Consumption:
    return Consumption(
        phase="rubric", role="judge", model="m", served="", answers=answers, input=tokens, cached=tokens // 2, output=0,
        cost=2.5 if unpriced < answers else 0.0, unpriced=unpriced,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((used(3, 0),), "All answers cost $2.50"),
        ((used(1, 1),), "What this answer cost is unknown"),
        ((used(1000, 1000), used(3, 3)), "What these 1,003 answers cost is unknown"),
        ((used(4, 1),), "3 of 4 answers cost $2.50; the cost of the other is unknown"),
        ((used(96, 0), used(773, 773)), "96 of 869 answers cost $2.50; the cost of the other 773 is unknown"),
    ],
)
def test_what_answers_cost_is_said_with_how_many_of_them_that_is(lines: tuple[Consumption, ...], said: str) -> None:
    found = Costs(lines=lines, spent=0.0, held=0.0)
    assert in_words(found, f"${found.cost:.2f}") == said


def test_a_share_of_caches_is_one_of_the_prompts_that_were_counted() -> None:
    found = Costs(lines=(used(96, 0, tokens=1000), used(773, 773)), spent=0.0, held=0.0)
    assert (found.answers, found.counted) == (869, 96)
    assert screen.caches_in_words(0.66, None, counted=96) == "; 66% of the 96 prompts whose tokens were counted came from caches"


async def test_what_caches_saved_is_said(shop: Path) -> None:
    """At the prices of the project's table, and less what it cost to write: 80 tokens at a tenth of 100, 50 at a quarter more."""
    toml = Layout(shop).config
    toml.write_text(toml.read_text("utf-8") + "[prices.larch-1]\ninput = 100.0\noutput = 200.0\ncached = 10.0\n", "utf-8")
    assert "; 20% of the prompts came from caches, which saved $0.0072\n" in cost(shop).output
    ledger = SqliteLedger(Layout(shop).ledger)
    wrote = Reply(text="yes", cost=0.5, usage=Usage(input=100, written=50, output=10), served_model="larch-1")
    await ledger.answers.put(Entry(request("w", role="judge", phase="rubric"), wrote))
    ledger.close()
    assert "; 16% of the prompts came from caches, which saved $0.0059\n" in cost(shop).output  # 0.0072 − 50 × 25e-6
    found = json.loads(cost(shop, "--json").stdout)
    assert found["saved_by_caches"] == pytest.approx(80 * 90e-6 - 50 * 25e-6)
    assert [line["written"] for line in found["lines"] if line["written"]] == [50]


async def test_nothing_is_said_to_be_saved_where_that_is_not_known(ledger: SqliteLedger) -> None:
    """By a model that has no price, or plays no role any more."""
    await fill(ledger)
    found = await costs(ledger)
    known = config("https://larch.example/v1")
    assert found.saved(known) == pytest.approx(0.0)  # a cached token costs as much as another, by its table
    assert found.saved(msgspec.structs.replace(known, prices={})) is None
    others = dict.fromkeys(known.roles, RoleSettings(model="larch/willow-1"))
    assert found.saved(msgspec.structs.replace(known, roles=others)) is None


async def test_what_is_to_come(shop: Path) -> None:
    """As many turns of each side as talks usually have, the assistant's as its answers so far, all else as in the example, at the project's prices."""
    toml = Layout(shop).config
    text = toml.read_text("utf-8").replace("budget = 100.0", "budget = 90.0")
    toml.write_text(text + "[prices.larch-1]\ninput = 100.0\noutput = 200.0\n", "utf-8")
    done = cost(shop, "-n", "100")
    assert done.exit_code == 0, done.output
    turns = round(100 * EXCHANGES)
    took = rf"^  \S+ +{turns} +{short(100 * turns)} \+ {short(10 * turns)} +40% +\${0.012 * turns:.4f}$"
    assert re.search(took, done.output, re.MULTILINE)
    assert re.search(r"^  judge \* +100 ", done.output, re.MULTILINE)
    assert "*: as in the bundled examples; the others as your own answers took" in done.output
    assert f"Estimate: {2 * turns + 100} calls" in done.output
    assert "more than the budget leaves ($87.50)" in done.output


async def test_the_whole_way_stands_below_the_estimate(shop: Path) -> None:
    """As long as no pilot has ended; not for a single phase."""
    toml = Layout(shop).config
    toml.write_text(toml.read_text("utf-8") + "[prices.larch-1]\ninput = 1.0\noutput = 2.0\n", "utf-8")
    done = cost(shop, "--estimate")
    assert done.exit_code == 0, done.output
    assert "The whole way to 2,000 accepted rows, by the share of conversations that is accepted:" in done.output
    assert re.search(r"60% +3,334 conversations +[\d,]+ calls +\d+ million tokens +about \$\d+", done.output)
    assert "The bundled shop's 150 rows took 298 conversations (50%)" in done.output
    found = json.loads(cost(shop, "--estimate", "--json").stdout)
    assert [way["accepted"] for way in found["whole_way"]["ways"]] == [0.6, 0.7, 0.8, 0.9]
    assert json.loads(cost(shop, "--estimate", "pilot", "--json").stdout)["whole_way"] is None


async def test_the_command_as_json(shop: Path) -> None:
    found = json.loads(cost(shop, "--json", "-n", "10").stdout)
    assert found["runs"] == [{"run": "pilot-001", "accepted": 1, "per_accepted": 2.5}]
    assert (found["estimate"]["calls"], found["estimate"]["cost"]) == (2 * round(10 * EXCHANGES) + 10, 0.0)
    assert len(found["lines"]) == 3


def test_before_anything_was_asked(tmp_path: Path) -> None:
    """No ledger is made by looking; an estimate then goes by the bundled example."""
    text = scaffold.config_text("shop", scaffold.DEFAULT_MODEL, "", "", year=2026)
    scaffold.create(tmp_path, "# Shop\n\nSupport for a shop.\n", text)
    done = cost(tmp_path)
    assert done.exit_code == 0
    assert "Nothing has been asked yet" in done.output
    expected = cost(tmp_path, "--estimate", "research")
    assert expected.exit_code == 0
    assert re.search(
        r"Estimate: \d+ calls, [\d,k]+ tokens in, [\d,k]+ out, about \d+ rounds of a batch, at an unknown price, going by the bundled example",
        expected.output,
    )
    assert not Layout(tmp_path).ledger.exists()


async def test_the_tables_fit_eighty_columns(shop: Path) -> None:
    """Every phase with its longest names, and an answer of unknown cost beside a known one."""
    for shown in (cost(shop), cost(shop, "--estimate", "all")):
        table = shown.output.partition("\n3 of 4 answers")[0].partition("\nEstimate:")[0].splitlines()
        assert len(table) > 5
        assert max(len(row) for row in table if not row.startswith("  Calls are averages")) <= 80

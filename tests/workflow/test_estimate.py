"""What a phase will need: as many calls as it then makes, at the size of the answers so far, or else of the bundled example."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.request import Reply, Schema, Usage
from finetune_prep.core.scenario import plan
from finetune_prep.documents.kinds import Documents
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import read_recording
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.door import Progress, RoleProgress
from finetune_prep.phases.pilot.pilot import current_plan
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import run_of
from finetune_prep.project.scaffold import config_text, copy_inputs, create
from finetune_prep.workflow import estimate as estimating
from finetune_prep.workflow.estimate import ALL, TYPICAL, estimate, projected
from tests.models.examples import request
from tests.phases.pottery_shop import pottery_project

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "online-shop"
PRICES = '\n[prices."any-model"]\ninput = 1.0\noutput = 10.0\ncached = 0.5\n'


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A project with all documents, whose models cost a dollar for a million tokens in and ten for a million out."""
    project = pottery_project(tmp_path / "shop")
    text = config_text("pottery", "larch/any-model", "http://larch.example/v1", "", year=2026)
    project.layout.config.write_text(text + PRICES, "utf-8")
    return open_project(project.folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    create(tmp_path / "fresh", "# Pottery\n\nA shop.\n", config_text("pottery", "larch/x", "http://l.example/v1", "", year=2026))
    return open_project(tmp_path / "fresh")


def answered(text: str, usage: Usage, **labels: Any) -> Entry:
    return Entry(request(text, **labels), Reply(text="x", usage=usage))


def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("estimate_defaults", ROOT / "benchmarks" / "estimate_defaults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_what_the_command_beside_it_prints() -> None:
    assert benchmark().sizes() == TYPICAL
    assert benchmark().exchanges() == estimating.TYPICAL_EXCHANGES


def test_as_many_calls_as_the_example_then_made(tmp_path: Path) -> None:
    """From the inputs alone, by phase and prompt: what the recording of the whole way holds.

    How many frameworks, categories and witnesses there will be is a guess, and so is the length of talks.
    """
    copy_inputs(EXAMPLE, tmp_path / "copy")
    expected = estimate(open_project(tmp_path / "copy"), None, n=16)
    made: Counter[tuple[str, str]] = Counter()
    for entry in read_recording(EXAMPLE / "recording.jsonl"):
        asked = entry.request
        fallback = asked.about if asked.role == "expert" else asked.role
        made[asked.phase, asked.schema.name if asked.schema else fallback] += 1
    calls = {(row.phase, row.form): row.calls for row in expected.rows}
    assert set(calls) == set(made)
    assert abs(expected.calls - made.total()) < 0.1 * made.total(), (calls, made)
    assert (expected.cost, expected.measured) == (0.0, 0.0)


def test_each_time_a_draft_may_be_handed_back_it_is_written_and_examined_again(fresh: Project) -> None:
    """Readers object once, whatever happens to the draft."""

    def calls(revisions: int) -> dict[str, int]:
        config = msgspec.structs.replace(fresh.config, revisions=revisions)
        project = msgspec.structs.replace(fresh, config=config)
        return {row.form: row.calls for row in estimate(project, None, ("anchors", "research")).rows}

    never, twice = calls(0), calls(2)
    assert (never["anchors"], twice["anchors"]) == (1, 3)
    assert (never["anchors-actionable"], twice["anchors-actionable"]) == (1, 3)
    assert never["criticise"] == twice["criticise"] == 8


def test_what_is_there_is_not_written_again(shop: Project) -> None:
    """Nothing of phases 1 to 5 is left; a missing document is; a person may want all anew."""
    phases = ALL[:-1]
    assert estimate(shop, None, phases).calls == 0
    shop.layout.document("user-prompt").unlink()
    assert [row.form for row in estimate(shop, None, phases).rows] == ["user prompt"]
    assert next(row.form for row in estimate(shop, None, ("evaluation-prompt",), anew=True).rows) == "evaluation-prompt"


def test_a_reading_is_as_long_as_its_source(fresh: Project) -> None:
    (fresh.layout.sources / "handbook.md").write_text("# Handbook\n\n" + "A glaze needs time. " * 10_000, "utf-8")
    (fresh.layout.sources / "note.md").write_text("# Note\n\nShort.\n", "utf-8")
    reading = next(row for row in estimate(fresh, None, ("research",)).rows if row.form == "reading")
    assert reading.calls == 2
    assert 50_000 < reading.input_tokens < 52_000


def test_a_pilot_has_the_turns_of_its_scenarios(shop: Project) -> None:
    expected = estimate(shop, None, ("pilot",), n=30)
    turns = sum(scenario.exchanges for scenario in plan(shop.value(Documents.space), 30, shop.config.seed))
    assert {row.role: row.calls for row in expected.rows} == {"user": turns, "assistant": turns, "judge": 30}
    assert expected.calls == 2 * turns + 30


async def test_answers_so_far_go_before_the_example(shop: Project, ledger: SqliteLedger) -> None:
    """Mean tokens, the share from caches, and how often an answer had to be asked for again; then the price of the model."""
    verdict = Schema("verdict", {})
    for n in range(4):
        usage = Usage(input=1000 + 500 * n, cached=700, output=100)
        await ledger.put(answered(f"v{n}", usage, phase="pilot", role="judge", schema=verdict))
    again = answered("v", Usage(input=1750, cached=700, output=100), phase="pilot", role="judge", schema=verdict, sample="/again")
    await ledger.put(again)
    row = estimate(shop, ledger, ("pilot",), n=100).rows[-1]
    assert (row.role, row.measured, row.calls) == ("judge", 5, 125)
    assert (row.input_tokens, row.cached_tokens, row.output_tokens) == (1750 * 125, 700 * 125, 100 * 125)
    assert row.cost == pytest.approx((1050 * 1 + 700 * 0.5 + 100 * 10) * 125 / 1e6)
    assert 0 < estimate(shop, ledger, ("pilot",), n=100).measured < 1


async def test_what_the_same_run_was_answered_costs_nothing_more(shop: Project, ledger: SqliteLedger) -> None:
    """A run that was killed is estimated at what is missing; another size is another run."""
    run = run_of(shop.layout, current_plan(shop, 30))
    for n in range(7):
        await ledger.put(answered(f"{n}", Usage(), phase="pilot", role="user", about=f"{run.name} · {n} · exchange 1 · user"))
    before, after = (estimate(shop, found, ("pilot",), n=30) for found in (None, ledger))
    assert after.calls == before.calls - 7
    assert after.rows[0].known == 7
    assert estimate(shop, ledger, ("pilot",), n=31).rows[0].known == 0


@pytest.mark.parametrize(
    ("model", "provider", "cost"),
    [("batch/any-model", "", None), ("larch/nobody-9", "", None), ("larch/any-model", "batch", None), ("recording/x", "", 0.0)],
)
def test_an_unknown_price_makes_no_cost(shop: Project, model: str, provider: str, cost: float | None) -> None:
    """Batch prices are not guessed; a recording is free."""
    toml = shop.layout.config
    toml.write_text(toml.read_text("utf-8").replace("larch/any-model", model), "utf-8")
    assert estimate(open_project(shop.folder), None, ("pilot",), provider=provider).cost == cost


def test_parts_add_up(fresh: Project) -> None:
    whole = estimate(fresh, None)
    assert whole.calls == sum(whole.of(phase).calls for phase in ALL)
    assert whole.input_tokens == sum(row.input_tokens for row in whole.rows)


def progress(**roles: RoleProgress) -> Progress:
    return Progress(roles=roles)  # type: ignore[arg-type]


def test_a_projection_follows_what_each_role_costs(shop: Project) -> None:
    """At the start it is the estimate; at the end what was spent; in between the user's cheap turns make the judge no cheaper."""
    expected = estimate(shop, None, ("pilot",), n=10)
    turns, verdicts = expected.rows[0].calls, 10
    assert projected(expected, progress()) == pytest.approx(expected.cost)
    half = progress(user=RoleProgress(answered=turns // 2, spent=0.5 * (turns // 2)))
    rest = sum(row.cost or 0 for row in expected.rows[1:])
    assert projected(expected, half) == pytest.approx(0.5 * turns + rest)
    done = progress(
        user=RoleProgress(answered=turns, spent=3.0),
        assistant=RoleProgress(known=turns),
        judge=RoleProgress(answered=verdicts + 2, spent=1.5),
    )
    assert projected(expected, done) == pytest.approx(4.5)
    unknown = msgspec.structs.replace(expected, rows=tuple(msgspec.structs.replace(row, cost=None) for row in expected.rows))
    assert projected(unknown, progress()) is None

"""What a phase will need: as many calls as it then makes, at the size of the answers so far, or else of the bundled example."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.request import Origin, Reply, Schema, Usage
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.documents.kinds import Documents
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import read_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.caches.prefix import prefix
from finetune_prep.models.progress import Progress, RoleProgress
from finetune_prep.phases.drafting.prompt_facts import facts
from finetune_prep.phases.drafting.prompt_files import BUILT_IN
from finetune_prep.phases.pilot.plan import current_plan
from finetune_prep.project.beginning.scaffold import config_text, create
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import run_of
from finetune_prep.workflow.estimate import ALL, Estimate, Row, estimate, projected
from finetune_prep.workflow.planned_calls import ASSISTANT, EXCHANGES, SHARED, used
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


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("estimate_benchmark", ROOT / "benchmarks" / "estimate.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["estimate_benchmark"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_prompts_say_what_the_command_beside_them_prints(benchmark: Any) -> None:
    """Their front matter holds the mean of both examples."""
    said = {
        (use.phase, about.form): (use.input, use.output)
        for about in (facts(name, Path()) for name in BUILT_IN)
        for use in about.uses
    }
    said |= {("pilot", "assistant"): (ASSISTANT.input, ASSISTANT.output)}
    assert {name: tokens for name, tokens in said.items() if not _unrecorded(*name)} == benchmark.typical()
    assert (facts("revise", Path()).added, facts("revise", Path()).share) == (benchmark.added(), benchmark.share())
    assert benchmark.exchanges() == EXCHANGES


def _unrecorded(phase: str, form: str) -> bool:
    """What neither example asks, or asks once: the search on the web, probes, evaluations, edits of a prompt."""
    return phase in ("probe", "evaluate", "improve") or (phase, form) == ("research", "research-queries")


def test_an_estimate_comes_within_three_tenths_of_what_was_used(benchmark: Any) -> None:
    """Both examples, from their inputs alone: as a whole also by figures that know nothing of the example itself."""
    whole = [ratio for ratio in (*benchmark.ratios(), *benchmark.ratios(held_out=True)) if not ratio.phase]
    assert len(whole) == 4
    for ratio in whole:
        assert all(0.75 < value < 1.25 for value in (ratio.calls, ratio.input, ratio.output)), ratio


def test_so_does_the_estimate_of_each_phase(benchmark: Any) -> None:
    by_phase = [ratio for ratio in benchmark.ratios() if ratio.phase]
    assert len(by_phase) == 6 + 6
    for ratio in by_phase:
        assert all(0.7 < value < 1.35 for value in (ratio.calls, ratio.input, ratio.output)), ratio


def test_everything_that_was_recorded_is_foreseen_and_nothing_else(benchmark: Any) -> None:
    """No request without front matter, and no front matter about what is never asked."""
    every = [facts(name, Path()) for name in BUILT_IN]
    foreseen = {(use.phase, about.role, about.form) for about in every for use in about.uses}
    requests = [entry.request for example in benchmark.TALKS for entry in read_recording(recording(example))]
    asked = {(request.phase, request.role, benchmark.form_of(request)) for request in requests if request.phase != "evaluate"}
    foreseen = {(phase, role, form) for phase, role, form in foreseen if not _unrecorded(phase, form)}
    assert asked == foreseen | {("pilot", "assistant", "assistant")}


def recording(example: str) -> Path:
    return ROOT / "examples" / example / "recording.jsonl"


def test_a_draft_is_handed_back_as_often_as_it_usually_is(fresh: Project) -> None:
    """Within what the project allows; then it is examined again, and stands in the prompt. Readers object once in any case."""

    def rows(revisions: int) -> dict[tuple[str, str], Row]:
        config = msgspec.structs.replace(fresh.config, revisions=revisions)
        project = msgspec.structs.replace(fresh, config=config)
        return {(row.phase, row.prompt): row for row in estimate(project, None, ("research", "anchors")).rows}

    never, once, twice = rows(0), rows(1), rows(2)
    returned = facts("anchors", Path()).returned
    assert 0 < returned <= 1
    assert [found["anchors", "anchors"].calls for found in (never, once, twice)] == [1, 1, 1]
    assert ("anchors", "revise") not in never
    assert [found["anchors", "revise"].calls for found in (once, twice)] == pytest.approx([returned, returned + returned**2])
    assert once["anchors", "anchors.observable"].calls == 1 + returned
    critics = "research", "criticise"
    assert never[critics].calls == twice[critics].calls == 8
    draft, patch = facts("anchors", Path()).uses[0], once["anchors", "revise"]
    revise = facts("revise", Path())
    assert patch.input_tokens == round((draft.input + draft.output + revise.added) * returned)
    assert patch.output_tokens == round(draft.output * revise.share * returned)
    handed_back = [row.draft_of for row in estimate(fresh, None).rows if row.prompt == "revise"]
    assert len(handed_back) == len({*handed_back}) > 5, "each says which draft comes back"
    assert patch.draft_of == "anchors"


def test_what_is_there_is_not_written_again(shop: Project) -> None:
    """Nothing of phases 1 to 5 is left; a missing document is; a person may want all anew."""
    phases = ALL[:-1]
    assert estimate(shop, None, phases).calls == 0
    shop.layout.document("user-prompt").unlink()
    assert [row.prompt for row in estimate(shop, None, phases).rows] == ["generation-user-prompt"]
    anew = estimate(shop, None, ("evaluation-prompt",), anew=True).rows
    assert {row.prompt for row in anew} == {"evaluation-prompt", "revise", "judge"}


def test_what_is_counted_is_counted_in_the_documents(shop: Project) -> None:
    """Where they exist: the requests about a rubric's categories are as many as it has."""
    rubric = shop.value(Documents.rubric)
    calls = {row.prompt: row.calls for row in estimate(shop, None, ("rubric", "evaluation-prompt"), anew=True).rows}
    again = facts("rubric-rulings", Path()).returned * facts("revise", Path()).share
    assert calls["rubric.rulings-agree"] == pytest.approx((1 + again) * len(rubric.categories)), "of a patch, what changed"
    blind = next(row for row in estimate(shop, None, ("evaluation-prompt",), anew=True).rows if row.phase == "rubric")
    assert blind.calls == len(rubric.examples)


def test_a_reading_is_as_long_as_its_source(fresh: Project) -> None:
    """A long one is read in portions."""
    (fresh.layout.sources / "handbook.md").write_text("# Handbook\n\n" + "A glaze needs time. " * 10_000, "utf-8")
    (fresh.layout.sources / "note.md").write_text("# Note\n\nShort.\n", "utf-8")
    reading = next(row for row in estimate(fresh, None, ("research",)).rows if row.prompt == "research-read")
    assert reading.calls == 4 + 1
    assert 50_000 < reading.input_tokens < 55_000


def test_a_web_that_is_searched_is_counted_in(fresh: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request for what to search for, and one for each page that may be read."""
    before = {row.prompt: row.calls for row in estimate(fresh, None, ("research",)).rows}
    monkeypatch.setenv("EXA_API_KEY", "exa-key-of-nobody")
    after = {row.prompt: row.calls for row in estimate(fresh, None, ("research",)).rows}
    assert after["research-queries"] == 1
    assert after["research-read"] - before.get("research-read", 0) == fresh.config.search.pages
    assert "research-queries" not in before


def test_a_pilot_has_the_turns_of_its_scenarios(shop: Project) -> None:
    expected = estimate(shop, None, ("pilot",), n=30)
    turns = sum(scenario.exchanges for scenario in plan(shop.value(Documents.space), 30, shop.config.seed))
    assert {row.role: row.calls for row in expected.rows} == {"user": turns, "assistant": turns, "judge": 30}
    assert expected.calls == 2 * turns + 30


def by_role(expected: Estimate) -> dict[str, Row]:
    return {row.role: row for row in expected.rows}


async def test_answers_so_far_go_before_the_example(shop: Project, ledger: SqliteLedger) -> None:
    """Mean tokens, the share from caches, and how often an answer had to be asked for again; then the price of the model."""
    verdict = Schema("verdict", {})
    for n in range(4):
        usage = Usage(input=1000 + 500 * n, cached=700, output=100)
        await ledger.answers.put(answered(f"v{n}", usage, phase="pilot", role="judge", schema=verdict))
    again = answered(
        "v", Usage(input=1750, cached=700, output=100), phase="pilot", role="judge", schema=verdict, origin=Origin(attempt=2)
    )
    await ledger.answers.put(again)
    row = by_role(estimate(shop, await used(ledger), ("pilot",), n=100))["judge"]
    assert (row.role, row.measured, row.calls) == ("judge", 5, 125)
    assert (row.input_tokens, row.cached_tokens, row.output_tokens) == (1750 * 125, 700 * 125, 100 * 125)
    assert row.cost == pytest.approx((1050 * 1 + 700 * 0.5 + 100 * 10) * 125 / 1e6)
    assert 0 < estimate(shop, await used(ledger), ("pilot",), n=100).measured < 1


async def test_what_was_written_to_a_cache_is_paid_for_at_its_price(shop: Project, ledger: SqliteLedger) -> None:
    """A quarter more than other input, as the project's table names no price."""
    for n in range(4):
        usage = Usage(input=1000, cached=600, written=200, output=100)
        await ledger.answers.put(answered(f"a{n}", usage, phase="pilot", role="assistant"))
    row = by_role(estimate(shop, await used(ledger), ("pilot",), n=100))["assistant"]
    assert row.cost == pytest.approx((200 * 1 + 200 * 1.25 + 600 * 0.5 + 100 * 10) * row.calls / 1e6)


@pytest.mark.parametrize(
    ("kind", "price", "written"),
    [
        ("openai-compatible", "cached = 0.5", 0.0),
        ("anthropic", "cached = 0.1", 1.25),
        ("bedrock", "cached = 0.1\nwritten = 2.0", 2.0),
    ],
)
def test_before_any_answer_the_beginnings_of_prompts_come_from_the_cache(
    shop: Project, kind: str, price: str, written: float
) -> None:
    """All but the first of a role; where a mark is needed, that first one pays for writing."""
    address = 'base_url = "http://larch.example"' if kind != "bedrock" else 'region = "us-east-1"'
    text = f'name = "pottery"\n[providers.larch]\nkind = "{kind}"\n{address}\n[prices."any-model"]\ninput = 1.0\noutput = 10.0\n{price}\n'
    roles = "".join(f'[roles.{role}]\nmodel = "larch/any-model"\n' for role in ("expert", "user", "assistant", "judge"))
    shop.layout.config.write_text(text + roles, "utf-8")
    project = open_project(shop.folder)
    rows = by_role(estimate(project, None, ("pilot",), n=50))
    assert rows["user"].cached_tokens == 0, "its beginning is too short for a cache"
    judge = rows["judge"]
    each = SHARED["judge"] * judge.input_tokens / 50
    assert judge.cached_tokens == pytest.approx(49 * each, abs=1)
    cached = project.config.prices["any-model"].cached or 0.0
    fresh = judge.input_tokens - judge.cached_tokens - (each if written else 0)
    expected = (fresh + cached * judge.cached_tokens + written * each + 10 * judge.output_tokens) / 1e6
    assert judge.cost == pytest.approx(expected, rel=1e-4)


def test_nothing_is_expected_of_a_cache_that_saves_nothing(shop: Project) -> None:
    """Nor in a batch, where nobody knows which request goes first."""
    text = shop.layout.config.read_text("utf-8")
    shop.layout.config.write_text(text.replace("cached = 0.5\n", ""), "utf-8")
    assert estimate(open_project(shop.folder), None, ("pilot",)).cached_tokens == 0
    text = text.replace('kind = "openai-compatible"', 'kind = "anthropic-batch"')
    assert "anthropic-batch" in text
    shop.layout.config.write_text(text, "utf-8")
    assert estimate(open_project(shop.folder), None, ("pilot",)).cached_tokens == 0


@pytest.mark.parametrize(
    ("example", "names"), [("online-shop", ("converse-whole", "judge")), ("museum-visitors", ("assistant", "judge"))]
)
def test_prompts_begin_alike_as_far_as_is_said(example: str, names: tuple[str, ...]) -> None:
    """In both recordings, within three hundredths."""
    requests = [entry.request for entry in read_recording(recording(example)) if entry.request.phase == "pilot"]
    assert {*names} <= {*SHARED}
    for name, share in SHARED.items():
        if name not in names:
            continue
        role = "judge" if name == "judge" else "assistant"
        asked = [request for request in requests if request.role == role]
        alike = sum(len(prefix(request)) for request in asked)
        whole = sum(len(message.content) for request in asked for message in request.messages)
        assert len({prefix(request) for request in asked}) == 1
        assert alike / whole == pytest.approx(share, abs=0.03)


def test_a_conversation_that_is_written_in_one_call_is_one_call(shop: Project) -> None:
    rows = estimate(shop.conversing("one-call"), None, ("pilot",), n=40, provider="batch")
    assert {row.prompt: row.calls for row in rows.rows if row.calls} == {"converse-whole": 40, "judge": 40}
    assert rows.rounds == {"pilot": 2}, "all conversations in one file, and all verdicts in another"
    turns = estimate(shop, None, ("pilot",), n=40)
    assert {row.prompt for row in turns.rows if row.calls} == {"converse-user", "assistant", "judge"}


async def test_what_the_same_run_was_answered_costs_nothing_more(shop: Project, ledger: SqliteLedger) -> None:
    """A run that was killed is estimated at what is missing; another size is another run."""
    run = run_of(shop.layout, current_plan(shop, 30))
    for n in range(7):
        await ledger.answers.put(
            answered(f"{n}", Usage(), phase="pilot", role="user", origin=Origin(run=run.name, scenario=f"{n}", turn=1))
        )
    before, after = (estimate(shop, found, ("pilot",), n=30) for found in (None, await used(ledger)))
    assert after.calls == before.calls - 7
    assert by_role(after)["user"].known == 7
    assert by_role(estimate(shop, await used(ledger), ("pilot",), n=31))["user"].known == 0


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
    assert abs(whole.calls - sum(whole.of(phase).calls for phase in ALL)) < 3  # each is rounded
    assert whole.input_tokens == sum(row.input_tokens for row in whole.rows)


def progress(**roles: RoleProgress) -> Progress:
    return Progress(roles=roles)  # type: ignore[arg-type]


def test_a_projection_follows_what_each_role_costs(shop: Project) -> None:
    """At the start it is the estimate; at the end what was spent; in between the user's cheap turns make the judge no cheaper."""
    expected = estimate(shop, None, ("pilot",), n=10)
    turns, verdicts = round(by_role(expected)["user"].calls), 10
    assert projected(expected, progress()) == pytest.approx(expected.cost)
    half = progress(user=RoleProgress(answered=turns // 2, spent=0.5 * (turns // 2)))
    rest = sum(row.cost or 0 for row in expected.rows if row.role != "user")
    assert projected(expected, half) == pytest.approx(0.5 * turns + rest)
    done = progress(
        user=RoleProgress(answered=turns, spent=3.0),
        assistant=RoleProgress(known=turns),
        judge=RoleProgress(answered=verdicts + 2, spent=1.5),
    )
    assert projected(expected, done) == pytest.approx(4.5)
    unknown = msgspec.structs.replace(expected, rows=tuple(msgspec.structs.replace(row, cost=None) for row in expected.rows))
    assert projected(unknown, progress()) is None

"""A scaled run over models whose pass rates are known, cell by cell."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET

from finetune_prep.core.request import Reply, Request
from finetune_prep.core.sample import Account, Way
from finetune_prep.errors import DocumentError, Paused, Unreachable
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.protocols import Entry
from finetune_prep.models.providers.scripted import Answer, Scripted
from finetune_prep.phases.pilot.pilot import pilot
from finetune_prep.phases.pilot.second_judge import reads
from finetune_prep.phases.scaling.scale import Passed, Size, scale, scale_plan
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.project.scaling.result import Scaled, read_result
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.phases.scaling.simulated import ORDER, Rate, Simulated
from tests.soak import SOAK

RATES = {
    "TP1/normal": 0.9, "TP2/normal": 0.8, "TP3/normal": 0.7, "TP4/normal": 0.6, "TP5/normal": 0.5, "TP5/edge": 0.4,
    "any/out-of-scope": 0.9,
}  # fmt: skip
AT_THE_PILOT = Passed(0.68, frozenset())  # what these rates come to in the mix of the space


def by_cell(scenario: object, written: int) -> float:
    return RATES[str(scenario.cell)]  # type: ignore[attr-defined]


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop").conversing("one-call")


def scaled(
    shop: Project, rows: int, rate: Rate = by_cell, passed: Passed = AT_THE_PILOT, **more: object
) -> tuple[Run, Account, Scaled, Scripted]:
    size = Size(rows=rows, **{name: value for name, value in more.items() if name in ("topic", "most")})  # type: ignore[arg-type]
    script = Scripted(Simulated(shop, rate, copies=more.get("copies", frozenset())).answer)  # type: ignore[arg-type]

    async def go() -> tuple[Run, Account, Scaled]:
        async with open_session(shop, provider=script) as session:
            return await scale(session, size, passed, more.get("ruled_out", {}))  # type: ignore[arg-type]

    return (*asyncio.run(go()), script)


def accepted(run: Run) -> set[str]:
    return {sample.scenario.id for sample in run.each_sample() if sample.state == "accepted"}


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def assert_whole(run: Run, account: Account, result: Scaled) -> None:
    """What is told, what is counted and what is on disk are the same."""
    on_disk = Counter(sample.state for sample in run.each_sample())
    assert sum(account.states.values()) == account.planned == on_disk.total() == result.candidates
    assert {state: count for state, count in account.states.items() if count} == dict(on_disk)
    assert run.account() == account
    assert read_result(run) == result
    by_cell = Counter(str(sample.scenario.cell) for sample in run.each_sample() if sample.state == "accepted")
    assert {cell.cell: cell.accepted for cell in result.cells if cell.accepted} == dict(by_cell)
    judged = {row.scenario for row in run.each_verdict()}
    assert judged == {sample.scenario.id for sample in run.each_sample() if sample.score is not None}


def test_exactly_so_many_rows_are_accepted_and_every_cell_has_its_share(shop: Project) -> None:
    """Whatever share of a cell passes: a cell in which 40% do gets as many rows as one in which 90% do."""
    run, account, result, _ = scaled(shop, 5_000 if SOAK else 150)
    assert result.end == "reached"
    assert account.states["accepted"] == result.accepted == (5_000 if SOAK else 150)
    assert all(abs(cell.accepted - cell.planned) <= 1 for cell in result.cells)
    assert not any(cell.exhausted for cell in result.cells)
    assert account.states["surplus"] <= 0.05 * account.planned + 20, "little is made in vain"
    assert_whole(run, account, result)


def test_a_larger_number_goes_on_and_keeps_every_row(shop: Project) -> None:
    few, more = (5_000, 8_000) if SOAK else (80, 130)
    first, account, smaller, _ = scaled(shop, few)
    assert account.states["accepted"] == few
    assert_whole(first, account, smaller)
    before = accepted(first)
    second, grown, result, script = scaled(shop, more)
    assert (second.name, second.plan.n) == (first.name, more)
    assert grown.states["accepted"] == more
    assert all(abs(cell.accepted - cell.planned) <= 1 for cell in result.cells)
    assert before <= accepted(second)
    asked = {request.sample for request in script.asked if request.role == "assistant"}
    assert len(asked) == grown.planned - account.planned, "nothing is asked again"
    assert_whole(second, grown, result)


def stopped_after(
    shop: Project, rows: int, calls: int, stop: BaseException, passed: Passed = AT_THE_PILOT, **more: object
) -> Run:
    """A run of so many rows that meets `stop` after so many new calls."""
    simulated, left = Simulated(shop, by_cell), [calls]

    def answer(request: Request) -> Answer:
        left[0] -= 1
        if left[0] < 0 and isinstance(stop, Exception):
            return stop
        if left[0] < 0:
            raise stop
        return simulated.answer(request)

    async def go() -> None:
        async with open_session(shop, provider=Scripted(answer)) as session:
            await scale(session, Size(rows=rows), passed, more.get("ruled_out", {}), window=8)  # type: ignore[arg-type]

    with suppress(type(stop)):
        asyncio.run(go())
    return runs(shop.layout, SCALE)[0]


def states_of(run: Run) -> dict[str, str]:
    return {sample.scenario.id: sample.state for sample in run.each_sample()}


@pytest.mark.parametrize("calls", [0, 30])
@pytest.mark.parametrize("stop", [Paused("the budget is spent"), asyncio.CancelledError()], ids=["budget", "Ctrl-C"])
def test_one_that_is_made_larger_and_stopped_has_all_that_it_had(shop: Project, calls: int, stop: BaseException) -> None:
    """It begins anew with its first wave, and comes to what it topped up its cells with only later."""
    first, _, _, _ = scaled(shop, 80)
    rows, made, before = accepted(first), states_of(first), first.samples_path.read_bytes()
    run = stopped_after(shop, 130, calls, stop)
    assert run.plan.n == 130, "the command goes on with the larger one"
    assert rows <= accepted(run)
    assert made.keys() <= states_of(run).keys()
    account, result = run.account(), read_result(run)
    assert account is not None
    assert result is not None
    assert_whole(run, account, result)
    if isinstance(stop, Paused):
        assert result.end == "paused"
        assert isinstance(result.kept, int)
        assert isinstance(result.kept_rows, int)
        assert sum(wave.candidates for wave in result.waves) + result.kept == account.planned
        assert sum(wave.accepted for wave in result.waves) + result.kept_rows == account.states["accepted"] == result.accepted
    else:
        assert run.samples_path.read_bytes() == before, "nothing was written"


def test_what_was_kept_leaves_no_trace_in_a_run_that_reaches_its_rows(shop: Project, tmp_path: Path) -> None:
    scaled(shop, 80)
    stopped_after(shop, 130, 30, Paused("the budget is spent"))
    stopped_after(shop, 130, 10, Paused("the budget is spent"))
    run, account, result, _ = scaled(shop, 130)
    assert (result.end, account.states["accepted"], result.kept) == ("reached", 130, UNSET)
    assert b'"kept"' not in (run.folder / "scale.json").read_bytes()
    whole, _, _, _ = scaled(pottery_project(tmp_path / "whole").conversing("one-call"), 130)
    assert bytes_of(run.folder) == bytes_of(whole.folder)


def test_other_ends_of_a_larger_one_take_no_rows_either(shop: Project) -> None:
    """Drift against a pilot that passed more, answers that are outstanding, and a bound below what was made already."""
    rows = accepted(scaled(shop, 80)[0])
    run, account, result, _ = scaled(shop, 130, passed=Passed(0.99, frozenset()))
    assert (result.end, rows <= accepted(run)) == ("drift", True)
    assert_whole(run, account, result)

    async def by_batch() -> tuple[Run, Account, Scaled]:
        async with open_session(shop) as session:
            return await scale(session, Size(rows=130), AT_THE_PILOT, {})

    run, account, result = asyncio.run(by_batch())
    assert (result.end, rows <= accepted(run), bool(account.outstanding)) == ("waiting", True, True)
    assert_whole(run, account, result)

    run, account, result, _ = scaled(shop, 130, most=60)
    assert (result.end, rows <= accepted(run)) == ("exhausted", True)
    assert result.why.startswith(f"{result.accepted} of 130 rows are accepted")
    assert_whole(run, account, result)

    run, account, result, _ = scaled(shop, 80, most=60)
    assert (result.end, account.states["accepted"], result.why) == ("reached", 80, "")
    assert_whole(run, account, result)


def test_what_is_kept_goes_by_what_a_person_said_since(shop: Project) -> None:
    first, _, _, _ = scaled(shop, 80)
    gone = [sample for sample in first.each_sample() if sample.state == "accepted"][-1]
    assert gone.conversation is not None
    run = stopped_after(
        shop, 130, 0, Paused("the budget is spent"), ruled_out={gone.conversation.id: "dropped by Ada: it names a customer"}
    )
    assert states_of(run)[gone.scenario.id] == "flawed"


def test_a_damaged_file_of_before_stops_nothing(shop: Project) -> None:
    first, _, _, _ = scaled(shop, 80)
    first.samples_path.write_text('{"scenario": ')
    run = stopped_after(shop, 130, 30, Paused("the budget is spent"))
    assert accepted(run)


def test_the_pilots_conversations_count_and_cost_nothing(shop: Project) -> None:
    accept_all(shop)
    script = Scripted(Simulated(shop, by_cell).answer)

    async def first() -> set[str]:
        async with open_session(shop, provider=script) as session:
            run, _ = await pilot(session, 40)
        return {sample.scenario.id for sample in run.each_sample()}

    made = asyncio.run(first())
    run, _, result, later = scaled(shop, 60, passed=Passed(0.68, frozenset(made)))
    assert made <= {sample.scenario.id for sample in run.each_sample()}
    assert not made & {request.sample for request in later.asked}
    assert result.tested == result.candidates - len(made), "they are not compared with themselves"


def test_a_cell_that_cannot_get_its_rows_is_given_up_with_numbers_and_others_make_up_for_it(shop: Project) -> None:
    def rate(scenario: object, written: int) -> float:
        return 0.03 if str(scenario.cell) == "TP3/normal" else 0.9  # type: ignore[attr-defined]

    run, account, result, _ = scaled(shop, 150, rate, Passed(0.77, frozenset()))
    (given_up,) = [cell for cell in result.cells if cell.exhausted]
    assert given_up.cell == "TP3/normal"
    assert given_up.accepted < given_up.planned
    assert given_up.candidates <= 4 * given_up.planned + 12
    assert (result.end, account.states["accepted"]) == ("reached", 150)
    others = [cell.accepted - cell.planned for cell in result.cells if not cell.exhausted]
    assert max(others) - min(others) <= 1 + (given_up.planned - given_up.accepted) * 0.2
    assert_whole(run, account, result)


def test_where_nothing_more_can_come_it_stops_and_says_so(shop: Project) -> None:
    run, account, result, _ = scaled(shop, 100, most=60)
    assert result.end == "exhausted"
    assert account.planned <= 60
    assert f"{result.accepted} of 100 rows are accepted" in result.why
    assert_whole(run, account, result)


def test_nearly_the_same_is_a_duplicate_and_no_row(shop: Project) -> None:
    run, account, result, _ = scaled(
        shop, 60, lambda scenario, written: 1.0, Passed(1.0, frozenset()), copies=frozenset({"TP1/normal"})
    )
    doubles = [sample for sample in run.each_sample() if sample.state == "duplicate"]
    assert doubles
    assert {str(sample.scenario.cell) for sample in doubles} == {"TP1/normal"}
    assert all("the same as " in sample.fault for sample in doubles)
    assert account.states["accepted"] == 60
    assert_whole(run, account, result)


def test_more_of_one_topic_beside_the_rest(shop: Project) -> None:
    scaled(shop, 60)
    run, _, result, _ = scaled(shop, 20, topic="TP5")
    assert (run.plan.n, run.plan.topics, result.accepted) == (60, {"TP5": 20}, 80)
    shares = {cell.cell: cell.accepted for cell in result.cells}
    assert shares["TP5/normal"] + shares["TP5/edge"] == 9 + 9 + 20
    again, _, same, script = scaled(shop, 20, topic="TP5")
    assert (again.name, same.accepted, script.asked) == (run.name, 80, []), "it is a number of rows, not so many more each time"
    larger, _, grown, _ = scaled(shop, 70)
    assert (larger.plan.topics, grown.accepted) == ({"TP5": 20}, 90)


def test_a_topic_alone(shop: Project) -> None:
    run, account, result, _ = scaled(shop, 20, topic="TP2")
    assert {cell.cell for cell in result.cells} == {"TP2/normal"}
    assert account.states["accepted"] == 20
    assert run.plan.command == "finetune-prep scale 20 --topic TP2"


def test_a_topic_that_does_not_exist_is_named(shop: Project) -> None:
    with pytest.raises(DocumentError, match="no conversation can be planned about TP9"):
        scaled(shop, 20, topic="TP9")


def test_a_run_that_passes_less_than_the_pilot_stops(shop: Project) -> None:
    """Sixty points less: found in the first hundred, and what was made is kept and counted."""
    run, account, result, _ = scaled(shop, 400, lambda scenario, written: 0.3, Passed(0.9, frozenset()))
    assert result.end == "drift"
    assert account.planned < 100
    assert "fewer pass than in the pilot" in result.why
    assert_whole(run, account, result)


def test_a_mix_of_hard_cells_is_no_drift(shop: Project) -> None:
    """Hard cells are made more often once easy ones are full; the pass rate sinks, and the models are the same."""
    rates = {"TP1/normal": 0.25, "TP2/normal": 0.25}
    rate: Rate = lambda scenario, written: rates.get(str(scenario.cell), 0.98)  # noqa: E731
    _, account, result, _ = scaled(shop, 200, rate, Passed(0.76, frozenset()), most=2_000)
    assert result.end == "reached"
    assert account.passed / account.planned < 0.66, "ten points below the pilot's rate, by the mix alone"


def test_a_dozen_failures_alike_stop_it(shop: Project) -> None:
    from_here = 20

    class Broken(Simulated):
        def answer(self, request):  # type: ignore[no-untyped-def]
            answer = super().answer(request)
            return "We send it today." if request.role == "assistant" and self.written > from_here else answer

    script = Scripted(Broken(shop, by_cell).answer)

    async def go() -> tuple[Run, Account, Scaled]:
        async with open_session(shop, provider=script) as session:
            return await scale(session, Size(rows=300), AT_THE_PILOT, {}, window=4)

    _, account, result = asyncio.run(go())
    assert result.end == "alike"
    assert result.why.startswith("12 conversations in a row ended alike – faulty: ")
    assert account.planned < 60
    assert sum(account.states.values()) == account.planned


def test_what_a_person_dropped_or_failed_is_made_up_for(shop: Project) -> None:
    run, _, _, _ = scaled(shop, 60)
    gone = next(sample for sample in run.each_sample() if sample.state == "accepted")
    assert gone.conversation is not None
    again, account, result, _ = scaled(shop, 60, ruled_out={gone.conversation.id: "dropped by Ada: it names a customer"})
    (found,) = [sample for sample in again.each_sample() if sample.scenario.id == gone.scenario.id]
    assert (found.state, found.fault) == ("flawed", "dropped by Ada: it names a customer")
    assert account.states["accepted"] == 60
    assert_whole(again, account, result)


def test_answers_that_are_outstanding_end_it_and_the_next_run_takes_them_in(shop: Project) -> None:
    """By batch file: the first wave is asked about in rounds, and nothing is planned before all of it is there."""

    async def go() -> tuple[Run, Account, Scaled]:
        async with open_session(shop) as session:
            return await scale(session, Size(rows=20), AT_THE_PILOT, {})

    simulated = Simulated(shop, by_cell)
    for _ in range(12):
        run, account, result = asyncio.run(go())
        if result.end != "waiting":
            break
        assert account.outstanding
        asyncio.run(answered(shop, simulated))
    assert (result.end, account.states["accepted"]) == ("reached", 20)
    assert_whole(run, account, result)


async def answered(shop: Project, simulated: Simulated) -> None:
    """Put the answers to every open batch file into the ledger, as `batch import` does."""
    async with open_ledger(shop.layout.ledger) as ledger:
        for round in await ledger.rounds.all():
            for request in await ledger.rounds.requests_of(round.number):
                if await ledger.answers.get(request.key) is None:
                    await ledger.answers.put(Entry(request, Reply(text=str(simulated.answer(request)))), spent=0.0)


KILLED = """
import asyncio, os, sys
from pathlib import Path
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.scaling.scale import Passed, Size, scale
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import open_project
from tests.phases.scaling.simulated import Simulated
from tests.phases.scaling.test_scale import by_cell

shop = open_project(sys.argv[1]).conversing(sys.argv[4])
simulated, left = Simulated(shop, by_cell), int(sys.argv[3])

def answer(request):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)
    return simulated.answer(request)

async def go():
    async with open_session(shop, provider=Scripted(answer)) as session:
        await scale(session, Size(rows=int(sys.argv[2])), Passed(0.68, frozenset()), {}, window=8)

asyncio.run(go())
"""


@pytest.mark.parametrize("way", ["one-call", "turns"])
def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bytes(tmp_path: Path, way: Way) -> None:
    """At points that are random over all of its calls; turn by turn a conversation takes several."""
    rows, kills = (300, 20) if SOAK else (60, 3)
    shop, whole = (pottery_project(tmp_path / name).conversing(way) for name in ("shop", "whole"))
    run, _, _, script = scaled(whole, rows)
    points = sorted(random.Random(f"kills {way}").sample(range(1, len(script.asked)), kills))
    for before, point in pairwise([0, *points]):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(shop.folder), str(rows), str(point - before), way], check=False,
            cwd=Path(__file__).parents[3], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL
    again, _, result, later = scaled(shop, rows)
    assert result.end == "reached"
    assert bytes_of(again.folder) == bytes_of(run.folder)
    assert len(later.asked) < len(script.asked), "what was answered before a kill is not asked again"


@pytest.mark.parametrize(("lost", "end"), [(2, "reached"), (1_000, "alike")])
def test_a_few_calls_that_fail_in_passing_stop_no_run(shop: Project, lost: int, end: str) -> None:
    """They are asked again when their wave is over; where most of them fail, the run ends and says what is outstanding."""
    simulated, left = Simulated(shop, by_cell), [lost]

    def answer(request: Request) -> Answer:
        if request.role == "judge" and left[0] and simulated.written > 20:
            left[0] -= 1
            return Unreachable("the server was silent")
        return simulated.answer(request)

    async def go() -> tuple[Run, Account, Scaled]:
        async with open_session(shop, provider=Scripted(answer)) as session:
            return await scale(session, Size(rows=60), AT_THE_PILOT, {}, window=4)

    run, account, result = asyncio.run(go())
    assert result.end == end
    assert bool(account.outstanding) is (end != "reached")
    assert_whole(run, account, result)


def test_other_documents_are_another_run(shop: Project) -> None:
    first = scaled(shop, 30)[0]
    other = msgspec.structs.replace(shop, config=msgspec.structs.replace(shop.config, seed=99))
    second = scaled(other, 30)[0]
    assert [run.name for run in runs(shop.layout)] == [first.name, second.name]
    assert scale_plan(shop, Size(rows=40)).command == "finetune-prep scale 40"


def test_drift_in_the_middle_is_found_and_sound_runs_are_left_alone(shop: Project, tmp_path: Path) -> None:
    if not SOAK:
        pytest.skip("long counts: make soak")
    worse: Rate = lambda scenario, written: RATES[str(scenario.cell)] - (0.15 if written > 1_500 else 0.0)  # type: ignore[attr-defined]  # noqa: E731
    _, account, result, _ = scaled(shop, 5_000, worse)
    assert (result.end, account.planned < 6_000) == ("drift", True)


def test_the_second_judge_reads_on_and_keeps_out_what_it_fails(shop: Project) -> None:
    """The same share, by the same draw, as in the pilot, whose verdicts of both cost nothing again; the pilot's repeats are its own."""
    text = shop.layout.config.read_text("utf-8")
    more = '\n[roles.verifier]\nmodel = "batch/another-model"\n\n[pilot]\nsecond_judge = 0.4\nrepeat = 0.2\n'
    shop.layout.config.write_text(text + more, "utf-8")
    project = open_project(shop.folder).conversing("one-call")
    accept_all(project)
    models = Simulated(project, by_cell)

    def strict(scenario: str) -> bool:
        return int(scenario[:2], 16) % 4 == 0

    def answer(request: Request) -> Answer:
        if request.role != "verifier":
            return models.answer(request)
        given = json.loads(str(models.answer(msgspec.structs.replace(request, role="judge"))))
        if strict(str(ORDER.findall(request.messages[-1].content)[0])):
            given["SF1"]["answer"] = "NO"
        return json.dumps(given)

    script = Scripted(answer)

    async def go() -> tuple[Run, Run]:
        async with open_session(project, provider=script) as session:
            first, _ = await pilot(session, 20)
        async with open_session(project, provider=script) as session:
            second, _, _ = await scale(session, Size(rows=40), AT_THE_PILOT, {})
            return first, second

    first, second = asyncio.run(go())
    both = {row.scenario for row in second.each_verdict() if len(row.readings) == 2}
    assert both == {row.scenario for row in second.each_verdict() if reads(row.scenario, 0.4, project.config.seed)}
    of_pilot = {row.scenario: row.readings for row in first.each_verdict()}
    assert {row.scenario: row.readings for row in second.each_verdict() if row.scenario in of_pilot}.items() <= of_pilot.items()
    assert {row.scenario for row in first.each_verdict() if row.again}
    assert not [row for row in second.each_verdict() if row.again]
    kept_out = {id for id in both if strict(id)}
    assert kept_out
    assert not kept_out & accepted(second)
    made = {row.scenario for run in (first, second) for row in run.each_verdict()}
    asked = Counter(request.role for request in script.asked)
    assert asked["verifier"] == sum(reads(id, 0.4, project.config.seed) for id in made)
    assert asked["judge"] == len(made) + 4

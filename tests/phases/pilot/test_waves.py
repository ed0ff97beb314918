"""The course of a pilot: its waves, when it is stopped, and what its rate is worth then – all courses with their chances, no dice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from scipy import stats

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import NOT_ASKED, STATES, Account, Sample, State, account
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.method import limits
from finetune_prep.phases.pilot.made import Made
from finetune_prep.phases.pilot.waves import TAIL, Course, in_waves, too_low, wave_sizes
from finetune_prep.project.runs import Run, RunPlan
from finetune_prep.workflow.status.standing import pass_rate
from tests.gates import pottery
from tests.results import write_results

RATES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0]
SIZES = [50, 60, 100, 200, 300, 490, 500]


def counted(passed: int, n: int, planned: int = 0) -> Account:
    """A pilot of which so many were asked."""
    states: dict[State, int] = dict.fromkeys(STATES, 0) | {
        "accepted": passed,
        "rejected": n - passed,
        "not run": max(0, planned - n),
    }
    found = Account(planned=max(n, planned), states=states)
    return msgspec.structs.replace(found, stopped=planned - n) if planned > n else found


def course(truth: float, n: int) -> tuple[float, float, float]:
    """Chance of an early stop; of a stop whose interval holds the truth; and of any end whose interval does."""
    alive, seen = {0: 1.0}, 0
    stopped = held_stopped = held = 0.0
    for size in wave_sizes(n):
        chances = stats.binom.pmf(range(size + 1), size, truth)
        moved: dict[int, float] = {}
        for passed, chance in alive.items():
            for more, probability in enumerate(chances):
                moved[passed + more] = moved.get(passed + more, 0.0) + chance * float(probability)
        seen += size
        alive = {}
        for passed, chance in moved.items():
            if seen < n and too_low(counted(passed, seen)):
                rate = pass_rate(counted(passed, seen, n))
                stopped += chance
                held_stopped += chance * (rate.low <= truth <= rate.high)
            else:
                alive[passed] = chance
    for passed, chance in alive.items():
        rate = pass_rate(counted(passed, n))
        held += chance * (rate.low <= truth <= rate.high)
    return stopped, held_stopped, held + held_stopped


def without(truth: float, n: int) -> float:
    """How often the interval holds the truth where nobody looks before the end."""
    chances = stats.binom.pmf(range(n + 1), n, truth)
    rates = [pass_rate(counted(passed, n)) for passed in range(n + 1)]
    return sum(float(chance) * (rate.low <= truth <= rate.high) for chance, rate in zip(chances, rates, strict=True))


@pytest.mark.parametrize("n", SIZES)
def test_good_pilots_go_on_and_intervals_hold(n: int) -> None:
    """False stops at the target and above it; intervals where pilots stop at all often; and no interval is the worse for the looks."""
    for truth in RATES:
        stopped, held_stopped, held = course(truth, n)
        print(f"n={n} rate={truth}: stopped {stopped:.4f}, held after a stop {held_stopped:.4f}, held at any end {held:.4f}")
        if truth >= limits.PASS_RATE:
            assert stopped <= 1 / 150
        if stopped >= 0.05:
            assert held_stopped / stopped >= 0.93
        assert held >= min(0.93, without(truth, n))


@pytest.mark.parametrize(("truth", "least"), [(0.3, 0.99), (0.4, 0.9), (0.5, 0.45)])
def test_hopeless_pilots_of_a_hundred_do_not_go_on(truth: float, least: float) -> None:
    assert course(truth, 100)[0] >= least


@pytest.mark.parametrize(
    ("n", "sizes"),
    [
        (8, [8]),
        (24, [24]),
        (49, [49]),
        (50, [20, 30]),
        (60, [20, 30, 10]),
        (100, [20, 30, 50]),
        (170, [20, 30, 50, 50, 20]),
        (399, [30, 20, *[50] * 6, 49]),
        (500, [50] * 10),
        (2000, [100, *[50] * 38]),
    ],
)
def test_waves_sum_to_the_pilot_and_a_small_one_has_none(n: int, sizes: list[int]) -> None:
    assert [*wave_sizes(n)] == sizes


class Pilot:
    """A pilot on disk whose scenarios end as they are told to."""

    def __init__(self, folder: Path, n: int) -> None:
        self.scenarios = plan(pottery.space(), n, 1)
        folder.mkdir(exist_ok=True)
        self.run = Run(name="pilot-001", folder=folder, plan=RunPlan(kind="pilot", n=n, seed=1, models={}, made_from={}))
        self.asked: list[str] = []
        self.ended: list[tuple[str, int]] = []  # who ended, and how many had been begun by then
        self.told: list[str] = []

    def go(
        self,
        ends: Sequence[Sample | State],
        course: Course = Course(),  # noqa: B008
        *,
        by_batch: bool = False,
        takes: Callable[[int], int] = lambda place: 0,
    ) -> tuple[list[Sample], Account]:
        """ends: what becomes of the scenarios, in plan order. takes: after how many turns of the loop one ends."""
        number = {scenario.id: place for place, scenario in enumerate(self.scenarios)}
        self.asked.clear()
        self.ended.clear()

        async def make(scenario: Scenario) -> Made:
            place = number[scenario.id]
            self.asked.append(scenario.id)
            for _ in range(takes(place)):
                await asyncio.sleep(0)
            self.ended.append((scenario.id, len(self.asked)))
            end = ends[place]
            if isinstance(end, Sample):
                return Made(msgspec.structs.replace(end, scenario=scenario))
            return Made(Sample(scenario=scenario, state=end, conversation=said(scenario.id)))

        async def go() -> list[Sample]:
            waves = in_waves(self.scenarios, make, course, self.run, self.told.append, 64, by_batch=by_batch)
            return [made.sample async for made in waves]

        samples = asyncio.run(go())
        assert [sample.scenario for sample in samples] == [*self.scenarios], "rows keep plan order"
        total = account(samples)
        assert sum(total.states.values()) == len(self.scenarios)
        write_results(self.run, samples, [], total)
        return samples, total


def said(text: str) -> Conversation:
    return Conversation((Message("user", text), Message("assistant", "It is.")))


def ended(state: State, fault: str = "") -> Sample:
    return Sample(scenario=plan(pottery.space(), 1, 1)[0], state=state, fault=fault)


HOPELESS: list[State] = ["accepted", "rejected", "rejected", "rejected"] * 25
GOOD: list[State] = ["accepted", "accepted", "accepted", "accepted", "rejected"] * 20


def test_a_hopeless_pilot_ends_after_a_wave_and_accounts_for_the_rest(tmp_path: Path) -> None:
    pilot = Pilot(tmp_path, 100)
    samples, total = pilot.go(HOPELESS)
    assert set(pilot.asked) == {scenario.id for scenario in pilot.scenarios[:20]}
    assert {sample.fault for sample in samples[20:]} == {NOT_ASKED}
    assert (total.not_asked, total.outstanding, total.counted, total.settled) == (80, 0, 20, True)
    assert dict(total.in_words) == {"accepted": 5, "rejected": 15, NOT_ASKED: 80}
    assert pilot.told == ["5 of the first 20 conversations passed: the rate lies below 70%, so the other 80 are not asked"]
    assert pilot.go(HOPELESS) == (samples, total), "the same command says the same"


@pytest.mark.parametrize("by_batch", [False, True])
def test_the_shortest_are_begun_first_where_they_let_others_begin_and_the_longest_at_the_end(
    by_batch: bool, tmp_path: Path
) -> None:
    pilot = Pilot(tmp_path, 400)
    pilot.go(GOOD * 4, by_batch=by_batch)
    exchanges = {scenario.id: scenario.exchanges for scenario in pilot.scenarios}
    asked = [exchanges[id] for id in pilot.asked]
    assert len({*asked[:40]}) > 1
    for wave in (asked[:40], asked[40:50], asked[50:100]):
        assert wave == sorted(wave, reverse=by_batch)
    end = 400 if by_batch else 400 - TAIL * 64
    assert pilot.asked[100:end] == [scenario.id for scenario in pilot.scenarios[100:end]], "of these, results would be held"
    assert asked[end:] == sorted(asked[end:], reverse=True)


def begun_before(pilot: Pilot, end: int) -> int:
    """How many were begun when the last of the first `end` scenarios ended."""
    first = {scenario.id for scenario in pilot.scenarios[:end]}
    return max(begun for id, begun in pilot.ended if id in first)


@pytest.mark.parametrize("end", [20, 50])
def test_a_wave_is_begun_while_the_last_of_the_one_before_it_are_under_way(end: int, tmp_path: Path) -> None:
    """Once so many have passed that the look at its end cannot say stop."""
    pilot = Pilot(tmp_path, 100)
    pilot.go(["accepted"] * 100, takes=lambda place: 400 if place in (3, 31) else 1)
    assert begun_before(pilot, end) > end
    pilot.go(["accepted"] * 100, by_batch=True, takes=lambda place: 400 if place in (3, 31) else 1)
    assert begun_before(pilot, end) == end, "by batch a wave is a wave"


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_begun_behind_a_look_that_says_stop_whatever_ends_first(seed: int, tmp_path: Path) -> None:
    stream = random.Random(seed)
    ends: list[State] = [stream.choice(["accepted", "rejected", "flawed", "faulty", "rejected"]) for _ in range(150)]
    pilot, by_batch = (Pilot(tmp_path / way, 150) for way in ("live", "batch"))
    samples, total = pilot.go(ends, takes=lambda place: random.Random(seed * 1000 + place).randrange(60))
    assert total.not_asked, "or this test shows nothing"
    stopped = total.planned - total.not_asked
    assert stopped in (20, 50, 100)
    assert {*pilot.asked} == {scenario.id for scenario in pilot.scenarios[:stopped]}
    assert by_batch.go(ends, by_batch=True) == (samples, total)


def test_of_two_that_are_the_same_one_counts_for_the_next_wave(tmp_path: Path) -> None:
    same = msgspec.structs.replace(ended("accepted"), conversation=said("The same."))
    pilot = Pilot(tmp_path, 100)
    samples, total = pilot.go([*[same] * 20, *GOOD[:80]], takes=lambda place: place)
    assert (total.not_asked, samples[1].state) == (80, "duplicate")
    assert len(pilot.asked) == 20


def test_whoever_wants_to_fail_fast_has_conversations_begun_in_plan_order(tmp_path: Path) -> None:
    pilot = Pilot(tmp_path, 100)
    pilot.go(GOOD, Course(fail_fast=True))
    assert pilot.asked == [scenario.id for scenario in pilot.scenarios]


def test_somebody_who_goes_on_is_not_stopped_at_an_earlier_wave_again(tmp_path: Path) -> None:
    pilot = Pilot(tmp_path, 100)
    pilot.go(HOPELESS)
    _, total = pilot.go(HOPELESS, Course(stop_early=False))
    assert (total.not_asked, total.counted) == (0, 100)
    assert pilot.go(HOPELESS)[1] == total


def test_a_good_pilot_and_a_small_one_ask_everything(tmp_path: Path) -> None:
    for n, ends in ((100, GOOD), (24, HOPELESS), (49, HOPELESS)):
        pilot = Pilot(tmp_path / str(n), n)
        assert pilot.go(ends)[1].counted == n
        assert pilot.told == []


@pytest.mark.parametrize("by_batch", [True, False])
def test_what_waits_for_a_batch_file_holds_the_next_wave_back(by_batch: bool, tmp_path: Path) -> None:
    """A wave is a wave: nothing of the next one is asked, and nothing is called stopped."""
    pilot = Pilot(tmp_path, 100)
    samples, total = pilot.go(["waiting"] * 100, by_batch=by_batch)
    assert len(pilot.asked) == 20
    assert (total.outstanding, total.not_asked) == (100, 0)
    assert {sample.fault for sample in samples} == {""}
    _, total = pilot.go([*GOOD[:20], *["waiting"] * 80], by_batch=by_batch)
    assert len(pilot.asked) == 50
    assert (total.outstanding, total.not_asked) == (80, 0)


def test_by_batch_every_wave_holds_the_next_one_back(tmp_path: Path) -> None:
    pilot = Pilot(tmp_path, 200)
    pilot.go([*GOOD, *GOOD[:30], "waiting", *GOOD[:69]], by_batch=True)
    assert len(pilot.asked) == 150
    _, total = pilot.go([*GOOD, *GOOD[:30], "waiting", *GOOD[:69]], Course(stop_early=False), by_batch=True)
    assert len(pilot.asked) == 200, "whoever does not want to stop early has all of them asked"
    assert total.outstanding == 1


def test_a_call_that_failed_in_passing_stops_nobody(tmp_path: Path) -> None:
    """It counts as one that may still pass: 5 of 20 are hopeless, 5 of 12 with eight open ones are not."""
    pilot = Pilot(tmp_path, 100)
    open_ones = [ended("waiting", "timed out")] * 8
    first = [*HOPELESS[:12], *open_ones]
    _, total = pilot.go([*first, *GOOD[:80]])
    assert (total.outstanding, total.not_asked) == (8, 0)
    assert len(pilot.asked) == 100
    _, total = pilot.go([*HOPELESS[:20], *GOOD[:80]])
    assert (total.outstanding, total.not_asked) == (0, 0), "what was gone on with stays"


@pytest.mark.parametrize("end", [ended("faulty", "empty turn"), ended("failed", "refused"), ended("not run", "timed out")])
def test_whoever_wants_to_fail_fast_ends_at_the_first_failure(end: Sample, tmp_path: Path) -> None:
    pilot = Pilot(tmp_path, 24)
    samples, total = pilot.go([*GOOD[:5], end, *GOOD[:18]], Course(fail_fast=True, window=2))
    assert [sample.state for sample in samples[:6]] == [*GOOD[:5], end.state]
    assert {sample.fault for sample in samples[6:]} == {f"the pilot ended at the first failure, {samples[5].scenario.id}"}
    assert total.outstanding >= 18
    assert len(pilot.asked) < 12
    _, total = pilot.go([*GOOD[:24]])
    assert total.settled


def test_rejected_conversations_and_those_for_a_person_are_no_failures(tmp_path: Path) -> None:
    pilot = Pilot(tmp_path, 8)
    _, total = pilot.go([*["rejected"] * 7, ended("unjudged", "somebody in it speaks to the judge")], Course(fail_fast=True))
    assert total.settled

"""The course of a pilot: a large one goes in waves, and after each it is asked whether the rest is worth its price.

The plan is a seeded shuffle over the cells, so its beginning is a fair sample. Waves order the work and decide whether to go on;
what is planned, asked and written is the same with them and without. A pilot is stopped for futility only: where its rate is
seen to lie below what is asked for. One that does well goes on to its end.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from itertools import accumulate
from typing import Any

import msgspec

from finetune_prep.core.sample import NOT_ASKED, UNSETTLED, Account, Fold, Sample, State, Tally
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.errors import UsageError
from finetune_prep.method import limits
from finetune_prep.phases.pilot.in_order import longest_first, windowed
from finetune_prep.phases.pilot.made import Made
from finetune_prep.project.runs import Run
from finetune_prep.statistics.sequential import STOP, futility

WAVES = (20, 30, 50)  # conversations; the last size repeats. Convention, untested; the looks between them cost no certainty
DRAINED = 100  # conversations up to which a wave ends before the next one begins: after each the calls under way run out
LARGE = 50  # conversations, from which on a pilot goes in waves
FAILURES: tuple[State, ...] = ("failed", "faulty", "unjudged")


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How a pilot goes on."""

    window: int | None = None
    """Conversations in work at a time; None: as of `Session.window`."""
    stop_early: bool = True
    """Whether one of LARGE and more goes in waves, and is stopped between them where its rate is seen to lie too low."""
    fail_fast: bool = False
    """Whether it ends at the first conversation, in plan order, that gets no verdict because something failed."""


def wave_sizes(n: int) -> Iterator[int]:
    """The sizes of the waves of n conversations: one for a small pilot."""
    if n < LARGE:
        yield n
        return
    number = 0
    while n > 0:
        yield min(n, WAVES[min(number, len(WAVES) - 1)])
        n -= WAVES[min(number, len(WAVES) - 1)]
        number += 1


async def in_waves(
    scenarios: Sequence[Scenario],
    make: Callable[[Scenario], Coroutine[Any, Any, Made]],
    course: Course,
    run: Run,
    tell: Callable[[str], None],
    window: int,
) -> AsyncGenerator[Made]:
    """What becomes of every scenario, in plan order and settled; of those that are not begun, why.

    run: the pilot as it stands on disk. What was begun in it stays, so a pilot that somebody has gone on with is not stopped at
    an earlier wave again. The first waves end before the next one begins, so that of each the longest conversations can be begun
    first. Later ones are made without a break between them, and the look at the end of each is taken while the next is under way:
    nothing of that counts if it says stop.
    """
    begun, fold, tally, done = _begun(run), Fold(), Tally(), 0
    looks = {*accumulate(wave_sizes(len(scenarios)))} if course.stop_early else {len(scenarios)}
    for end in [*(look for look in sorted(looks) if look <= DRAINED), len(scenarios)]:
        stretch = _Stretch(scenarios[done:end], make)
        async with aclosing(stretch.made(course.window or window, in_order=course.fail_fast or end > DRAINED)) as finished:
            async for item in finished:
                made = msgspec.structs.replace(item, sample=fold.settled(item.sample))
                tally.take(made.sample)
                done += 1
                yield made
                if course.fail_fast and _failed(made.sample):
                    for left in _not_run(scenarios[done:], f"the pilot ended at the first failure, {made.sample.scenario.id}"):
                        yield left
                    return
                looked = done in looks and begun <= done < len(scenarios) and not stretch.waiting
                if looked and (why := _futile(tally.account())):
                    tell(f"{why}, so the other {len(scenarios) - done} are not asked")
                    for left in _not_run(scenarios[done:], NOT_ASKED):
                        yield left
                    return
        if stretch.waiting:  # for a batch file: the next wave is for when its answers are there
            break
    for left in _not_run(scenarios[done:]):
        yield left


class _Stretch:
    """Scenarios that are made without a break; once one of them waits for a batch file, no further wave of them is begun."""

    def __init__(self, scenarios: Sequence[Scenario], make: Callable[[Scenario], Coroutine[Any, Any, Made]]) -> None:
        self._scenarios = scenarios
        self._make = make
        self.waiting = False

    def _begun(self) -> Iterator[Scenario]:
        for number, scenario in enumerate(self._scenarios):
            if self.waiting and number and number % WAVES[-1] == 0:
                return
            yield scenario

    def made(self, window: int, *, in_order: bool) -> AsyncGenerator[Made]:
        """What becomes of each, in plan order. in_order: they are begun in this order, too; else the longest are."""
        if in_order:
            return windowed(self._begun(), self._worked, window)
        return longest_first(self._scenarios, self._worked, window, lambda scenario: scenario.exchanges)

    async def _worked(self, scenario: Scenario) -> Made:
        made = await self._make(scenario)
        self.waiting = self.waiting or (made.sample.state == "waiting" and not made.sample.fault)
        return made


def too_low(found: Account) -> bool:
    """Whether a pilot's rate is seen to lie below what is asked for, even if all that is outstanding should pass."""
    return futility(found.passed + found.outstanding, found.counted + found.outstanding, limits.PASS_RATE) >= STOP


def _futile(found: Account) -> str:
    """Why the rest is not worth its price, "" if it may be."""
    if not too_low(found):
        return ""
    return f"{found.passed} of the first {found.counted} conversations passed: the rate lies below {limits.PASS_RATE:.0%}"


def _begun(run: Run) -> int:
    """How many scenarios of a run, from the first one, a conversation was begun for when it last came to an end.

    All of them where its rows cannot be read: they are about to be written anew, and what was begun must stay.
    """
    try:
        return max((number for number, sample in enumerate(run.each_sample(), start=1) if sample.state != "not run"), default=0)
    except UsageError:
        return run.plan.n


def _failed(sample: Sample) -> bool:
    """Whether a conversation has no verdict because something failed; what waits for a batch file or a person has not."""
    return (sample.state in FAILURES and not sample.steered) or (sample.state in UNSETTLED and bool(sample.fault))


def _not_run(scenarios: Sequence[Scenario], why: str = "") -> Iterator[Made]:
    return (Made(Sample(scenario=scenario, state="not run", fault=why)) for scenario in scenarios)

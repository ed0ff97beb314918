"""The course of a pilot: a large one goes in waves, and after each it is asked whether the rest is worth its price.

The plan is a seeded shuffle over the cells, so its beginning is a fair sample. Waves order the work and decide whether to go on;
what is planned, asked and written is the same with them and without. A pilot is stopped for futility only: where its rate is
seen to lie below what is asked for. One that does well goes on to its end.

A wave need not be over for the next one to begin: so many conversations may have passed that the look at its end cannot say stop.
Then nothing is lost by beginning, and calls under way do not run out for the slowest conversation of each wave. Behind the
hundredth conversation no look holds anything back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing
from itertools import accumulate, chain
from typing import Any

import msgspec

from finetune_prep.core.sample import NOT_ASKED, PASSED, UNSETTLED, Account, Fold, Sample, State, Tally
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.errors import UsageError
from finetune_prep.method import limits
from finetune_prep.phases.pilot.in_order import placed
from finetune_prep.phases.pilot.made import Made
from finetune_prep.project.runs import Run
from finetune_prep.statistics.sequential import STOP, futility

FIRST, MOST_FIRST = 20, 100  # conversations of the first wave, at the least and at the most
SHARE = 10  # it is about one part in so many: a stop at 20 of 1,000 saves little more than one at 100, and all wait for that look
WAVE = 50  # later waves end at its multiples. All by convention, untested; the looks between them cost no certainty
HELD = 100  # conversations up to which a look holds back what lies behind it; later ones are taken while others are under way
TAIL = 2  # windows at the end of a pilot of which the longest conversations are begun first
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
    end = min(max(FIRST, n // SHARE // 10 * 10), MOST_FIRST) if n >= LARGE else n
    done = 0
    while done < n:
        yield min(end, n) - done
        done, end = end, (end // WAVE + 1) * WAVE


async def in_waves(
    scenarios: Sequence[Scenario],
    make: Callable[[Scenario], Coroutine[Any, Any, Made]],
    course: Course,
    run: Run,
    tell: Callable[[str], None],
    window: int,
    *,
    by_batch: bool = False,
) -> AsyncGenerator[Made]:
    """What becomes of every scenario, in plan order and settled; of those that are not begun, why.

    run: the pilot as it stands on disk. What was begun in it stays, so a pilot that somebody has gone on with is not stopped at
    an earlier wave again. What lies behind a look that says stop counts for nothing, whether it was begun or not: so no order of
    arrival decides anything. by_batch: answers come by batch; then a wave is begun when the one before it has ended.
    """
    fold, tally, done, waiting = Fold(), Tally(), 0, False
    waves = _Waves(scenarios, make, course, _begun(run), by_batch=by_batch)
    async with aclosing(waves.made(course.window or window)) as finished:
        async for item in finished:
            made = msgspec.structs.replace(item, sample=fold.settled(item.sample))
            tally.take(made.sample)
            done += 1
            yield made
            if course.fail_fast and _failed(made.sample):
                for left in _not_run(scenarios[done:], f"the pilot ended at the first failure, {made.sample.scenario.id}"):
                    yield left
                return
            waiting = waiting or (made.sample.state == "waiting" and not made.sample.fault)
            if done in waves.ends and not waiting:
                if done in waves.looks and (why := _futile(tally.account())):
                    tell(f"{why}, so the other {len(scenarios) - done} are not asked")
                    for left in _not_run(scenarios[done:], NOT_ASKED):
                        yield left
                    return
                waves.go_on(done)
    for left in _not_run(scenarios[done:]):  # for a batch file: the next wave is for when its answers are there
        yield left


class _Waves:
    """The scenarios of a pilot in work, and whether more of them may be begun.

    ends: of all waves, as counts of scenarios. looks: those at which it is asked whether the rest is worth its price. begun: how
    many scenarios were begun before.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        make: Callable[[Scenario], Coroutine[Any, Any, Made]],
        course: Course,
        begun: int,
        *,
        by_batch: bool,
    ) -> None:
        self._scenarios = scenarios
        self._make = make
        self._course = course
        self._by_batch = by_batch
        n = len(scenarios)
        self.ends = [*accumulate(wave_sizes(n))] if course.stop_early else [n]
        self.looks = {end for end in self.ends if begun <= end < n} if course.stop_early else set[int]()
        held = self.ends if by_batch else sorted(look for look in self.looks if look <= HELD)
        self._held = deque(held)
        """Ends behind which nothing is begun yet."""
        self._passed: dict[int, str] = {}
        """Conversations that passed, by place."""
        self._waiting = False
        """Whether any conversation waits for a batch file."""

    def go_on(self, end: int) -> None:
        """Nothing speaks against what lies behind this end."""
        while self._held and self._held[0] <= end:
            self._held.popleft()

    def made(self, window: int) -> AsyncGenerator[Made]:
        """What becomes of each, in plan order."""
        places = range(len(self._scenarios))
        order = places if self._course.fail_fast else chain.from_iterable(self._stretches(window))
        return placed(places, self._worked, window, order, due=self._due)

    def _stretches(self, window: int) -> Iterator[Iterable[int]]:
        """Places in the order in which they are begun.

        Whatever takes long and is begun last is waited for alone: so at the end, and by batch in each of the first waves, the
        longest conversations come first. Where a wave holds the next one back until enough of it have passed, the shortest do.
        Between them either would only hold results back.
        """
        n, done = len(self._scenarios), 0
        for end in self.ends:
            if end <= HELD:
                yield self._by_length(range(done, end), shortest_first=end in self._held and not self._by_batch)
                done = end
        tail = n if self._by_batch else max(done, n - TAIL * window)
        yield range(done, tail)
        yield self._by_length(range(tail, n))

    def _by_length(self, places: Iterable[int], *, shortest_first: bool = False) -> list[int]:
        """Those of one length as they stand."""
        sign = 1 if shortest_first else -1
        return sorted(places, key=lambda place: sign * self._scenarios[place].exchanges)

    def _due(self, place: int) -> bool:
        """Whether a scenario may be begun: if no look before it can say stop any more."""
        while self._held and self._held[0] <= place:
            if self._by_batch or self._waiting or self._may_stop(self._held[0]):
                return False
            self._held.popleft()
        return True

    def _may_stop(self, look: int) -> bool:
        """Whether a look can still say stop: if no other conversation before it passes than those that already have."""
        passed = {conversation for place, conversation in self._passed.items() if place < look}
        return _evidence(len(passed), look) >= STOP

    async def _worked(self, place: int) -> Made:
        made = await self._make(self._scenarios[place])
        sample = made.sample
        self._waiting = self._waiting or (sample.state == "waiting" and not sample.fault)
        if self._held and sample.state in PASSED and sample.conversation is not None:
            self._passed[place] = sample.conversation.id
        return made


def too_low(found: Account) -> bool:
    """Whether a pilot's rate is seen to lie below what is asked for, even if all that is outstanding should pass."""
    return _evidence(found.passed + found.outstanding, found.counted + found.outstanding) >= STOP


def _evidence(passed: int, n: int) -> float:
    return futility(passed, n, limits.PASS_RATE)


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

"""The course of a pilot: a large one goes in waves, and after each it is asked whether the rest is worth its price.

The plan is a seeded shuffle over the cells, so its beginning is a fair sample. Waves order the work and decide whether to go on;
what is planned, asked and written is the same with them and without. A pilot is stopped for futility only: where its rate is
seen to lie below what is asked for. One that does well goes on to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from finetune_prep.core.sample import NOT_ASKED, UNSETTLED, Account, Sample, State, account, fold
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.method import limits
from finetune_prep.phases.pilot.in_order import WINDOW, windowed
from finetune_prep.phases.pilot.made import Made
from finetune_prep.project.runs import Run
from finetune_prep.statistics.sequential import STOP, futility

WAVES = (20, 30, 50)  # conversations; the last size repeats. Convention, untested; the looks between them cost no certainty
LARGE = 50  # conversations, from which on a pilot goes in waves
FAILURES: tuple[State, ...] = ("failed", "faulty", "unjudged")


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How a pilot goes on."""

    window: int = WINDOW
    """Conversations in work at a time."""
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
) -> list[Made]:
    """What became of every scenario, in plan order; of those that were not begun, why.

    run: the pilot as it stands on disk. What was begun in it stays, so a pilot that somebody has gone on with is not stopped at
    an earlier wave again.
    """
    begun = _begun(run)
    made: list[Made] = []
    for size in wave_sizes(len(scenarios)) if course.stop_early else (len(scenarios),):
        wave = scenarios[len(made) : len(made) + size]
        async with aclosing(windowed(wave, make, course.window)) as finished:
            async for item in finished:
                made.append(item)
                if course.fail_fast and _failed(item.sample):
                    return made + _not_run(scenarios[len(made) :], f"the pilot ended at the first failure, {_id(item)}")
        rest = scenarios[len(made) :]
        if any(item.sample.state == "waiting" and not item.sample.fault for item in made):
            return made + _not_run(rest)  # for a batch file: the next wave is for when its answers are there
        if rest and len(made) >= begun and (why := _futile(made)):
            tell(f"{why}, so the other {len(rest)} are not asked")
            return made + _not_run(rest, NOT_ASKED)
    return made


def too_low(found: Account) -> bool:
    """Whether a pilot's rate is seen to lie below what is asked for, even if all that is outstanding should pass."""
    return futility(found.passed + found.outstanding, found.counted + found.outstanding, limits.PASS_RATE) >= STOP


def _futile(made: Sequence[Made]) -> str:
    """Why the rest is not worth its price, "" if it may be."""
    found = account(fold(item.sample for item in made))
    if not too_low(found):
        return ""
    return f"{found.passed} of the first {found.counted} conversations passed: the rate lies below {limits.PASS_RATE:.0%}"


def _begun(run: Run) -> int:
    """How many scenarios of a run, from the first one, a conversation was begun for when it last came to an end."""
    return max((number for number, sample in enumerate(run.each_sample(), start=1) if sample.state != "not run"), default=0)


def _failed(sample: Sample) -> bool:
    """Whether a conversation has no verdict because something failed; what waits for a batch file or a person has not."""
    return (sample.state in FAILURES and not sample.steered) or (sample.state in UNSETTLED and bool(sample.fault))


def _id(item: Made) -> str:
    return item.sample.scenario.id


def _not_run(scenarios: Sequence[Scenario], why: str = "") -> list[Made]:
    return [Made(Sample(scenario=scenario, state="not run", fault=why)) for scenario in scenarios]

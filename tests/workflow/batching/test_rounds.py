"""How many rounds of batch files are expected, against the rounds that the bundled examples take."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from finetune_prep.errors import NotYet
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import read_recording
from finetune_prep.method.phases import PHASES
from finetune_prep.phases.drafting.prompt_facts import BESIDE, PILOT, facts
from finetune_prep.phases.drafting.prompt_files import BUILT_IN
from finetune_prep.phases.pilot.pilot import pilot
from finetune_prep.phases.session import Session, open_session
from finetune_prep.project.beginning.scaffold import copy_inputs
from finetune_prep.project.project import open_project
from finetune_prep.workflow.batching.rounds import STEPS, Drafted, about, rounds
from finetune_prep.workflow.estimate import estimate
from finetune_prep.workflow.planned_calls import Used
from finetune_prep.workflow.prepare import prepare
from tests.whole.way import MUSEUM_SIZE as SIZE

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = [phase.name for phase in PHASES]
MOST = 100


class Carried:
    """An example whose rounds are answered from its recording, one after the other."""

    def __init__(self, example: str, folder: Path) -> None:
        copy_inputs(EXAMPLES / example, folder)
        self.folder = folder
        self._replies = {entry.key: entry.reply for entry in read_recording(EXAMPLES / example / "recording.jsonl")}
        self.said: list[int] = []

    async def carry(self, job: Callable[[Session], Awaitable[object]], phases: list[str]) -> int:
        """The rounds that a job takes. said: at each of them, how many it would be in all."""
        first = await self._written()
        for _ in range(MOST):
            if await self._once(job, phases):
                return await self._written() - first
        raise AssertionError("it never ends")

    async def _once(self, job: Callable[[Session], Awaitable[object]], phases: list[str]) -> bool:
        async with open_session(open_project(self.folder), provider="batch") as session:
            expected = rounds(session.project, Used(), phases, n=SIZE, provider="batch")
            with contextlib.suppress(NotYet):
                await job(session)
            written = await session.door.flush()
            for found in written:
                for request in await session.door.ledger.rounds.requests_of(found.number):
                    await session.door.ledger.answers.put(Entry(request, self._replies[request.key]), spent=0.0)
            if written:
                self.said.append(await about(session.door.ledger, expected))
            return not written

    async def _written(self) -> int:
        async with open_session(open_project(self.folder)) as session:
            return len(await session.door.ledger.rounds.all())


async def make(session: Session) -> None:
    await prepare(session, lambda phase: None)


async def talk(session: Session) -> None:
    await pilot(session, SIZE)


class Made(NamedTuple):
    """An example that was prepared by rounds, and what had been expected of it before anything was written."""

    carried: Carried
    taken: int
    said: list[int]
    estimated: int
    pilot: int


def prepared(example: str, folder: Path) -> Made:
    carried = Carried(example, folder)
    project = open_project(folder)
    estimated = sum(estimate(project, None, NAMES, provider="batch").rounds.values())
    of_pilot = rounds(project, Used(), [PILOT], n=SIZE, provider="batch")[PILOT]
    taken = asyncio.run(carried.carry(make, NAMES))
    said, carried.said = carried.said, []
    return Made(carried, taken, said, estimated, of_pilot)


@pytest.fixture(scope="module")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return prepared("museum-visitors", tmp_path_factory.mktemp("museum") / "p")


def assert_as_expected(made: Made) -> None:
    """Said before it begins and at every round, within a quarter of what it comes to."""
    print(f"\n{made.taken} rounds, {made.estimated} expected; said on the way: {made.said}")
    assert abs(made.estimated - made.taken) <= made.taken / 4
    assert all(abs(said - made.taken) <= made.taken / 4 for said in made.said)


def test_a_preparation_takes_about_as_many_rounds_as_were_expected(museum: Made) -> None:
    assert_as_expected(museum)


def test_so_does_that_of_another_domain(tmp_path: Path) -> None:
    assert_as_expected(prepared("online-shop", tmp_path / "p"))


async def test_a_pilot_takes_them_too(museum: Made) -> None:
    """Before anything is written and with the scenario space at hand."""
    carried = museum.carried
    with_space = rounds(open_project(carried.folder), Used(), [PILOT], n=SIZE, provider="batch")
    taken = await carried.carry(talk, [PILOT])
    for expected in (museum.pilot, with_space[PILOT]):
        assert abs(expected - taken) <= taken / 4
    everything = carried.said[-1]
    assert all(abs(said - everything) <= everything / 4 for said in carried.said)


def test_every_prompt_has_its_step() -> None:
    """A prompt that a phase asks and no step names would be in no round."""
    for name in BUILT_IN:
        for use in facts(name, Path("/nowhere")).uses:
            if use.phase in BESIDE:
                continue
            named: set[str] = set()
            for step in STEPS[use.asked_in]:
                parts = (
                    [(step.prompt, *step.beside, *step.readers)] if isinstance(step, Drafted) else [part.prompts for part in step]
                )
                named |= {prompt for part in parts for prompt in part}
            assert name in named or use.drafts_of in named, name


def test_where_nothing_comes_by_batch_there_are_none(tmp_path: Path) -> None:
    copy_inputs(EXAMPLES / "online-shop", tmp_path / "p")
    assert estimate(open_project(tmp_path / "p"), None, NAMES).rounds == {}


@pytest.mark.parametrize(("n", "waves"), [(24, 1), (49, 1), (50, 2), (100, 3), (300, 7), (1000, 19)])
def test_each_wave_of_a_pilot_is_carried_by_itself(n: int, waves: int, tmp_path: Path) -> None:
    """A round of conversations and one of verdicts for each, where conversations are written in one call; all at once if so wished."""
    copy_inputs(EXAMPLES / "online-shop", tmp_path / "p")
    project = open_project(tmp_path / "p").conversing("one-call")
    assert rounds(project, Used(), [PILOT], n=n, provider="batch") == {PILOT: 2 * waves}
    assert rounds(project, Used(), [PILOT], n=n, provider="batch", waves=False) == {PILOT: 2}
    by_turns = open_project(tmp_path / "p")
    once = rounds(by_turns, Used(), [PILOT], n=n, provider="batch", waves=False)[PILOT]
    assert rounds(by_turns, Used(), [PILOT], n=n, provider="batch")[PILOT] == waves * once

"""When the next call may go: how many at once and how fast, found by trying, one provider at a time.

At once: additive increase, multiplicative decrease (Chiu & Jain 1989), with a quick start: the limit doubles until the
endpoint first complains. How fast: see `pace`. A complaint is blamed on what held calls back when the refused one went in:
if it had waited for a slot there were too many at once, if it had waited for its time they came too fast.

Complaints come in episodes. The first one stops all entries; then a single call goes in on trial, and only when that one
is not refused do the others follow. So an endpoint that lets nothing through is asked once in a while and not thirty times.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from dataclasses import dataclass

from finetune_prep.models.pace.experiments import Experiment, Experiments
from finetune_prep.models.pace.rates import Allowance, Pace, Resource
from finetune_prep.models.pace.refusal_evidence import Suspicion

FIRST_LIMIT = 8
EAGER = 64  # calls at once up to which the limit doubles in every round at first
CAREFUL = 0.5  # beyond that: slots for each answer
CUT = 0.8
PROBE_ROUNDS = 4  # rounds of calls without complaint for one more slot, where there have been complaints before
PATIENT_ROUNDS = 8  # rounds without complaint after which probing grows faster: the endpoint bears more than it did
LONG_WAIT = 2.0  # seconds; an endpoint that asks for more is closed for everybody, whatever it was that it complained about
FIRST_TRIAL = 0.05  # seconds from a complaint about the rate to the first trial, if the endpoint does not say how long
LATER_TRIAL = 1.5  # times as long between one trial and the next
LAST_TRIAL = 10.0
BORNE = 0.5  # of the number at once that has been borne: a refusal at less is not about the number at once
FORGET = 0.995  # what an answer at a lower level leaves of the level that was borne
CONSENT = 3.0  # times as long as the refusal took: a trial that is silent for longer has been let in
SHORTEST_CONSENT = 0.05  # seconds
SOON = 1.5  # seconds from one complaint to the next that show that the cut did not help
TRUSTED = 0.1  # share of refused calls that is learned without an experiment, while no limit is known


@dataclass(slots=True, eq=False)
class Ticket:
    """A call under way. characters: length of its prompt. tokens: what it is expected to count for.

    number: counted from 1. level: calls under way when it went in, itself included. paced: it waited for its time, and not
    for a slot. spared: it went in below what the endpoint last complained about. experiment: of which it is a part.
    """

    number: int
    entered: float
    level: int
    characters: int
    tokens: float
    paced: bool
    spared: bool
    experiment: Experiment | None


@dataclass(slots=True)
class _Episode:
    """Complaints until calls go through again. allowed: calls at once before it. blamed: it was the rate, not their number."""

    began: float
    allowed: float
    refusal_seconds: float
    delay: float
    blamed: bool
    resource: Resource | None
    level: int
    trial: Ticket | None = None


@dataclass(slots=True)
class _Turn:
    """Somebody who waits for entry."""

    admitted: asyncio.Future[Ticket]
    characters: int
    paced: bool = False


class AdaptiveLimit:
    """Entries for calls. ceiling: the most there may ever be at once. Belongs to one event loop."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = max(1, ceiling)
        self.allowed = float(min(FIRST_LIMIT, self.ceiling))
        self.in_flight = 0
        self.pace = Pace()
        self._suspicion = Suspicion()
        self._experiments = Experiments(self._suspicion)
        self._entries = 0  # calls that ever went in
        self._last_refused = 0  # number of the last one that was refused, or before which all is forgotten
        self._suspect: Ticket | None = None  # the least under way among the refused ones that come close together
        self._in_vain = 0  # episodes one after the other that a cut did not end
        self._before = (self.allowed, math.inf, math.inf)  # calls at once and rates before the first of them
        self._borne = 1.0  # calls at once that were answered
        self._too_many = float("inf")  # where the endpoint last complained
        self._answers_since_cut = 1
        self._last_episode = float("-inf")  # when it began
        self._last_opening = float("-inf")  # when it ended
        self._episode: _Episode | None = None
        self._closed_until = float("-inf")
        self._abandoned = asyncio.Event()
        self._waiting: deque[_Turn] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, characters: int = 0, *, again: bool = False) -> Ticket:
        """Wait for entry, first come first served; `again`: before those who have not been in. `leave` takes the ticket."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            now = loop.time()
            opening, _ = self._opening(now)
            if opening <= now:
                return self._let_in(characters, now, paced=False)
        turn = _Turn(loop.create_future(), characters)
        if again:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        self._admit()
        try:
            return await turn.admitted
        except asyncio.CancelledError:
            if turn.admitted.done() and not turn.admitted.cancelled():  # let in at the moment of cancellation: pass it on
                self.leave(turn.admitted.result())
            raise  # a cancelled turn is passed over when it comes up

    def leave(
        self,
        ticket: Ticket,
        *,
        congested: bool = False,
        answered: bool = False,
        wait: float | None = None,
        resource: Resource | None = None,
        used: tuple[int, int] | None = None,
    ) -> None:
        """Give the slot back and say how the call went.

        wait: seconds for which the endpoint wants no further call. resource: what it said there was too much of. used: tokens
        of prompt and answer.
        """
        now = asyncio.get_running_loop().time()
        if congested:
            self.pace.refused(ticket.entered, ticket.tokens)
            self._complained(ticket, now, wait or 0.0, resource)
        else:
            self._went_through(ticket, now)
            if used is not None:
                self.pace.answered(ticket.characters, ticket.tokens, *used, now)
            if answered:
                self._borne = max(float(ticket.level), self._borne * FORGET)
                self._answers_since_cut += 1
                if self.in_flight >= int(self.allowed):
                    self._grow()
        self.in_flight -= 1
        self._admit()

    def abandon(self) -> None:
        """The run has stopped: from now on nobody waits, so that everybody can be told."""
        self._abandoned.set()
        self._admit()

    async def rest(self, seconds: float) -> None:
        """Sleep, but no longer than the run goes on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._abandoned.wait()

    def hear(self, allowance: Allowance, sent: float) -> None:
        """What the headers of an answer say; sent: loop time at which its call went."""
        self.pace.hear(allowance, sent)

    # complaints

    def _complained(self, ticket: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        if wait > LONG_WAIT:
            self._closed_until = max(self._closed_until, now + wait)
        episode = self._episode
        if episode is not None and episode.trial is ticket:
            self._trial_refused(episode, ticket, now, wait, resource)
        elif ticket.experiment is not None:
            if self._experiments.refused(ticket.experiment):
                self._begin_episode(ticket, now, wait, resource)
        elif ticket.entered >= self._last_episode and episode is None:
            self._suspected(ticket, now, wait, resource)

    def _suspected(self, ticket: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        suspicion = self._suspicion
        let_through = max(0, ticket.number - self._last_refused - 1)
        self._last_refused = max(self._last_refused, ticket.number)
        if suspicion.unruly and self._unlimited:
            suspicion.learn(let_through + 1, 1, most=TRUSTED)
        if self._suspect is None or not suspicion.burst or ticket.level < self._suspect.level:
            self._suspect = ticket
        if suspicion.refused(let_through) or resource is not None:
            self._begin_episode(self._suspect, now, wait, resource)
            self._suspect = None

    def _trial_refused(self, episode: _Episode, trial: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        episode.trial = None
        if self._unlimited and not episode.blamed:
            self._too_many = min(self.allowed, float(trial.level), float(episode.level))
            self._answers_since_cut = 0
        episode.resource = resource or episode.resource
        if not episode.blamed and trial.level > max(1.0, BORNE * self._borne):
            self.allowed = max(1.0, min(self.allowed, float(trial.level)) * CUT)
            return
        episode.blamed = True  # hardly anything is under way, and still nothing gets through: it is not the number at once
        episode.delay = min(LAST_TRIAL, LATER_TRIAL * max(episode.delay, FIRST_TRIAL))
        self._closed_until = max(self._closed_until, now + (wait or episode.delay))

    def _begin_episode(self, ticket: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        self._in_vain = self._in_vain + 1 if ticket.spared or (ticket.paced and now < self._last_opening + SOON) else 0
        if not self._in_vain:
            self._before = (self.allowed, self.pace.requests.rate, self.pace.tokens.rate)
        few = ticket.level <= BORNE * self._borne
        blamed = (ticket.paced and ticket.level <= self._borne) or few or resource is not None
        blamed = blamed and not self._unlimited
        self._experiments.complained(blamed=blamed)
        allowed = self.allowed
        if not (blamed or self._unlimited):
            self._too_many = min(self.allowed, float(ticket.level))
            self.allowed = max(1.0, self._too_many * CUT)
            self._answers_since_cut = 0
        delay = FIRST_TRIAL if blamed else 0.0
        self._episode = _Episode(now, allowed, now - ticket.entered, delay, blamed, resource, ticket.level)
        self._last_episode = now
        if blamed:
            self._closed_until = max(self._closed_until, now + (wait or delay))

    def _went_through(self, ticket: Ticket, now: float) -> None:
        if self._episode is not None and self._episode.trial is ticket:
            self._end_episode(self._episode, now)

    def _end_episode(self, episode: _Episode, now: float) -> None:
        trial = episode.trial
        entered = now if trial is None else trial.entered
        if self._unlimited and not episode.blamed:
            if not self._suspicion.unruly:
                self._suspicion.learn(1, 1)  # the next call, at the same pace, was let in: it was but one in so many
            self._episode = None
            self._last_episode = entered
            self._last_refused = self._entries
            return
        if episode.blamed:
            self.allowed = episode.allowed
        sustained = self.pace.sustained(episode.began)
        self.pace.complained(
            self._last_opening,
            episode.began,
            entered,
            blamed=episode.blamed,
            resource=episode.resource,
            let_through=1 - self._suspicion.usual,
            slow_until=self._experiments.ended,
        )
        if self._experiments.worth_it(now, self._in_vain):
            level = self._borne if episode.blamed else min(self._borne, episode.level)
            self._experiments.begin(entered, sustained, level)
        self._last_opening = entered
        self._last_refused = self._entries
        self._last_episode = entered  # who went in before the trial belongs to the episode
        self._episode = None

    @property
    def _unlimited(self) -> bool:
        """Whether no limit of the endpoint is known."""
        return self._too_many == math.inf and self.pace.requests.rate == math.inf

    def _grow(self) -> None:
        if self._too_many == float("inf"):
            more = 1.0 if self.allowed < EAGER else CAREFUL
        elif self.allowed < self._too_many - 1:
            more = 1.0 / self.allowed
        else:
            quiet_rounds = self._answers_since_cut / self.allowed
            more = (1.0 + (quiet_rounds / PATIENT_ROUNDS) ** 2) / (self.allowed * PROBE_ROUNDS)
        self.allowed = min(float(self.ceiling), self.allowed + more)

    # entries

    def _admit(self) -> None:
        """Let in whoever may go now, and see to it that somebody looks again when the next one may."""
        loop = asyncio.get_running_loop() if self._waiting else None
        while self._waiting and loop is not None:
            turn = self._waiting[0]
            if turn.admitted.done():
                self._waiting.popleft()
                continue
            now = loop.time()
            opening, by_pace = self._opening(now)
            if opening > now:
                turn.paced = by_pace
                if opening < math.inf:
                    self._look_again(loop, opening)
                return
            self._waiting.popleft()
            turn.admitted.set_result(self._let_in(turn.characters, now, paced=turn.paced))

    def _opening(self, now: float) -> tuple[float, bool]:
        """When the next one may go, infinity if that depends on calls under way; and whether it is the pace that he waits for."""
        if self._abandoned.is_set():
            return now, False
        if now < self._closed_until:
            return self._closed_until, False
        episode = self._episode
        if episode is not None and episode.trial is not None:
            consent = episode.trial.entered + max(SHORTEST_CONSENT, CONSENT * episode.refusal_seconds)
            if now < consent:
                return consent, False
            self._end_episode(episode, now)
        if self.in_flight >= int(self.allowed):
            return math.inf, False
        experiment = self._experiments.current
        if experiment is not None:
            if self.in_flight >= experiment.level:
                return math.inf, False
            return max(experiment.due, self.pace.next_entry()), True
        return self.pace.next_entry(), True

    def _let_in(self, characters: int, now: float, *, paced: bool) -> Ticket:
        tokens = self.pace.estimate(characters)
        self.in_flight += 1
        spared = self.pace.spared and self.in_flight < self._too_many and self._last_opening > -math.inf
        experiment = self._experiments.current
        self._entries += 1
        ticket = Ticket(self._entries, now, self.in_flight, characters, tokens, paced, spared, experiment)
        if experiment is not None:
            self._try(experiment, now)
        elif self._experiments.overdue(self._entries) and self._episode is None and not self._unlimited:
            self._experiments.begin(now, self.pace.sustained(now), self._borne)
        self.pace.enter(tokens, now, waited=paced)
        if self._episode is not None:
            self._episode.trial = ticket
        return ticket

    def _try(self, experiment: Experiment, now: float) -> None:
        surprising = self._experiments.entered(experiment, now, self._entries)
        if self._experiments.current is None:
            self._last_refused = self._entries
        if surprising:  # what was thought of earlier complaints is in doubt
            self._too_many = math.inf
            self.allowed = max(self.allowed, self._before[0])
            self.pace.search(*self._before[1:])

    def _look_again(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._admit()

"""What an endpoint's complaints are about: the number of calls at once, their rate, or neither. Pure: the caller has the clock.

Complaints come in episodes. The first one stops all entries; then a single call goes in on trial, and only when that one
is not refused do the others follow. So an endpoint that lets nothing through is asked once in a while and not thirty times.

A complaint is put down to what held calls back when the refused one went in: if it had waited for a slot there were too many
at once, if it had waited for its time they came too fast. Where refusals are usual, one of them is no complaint: see
`refusal_evidence`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from finetune_prep.models.pace.rates import Pace, Resource
from finetune_prep.models.pace.refusal_evidence import RefusalEvidence
from finetune_prep.models.pace.slots import Slots, Ticket

LONG_WAIT = 2.0  # seconds; an endpoint that asks for more is closed for everybody, whatever it was that it complained about
FIRST_TRIAL = 0.05  # seconds from a complaint about the rate to the first trial, if the endpoint does not say how long
LATER_TRIAL = 1.5  # times as long between one trial and the next
LAST_TRIAL = 10.0
FEW = 0.5  # of the number at once that has been sustained: a refusal at less is not about the number at once
CONSENT = 3.0  # times as long as the refusal took: a trial that is silent for longer has been let in
SHORTEST_CONSENT = 0.05  # seconds
TRUSTED = 0.1  # share of refused calls that is learned while no limit is known


@dataclass(slots=True)
class Episode:
    """Complaints until calls go through again."""

    began: float
    allowed: float
    """Calls at once before it."""
    refusal_seconds: float
    """How long the refusal took."""
    delay: float
    """Seconds to the next trial."""
    about_rate: bool
    """It is the rate of the calls, not their number at once."""
    resource: Resource | None
    """What the endpoint says that there was too much of."""
    level: int
    """Calls under way when the refused one went in."""
    trial: Ticket | None = None


class Complaints:
    """The complaints of one endpoint, and what follows from them for its slots and its pace.

    episode: the one that lasts. closed_until: nobody goes in before.
    """

    def __init__(self, slots: Slots, pace: Pace) -> None:
        self._slots = slots
        self._pace = pace
        self._evidence = RefusalEvidence()
        self.episode: Episode | None = None
        self.closed_until = -math.inf
        self._last_refused = 0  # number of the last call that was refused, or before which all is forgotten
        self._suspect: Ticket | None = None  # the least under way among the refused ones that come close together
        self._last_episode = -math.inf  # when it began
        self._last_opening = -math.inf  # when it ended

    def refused(self, ticket: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        """A call was refused. wait: seconds for which the endpoint wants no further one."""
        if wait > LONG_WAIT:
            self.closed_until = max(self.closed_until, now + wait)
        if self.episode is not None:
            if self.episode.trial is ticket:
                self._trial_refused(self.episode, ticket, now, wait, resource)
        elif ticket.entered >= self._last_episode:
            self._weigh(ticket, now, wait, resource)

    def went_through(self, ticket: Ticket, now: float) -> None:
        """A call was not refused."""
        if self.episode is not None and self.episode.trial is ticket:
            self._end(self.episode, now)

    def opening(self, now: float) -> float:
        """When the next call may go, as far as this is concerned. A trial that was silent for long enough ends the episode."""
        if now < self.closed_until:
            return self.closed_until
        episode = self.episode
        if episode is None or episode.trial is None:
            return now
        consent = episode.trial.entered + max(SHORTEST_CONSENT, CONSENT * episode.refusal_seconds)
        if now < consent:
            return consent
        self._end(episode, now)
        return now

    def _weigh(self, ticket: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        """Begin an episode if this refusal, with those before it, is more than is usual."""
        evidence = self._evidence
        let_through = max(0, ticket.number - self._last_refused - 1)
        self._last_refused = max(self._last_refused, ticket.number)
        if evidence.unruly and self._unlimited:
            evidence.learn(let_through + 1, 1, most=TRUSTED)
        if self._suspect is None or not evidence.burst or ticket.level < self._suspect.level:
            self._suspect = ticket
        if evidence.refused(let_through) or resource is not None:
            self._begin(self._suspect, now, wait, resource)
            self._suspect = None

    def _begin(self, ticket: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        slots = self._slots
        few = ticket.level <= FEW * slots.sustained
        about_rate = (ticket.paced and ticket.level <= slots.sustained) or few or resource is not None
        about_rate = about_rate and not self._unlimited
        allowed = slots.allowed
        if not (about_rate or self._unlimited):
            slots.cut(ticket.level)
        delay = FIRST_TRIAL if about_rate else 0.0
        self.episode = Episode(now, allowed, now - ticket.entered, delay, about_rate, resource, ticket.level)
        self._last_episode = now
        if about_rate:
            self.closed_until = max(self.closed_until, now + (wait or delay))

    def _trial_refused(self, episode: Episode, trial: Ticket, now: float, wait: float, resource: Resource | None) -> None:
        slots = self._slots
        episode.trial = None
        if self._unlimited and not episode.about_rate:
            slots.limited_at(min(trial.level, episode.level))
        episode.resource = resource or episode.resource
        if not episode.about_rate and trial.level > max(1.0, FEW * slots.sustained):
            slots.lower_to(trial.level)
            return
        # hardly anything is under way, and still nothing gets through: it is not the number at once
        episode.about_rate = True
        episode.delay = min(LAST_TRIAL, LATER_TRIAL * max(episode.delay, FIRST_TRIAL))
        self.closed_until = max(self.closed_until, now + (wait or episode.delay))

    def _end(self, episode: Episode, now: float) -> None:
        entered = now if episode.trial is None else episode.trial.entered
        self.episode = None
        self._last_refused = self._slots.entered
        self._last_episode = entered  # who went in before the trial belongs to the episode
        if self._unlimited and not episode.about_rate:
            if not self._evidence.unruly:
                self._evidence.learn(1, 1)  # the next call, at the same pace, was let in: it was but one in so many
            return
        if episode.about_rate:
            self._slots.allowed = episode.allowed
        self._pace.complained(
            self._last_opening,
            episode.began,
            entered,
            about_rate=episode.about_rate,
            resource=episode.resource,
            let_through=1 - self._evidence.usual,
        )
        self._last_opening = entered

    @property
    def _unlimited(self) -> bool:
        """Whether no limit of the endpoint is known."""
        return self._slots.too_many == math.inf and self._pace.requests.rate == math.inf

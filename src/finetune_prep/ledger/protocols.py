"""What a ledger holds, and the few methods behind which it sits. No storage here: see `sqlite`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.ledger.fetched import Archive
from finetune_prep.ledger.submissions import Submission


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request and its answer. An entry is final, but that a good answer of a batch file may replace an unusable one."""

    request: Request
    reply: Reply

    @property
    def key(self) -> str:
        return self.request.key


MOST_ASIDE = 262_144  # characters of a body that are kept


class Aside(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What came for a request and is not its answer: evidence, which nothing reads but people."""

    request: Request
    why: str
    """Why it is not the answer."""
    body: str
    """As it came, keys taken out; of a longer one the beginning."""
    size: int
    """Bytes of all that came."""
    at: str
    """ISO time, UTC."""

    @classmethod
    def of(cls, request: Request, why: str, body: str, *, at: str, size: int | None = None) -> Aside:
        size = len(body.encode()) if size is None else size
        return cls(request=request, why=why, body=body[:MOST_ASIDE], size=size, at=at)

    @property
    def left_out(self) -> int:
        """Bytes that were not kept, about."""
        return max(0, self.size - len(self.body.encode())) if len(self.body) == MOST_ASIDE else 0


class Round(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One batch file."""

    number: int
    asked: int
    """Requests written to it."""
    answered: int
    """Of these, how many the ledger holds an answer to."""
    released: int
    """How many were given back unanswered (expired, failed in passing) to be asked again in a later round."""
    written: bool
    """Whether the file is known to be on disk."""

    @property
    def outstanding(self) -> int:
        return self.asked - self.answered - self.released


class TimeSpent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What models did for one phase."""

    phase: str
    answers: int
    seconds: float
    """Seconds of all calls together, though many ran at the same time."""
    first: str = ""
    """ISO time of the first answer by its provider's clock, "" unknown; pauses lie in between."""
    last: str = ""
    """ISO time of the last answer by its provider's clock, "" unknown."""


class Consumption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one phase used of one model in one role."""

    phase: str
    run: str = ""
    """The run that asked first ("pilot-001"), "" outside of runs."""
    role: str
    model: str
    served: str
    """The model that answered, as the provider named it."""
    answers: int
    again: int = 0
    """How many of these came when the same was asked again, as an answer before could not be used."""
    input: int
    """Tokens that were sent, those from a cache included."""
    cached: int
    """Tokens that came from a cache; part of `input`."""
    written: int = 0
    """Tokens that were put into a cache, where that has a price; part of `input`."""
    output: int
    """Tokens of the answers."""
    cost: float
    """US dollars at the prices of the day, whoever paid."""
    unpriced: int
    """Answers whose cost is unknown."""


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one prompt took, over all answers whose tokens were counted."""

    phase: str
    role: str
    form: str
    """The name of the schema that was asked for; without one, what the expert was asked about, or else the role."""
    answers: int
    """How many were counted, of these `again` for the second time."""
    again: int
    input: float
    """Mean tokens that were sent, those from a cache included."""
    cached: float
    """Mean tokens that came from a cache; part of `input`."""
    written: float = 0.0
    """Mean tokens that were put into a cache, where that has a price; part of `input`."""
    output: float
    """Mean tokens of an answer."""


class Answers(Protocol):
    """Every answer that was ever given. What `put` returns from would survive a power cut."""

    async def get(self, key: str) -> Entry | None:
        """The answered request of this key, None if it was never answered."""

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of these keys that were answered."""

    async def put(self, entry: Entry, *, spent: float = 0.0) -> None:
        """Keep an answer. spent: US dollars that left through this ledger for it. A known key changes nothing."""

    async def put_all(self, entries: Sequence[Entry]) -> None:
        """Keep many answers that cost nothing here (imports), all or none."""

    async def replace(self, entry: Entry, former: Aside) -> None:
        """Put another answer in the place of one that cannot be used, which is put aside; what was paid for it stays counted."""

    def all(self) -> AsyncIterator[Entry]:
        """All entries, ordered by key."""

    async def beginning(self, start: str) -> tuple[str, ...]:
        """Keys of entries that begin like this, by key; the first two, since more than one is too many to mean one."""

    async def put_aside(self, found: Aside) -> None:
        """Keep what came for a request and is not its answer."""

    async def aside(self, start: str) -> tuple[Aside, ...]:
        """What was put aside for requests whose keys begin like this, in the order in which it came."""

    async def of_scenario(self, scenario: str) -> tuple[str, ...]:
        """Keys of what was asked for the conversation of a scenario, run by run in the order in which it is asked."""

    async def outside_runs(self, role: str) -> tuple[Entry, ...]:
        """What this role was asked while documents were made and checked, in the order in which it was answered."""


class Money(Protocol):
    """US dollars that left through this ledger, or may."""

    async def spent(self) -> float:
        """What left so far: for answers, and lost."""

    async def held(self) -> float:
        """What calls under way may cost. More than 0 where nothing runs: a run was killed that may have spent it."""

    async def hold(self, dollars: float) -> None:
        """Record what calls under way may cost at most, before they are sent."""

    async def lose(self, dollars: float) -> None:
        """Count as spent what was paid and brought no answer."""

    async def write_off(self) -> None:
        """Count as lost what is held: the run that held it is no more."""


class Rounds(Protocol):
    """Requests that are answered another day, as batch files or at Batch APIs."""

    async def open(self, requests: Sequence[Request], submission: Submission | None = None) -> int:
        """Record that these requests are about to be written to a batch file; returns the number of the round, from 1.

        submission: how they go to a Batch API instead, recorded with the round or not at all; its number is the round's.
        """

    async def mark_written(self, number: int) -> None:
        """Record that the file of a round is on disk."""

    async def release(self, keys: Sequence[str]) -> None:
        """Give requests back unanswered: they are outstanding no more and may be asked in a new round."""

    async def all(self) -> tuple[Round, ...]:
        """All rounds, by number."""

    async def requests_of(self, number: int) -> tuple[Request, ...]:
        """The requests of a round in the order in which they were recorded."""

    async def outstanding(self, key: str) -> int | None:
        """The round in which this request waits for its answer, None if it waits in none."""

    async def asked(self, key: str) -> Request | None:
        """The request of this key if it was ever part of a round."""

    async def renamed(self, key: str) -> str:
        """The present key of a request that was sent under this one: the same, unless an earlier version sent it."""

    async def submissions(self) -> tuple[Submission, ...]:
        """What was handed to Batch APIs, by number."""

    async def note(
        self,
        submission: Submission,
        *,
        answers: Sequence[tuple[Entry, float]] = (),
        release: Sequence[str] = (),
        lost: float = 0.0,
    ) -> None:
        """Record how a submission stands now: all of it or nothing.

        answers: entries to keep, each with the US dollars that left for it. release: keys that are given back unanswered.
        lost: US dollars that left for nothing.
        """


class Reports(Protocol):
    """What the ledger holds, counted."""

    async def count(self) -> int:
        """Number of entries."""

    async def put_aside(self) -> int:
        """Number of bodies that were put aside; each answer that a better one has replaced is among them."""

    async def time_spent(self) -> tuple[TimeSpent, ...]:
        """The entries counted by the phase that asked, in the order of the first answers."""

    async def tokens_used(self) -> tuple[Consumption, ...]:
        """The entries counted by phase, run, role and model, in that order."""

    async def measured(self) -> tuple[Measured, ...]:
        """What each prompt took so far, by phase, role and form."""


class Ledger(Protocol):
    """Behind this stand one file on one machine today and may stand a shared database tomorrow. `ledger.opening` opens it.

    Nothing here keeps an event loop waiting. What writes returns only after what it wrote would survive a power cut; it raises
    errors.LedgerBroken when that cannot be, and what was in the ledger before stays valid. What reads raises LedgerDamaged.
    """

    @property
    def answers(self) -> Answers: ...

    @property
    def money(self) -> Money: ...

    @property
    def rounds(self) -> Rounds: ...

    @property
    def reports(self) -> Reports: ...

    @property
    def fetched(self) -> Archive:
        """What came back from the web."""

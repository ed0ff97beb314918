"""The course of submissions to a Batch API: recorded, sent, left, looked after by the next command, fetched, asked again.

Nothing is sent twice. Before the call that costs money a row says that it is about to be made; only the answer to it, or a look
at the provider's own list, takes that row further. Where neither tells, the requests wait, and a person can settle it.
docs/decisions/0009-batch-apis.md
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.durable import write_atomically
from finetune_prep.errors import FinetunePrepError, NotYet, Paused
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.ledger.submissions import State, Submission
from finetune_prep.models.batches import words
from finetune_prep.models.batches.api import BatchApi, Missing, Remote, Undecided, Unsure
from finetune_prep.models.batches.files import file_order, portions, round_path
from finetune_prep.models.batches.results import BatchPricing, Intake
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.retry import pause_before_next

# A batch that is not in the provider's list, and so much later still is not, was never received. Counted from the first look and
# not from the sending: that may have taken long, and whoever looks knows that it is over.
SETTLE_SECONDS = 120.0
FETCH_TRIES = 3
TOKEN_BYTES = 8


class OpenBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that answers are expected from."""

    number: int
    provider: str
    batch: str
    """The provider's name for it, "" if it is not known whether there is one."""
    asked: int
    """Requests in it."""
    outstanding: int
    """Of these, without an answer."""
    fresh: bool
    """Sent by this flush."""
    words: str
    """How far it is."""


class Batches:
    """Records requests; `flush` sends those that wait in no round. Looks after open submissions when first asked.

    name: of the provider. folder: the project's folder. notes: what people should hear of results that were taken in.
    """

    def __init__(self, name: str, api: BatchApi, ledger: Ledger, folder: Path, batch_pricing: BatchPricing) -> None:
        self._name = name
        self._api = api
        self._ledger = ledger
        self._folder = folder
        self._tariff = batch_pricing
        self._recorded: dict[str, Request] = {}
        self._looked_after: asyncio.Task[None] | None = None
        self._words: dict[int, str] = {}
        self._fresh: set[int] = set()
        self.notes: list[str] = []

    async def answer(self, request: Request) -> Reply:
        await self.look_after()
        if (entry := await self._ledger.answers.get(request.key)) is not None:
            return entry.reply  # it has come in just now
        number = await self._ledger.rounds.outstanding(request.key)
        if number is None:
            self._tariff.admit(request)  # what nobody has agreed to stops the run before anything is sent
            self._recorded[request.key] = request
            raise NotYet("the request is recorded for the next batch", where=request.place, next="finetune-prep batch status")
        raise NotYet(f"the answer is outstanding in round {number}", where=request.place, next="finetune-prep batch status")

    async def look_after(self) -> None:
        """See, once, what has become of open submissions, and take in what is done. Raises Paused."""
        if self._looked_after is None:
            self._looked_after = asyncio.create_task(self._look_after())
        await asyncio.shield(self._looked_after)

    async def flush(self) -> tuple[OpenBatch, ...]:
        """Send what was recorded since the last flush; returns every batch that answers are expected from, by number.

        Raises Paused for what the provider refuses and for what the budget has no room for; what was sent by then is recorded.
        """
        recorded = sorted(self._recorded.values(), key=file_order)
        self._recorded.clear()
        line = partial(self._api.row, token=secrets.token_hex(TOKEN_BYTES))
        unaffordable: list[Request] = []
        for portion in portions(recorded, line, self._api.most_requests, self._api.most_bytes):
            affordable = self._affordable(portion)
            unaffordable += portion[len(affordable) :]
            if affordable:
                await self._submit(affordable)
        if unaffordable:
            worst = sum(map(self._tariff.worst, unaffordable))
            waiting = sum(found.outstanding for found in await self.open())
            raise words.no_room(self._name, self._tariff.budget, len(unaffordable), worst, waiting)
        return await self.open()

    async def open(self) -> tuple[OpenBatch, ...]:
        """Every batch of this provider that answers are expected from, by number."""
        rounds = {found.number: found for found in await self._ledger.rounds.all()}
        return tuple(
            OpenBatch(
                number=submission.number,
                provider=self._name,
                batch=submission.batch,
                asked=rounds[submission.number].asked,
                outstanding=rounds[submission.number].outstanding,
                fresh=submission.number in self._fresh,
                words=self._words.get(submission.number, submission.state),
            )
            for submission in await self._open()
        )

    async def tell(self, submission: Submission) -> str:
        """How far an open submission is, in words; changes nothing."""
        if submission.state == "planned":
            return "it was never sent; the next run asks anew what is still needed"
        if submission.state != "sent":
            return words.unknown(submission, "it is looked for by the next run")
        return (await self._api.look(submission)).words

    async def cancel(self, submission: Submission) -> str:
        """Ask for the end of a batch and say how far it is. What is done can be fetched when it has ended."""
        remote = await self._api.look(submission)
        if not remote.ended:
            try:
                remote = await self._api.cancel(submission)
            except FinetunePrepError:
                remote = await self._api.look(submission)  # it may have ended meanwhile
                if not remote.ended:
                    raise
        return remote.words

    async def close(self) -> None:
        """What was not flushed is recorded again by the next run."""
        if self._looked_after is not None and not self._looked_after.done():
            self._looked_after.cancel()
            await asyncio.gather(self._looked_after, return_exceptions=True)
        await self._api.close()

    # sending

    def _affordable(self, portion: Sequence[Request]) -> list[Request]:
        """As many of the requests, from the first, as the budget has room for at their worst."""
        room = self._tariff.budget.room
        fitting = []
        for request in portion:
            room -= self._tariff.worst(request)
            if room < 0:
                break
            fitting.append(request)
        return fitting

    async def _submit(self, requests: list[Request]) -> None:
        worst = sum(map(self._tariff.worst, requests))
        planned = Submission(number=0, provider=self._name, token=secrets.token_hex(TOKEN_BYTES), worst=worst)
        self._tariff.budget.commit(worst)
        number = await self._ledger.rounds.open(requests, planned)
        submission = msgspec.structs.replace(planned, number=number)
        path = round_path(self._folder, number)
        rows = (self._api.row(self._tariff.limited(request), submission.token) for request in requests)
        await asyncio.to_thread(write_atomically, path, rows)
        self._fresh.add(number)
        try:
            uploaded = await self._api.upload(path)
            clue = await self._api.clue(uploaded)
        except FinetunePrepError:
            await self._give_back(submission)
            raise
        submission = await self._note(submission, "sending", clue=clue, at=_stamp(_now()))
        try:
            remote = await self._api.create(uploaded, submission, path)
        except Unsure as unsure:
            await self._seek(submission, str(unsure))
        except FinetunePrepError:
            await self._give_back(submission)
            raise
        else:
            await self._sent(submission, remote)

    async def _sent(self, submission: Submission, remote: Remote) -> Submission:
        self._words[submission.number] = remote.words
        return await self._note(submission, "sent", batch=remote.id)

    async def _note(self, submission: Submission, state: State, **fields: str) -> Submission:
        changed = msgspec.structs.replace(submission, state=state, **fields)
        await self._ledger.rounds.note(changed)
        return changed

    async def _give_back(self, submission: Submission) -> None:
        """The provider never had it: its requests may be asked again."""
        keys = [request.key for request in await self._ledger.rounds.requests_of(submission.number)]
        await self._ledger.rounds.note(msgspec.structs.replace(submission, state="void"), release=keys)
        await self._tariff.budget.redeem(submission.worst, 0.0)

    # looking after

    async def _open(self) -> list[Submission]:
        return [found for found in await self._ledger.rounds.submissions() if found.open and found.provider == self._name]

    async def _look_after(self) -> None:
        pauses = []
        for submission in await self._open():
            if submission.state == "planned":
                await self._give_back(submission)
                continue
            known = submission if submission.state == "sent" else await self._seek(submission)
            if known is not None and (pause := await self._fetch(known)) is not None:
                pauses.append(pause)
        if pauses:
            raise pauses[0]

    async def _seek(self, submission: Submission, reason: str = "") -> Submission | None:
        """The submission as sent, None if it is not known to have come to the provider. reason: why that has to be found out."""
        claimed = {found.batch for found in await self._ledger.rounds.submissions() if found.batch}
        keys = {request.key for request in await self._ledger.rounds.requests_of(submission.number)}
        try:
            remote = await self._api.find(submission, keys, claimed)
        except Undecided as undecided:
            self._words[submission.number] = words.unknown(submission, str(undecided))
            return None
        if remote is not None:
            return await self._sent(submission, remote)
        since = datetime.fromisoformat(submission.at) if submission.state == "missed" else _now()
        left = SETTLE_SECONDS - (_now() - since).total_seconds()
        if left <= 0:
            await self._give_back(submission)
            return None
        if submission.state != "missed":
            await self._note(submission, "missed", at=_stamp(since))
        again = f"run the same command again in {left:.0f} s" + (f" ({reason})" if reason else "")
        self._words[submission.number] = words.unknown(submission, again)
        return None

    async def _fetch(self, submission: Submission) -> Paused | None:
        """Take in the results of a batch that has ended. Returns what a person must fix before the rest is asked again."""
        try:
            return await self._fetch_known(submission)
        except Missing:
            return words.lost_sight(self._name, submission)

    async def _fetch_known(self, submission: Submission) -> Paused | None:
        remote = await self._api.look(submission)
        self._words[submission.number] = remote.words
        if not remote.ended:
            return None
        requests = await self._ledger.rounds.requests_of(submission.number)
        answered = await self._ledger.answers.known([request.key for request in requests])
        intake = Intake(self._ledger, self._tariff, requests, answered)
        try:
            await self._read_through(remote, intake)
        finally:
            await self._tariff.budget.redeem(0.0, intake.spent)
        if not intake.complete(remote.done):
            self._words[submission.number] = words.incomplete(submission, remote)
            return None
        ended = msgspec.structs.replace(submission, state="fetched")
        answers, lost, fix = intake.last, intake.lost, words.to_fix(self._name, submission, remote, intake.pause)
        self.notes += words.unanswered(submission, intake.failures)
        await self._ledger.rounds.note(ended, answers=answers, release=intake.missing, lost=lost)
        await self._tariff.budget.redeem(submission.worst, lost + sum(dollars for _, dollars in answers))
        return fix

    async def _read_through(self, remote: Remote, intake: Intake) -> None:
        """All rows of the results; from the beginning if they break off."""
        for tries in range(1, FETCH_TRIES + 1):
            intake.start()
            try:
                async with contextlib.aclosing(self._api.lines(remote)) as lines:
                    async for line in lines:
                        try:
                            result = self._api.read(line)
                        except (ValueError, RecursionError):
                            result = None
                        await intake.take(result)
                return await intake.commit()
            except Fault as fault:
                await intake.commit()
                if tries == FETCH_TRIES:
                    raise words.broken_off(self._name, remote, fault) from None
                await asyncio.sleep(pause_before_next(tries, fault.retry_after))
        return None


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")

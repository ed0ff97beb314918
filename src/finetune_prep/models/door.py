"""`reply = await door.ask(request)`: ledger → budget → limits → retry → provider.

A reply is handed over only after it is on disk, so whatever was paid for is there after any crash. Two askers of the same
request share one call. A call under way outlives the asker who gave up: it is paid for, so its answer is kept.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Reply, Request, RoleName
from finetune_prep.errors import (
    FinetunePrepError,
    NotInRecording,
    NotYet,
    Paused,
    PriceUnknown,
    Unanswered,
    Unreachable,
    Unusable,
)
from finetune_prep.ledger.protocols import Entry, Ledger
from finetune_prep.models.batches.files import BatchFiles, OpenRound
from finetune_prep.models.batches.submissions import Batches, OpenBatch
from finetune_prep.models.budget import Budget, Reservation
from finetune_prep.models.prices import Prices, cost
from finetune_prep.models.providers.provider import Fault, Provider
from finetune_prep.models.retry import PersistentCaller

T = TypeVar("T")

GRACE_SECONDS = 30.0
SILENT_CALLS = 5  # calls that used up all their time while nobody was answered, before the run stops asking that provider
FINAL = {"rejected", "filtered", "refused"}  # asking again with the error would get the same
EMPTY = "(no answer)"  # some chat templates refuse an empty message


class RoleProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one role. known: answered from the ledger. answered: by a provider. spent: US dollars, this run."""

    known: int = 0
    answered: int = 0
    spent: float = 0.0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the door was opened. asked: calls of `ask`. known: answered from the ledger. answered: by a provider.

    in_flight: with a provider now. waiting: recorded for a batch file. failed: gave no answer. spent: US dollars, this run.
    roles: what was answered, by role.
    """

    asked: int = 0
    known: int = 0
    answered: int = 0
    in_flight: int = 0
    waiting: int = 0
    failed: int = 0
    spent: float = 0.0
    roles: dict[RoleName, RoleProgress] = {}


COUNTED = tuple(name for name in Progress.__struct_fields__ if name != "roles")
Observer = Callable[[Progress], None]


@dataclass(slots=True)
class Route:
    """The way to one provider. charges: whether its answers cost money here.

    silent: calls without any answer that were begun after the last answer came. last_answer: loop time.
    """

    name: str
    provider: Provider
    caller: PersistentCaller
    base_url: str = ""
    charges: bool = False
    silent: int = 0
    last_answer: float = float("-inf")


class Door:
    """Made by `roles.open_door`. Belongs to one event loop; close it, or use it as an async context manager."""

    def __init__(
        self,
        ledger: Ledger,
        route_of: Callable[[RoleName], Route],
        *,
        prices: Prices,
        budget: Budget,
        observer: Observer | None = None,
    ) -> None:
        self.ledger = ledger
        self._route_of = route_of
        self.prices = prices
        self.budget = budget
        self._observer = observer
        self._routes: dict[str, Route] = {}
        self._calls: dict[str, _UnderWay] = {}
        self._stopped: FinetunePrepError | None = None
        self._counts: dict[str, float] = dict.fromkeys(COUNTED, 0)
        self._roles: dict[RoleName, RoleProgress] = {}

    async def ask(self, request: Request) -> Reply:
        """The answer to a request, from the ledger or from its provider. Look at `reply.problem` before using it.

        Raises NotYet (recorded for a batch file), Unreachable (passing faults; not kept), NotInRecording, Paused (key,
        credit, settings, budget), PriceUnknown, LedgerBroken.
        """
        self._count(asked=1)
        entry = self.ledger.get(request.key)
        if entry is not None:
            self._count(request.role, known=1)
            return entry.reply
        under_way = self._calls.get(request.key)
        if under_way is None:
            under_way = self._calls[request.key] = _UnderWay()
            under_way.call = asyncio.create_task(self._tell(request, under_way))
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        under_way.askers.append(answer)
        return await answer

    async def ask_all(self, requests: Iterable[Request]) -> list[Reply]:
        """Answers to independent requests, asked at the same time, in their order. Errors as of `together`."""
        return await together(self.ask(request) for request in requests)

    async def ask_for(self, request: Request, parse: Callable[[str], T]) -> T:
        """What `parse` reads in the answer. parse raises ValueError, with the reason, for a text that it cannot use.

        An answer that cannot be used is asked for once more, with the reason; if that one cannot be used either, raises
        Unusable. Both stay in the ledger, so another run comes to the same end without asking. Other errors as of `ask`.
        """
        reply = await self.ask(request)
        try:
            return _read(reply, parse)
        except ValueError as error:
            reason = _reason(error)
        if reply.problem not in FINAL:
            try:
                return _read(await self.ask(asked_again(request, reply, reason)), parse)
            except ValueError as error:
                reason = _reason(error)
        refused = reply.problem == "rejected"
        raise Unusable(reason, where=request.place, next=f"finetune-prep show {request.key}", rejected=refused)

    async def ask_all_for(self, requests: Sequence[Request], parse: Callable[[str], T]) -> list[T]:
        """What `parse` reads in the answers to independent requests, in their order. Errors as of `together`."""
        return await together(self.ask_for(request, parse) for request in requests)

    async def flush(self) -> tuple[OpenRound | OpenBatch, ...]:
        """Write the batch files of what was recorded, or send it to Batch APIs; returns every round that waits for answers.

        Raises Paused for what a Batch API refuses or the budget has no room for.
        """
        rounds: tuple[OpenRound | OpenBatch, ...] = ()
        for route in self._routes.values():
            if isinstance(route.provider, BatchFiles | Batches):
                rounds += await route.provider.flush()
        return rounds

    async def close(self, grace: float = GRACE_SECONDS) -> None:
        """Let calls under way finish for at most `grace` seconds, so that what is paid for is kept; then give up the rest.

        Calls that wait to be sent, or to be sent again, are not sent any more.
        """
        self._stop(_ended())
        calls = [under_way.call for under_way in self._calls.values() if under_way.call is not None]
        if calls:
            _, late = await asyncio.wait(calls, timeout=grace)
            for call in late:
                call.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for route in self._routes.values():
            await route.provider.close()
        await self.budget.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close; batch files are written unless the program itself failed or was interrupted."""
        try:
            if error is None or isinstance(error, FinetunePrepError):
                await self.flush()
        finally:
            # a second Ctrl-C comes as KeyboardInterrupt: whoever presses it does not want to wait
            await self.close(0.0 if isinstance(error, KeyboardInterrupt) else GRACE_SECONDS)

    async def _tell(self, request: Request, under_way: _UnderWay) -> None:
        """Make a call and tell its askers: in a task of its own, which no asker who gives up takes with him.

        They wait for futures and not for the task: that is one turn of the event loop less for each call.
        """
        try:
            reply = await self._fetch(request)
        except asyncio.CancelledError:
            for asker in under_way.askers:
                asker.cancel()
            raise
        except Exception as error:
            for asker in under_way.waiting():
                asker.set_exception(error)
        else:
            for asker in under_way.waiting():
                asker.set_result(reply)
        finally:
            del self._calls[request.key]

    async def _fetch(self, request: Request) -> Reply:
        self.check_stopped()
        route = self._route(request.role)
        self._count(in_flight=1)
        try:
            reply = await self._bought(route, request)
        except NotYet:
            self._count(in_flight=-1, waiting=1)
            raise
        except BaseException as error:
            self._count(in_flight=-1, failed=1)
            if isinstance(error, Paused | PriceUnknown) and not isinstance(error, NotInRecording):
                self._stop(error)
            raise
        self._count(request.role, in_flight=-1, answered=1)
        return reply

    async def _bought(self, route: Route, request: Request) -> Reply:
        """The reply, kept in the ledger and paid from the budget. Raises as `ask`."""
        paid = route.charges
        reservation = (
            self.budget.reservation(request, self.prices, route.name, route.base_url) if paid else Reservation(request, 0.0)
        )
        call = _Call(self, route, reservation)
        try:
            reply = await route.caller.call(request, call)
        except Unreachable as error:
            # a call that was silent while others, begun later, were answered says nothing about the endpoint
            route.silent += call.first_sent > route.last_answer
            if route.silent >= SILENT_CALLS:
                raise _silent(route, error) from error
            raise
        finally:
            if call.under_way:
                await self.budget.lose(reservation)  # given up by this side: nobody knows whether it was billed
            await self.budget.settle(reservation, call.spent)
            self._count(request.role, spent=call.spent)
        route.silent = 0
        route.last_answer = asyncio.get_running_loop().time()
        return reply

    def _route(self, role: RoleName) -> Route:
        route = self._route_of(role)
        self._routes[route.name] = route
        return route

    def _stop(self, reason: FinetunePrepError) -> None:
        """From now on nothing is sent; whoever waits to send is told the reason. The first reason stands."""
        self._stopped = self._stopped or reason
        for route in self._routes.values():
            route.caller.abandon()

    def check_stopped(self) -> None:
        """Raise what has stopped the run. After that nothing more is sent, neither new calls nor retries of old ones."""
        if self._stopped is not None:
            raise copy.copy(self._stopped)

    @property
    def progress(self) -> Progress:
        """The counts as they are now."""
        return Progress(**self._counts, roles=self._roles)  # type: ignore[arg-type]

    def _count(self, role: RoleName | None = None, **changes: float) -> None:
        """role: counted for it, too, by what it counts."""
        for name, by in changes.items():
            self._counts[name] += by
        if role is not None:
            before = self._roles.get(role, RoleProgress())
            after = {name: getattr(before, name) + changes.get(name, 0) for name in RoleProgress.__struct_fields__}
            self._roles = self._roles | {role: RoleProgress(**after)}
        if self._observer is not None:
            self._observer(self.progress)


@dataclass(slots=True)
class _UnderWay:
    """A call that is under way, and who waits for it."""

    call: asyncio.Task[None] | None = None
    askers: list[asyncio.Future[Reply]] = field(default_factory=list)

    def waiting(self) -> list[asyncio.Future[Reply]]:
        """Askers who have not given up."""
        return [asker for asker in self.askers if not asker.done()]


@dataclass(slots=True)
class _Call:
    """One call to a provider, as the retry layer sees it.

    spent: US dollars that the answer cost here. under_way: an attempt was sent and nothing has come back. first_sent: loop time.
    """

    door: Door
    route: Route
    reservation: Reservation
    spent: float = 0.0
    under_way: bool = False
    first_sent: float = 0.0

    async def begin(self) -> None:
        self.door.check_stopped()
        await self.door.budget.hold(self.reservation)
        self.under_way = True
        self.first_sent = self.first_sent or asyncio.get_running_loop().time()

    async def failed(self, fault: Fault) -> None:
        self.under_way = False
        if fault.maybe_billed:
            await self.door.budget.lose(self.reservation)
        # nothing is set aside between attempts: who holds money is under way, so who waits for money waits for an end
        await self.door.budget.settle(self.reservation, 0.0)

    async def answered(self, reply: Reply) -> Reply:
        """Price the reply and keep it. Its slot is held meanwhile, so never more than a limit's worth of calls is unkept."""
        if self.route.charges:
            known = cost(self.door.prices, self.reservation.request.model, self.route.base_url, reply.usage)
            # what was not counted is taken for the worst case, or the cap would not hold
            self.spent = self.reservation.worst if known is None else known
            reply = msgspec.structs.replace(reply, cost=known)
        await self.door.ledger.put(Entry(self.reservation.request, reply), spent=self.spent)
        self.under_way = False
        return reply


def recall(ledger: Ledger, request: Request, parse: Callable[[str], T]) -> T:
    """What `Door.ask_for` would give, from the ledger alone.

    Raises NotYet where a provider would have to be asked, and Unusable as `ask_for` does.
    """
    entry = ledger.get(request.key)
    if entry is None:
        raise NotYet("this has not been asked yet", where=request.place)
    try:
        return _read(entry.reply, parse)
    except ValueError as error:
        reason = _reason(error)
    if entry.reply.problem not in FINAL:
        again = ledger.get(asked_again(request, entry.reply, reason).key)
        if again is None:
            raise NotYet("this has been asked once, and not for the second time", where=request.place)
        try:
            return _read(again.reply, parse)
        except ValueError as error:
            reason = _reason(error)
    raise Unusable(reason, where=request.place, next=f"finetune-prep show {request.key}")


async def together(asked: Iterable[Awaitable[T]]) -> list[T]:
    """Await all at once, all to their end; then raise the gravest error, if any.

    Programming errors go before pauses, pauses before requests without a usable answer, and NotYet comes last: so every
    request of a group gets into the same batch file.
    """
    results = await asyncio.gather(*asked, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise min(errors, key=_gravity)
    return [result for result in results if not isinstance(result, BaseException)]


def _gravity(error: BaseException) -> int:
    order = (NotYet, Unanswered, NotInRecording, FinetunePrepError, BaseException)
    return -next(place for place, kind in enumerate(order) if isinstance(error, kind))


def asked_again(request: Request, reply: Reply, reason: str) -> Request:
    """The request that follows an answer which cannot be used: the same, with that answer and what is wrong with it."""
    complaint = f"That answer cannot be used: {reason}\nAnswer again, in full, in the form that was asked for."
    return msgspec.structs.replace(
        request,
        messages=(
            *request.messages,
            Message("assistant", reply.text if reply.text.strip() else EMPTY),
            Message("user", complaint),
        ),
        sample=f"{request.sample}/again",
    )


def _read(reply: Reply, parse: Callable[[str], T]) -> T:
    """What could be read. Raises ValueError with the reason why nothing could."""
    if reply.problem is not None:
        raise ValueError(f"{reply.problem}: {reply.detail}" if reply.detail else reply.problem)
    return parse(reply.text)


def _reason(error: ValueError) -> str:
    return str(error) or "it cannot be read"


def _ended() -> Unreachable:
    return Unreachable("the run ended before this was asked", next="run the same command again; only what is missing is asked")


def _silent(route: Route, error: Unreachable) -> Paused:
    return Paused(
        f"the provider “{route.name}” gives no answers: {error.what}",
        where=error.where,
        next="check that the endpoint runs and can be reached, then run the same command again; nothing is lost",
    )

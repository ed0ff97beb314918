"""`reply = await door.ask(request)`: the one way to a language model, on one screen in `Door._buy`.

A reply is handed over only after it is on disk, so whatever was paid for is there after any crash. Two askers of the same
request share one call. A call under way outlives the asker who gave up: it is paid for, so its answer is kept.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

from finetune_prep.core.request import Reply, Request, RoleName
from finetune_prep.errors import FinetunePrepError, NotAgreed, NotInRecording, NotYet, Paused, PriceUnknown, Unreachable
from finetune_prep.ledger.protocols import Entry, Ledger
from finetune_prep.models.answer_limits import AnswerLimits
from finetune_prep.models.askings import next_asking
from finetune_prep.models.attempts import Attempts
from finetune_prep.models.batches.files import BatchFiles, OpenRound
from finetune_prep.models.batches.submissions import Batches, OpenBatch
from finetune_prep.models.budget import Budget, Charge
from finetune_prep.models.caches.warming import Warming
from finetune_prep.models.prices import Prices
from finetune_prep.models.progress import Observer, Progress, RoleProgress
from finetune_prep.models.providers.provider import Fault, Provider, Unreadable
from finetune_prep.models.routes import Route, Routes
from finetune_prep.models.together import together
from finetune_prep.project.config import Config

T = TypeVar("T")

GRACE_SECONDS = 30.0
MOST_FAILURES = 3  # calls without an answer that a person is told of while others are under way


def open_door(
    config: Config,
    ledger: Ledger,
    folder: Path,
    *,
    provider: str | Provider | None = None,
    observer: Observer | None = None,
    uncounted: Collection[str] = (),
    opened: Mapping[str, int] = MappingProxyType({}),
    agreed: bool = True,
    usual: Callable[[Request], int] | None = None,
    at_most: float | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Door:
    """The door for a project. Providers are made when first asked, so keys of unused ones need not exist.

    folder: the project's folder. provider: one for all roles instead of those in finetune-prep.toml, by name or as an
    object (a Scripted, in tests; free of charge). observer: told of every change of the counts.
    uncounted: models ("provider/model") that may be asked beside a budget although their price is not known. opened: how many
    further attempts people have opened, by the key of the first one. agreed: whether a person has agreed to pay for what costs
    money. usual: tokens that the answer to a request usually takes, by which answers are limited where there is a budget.
    at_most: US dollars that may be spent, whatever the budget leaves. tell: takes a line for a person.
    """
    prices, budget = (
        Prices(config.prices),
        Budget(config.budget, ledger, uncounted, agreed=agreed, limits=AnswerLimits(usual) if usual else None, at_most=at_most),
    )
    routes = Routes(config, ledger, folder, provider, prices, budget)
    return Door(ledger, routes, prices=prices, budget=budget, observer=observer, opened=opened, tell=tell)


class Door:
    """Belongs to one event loop. An async context manager."""

    def __init__(
        self,
        ledger: Ledger,
        routes: Routes,
        *,
        prices: Prices,
        budget: Budget,
        observer: Observer | None = None,
        opened: Mapping[str, int] = MappingProxyType({}),
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.ledger = ledger
        self._routes = routes
        self._prices = prices
        self._budget = budget
        self._warming = Warming(prices)
        self._observer = observer
        self._opened = opened
        self._tell = tell
        self._by_role: dict[RoleName, Route] = {}
        self._calls: dict[str, _Call] = {}
        self._stopped: FinetunePrepError | None = None
        self._cut: set[RoleName] = set()
        """Roles of which a person has been told that an answer was cut off."""
        self._failures = 0
        """Calls without an answer of which a person has been told."""
        self._counts: dict[str, float] = {}
        self._role_counts: dict[RoleName, dict[str, float]] = {}

    async def ask(self, request: Request) -> Reply:
        """The answer to a request, from the ledger or from its provider. Look at `reply.problem` before using it.

        Raises NotYet (recorded for a batch file), Unreachable (passing faults; not kept), NotInRecording, Paused (key,
        credit, settings, budget), NotAgreed, PriceUnknown, LedgerBroken.
        """
        self._count(asked=1)
        entry = await self.ledger.answers.get(request.key)
        if entry is not None:
            self._count(request.role, known=1)
            return entry.reply
        call = self._calls.get(request.key)
        if call is None:
            call = self._calls[request.key] = _Call()
            call.task = asyncio.create_task(self._answer(request, call))
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        call.askers.append(answer)
        return await answer

    async def ask_all(self, requests: Iterable[Request]) -> list[Reply]:
        """Answers to independent requests, asked at the same time, in their order. Errors as of `together`."""
        return await together(self.ask(request) for request in requests)

    async def ask_for(self, request: Request, parse: Callable[[str], T]) -> T:
        """What `parse` reads in the answer. parse raises ValueError, with the reason, for a text that it cannot use.

        An answer that cannot be used is asked for again, up to three times in all and once more for each time that a person has
        opened it again (`next_asking` says how); if none can be used, raises Unusable. All stay in the ledger, so another run
        comes to the same end without asking. Other errors as of `ask`.
        """
        asked = request
        while True:
            reply = await self.ask(asked)
            try:
                return reply.read(parse)
            except ValueError as error:
                asked = next_asking(request, asked, reply, error, self._opened.get(request.key, 0))

    async def ask_all_for(self, requests: Sequence[Request], parse: Callable[[str], T]) -> list[T]:
        """What `parse` reads in the answers to independent requests, in their order. Errors as of `together`."""
        return await together(self.ask_for(request, parse) for request in requests)

    def by_batch(self, roles: Iterable[RoleName]) -> bool:
        """Whether the answers of any of these roles come by batch, after the run that asks for them. Raises ConfigError."""
        return any(map(self._routes.by_batch, roles))

    async def flush(self) -> tuple[OpenRound | OpenBatch, ...]:
        """Write the batch files of what was recorded, or send it to Batch APIs; returns every round that waits for answers.

        Raises Paused for what a Batch API refuses or the budget has no room for.
        """
        rounds: tuple[OpenRound | OpenBatch, ...] = ()
        for route in self._routes.made:
            if isinstance(route.provider, BatchFiles | Batches):
                rounds += await route.provider.flush()
        return rounds

    async def close(self, grace: float = GRACE_SECONDS) -> None:
        """Let calls under way finish for at most `grace` seconds, so that what is paid for is kept; then give up the rest.

        Calls that wait to be sent, or to be sent again, are not sent any more.
        """
        self._stop(_ended())
        tasks = [call.task for call in self._calls.values() if call.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for route in self._routes.made:
            await route.provider.close()
        await self._budget.close()

    async def __aenter__(self) -> Self:
        await self._budget.load()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close; batch files are written unless the program itself failed or was interrupted."""
        try:
            if error is None or isinstance(error, FinetunePrepError):
                await self.flush()
        finally:
            # a second Ctrl-C comes as KeyboardInterrupt: whoever presses it does not want to wait
            await self.close(0.0 if isinstance(error, KeyboardInterrupt) else GRACE_SECONDS)

    async def _answer(self, request: Request, call: _Call) -> None:
        """Make a call and tell its askers: in a task of its own, which no asker who gives up takes with him.

        They wait for futures and not for the task: that is one turn of the event loop less for each call.
        """
        try:
            reply = await self._counted(request, call)
        except asyncio.CancelledError:
            for asker in call.askers:
                asker.cancel()
            raise
        except Exception as error:
            for asker in call.waiting():
                asker.set_exception(error)
        else:
            for asker in call.waiting():
                asker.set_result(reply)
        finally:
            del self._calls[request.key]

    async def _counted(self, request: Request, call: _Call) -> Reply:
        """The reply; how the call went is counted, and what must stop the run stops it."""
        self._check_stopped()
        route = self._by_role.get(request.role)
        if route is None:
            route = self._by_role[request.role] = self._routes.of(request.role)
        self._count(in_flight=1)
        try:
            reply, spent = await self._buy(route, request, call)
        except NotYet:
            self._count(in_flight=-1, waiting=1)
            raise
        except BaseException as error:
            self._count(None, in_flight=-1, **{call.ended(error, stopped=self._stopped is not None): 1})
            if isinstance(error, Unreachable) and self._counts["in_flight"] and self._failures < MOST_FAILURES:
                self._failures += 1  # it is told at the end, too, but the others may take their time
                self._tell(f"{error.where}: {error.what}")
            if isinstance(error, Paused | NotAgreed | PriceUnknown) and not isinstance(error, NotInRecording):
                self._stop(error)
            raise
        self._count(request.role, in_flight=-1, answered=1, spent=spent)
        return reply

    async def _buy(self, route: Route, request: Request, call: _Call) -> tuple[Reply, float]:
        """Hold, answer, put, settle – once for each attempt, until one is answered: the reply, and the US dollars it cost here.

        The slot is given back when the answer comes, so that the endpoint does not wait for our disk. That goes for half as many
        answers as there are slots at most: a disk that is slow, or full, holds the others back. Raises as `ask`.
        """
        async with self._charge(route, request) as charge, self._warming.turn(route, request) as turn:
            async for attempt in Attempts(route, request):
                reply = None
                with attempt:
                    self._check_stopped()
                    await charge.hold()
                    call.sent = call.under_way = True
                    reply = charge.price(await attempt.answer(charge.put(request)))
                    if 2 * route.unkept >= route.limit.slots.ceiling - 1:
                        return await self._keep(route, request, reply, charge)
                if reply is not None:
                    return await self._keep(route, request, reply, charge)
                call.under_way = False
                turn.tried()
                if silence := attempt.silence():
                    self._tell(silence)
                if isinstance(attempt.fault, Unreadable):
                    await self.ledger.answers.put_aside(attempt.fault.evidence(request))
                await charge.failed(attempt.fault)
        raise AssertionError("the attempts end with an error")

    async def _keep(self, route: Route, request: Request, reply: Reply, charge: Charge | _Free) -> tuple[Reply, float]:
        """Put an answer on disk, and settle its price; then it is handed over, with the US dollars that it cost here."""
        route.unkept += 1
        try:
            await self.ledger.answers.put(Entry(request, reply), spent=charge.spent)
        finally:
            route.unkept -= 1
        await charge.settle()
        if (tokens := charge.cut(reply)) and request.role not in self._cut:
            self._cut.add(request.role)
            self._tell(_cut_off(request, tokens))
        return reply, charge.spent

    def _charge(self, route: Route, request: Request) -> Charge | _Free:
        return self._budget.charge(request, self._prices, route.name, route.base_url) if route.charges else FREE

    def _stop(self, reason: FinetunePrepError) -> None:
        """From now on nothing is sent; whoever waits to send is told the reason. The first reason stands."""
        self._stopped = self._stopped or reason
        for route in self._routes.made:
            route.limit.abandon()

    def _check_stopped(self) -> None:
        """Raise what has stopped the run. After that nothing more is sent, neither new calls nor retries of old ones."""
        if self._stopped is not None:
            raise copy.copy(self._stopped)

    @property
    def room(self) -> float:
        """US dollars of the budget that are neither spent nor set aside, infinity without one."""
        return self._budget.room

    def agree(self) -> None:
        """A person has agreed to pay for what is asked from now on."""
        self._budget.agreed = True

    @property
    def progress(self) -> Progress:
        """The counts as they are now."""
        roles = {role: RoleProgress(**counts) for role, counts in self._role_counts.items()}  # type: ignore[arg-type]
        return Progress(**self._counts, roles=roles)  # type: ignore[arg-type]

    def _count(self, role: RoleName | None = None, **changes: float) -> None:
        """role: counted for it, too, by what it counts."""
        counts = self._counts
        for name, by in changes.items():
            counts[name] = counts.get(name, 0) + by
        if role is not None:
            counts = self._role_counts.setdefault(role, {})
            for name, by in changes.items():
                if name in RoleProgress.__struct_fields__:
                    counts[name] = counts.get(name, 0) + by
        if self._observer is not None:
            self._observer(self.progress)


@dataclass(slots=True)
class _Call:
    """A call that is under way, and who waits for it."""

    task: asyncio.Task[None] | None = None
    askers: list[asyncio.Future[Reply]] = field(default_factory=list)
    sent: bool = False
    """Whether any attempt of it has been sent."""
    under_way: bool = False
    """Whether one is with the provider now."""

    def waiting(self) -> list[asyncio.Future[Reply]]:
        """Askers who have not given up."""
        return [asker for asker in self.askers if not asker.done()]

    def ended(self, error: BaseException, *, stopped: bool) -> str:
        """As what a call without an answer is counted. stopped: whether the run has been."""
        if isinstance(error, asyncio.CancelledError) and self.under_way:
            return "abandoned"
        return "unasked" if stopped and not self.sent else "failed"


def _cut_off(request: Request, tokens: int) -> str:
    return (
        f"an answer of the {request.role} was cut off at {tokens:,} tokens, which is a limit of this program: what is cut is "
        f"asked for again, at most twice, with twice the room each time. To set your own: max_tokens under [roles.{request.role}]"
    )


class _Free:
    """The `Charge` where nothing is charged."""

    spent = 0.0

    async def hold(self) -> None: ...

    def put(self, request: Request) -> Request:
        return request

    def price(self, reply: Reply) -> Reply:
        return reply

    def cut(self, reply: Reply) -> int:
        return 0

    async def settle(self) -> None: ...

    async def failed(self, fault: Fault) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None: ...


FREE = _Free()


def _ended() -> Unreachable:
    return Unreachable("the run ended before this was asked", next="run the same command again; only what is missing is asked")

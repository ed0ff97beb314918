"""The first call with a prefix goes alone, so that the others find it in the provider's cache.

Of many that go at once each would pay for the whole prompt: a cache has a prefix only when a call with it has been answered. That
is worth the wait where cached tokens are cheaper, and where a cache must be written by a mark, which costs more than no cache.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import msgspec

from finetune_prep.core.request import Request
from finetune_prep.models.caches.prefix import is_kept, prefix
from finetune_prep.models.prices import Prices, price_cached
from finetune_prep.models.routes import Route

LIFETIME = 300.0  # seconds for which caches keep what is not read

Identity = tuple[str, str, bytes, str]
"""Route, model, schema and text: with another schema the providers' own words before the text are others, too."""


class Warming:
    """What was asked so far. Belongs to one event loop."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._prefixes: dict[Identity, _Prefix] = {}

    def turn(self, route: Route, request: Request) -> Turn | _AtOnce:
        """A context manager for one call: entered when it may go."""
        if not self._is_worth(route, request.model) or not is_kept(request):
            return AT_ONCE
        return Turn(self._prefixes, (route.name, request.model, msgspec.json.encode(request.schema), prefix(request)))

    def _is_worth(self, route: Route, model: str) -> bool:
        if route.marks or not route.charges:
            return route.marks
        price = self._prices.of(model, route.base_url, 1)
        return price is not None and price_cached(price) < price.input


class _Prefix:
    """used: loop time at which it was last asked with."""

    def __init__(self, used: float) -> None:
        self.used = used
        self.tried = asyncio.Event()


class Turn:
    """A call that may have to wait for the first one with its prefix, or is that."""

    def __init__(self, prefixes: dict[Identity, _Prefix], identity: Identity) -> None:
        self._prefixes = prefixes
        self._identity = identity
        self._own: _Prefix | None = None

    async def __aenter__(self) -> Self:
        now = asyncio.get_running_loop().time
        known = self._prefixes.get(self._identity)
        if known is None or (known.tried.is_set() and now() - known.used > LIFETIME):
            self._own = self._prefixes[self._identity] = _Prefix(now())
        else:
            await known.tried.wait()
            known.used = now()
        return self

    def tried(self) -> None:
        """The first attempt is over. Whatever came of it, the others wait no longer: what fails for one may fail for long."""
        if self._own is not None:
            self._own.tried.set()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.tried()


class _AtOnce:
    """The `Turn` where nobody waits."""

    def tried(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None: ...


AT_ONCE = _AtOnce()

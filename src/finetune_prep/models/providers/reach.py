"""Whether anybody is there at all: a server that was never started is told within seconds, one that has gone is waited for."""

from __future__ import annotations

import asyncio

from finetune_prep.errors import Paused
from finetune_prep.models.providers.provider import Fault
from finetune_prep.project.config import FILE

UNREACHED_SECONDS = 6.0  # without any connection from the first call on, before a person is told that there is nobody
UNREACHED_PAUSE = 0.5


class Reach:
    """The reach of one endpoint. where: as a person is told, "provider “x”"."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._reached = False
        self._first_try: float | None = None

    def trying(self) -> None:
        """A call is about to go."""
        if self._first_try is None:
            self._first_try = asyncio.get_running_loop().time()

    def reached(self) -> None:
        """Somebody was there: from now on a server that is away for a while is waited for."""
        self._reached = True

    def unreached(self, what: str) -> Fault | Paused:
        """A passing fault for a call without a connection; a pause where there was none from the first call on."""
        since = asyncio.get_running_loop().time() - (self._first_try or 0.0)
        if not self._reached and since > UNREACHED_SECONDS:
            fix = f"start the server, or fix `base_url` in {FILE}, then run the same command again; nothing is lost"
            return Paused(what, where=self._where, next=fix)
        return Fault(what, retry_after=None if self._reached else UNREACHED_PAUSE)

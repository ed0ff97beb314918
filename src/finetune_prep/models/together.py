"""Waiting for several answers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from finetune_prep.errors import FinetunePrepError, NotInRecording, NotYet, Unanswered, Unusable

T = TypeVar("T")


async def together(asked: Iterable[Awaitable[T]]) -> list[T]:
    """Await all at once, all to their end; then raise the gravest error, if any.

    Programming errors go before pauses, pauses before requests without a usable answer, and NotYet comes last: so every
    request of a group gets into the same batch file.
    """
    results = await asyncio.gather(*asked, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        gravest = min(errors, key=_gravity)
        if isinstance(gravest, Unusable):  # whoever has them asked again wants to do so once
            gravest.keys = tuple(dict.fromkeys(key for error in errors if isinstance(error, Unusable) for key in error.keys))
        raise gravest
    return [result for result in results if not isinstance(result, BaseException)]


def _gravity(error: BaseException) -> int:
    order = (NotYet, Unanswered, NotInRecording, FinetunePrepError, BaseException)
    return -next(place for place, kind in enumerate(order) if isinstance(error, kind))

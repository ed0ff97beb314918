"""What the ledger holds, counted."""

from __future__ import annotations

from typing import Any, TypeVar

import apsw
import msgspec

from finetune_prep.ledger.protocols import Consumption, Measured, TimeSpent
from finetune_prep.ledger.sqlite.reader import Reader

T = TypeVar("T")
TIME_SPENT = """
SELECT request ->> 'phase' AS phase, count(*), total(reply ->> 'seconds'),
       min(nullif(reply ->> 'at', '')) AS first, max(reply ->> 'at')
FROM entry GROUP BY phase ORDER BY first, phase
"""
CONSUMPTION = """
SELECT request ->> 'phase' AS phase, run, request ->> 'role' AS role, request ->> 'model' AS model,
       coalesce(reply ->> 'served_model', '') AS served,
       count(*), total(reply ->> '$.usage.input'), total(reply ->> '$.usage.cached'), total(reply ->> '$.usage.written'),
       total(reply ->> '$.usage.output'),
       total(reply ->> 'cost'), sum(reply ->> 'cost' IS NULL)
FROM entry GROUP BY phase, run, role, model, served ORDER BY phase, run, role, model, served
"""
MEASURED = """
SELECT request ->> 'phase' AS phase, request ->> 'role' AS role,
       coalesce(request ->> '$.schema.name',
                iif(request ->> 'role' = 'expert', request ->> '$.origin.about', request ->> 'role')) AS form,
       count(*), sum(attempt > 1), avg(reply ->> '$.usage.input'),
       avg(coalesce(reply ->> '$.usage.cached', 0)), avg(coalesce(reply ->> '$.usage.written', 0)),
       avg(reply ->> '$.usage.output')
FROM entry WHERE reply ->> '$.usage.input' IS NOT NULL AND reply ->> '$.usage.output' IS NOT NULL
GROUP BY phase, role, form ORDER BY phase, role, form
"""


class SqliteReports:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def count(self) -> int:
        return await self._reader.read(lambda connection: int(connection.execute("SELECT count(*) FROM entry").get))

    async def put_aside(self) -> int:
        return await self._reader.read(lambda connection: int(connection.execute("SELECT count(*) FROM aside").get))

    async def time_spent(self) -> tuple[TimeSpent, ...]:
        def read(connection: apsw.Connection) -> tuple[TimeSpent, ...]:
            return tuple(
                _as(TimeSpent, phase=phase, answers=answers, seconds=seconds, first=first or "", last=last or "")
                for phase, answers, seconds, first, last in connection.execute(TIME_SPENT)
            )

        return await self._reader.read(read)

    async def tokens_used(self) -> tuple[Consumption, ...]:
        names = Consumption.__struct_fields__

        def read(connection: apsw.Connection) -> tuple[Consumption, ...]:
            return tuple(
                _as(Consumption, **dict(zip(names, (*row[:6], *map(int, row[6:10]), *row[10:]), strict=True)))
                for row in connection.execute(CONSUMPTION)
            )

        return await self._reader.read(read)

    async def measured(self) -> tuple[Measured, ...]:
        names = Measured.__struct_fields__

        def read(connection: apsw.Connection) -> tuple[Measured, ...]:
            return tuple(_as(Measured, **dict(zip(names, row, strict=True))) for row in connection.execute(MEASURED))

        return await self._reader.read(read)


def _as(kind: type[T], **fields: Any) -> T:
    """A value of this kind. Raises ValueError where a damaged row has put something else into its sums."""
    return msgspec.convert(fields, kind)

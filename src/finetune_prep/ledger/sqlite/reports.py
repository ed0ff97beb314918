"""What the ledger holds, counted."""

from __future__ import annotations

from typing import Any, TypeVar

import apsw
import msgspec

from finetune_prep.ledger.protocols import Consumption, Measured, TimeSpent
from finetune_prep.ledger.sqlite.reader import Reader

T = TypeVar("T")
# Each takes the few words that it counts by out of the rows first: grouping whole rows would sort all that was ever said.
TIME_SPENT = """
WITH told AS MATERIALIZED (
    SELECT request ->> 'phase' AS phase, reply ->> 'seconds' AS seconds, reply ->> 'at' AS at FROM entry
)
SELECT phase, count(*), total(seconds), min(nullif(at, '')) AS first, max(at)
FROM told GROUP BY phase ORDER BY first, phase
"""
CONSUMPTION = """
WITH told AS MATERIALIZED (
    SELECT request ->> 'phase' AS phase, run, request ->> 'role' AS role, request ->> 'model' AS model,
           coalesce(reply ->> 'served_model', '') AS served, attempt,
           reply ->> '$.usage.input' AS input, reply ->> '$.usage.cached' AS cached, reply ->> '$.usage.written' AS written,
           reply ->> '$.usage.output' AS output, reply ->> 'cost' AS cost
    FROM entry
)
SELECT phase, run, role, model, served,
       count(*), sum(attempt > 1), total(input), total(cached), total(written), total(output), total(cost), sum(cost IS NULL)
FROM told GROUP BY phase, run, role, model, served ORDER BY phase, run, role, model, served
"""
MEASURED = """
WITH told AS MATERIALIZED (
    SELECT request ->> 'phase' AS phase, request ->> 'role' AS role,
           coalesce(request ->> '$.schema.name',
                    iif(request ->> 'role' = 'expert', request ->> '$.origin.about', request ->> 'role')) AS form,
           attempt, reply ->> '$.usage.input' AS input, coalesce(reply ->> '$.usage.cached', 0) AS cached,
           coalesce(reply ->> '$.usage.written', 0) AS written, reply ->> '$.usage.output' AS output
    FROM entry
)
SELECT phase, role, form, count(*), sum(attempt > 1), avg(input), avg(cached), avg(written), avg(output)
FROM told WHERE input IS NOT NULL AND output IS NOT NULL
GROUP BY phase, role, form ORDER BY phase, role, form
"""


class SqliteReports:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._used: tuple[int, tuple[Consumption, ...]] | None = None  # as of which version of the file

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
            version = connection.pragma("data_version")
            if self._used is None or self._used[0] != version:
                rows = ((*row[:7], *map(int, row[7:11]), *row[11:]) for row in connection.execute(CONSUMPTION))
                self._used = version, tuple(_as(Consumption, **dict(zip(names, row, strict=True))) for row in rows)
            return self._used[1]

        return await self._reader.read(read)

    async def measured(self) -> tuple[Measured, ...]:
        names = Measured.__struct_fields__

        def read(connection: apsw.Connection) -> tuple[Measured, ...]:
            return tuple(_as(Measured, **dict(zip(names, row, strict=True))) for row in connection.execute(MEASURED))

        return await self._reader.read(read)


def _as(kind: type[T], **fields: Any) -> T:
    """A value of this kind. Raises ValueError where a damaged row has put something else into its sums."""
    return msgspec.convert(fields, kind)

"""US dollars: spent, lost, and held for calls under way."""

from __future__ import annotations

from finetune_prep.ledger.sqlite.reader import Reader
from finetune_prep.ledger.sqlite.writer import Writer


class SqliteMoney:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def spent(self) -> float:
        query = "SELECT (SELECT total(spent) FROM entry) + (SELECT total(lost) FROM money)"
        return await self._reader.read(lambda connection: float(connection.execute(query).get))

    async def held(self) -> float:
        return await self._reader.read(lambda connection: float(connection.execute("SELECT total(held) FROM money").get))

    async def hold(self, dollars: float) -> None:
        await self._writer.do(lambda connection: connection.execute("UPDATE money SET held = ?", (dollars,)))

    async def lose(self, dollars: float) -> None:
        await self._writer.do(lambda connection: connection.execute("UPDATE money SET lost = lost + ?", (dollars,)))

    async def write_off(self) -> None:
        await self._writer.do(lambda connection: connection.execute("UPDATE money SET lost = lost + held, held = 0"))

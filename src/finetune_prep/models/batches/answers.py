"""Taking the answers of batch files into the ledger: by id, in any order, from any number of files and folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from finetune_prep.core.request import Request
from finetune_prep.errors import Paused
from finetune_prep.ledger.protocols import Entry, Ledger
from finetune_prep.models.batches.shapes import Foreign, Row, read_rows
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.providers.schema_enforcement import follows
from finetune_prep.models.wire.envelopes import NotACompletion
from finetune_prep.models.wire.http_status import out_of_credit

ROWS_PER_COMMIT = 1000


class BatchImport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows."""

    answered: int
    """Answers kept, of these `refused` are final refusals."""
    refused: int
    known: int
    """Rows the ledger held an answer to already."""
    released: int
    """Requests that failed in passing; the next run asks them again."""
    strangers: tuple[str, ...]
    """Ids that were never asked here."""
    unreadable: tuple[str, ...]
    """Why rows were not understood, a sentence for each reason; their requests stay outstanding."""
    outstanding: int
    """Requests that still wait in some round."""
    failures: tuple[str, ...] = ()
    """Why requests failed in passing, a sentence for each reason, with the place of the first."""
    unpaid: int = 0
    """Requests refused because the credit was used up; they stay outstanding."""
    refusals: tuple[str, ...] = ()
    """Why requests were refused for good, a sentence for each reason."""
    misfits: tuple[str, ...] = ()
    """Answers that do not follow the schema that was asked for, as `file:line`; they are kept, and asked for once more."""


async def import_answers(ledger: Ledger, paths: Sequence[Path]) -> BatchImport:
    """Keep every answer to a request of a batch file. Costs stay unknown: batch prices are not guessed.

    A row that is not understood stops no other, and its request stays outstanding. Raises UsageError if a file cannot be opened.
    """
    reading = _Reading(ledger)
    for path in paths:
        for row in read_rows(path):
            if isinstance(row, Foreign):
                reading.foreign.append(row)
            else:
                await reading.read(row)
            if len(reading.fresh) >= ROWS_PER_COMMIT:
                await reading.commit()
    await reading.commit()
    known = await ledger.answers.known(reading.failed)
    released = [key for key in reading.failed if key not in known and await ledger.rounds.outstanding(key) is not None]
    await ledger.rounds.release(released)
    outstanding = sum(found.outstanding for found in await ledger.rounds.all())
    return reading.summary(released=len(released), outstanding=outstanding)


class _Reading:
    """The rows read so far. fresh: answers not yet committed. failed: why rows failed in passing, by id."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.fresh: dict[str, Entry] = {}
        self.failed: dict[str, Foreign] = {}
        self.foreign: list[Foreign] = []
        self._answered = self._known = 0
        self._refusals: list[Foreign] = []
        self._strangers: dict[str, None] = {}
        self._unpaid: set[str] = set()
        self._misfits: list[str] = []

    async def read(self, row: Row) -> None:
        key = await self._ledger.rounds.renamed(row.key)
        request = await self._ledger.rounds.asked(key)
        if request is None:
            self._strangers[key] = None
        elif key in self.fresh or await self._ledger.answers.known([key]):
            self._known += 1
        else:
            self._take_in(key, request, row)

    def _take_in(self, key: str, request: Request, row: Row) -> None:
        try:
            reply = row.answer()
        except NotACompletion as error:
            self.foreign.append(Foreign(row.place, str(error), ""))
        except Paused as paused:
            if out_of_credit(paused.what):
                self._unpaid.add(key)
            else:
                self.failed[key] = Foreign(row.place, paused.what, "")
        except Fault as fault:
            self.failed[key] = Foreign(row.place, fault.reason, "")
        else:
            self.fresh[key] = Entry(request, reply)
            self._unpaid.discard(key)
            if reply.problem in ("rejected", "filtered") and not reply.text:
                self._refusals.append(Foreign(row.place, reply.detail or str(reply.problem), ""))
            if request.schema is not None and reply.problem is None and not follows(reply.text, request.schema.schema):
                self._misfits.append(row.place)

    async def commit(self) -> None:
        await self._ledger.answers.put_all(list(self.fresh.values()))
        self._answered += len(self.fresh)
        self.fresh.clear()

    def summary(self, *, released: int, outstanding: int) -> BatchImport:
        return BatchImport(
            answered=self._answered,
            refused=len(self._refusals),
            known=self._known,
            released=released,
            strangers=tuple(self._strangers),
            unreadable=tuple(_reasons(self.foreign)),
            outstanding=outstanding,
            failures=tuple(_reasons(self.failed.values())),
            unpaid=len(self._unpaid),
            refusals=tuple(_reasons(self._refusals)),
            misfits=tuple(self._misfits),
        )


def _reasons(foreign: Iterable[Foreign]) -> list[str]:
    """A sentence for each reason, with its first place and a sample: one wrong format is one problem, not a thousand."""
    groups: dict[str, list[Foreign]] = {}
    for row in foreign:
        groups.setdefault(row.why, []).append(row)
    sentences = []
    for why, rows in groups.items():
        more = f" (and {len(rows) - 1} more rows like it)" if len(rows) > 1 else ""
        sample = f": {rows[0].sample}" if rows[0].sample else ""
        sentences.append(f"{rows[0].place}{more}: {why}{sample}")
    return sentences

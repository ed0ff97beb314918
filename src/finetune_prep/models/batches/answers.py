"""Taking the answers of batch files into the ledger: by id, in any order, from any number of files and folders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused
from finetune_prep.ledger.protocols import Aside, Entry, Ledger
from finetune_prep.models.askings import first_asking
from finetune_prep.models.batches import pages
from finetune_prep.models.batches.shapes import Blank, Foreign, Row, read_rows
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.providers.schema_enforcement import misfit
from finetune_prep.models.wire.envelopes import NotACompletion
from finetune_prep.models.wire.http_status import out_of_credit

ROWS_PER_COMMIT = 1000
_AT_LINE = re.compile(r"not JSON, line (?P<line>\d+), ")


class BatchImport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows."""

    answered: int
    """Answers kept, of these `refused` are final refusals."""
    refused: int
    known: int
    """Rows the ledger held an answer to already."""
    replaced: int
    """Answers that could not be used, and gave way to a later one that can."""
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
    """Answers that do not follow the schema that was asked for, as `file:line: why`; they are kept, and asked for once more."""
    fresh_misfits: int = 0
    """How many of them are among `answered`; the others were given again, and cannot be used either."""
    blank: int = 0
    """Pages without an answer."""
    misplaced: tuple[str, ...] = ()
    """Pages without an answer that were written into elsewhere, as `file:line: why`."""

    @property
    def usable(self) -> int:
        """Answers taken in that are in the form that was asked for."""
        return self.answered - self.fresh_misfits + self.replaced

    @property
    def taken(self) -> int:
        """Rows that say something about a request of this project."""
        again = len(self.misfits) - self.fresh_misfits
        return self.answered + self.known + self.replaced + self.released + self.unpaid + again


async def import_answers(ledger: Ledger, paths: Sequence[Path]) -> BatchImport:
    """Keep every answer to a request of a batch file. Costs stay unknown: batch prices are not guessed.

    A row that is not understood stops no other, and its request stays outstanding. Raises UsageError if a file cannot be opened.
    """
    reading = _Reading(ledger)
    for path in paths:
        for row in read_rows(path):
            if isinstance(row, Foreign):
                reading.foreign.append(row)
            elif isinstance(row, Blank):
                await reading.pass_over(row)
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
        self._replaced: set[str] = set()
        self._attempts: dict[str, list[Request]] | None = None
        self._refusals: list[Foreign] = []
        self._strangers: dict[str, None] = {}
        self._unpaid: set[str] = set()
        self._misfits: list[str] = []
        self._fresh_misfits = self._blank = 0
        self._misplaced: list[str] = []

    async def read(self, row: Row) -> None:
        key = await self._ledger.rounds.renamed(row.key)
        request = await self._ledger.rounds.asked(key)
        if request is None:
            self._strangers[key] = None
        elif (known := self.fresh.get(key) or await self._ledger.answers.get(key)) is not None:
            if not await self._replaces(known, row) and not await self._is_still_unusable(known, row):
                self._known += 1
        else:
            self._take_in(key, request, row)

    async def pass_over(self, page: Blank) -> None:
        """A page without an answer, or with one where nobody looks for it."""
        key = await self._ledger.rounds.renamed(page.key)
        request = await self._ledger.rounds.asked(key)
        self._blank += 1
        if request is not None and page.key == request.key and (line := pages.changed_at(page.above, request)):
            self._misplaced.append(
                f"{page.place}:{line}: something was written here, and nothing below the page's last line, where the answer goes"
            )

    async def _is_still_unusable(self, known: Entry, row: Row) -> bool:
        """Whether a question has no answer that can be used, and this row, which comes after another, does not change that."""
        attempts = [await self._ledger.answers.get(asked.key) for asked in await self._attempts_of(known.request)]
        if any(usable(entry) for entry in (known, *attempts) if entry is not None):
            return False
        try:
            why = _why_misfit(row, row.answer(), known.request)
        except (NotACompletion, Paused, Fault):
            return False
        self._misfits += [why] if why else []
        return bool(why)

    async def _replaces(self, known: Entry, row: Row) -> bool:
        """Put the answer of a row in the place of one that cannot be used, unless another attempt brought one that can."""
        if usable(known):
            return False
        try:
            better = Entry(known.request, row.answer())
        except (NotACompletion, Paused, Fault):
            return False
        attempts = await self._attempts_of(known.request)
        others = [await self._ledger.answers.get(asked.key) for asked in attempts if asked.key != known.key]
        if not usable(better) or any(other is not None and usable(other) for other in others):
            return False
        if known.key in self.fresh:
            self.fresh[known.key] = better
        else:
            reply = known.reply
            body = reply.text or reply.detail
            former = Aside.of(
                known.request, "an answer that could not be used, and was replaced by a later one", body, at=reply.at
            )
            await self._ledger.answers.replace(better, former)
        # those that were asked since for want of this answer are needed no more
        await self._ledger.rounds.release(
            [asked.key for asked in attempts if asked.origin.attempt > known.request.origin.attempt]
        )
        self._replaced.add(known.key)
        return True

    async def _attempts_of(self, request: Request) -> list[Request]:
        """All attempts at what this request asks that were ever part of a round."""
        if self._attempts is None:
            self._attempts = {}
            for round in await self._ledger.rounds.all():
                for asked in await self._ledger.rounds.requests_of(round.number):
                    self._attempts.setdefault(first_asking(asked).key, []).append(asked)
        return self._attempts.get(first_asking(request).key, [])

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
            if why := _why_misfit(row, reply, request):
                self._misfits.append(why)
                self._fresh_misfits += 1

    async def commit(self) -> None:
        await self._ledger.answers.put_all(list(self.fresh.values()))
        self._answered += len(self.fresh)
        self.fresh.clear()

    def summary(self, *, released: int, outstanding: int) -> BatchImport:
        return BatchImport(
            answered=self._answered,
            refused=len(self._refusals),
            known=self._known,
            replaced=len(self._replaced),
            released=released,
            strangers=tuple(self._strangers),
            unreadable=tuple(_reasons(self.foreign)),
            outstanding=outstanding,
            failures=tuple(_reasons(self.failed.values())),
            unpaid=len(self._unpaid),
            refusals=tuple(_reasons(self._refusals)),
            misfits=tuple(self._misfits),
            fresh_misfits=self._fresh_misfits,
            blank=self._blank,
            misplaced=tuple(self._misplaced),
        )


def _why_misfit(row: Row, reply: Reply, request: Request) -> str:
    """Why an answer is not in the form that was asked for, with its place: on a page, the line of the page. "" if it is."""
    if reply.problem is not None or request.schema is None or not (why := misfit(reply.text, request.schema.schema)):
        return ""
    in_words = "{" in reply.text and not reply.text.lstrip().startswith(("{", "["))
    around = "; the JSON has to stand alone, without words around it" if in_words else ""
    if row.line and (at := _AT_LINE.match(why)):
        return f"{row.place}:{row.line + int(at['line']) - 1}: not JSON, {why[at.end() :]}{around}"
    return f"{row.place}: {why}{around if why.startswith('not JSON') else ''}"


def usable(entry: Entry) -> bool:
    """Whether an answer can be used, as far as can be told without knowing what it is for."""
    schema = entry.request.schema
    return entry.reply.problem is None and (schema is None or not misfit(entry.reply.text, schema.schema))


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

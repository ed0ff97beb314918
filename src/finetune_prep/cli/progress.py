"""How far a run is, while it runs: one live line on a terminal, now and then a plain line elsewhere.

The clock is looked at for the rate and the time to come only; nothing of it enters any result.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

from finetune_prep.cli import screen
from finetune_prep.models.progress import Progress
from finetune_prep.workflow.estimate import Estimate, projected

PLAIN_SECONDS = 30.0  # between two lines where a line cannot be written over
BETWEEN = " · "
LEAST_FIRST = ("rate", "in flight", "for a batch", "in all", "to go", "judged")  # what goes first where the window is narrow
RATED = 5  # answers from which on a rate says something


class Bar:
    """Shows the door's counts. expected: what the job will need, if that is known; then the line says of how much, and when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.expected: Estimate | None = None
        self.free = False
        """Whether nothing that is asked costs money."""
        self._clock = clock
        self._live = screen.has_codes(sys.stderr)
        self._begun: float | None = None
        self._told = clock()
        self._text = ""
        self._abandoned = 0

    def __call__(self, progress: Progress) -> None:
        now = self._clock()
        self._abandoned = progress.abandoned
        if progress.in_flight and self._begun is None:
            self._begun = now
        if self._live:
            self._text = self.words(progress, now, room=screen.room(sys.stderr, 4))
            click.echo(f"\r\x1b[K  {screen.cut(self._text, sys.stderr, 4)}", nl=False, err=True)
        elif progress.in_flight and now - self._told >= PLAIN_SECONDS:
            self._told = now
            screen.note(f"  {self.words(progress, now)}")

    def words(self, progress: Progress, now: float, room: int | None = None) -> str:
        """The counts in one line. now: as the clock says. room: characters; where they are few, what matters least goes."""
        done = progress.answered + progress.known
        total = round(sum(row.calls + row.known for row in self.expected.rows)) if self.expected else 0
        rate, to_go = self._pace(progress, total - done, now)
        price = projected(self.expected, progress) if self.expected else None
        parts = {
            "answered": f"{done:,} of {total:,} answered" if total > done else f"{done:,} answered",
            "judged": self._judged(progress),
            "in flight": f"{progress.in_flight} in flight" if progress.in_flight else "",
            "for a batch": f"{progress.waiting} for a batch" if progress.waiting else "",
            "failed": f"{progress.failed} failed" if progress.failed else "",
            "not asked": f"{progress.unasked} not asked" if progress.unasked else "",
            "rate": rate,
            "to go": to_go,
            "spent": f"${progress.spent:.4f} spent" if progress.spent else "",
            "in all": f"about ${price:.2f} in all" if price else "",
        }
        told = {name: words for name, words in parts.items() if words}
        for name in LEAST_FIRST:
            if room is not None and len(BETWEEN.join(told.values())) > room:
                told.pop(name, None)
        return BETWEEN.join(told.values())

    def _judged(self, progress: Progress) -> str:
        """Conversations of a pilot that have their verdict."""
        rows = [row for row in self.expected.rows if row.role == "judge" and row.phase == "pilot"] if self.expected else []
        planned = round(max((row.calls + row.known for row in rows), default=0))  # another row is second verdicts
        judge = progress.roles.get("judge")
        return f"{min(judge.known + judge.answered, planned)} of {planned} judged" if judge and planned else ""

    def _pace(self, progress: Progress, left: int, now: float) -> tuple[str, str]:
        """Calls per minute and the time to come, once there are enough answers to go by."""
        if self._begun is None or progress.answered < RATED or now <= self._begun:
            return "", ""
        each = (now - self._begun) / progress.answered
        return f"{60 / each:,.0f} a minute", f"{_time(left * each)} to go" if left > 0 else ""

    @property
    def loss(self) -> str:
        """What is said at the end of calls that were given up while a provider worked on them, "" if there were none."""
        calls = self._abandoned
        if not calls:
            return ""
        were, they = ("call under way was", "it") if calls == 1 else ("calls under way were", "they")
        return f"{calls} {were} abandoned; {they} will be asked again{'' if self.free else ' and may be billed twice'}."

    def clear(self) -> None:
        if self._live and self._text:
            click.echo("\r\x1b[K", nl=False, err=True)
        self._text = ""

    def around(self, tell: Callable[[str], None]) -> Callable[[str], None]:
        """A `tell` that does not write into the live line."""

        def told(line: str) -> None:
            self.clear()
            tell(line)

        return told


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

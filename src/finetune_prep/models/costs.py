"""What a project has cost, from what the ledger holds. Pure but for reading the ledger. What will be: `phases.estimate`."""

from __future__ import annotations

import msgspec

from finetune_prep.ledger.protocols import Consumption, Ledger
from finetune_prep.models.prices import Prices, saved_by_cache
from finetune_prep.models.roles import price_of
from finetune_prep.project.config import Config
from finetune_prep.project.consent.agreements import Amount


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent, and on what."""

    lines: tuple[Consumption, ...]
    """What was used, by phase, role and model."""
    spent: float
    """US dollars that left through this ledger, some of it perhaps for nothing."""
    held: float
    """US dollars set aside by a run that was killed, counted as spent by the next one."""
    committed: float = 0.0
    """US dollars set aside for what Batch APIs work on."""
    aside: int = 0
    """Bodies that came and are no answer, or were replaced by a better one: they may have cost something, and are kept."""

    @property
    def cost(self) -> float:
        """US dollars that the answers cost, wherever they were paid for (a recording's were paid for elsewhere)."""
        return sum(line.cost for line in self.lines)

    @property
    def unpriced(self) -> int:
        """Answers whose cost is unknown."""
        return sum(line.unpriced for line in self.lines)

    @property
    def answers(self) -> int:
        return sum(line.answers for line in self.lines)

    @property
    def counted(self) -> int:
        """Answers whose tokens were counted."""
        return sum(line.answers for line in self.lines if line.input)

    @property
    def cached_share(self) -> float | None:
        """Share of the prompts' tokens that came from the providers' caches, None if no tokens were counted."""
        tokens = sum(line.input for line in self.lines)
        return sum(line.cached for line in self.lines) / tokens if tokens else None

    def saved(self, config: Config) -> float | None:
        """US dollars that caches saved at today's prices, less what writing to them cost; None if no price of it is known.

        Counted for the models that play the roles now.
        """
        prices = Prices(config.prices)
        found = [_saved(line, config, prices) for line in self.lines if line.cached or line.written]
        known = [dollars for dollars in found if dollars is not None]
        return sum(known) if known else None

    def of_run(self, run: str) -> Costs:
        """The part of one run: what it was the first to ask."""
        return msgspec.structs.replace(self, lines=tuple(line for line in self.lines if line.run == run))


def _saved(line: Consumption, config: Config, prices: Prices) -> float | None:
    role = next((role for role in config.played if role == line.role), None)
    if role is None or config.role(role).model_name != line.model:
        return None
    price = price_of(config, prices, role, line.input // line.answers)
    return None if price is None else saved_by_cache(price, line.cached, line.written)


def in_words(found: Costs, dollars: str) -> str:
    """What its answers cost, without an end. dollars: `found.cost`, as it is to be written."""
    unpriced, answers = found.unpriced, found.answers
    if unpriced == answers:
        return f"What {'this answer' if answers == 1 else f'these {answers:,} answers'} cost is unknown"
    if not unpriced:
        return f"All answers cost {dollars}"
    others = "other" if unpriced == 1 else f"other {unpriced:,}"
    return f"{answers - unpriced:,} of {answers:,} answers cost {dollars}; the cost of the {others} is unknown"


async def costs(ledger: Ledger) -> Costs:
    """Everything the ledger says about money."""
    committed = sum(submission.worst for submission in await ledger.rounds.submissions() if submission.open)
    lines, money = await ledger.reports.tokens_used(), ledger.money
    aside = len(await ledger.answers.aside(""))
    return Costs(lines=lines, spent=await money.spent(), held=await money.held(), committed=committed, aside=aside)


async def so_far(ledger: Ledger) -> Amount:
    """What was spent through this ledger, and how many of its answers have no known cost: what agreements go by."""
    lines = await ledger.reports.tokens_used()
    return Amount(dollars=round(await ledger.money.spent(), 9), answers=sum(line.unpriced for line in lines))


def per_row(part: Costs, rows: int) -> float | None:
    """US dollars for each of so many rows; None if there are none, nothing was asked for them, or a price is missing."""
    return part.cost / rows if rows and part.lines and not part.unpriced else None

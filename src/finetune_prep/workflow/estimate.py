"""What a phase will need, before it starts: calls, tokens, money; and what it comes to while it runs.

Which prompts a phase asks, how often, and what an asking usually takes stands in their front matter (`prompt_facts`). The counts
follow from what is there: documents that exist are not written again, a rubric has the categories it has, a pilot's talks are
as long as the scenario space says, and a draft is handed back as often as it usually is, within what the project allows. What
a call takes is the mean of the ledger for the same prompt, as soon as there is one answer whose tokens were counted. A second
asking after an answer that could not be used is expected as often as it was needed so far. What comes from a provider's cache is
expected as it was measured, and before that as far as prompts begin alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from finetune_prep.core.request import Request, RoleName
from finetune_prep.ledger.protocols import Measured
from finetune_prep.method import limits
from finetune_prep.models.caches.prefix import MARKED, least
from finetune_prep.models.prices import Prices, charges_by_call, cost_of, price_cached
from finetune_prep.models.progress import Progress
from finetune_prep.models.roles import price_of
from finetune_prep.phases.drafting.prompt_facts import PHASE_NAMES, PILOT
from finetune_prep.project.config import Price, ProviderKind
from finetune_prep.project.consent.agreements import Amount
from finetune_prep.project.project import Project
from finetune_prep.workflow.batching.rounds import rounds as rounds_of
from finetune_prep.workflow.planned_calls import Planned, Used, planned, written

ALL = PHASE_NAMES


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt of a phase."""

    phase: str
    role: RoleName
    prompt: str
    """Name of its file, or the role that needs none."""
    draft_of: str = ""
    """Of `revise`: the prompt whose drafts are handed back with what was found, "" of all others."""
    model: str
    """As provider/model."""
    calls: float
    """Still to be made. A draft may or may not be handed back, so this need not be a whole number."""
    known: int
    """Answered before, and so free."""
    input_tokens: int
    """Of all these calls, `cached_tokens` included."""
    cached_tokens: int
    output_tokens: int
    cost: float | None
    """US dollars, None = unknown."""
    measured: int
    """Answers in the ledger that it rests on, 0 = it is taken from the bundled examples."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of its rows."""

    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: float | None
    """US dollars, None if a price is unknown."""
    measured: float
    """Share of the calls that rests on answers, 0 to 1."""
    rows: tuple[Row, ...]
    rounds: dict[str, int] = {}
    """Where answers come by batch file or Batch API: rounds of each phase that is not finished, one after the other."""
    about: str = ""
    """What it counts, in a sentence, where the phase alone does not say that."""

    def of(self, phase: str) -> Estimate:
        """The part of one phase."""
        rounds = {name: count for name, count in self.rounds.items() if name == phase}
        return msgspec.structs.replace(_sum(row for row in self.rows if row.phase == phase), rounds=rounds)


def estimate(
    project: Project,
    used: Used | None,
    phases: Sequence[str] = ALL,
    *,
    n: int = limits.PILOT,
    provider: str = "",
    anew: bool = False,
    waves: bool = True,
) -> Estimate:
    """What these phases have still to ask, in their order and the largest first. used: None if nothing was asked yet.

    n: conversations of the pilot. provider: asked for every role instead of those in finetune-prep.toml. anew: documents that
    exist are written again. waves: as of `rounds`. A pilot may be stopped before it has asked everything.
    """
    used = used or Used()
    measured = {(found.phase, found.role, found.form): found for found in used.measured}
    prices = Prices(project.config.prices)
    asked = [call for phase in phases for call in planned(project, used, phase, n, anew)]
    rows = (
        _row(project, prices, call, measured.get((call.phase, call.role, call.form)), provider) for call in asked if call.times
    )
    order = [*phases, *ALL]
    found = _sum(sorted(rows, key=lambda row: (order.index(row.phase), -row.input_tokens)))
    return msgspec.structs.replace(found, rounds=rounds_of(project, used, phases, n=n, provider=provider, anew=anew, waves=waves))


def estimate_of(project: Project, used: Used, requests: Sequence[Request], provider: str = "") -> Estimate:
    """What requests that are written already will need: prompts as long as they are, answers as such ones usually are."""
    measured = {(found.phase, found.role, found.form): found for found in used.measured}
    prices = Prices(project.config.prices)
    rows, opened = [], project.opened()
    for request in requests:
        call = written(project, request, opened)
        rows.append(_row(project, prices, call, measured.get((call.phase, call.role, call.form)), provider))
    return _sum(rows)


def estimate_of_calls(project: Project, used: Used, calls: Iterable[Planned], provider: str = "") -> Estimate:
    """What calls will need that are counted and not written yet, as such calls usually do."""
    measured = {(found.phase, found.role, found.form): found for found in used.measured}
    prices = Prices(project.config.prices)
    return _sum(
        _row(project, prices, call, measured.get((call.phase, call.role, call.form)), provider) for call in calls if call.times
    )


def estimate_of_pilot(project: Project, used: Used, calls: Mapping[RoleName, int], n: int, provider: str = "") -> Estimate:
    """What so many calls of each role of a pilot will need, as such calls usually do. n: conversations of that pilot. provider:
    as of `estimate`."""
    measured = {(found.phase, found.role, found.form): found for found in used.measured}
    prices = Prices(project.config.prices)
    # the judge's second verdicts are counted with the first ones
    kinds = {(call.role, call.prompt): call for call in reversed([*planned(project, used, PILOT, n, anew=True)])}
    rows = (
        _row(
            project,
            prices,
            msgspec.structs.replace(call, times=calls[call.role], known=0, opened=0),
            measured.get((call.phase, call.role, call.form)),
            provider,
        )
        for call in reversed([*kinds.values()])
        if calls.get(call.role)
    )
    return _sum(rows)


def to_agree(expected: Estimate, costly: Collection[RoleName]) -> Amount:
    """What a person agrees to with an estimate. costly: roles whose models cost money, or may."""
    rows = [row for row in expected.rows if row.role in costly]
    dollars = sum(row.cost for row in rows if row.cost is not None)
    return Amount(dollars=dollars, answers=sum(row.calls for row in rows if row.cost is None))


def projected(expected: Estimate, progress: Progress) -> float | None:
    """US dollars that a run will have cost at its end: what it spent, and for the calls to come what each role's cost so far.

    None if a price is unknown. Before a role's first answer its calls count as estimated.
    """
    total = 0.0
    for role in dict.fromkeys(row.role for row in expected.rows):
        rows = [row for row in expected.rows if row.role == role]
        done = progress.roles.get(role)
        calls = sum(row.calls + row.known for row in rows)
        rest = calls - (done.known + done.answered if done else 0)
        if done and done.answered:
            each: float | None = done.spent / done.answered
        else:
            each = _each(rows)
        if each is None:
            return None
        total += (done.spent if done else 0.0) + max(0, rest) * each
    return total


def _each(rows: list[Row]) -> float | None:
    """Estimated dollars for one call of a role."""
    calls = sum(row.calls for row in rows)
    known = [row.cost for row in rows if row.cost is not None]
    return None if len(known) < len(rows) else sum(known) / calls if calls else 0.0


def _sum(parts: Iterable[Row]) -> Estimate:
    rows = tuple(parts)
    calls = sum(row.calls for row in rows)
    known = [row.cost for row in rows if row.cost is not None]
    return Estimate(
        calls=round(calls),
        input_tokens=sum(row.input_tokens for row in rows),
        cached_tokens=sum(row.cached_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        cost=sum(known) if len(known) == len(rows) else None,
        measured=sum(row.calls for row in rows if row.measured) / calls if calls else 0.0,
        rows=rows,
    )


NOTHING_LEFT = _sum(())


def _row(project: Project, prices: Prices, call: Planned, found: Measured | None, provider: str) -> Row:
    prompt, answer, again = call.input, call.output, 1.0
    if found:
        prompt, answer = found.input if call.measurable else call.input, found.output
        again = found.answers / max(1, found.answers - found.again)
    calls = max(0.0, call.times - call.known - call.opened) * again + call.opened
    price = price_of(project.config, prices, call.role, round(prompt), provider)
    settings = project.config.role(call.role)
    if found:
        cached, written = min(found.cached, prompt), found.written
    else:
        kind = project.config.provider(provider or settings.provider).kind
        cached, written = _of_cache(call, calls, price, kind, settings.model_name)
    return Row(
        phase=call.phase,
        role=call.role,
        prompt=call.prompt,
        draft_of=call.draft_of,
        model=f"{provider or settings.provider}/{settings.model_name}",
        calls=calls,
        known=call.known,
        input_tokens=round(prompt * calls),
        cached_tokens=round(cached * calls),
        output_tokens=round(answer * calls),
        cost=None if price is None else cost_of(price, prompt * calls, cached * calls, answer * calls, written=written * calls),
        measured=found.answers if found else 0,
    )


def _of_cache(call: Planned, calls: float, price: Price | None, kind: ProviderKind, model: str) -> tuple[float, float]:
    """Tokens of a prompt that are expected to come from a cache, and to be put there: all but the first find what they share.

    None in a batch, where nobody knows what goes first, and none where a cached token costs as much as another.
    """
    if price is None or calls < 1 or call.shared < least(model):
        return 0.0, 0.0
    if not charges_by_call(kind) or price_cached(price) >= price.input:
        return 0.0, 0.0
    return call.shared * (calls - 1) / calls, call.shared / calls if kind in MARKED else 0.0

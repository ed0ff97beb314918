"""When a panel has run dry: how many different things it has named, and how many it would name in the end.

What a sampling unit is decides what the figures are about:

- one unit for each (expert, round), at least two rounds each: what *these* experts know between them. This is what says that
  the panel has run dry and another round of it is hardly worth asking.
- one unit for each expert, with all that it named in all its rounds (`by_expert`), at least six experts: what experts *of this
  kind* know. This is what says whether another expert would bring something new.

Rounds as units fall short of the second figure, because an expert repeats itself. Neither says that the domain is covered:
what no member would ever name leaves no trace. Units must be named blind: who is shown the list repeats none of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import exp, log, sqrt

import msgspec

from finetune_prep.statistics.rates import Z_95

DRY_COVERAGE = 0.95  # at most one in twenty of the next unit's proposals would be new
DRY_UNITS = 6  # with fewer, the coverage itself is too uncertain to stop on


class Saturation(msgspec.Struct, frozen=True, kw_only=True):
    """What incidence counts say about things not named yet.

    estimate, high and coverage are None where nothing can be said: fewer than two units, or nothing named.
    """

    units: int
    """How many sampling units there were."""
    observed: int
    """How many different things were named."""
    uniques: int
    """How many things were named in exactly one unit."""
    duplicates: int
    """How many things were named in exactly two units."""
    estimate: float | None
    """How many things would be named in the long run; falls short of the truth where some are rare."""
    low: float
    """Lower end of the 95% interval."""
    high: float | None
    """Upper end of the 95% interval."""
    coverage: float | None
    """Share of the next unit's proposals, 0 to 1, that would not be new."""
    dry: bool
    """Whether another unit is hardly worth asking for."""


class _Interval(msgspec.Struct, frozen=True):
    estimate: float
    low: float
    high: float


def by_expert(rounds: Iterable[tuple[str, AbstractSet[str]]]) -> tuple[frozenset[str], ...]:
    """One unit for each expert, in order of first appearance, from (expert, things it proposed in one round).

    An expert that proposed nothing is a unit, too.
    """
    units: dict[str, frozenset[str]] = {}
    for expert, things in rounds:
        units[expert] = units.get(expert, frozenset()) | things
    return tuple(units.values())


def saturation(units: Sequence[AbstractSet[str]]) -> Saturation:
    """Bias-corrected Chao2 (Chao 1987, Biometrics 43:783; Chao 2005, Encyclopedia of Statistical Sciences) and the sample
    coverage of Chao & Jost (2012, Ecology 93:2533; after Good 1953, Biometrika 40:237).

    Chao2 is a lower bound, and its interval with it. The interval given here runs from the lower of its and the second-order
    jackknife's lower ends to the higher of the two upper ends (decision 13 has the measured coverage).
    units: the things named in each, without having seen what was named in others.
    """
    times = Counter(thing for unit in units for thing in unit)
    frequencies = dict(sorted(Counter(times.values()).items()))  # sorted: the order in which floats are added up counts
    observed, uniques, duplicates = len(times), frequencies.get(1, 0), frequencies.get(2, 0)
    if len(units) < 2 or not observed:
        return Saturation(
            units=len(units), observed=observed, uniques=uniques, duplicates=duplicates,
            estimate=None, low=float(observed), high=None, coverage=None, dry=False,
        )  # fmt: skip
    chao, jackknife = _chao2(len(units), frequencies), _jackknife(len(units), frequencies)
    covered = _coverage(len(units), uniques, duplicates, times.total())
    return Saturation(
        units=len(units),
        observed=observed,
        uniques=uniques,
        duplicates=duplicates,
        estimate=chao.estimate,
        low=min(chao.low, jackknife.low),
        high=max(chao.high, jackknife.high),
        coverage=covered,
        dry=len(units) >= DRY_UNITS and covered >= DRY_COVERAGE,
    )


def _coverage(units: int, uniques: int, duplicates: int, incidences: int) -> float:
    """Estimated share of incidences that belong to things already seen; a form of its own where there are no duplicates."""
    if not uniques:
        return 1.0
    if uniques == incidences == 1:  # a single thing named once: the formula says 1, which nothing supports
        return 0.0
    once, twice = ((units - 1) * uniques, 2 * duplicates) if duplicates else ((units - 1) * (uniques - 1), 2)
    return 1 - uniques / incidences * once / (once + twice)


def _chao2(units: int, frequencies: Mapping[int, int]) -> _Interval:
    """Bias-corrected Chao2; variances as in Colwell, EstimateS user's guide, appendix B."""
    observed, once, twice = sum(frequencies.values()), frequencies.get(1, 0), frequencies.get(2, 0)
    share = (units - 1) / units
    unseen = share * once * (once - 1) / (2 * (twice + 1))
    if not unseen:
        return _Interval(observed, observed, _high_if_none_unseen(units, frequencies))
    if twice:
        spread = 2 * once - 1
        variance = (
            unseen
            + share**2 * once * spread**2 / (4 * (twice + 1) ** 2)
            + share**2 * once**2 * twice * (once - 1) ** 2 / (4 * (twice + 1) ** 4)
        )
    else:
        variance = unseen + share**2 * once * (2 * once - 1) ** 2 / 4 - share**2 * once**4 / (4 * (observed + unseen))
    return _beyond(observed, unseen, variance)


def _high_if_none_unseen(units: int, frequencies: Mapping[int, int]) -> float:
    """Upper end where Chao2 is what was observed: as in the same appendix."""
    observed = sum(frequencies.values())
    missed = sum(n * exp(-times) for times, n in frequencies.items()) / observed
    variance = sum(n * (exp(-times) - exp(-2 * times)) for times, n in frequencies.items())
    variance -= sum(times * n * exp(-times) for times, n in frequencies.items()) ** 2 / units
    return (observed + Z_95 * sqrt(max(variance, 0.0))) / (1 - missed)


def _jackknife(units: int, frequencies: Mapping[int, int]) -> _Interval:
    """Second-order jackknife with its variance: Burnham & Overton (1978, Biometrika 65:625). On the scale of what is unseen,
    so that the interval never begins below what was observed: Rexstad & Burnham (1991), user's guide for CAPTURE.
    """
    observed = sum(frequencies.values())
    weights = {1: 1 + (2 * units - 3) / units, 2: 1 - (units - 2) ** 2 / (units * (units - 1))}
    estimate = sum(weights.get(times, 1.0) * n for times, n in frequencies.items())
    variance = max(sum(weights.get(times, 1.0) ** 2 * n for times, n in frequencies.items()) - estimate, 0.0)
    if estimate <= observed:
        return _Interval(observed, observed, max(observed, estimate + Z_95 * sqrt(variance)))
    return _beyond(observed, estimate - observed, variance)


def _beyond(observed: int, unseen: float, variance: float) -> _Interval:
    """Interval of what was observed plus a log-normal number of unseen things (Chao 1987)."""
    factor = exp(Z_95 * sqrt(log(1 + max(variance, 0.0) / unseen**2)))
    return _Interval(observed + unseen, observed + unseen / factor, observed + unseen * factor)

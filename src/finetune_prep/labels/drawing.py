"""Which conversations a person reads: a seeded draw in which the probability of every conversation is known.

The judged conversations form two strata, those that the judge passed and those that it failed. Half of the draw goes to the
strata by their size, so that the whole is seen as it is; half goes to both alike, so that the rarer one is not missed. Within a
stratum each conversation has the same chance. They are shown in random order, and one in ten is shown again at the end. Behind
them come all conversations in which somebody seems to speak to the judge: they wait for a person, and measure nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from finetune_prep.core.sample import PASSED, Sample, State
from finetune_prep.labels.label import Sampling

FAILED: tuple[State, ...] = ("rejected",)  # a a duplicate has been read with its original
REPEATED = 10  # of as many conversations one is shown again


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation to label, and how it was drawn."""

    sample: Sample
    sampling: Sampling

    @property
    def conversation_id(self) -> str:
        assert self.sample.conversation is not None  # noqa: S101 - only conversations are drawn
        return self.sample.conversation.id

    @property
    def repeat(self) -> bool:
        return self.sampling.repeat


def strata(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Conversations that the judge passed, and those that it failed, each text once."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    found: tuple[list[Sample], list[Sample]] = ([], [])
    for sample in samples:
        if sample.conversation is None or sample.state not in (*PASSED, *FAILED):
            continue
        text = tuple((message.role, message.shown) for message in sample.conversation.messages)
        if text in seen:  # what `id` is the hash of: a set hashes faster
            continue
        seen.add(text)
        found[0 if sample.state in PASSED else 1].append(sample)
    return found


def draw(samples: Sequence[Sample], n: int, seed: int | str) -> tuple[Drawn, ...]:
    """n conversations of a run, or all if there are fewer, then the repeats, then those that wait for a person.

    A larger draw holds the smaller one.
    """
    divided = strata(samples)
    sizes = _sizes([len(stratum) for stratum in divided], n)
    design = f"strata-{n}/{seed}"
    chosen: list[Drawn] = []
    for name, stratum, size in zip(("passed", "failed"), divided, sizes, strict=True):
        order = sorted(stratum, key=lambda sample: _place(seed, name, sample))
        chosen += [Drawn(sample=sample, sampling=Sampling(design=design, p=size / len(stratum))) for sample in order[:size]]
    chosen.sort(key=lambda drawn: _place(seed, "order", drawn.sample))
    steered = (Drawn(sample=sample, sampling=Sampling(design="steered", p=1.0)) for sample in samples if sample.steered)
    return (*chosen, *(_again(drawn) for drawn in chosen[: len(chosen) // REPEATED]), *steered)


def _sizes(available: Sequence[int], n: int) -> list[int]:
    """How many of each stratum: half by size, half alike, the odd one to the first; what one lacks the other gives."""
    total = sum(available)
    if n >= total:
        return [*available]
    wanted = n / 2 * available[1] / total + n / 4
    failed = min(available[1], max(int(wanted), n - available[0]))
    return [n - failed, failed]


def _place(seed: int | str, purpose: str, sample: Sample) -> float:
    return random.Random(f"{seed}/review/{purpose}/{sample.scenario.id}").random()


def _again(drawn: Drawn) -> Drawn:
    return msgspec.structs.replace(drawn, sampling=msgspec.structs.replace(drawn.sampling, repeat=True))

"""The scenario space: who the users of an assistant are, what they bring, and how they go about it.

Weights within a dimension are relative; shares are of the plan.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal, get_args

import msgspec

from finetune_prep.core.knowledge import SetAside

Kind = Literal["normal", "edge", "out-of-scope"]
Reaction = Literal["answers", "half", "pushes back", "ignores"]
REACTIONS: tuple[Reaction, ...] = get_args(Reaction)


class Situation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A concrete situation within a topic ("TP1.2")."""

    id: str
    text: str
    material: str = ""
    """What the user has at hand and pastes (a diff, a letter, a log), described; "" for nothing."""


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    weight: float
    situations: tuple[Situation, ...] = ()
    jobs: tuple[str, ...] = ()
    """Ids of what the brief wants the assistant for ("JOB1")."""
    techniques: tuple[str, ...] = ()
    drawn_from: tuple[str, ...] = ()
    """Ids of the panel's proposals that its situations take up ("PR4")."""


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A kind of user. Every scenario makes somebody of its own out of it."""

    id: str
    name: str
    weight: float
    who: str = ""
    """Age band and circumstances."""
    writes: str = ""
    """Habits of writing that belong to this person, whatever the style."""
    keeps_back: str = ""
    """What this person does not say unless asked for it."""


class Style(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, cache_hash=True):
    """How a user writes."""

    id: str
    name: str
    weight: float
    fewest: int
    """Words in a message, at least."""
    most: int
    """Words in a message, at most."""
    sounds_like: str = ""


class Difficulty(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, cache_hash=True):
    id: str
    name: str
    weight: float
    means: str = ""


class Flaw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, cache_hash=True):
    """A way in which users communicate badly. It shows in at least one message of a user who has it, and in about half."""

    id: str
    name: str
    weight: float
    shows_as: str = ""
    from_exchange: int = 1
    """The first exchange in which it can show; not drawn for shorter conversations."""
    not_with: tuple[str, ...] = ()
    """Ids of difficulties and styles that it cannot go with."""


class Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, cache_hash=True):
    """How long a conversation is."""

    id: str
    name: str
    weight: float
    exchanges: int
    """Number of user-assistant pairs."""


class Arc(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How things go for the user while a conversation spans days."""

    id: str
    name: str
    weight: float
    means: str = ""


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much time passes between two exchanges of a conversation that spans days."""

    id: str
    name: str
    weight: float
    fewest: int
    """Days, at least; 0 is the same day."""
    most: int
    """Days, at most."""
    reads: str = ""
    """How it is written, in the language of the conversations: "{days} days later"; "" on the same day shows nothing."""


class SpecialCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An edge case (ED1) or an out-of-scope request (OS1)."""

    id: str
    name: str
    situation: str
    expected: str = ""
    topic: str = ""
    """"" when it belongs to none."""
    drawn_from: tuple[str, ...] = ()
    """Ids of the panel's proposals that it takes up."""


class Reactions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often users take a question of the assistant in which way; the shares are relative.

    The defaults are a convention of role-plays in counselling, where simulated clients who answer everything are the known way to
    unreal talks. Customers or programmers answer more often: a space says what is usual in its domain.
    """

    answers: float = 0.2
    half: float = 0.3
    """They answer half of it and go on to something else."""
    pushes_back: float = 0.2
    ignores: float = 0.3

    @property
    def shares(self) -> dict[Reaction, float]:
        return {"answers": self.answers, "half": self.half, "pushes back": self.pushes_back, "ignores": self.ignores}


class ScenarioSpace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, cache_hash=True, dict=True):
    """The content of scenario-space.md. edge_share and out_of_scope_share sum below 1."""

    title: str
    topics: tuple[Topic, ...] = ()
    people: tuple[Person, ...] = ()
    styles: tuple[Style, ...] = ()
    difficulties: tuple[Difficulty, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    lengths: tuple[Length, ...] = ()
    arcs: tuple[Arc, ...] = ()
    """Only where conversations span days, like `gaps`."""
    gaps: tuple[Gap, ...] = ()
    edge_cases: tuple[SpecialCase, ...] = ()
    out_of_scope: tuple[SpecialCase, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    """Situations of the panel that were not taken up."""
    edge_share: float = 0.15
    out_of_scope_share: float = 0.10
    no_flaw_share: float = 0.20
    reactions: Reactions = Reactions()
    panel: tuple[str, ...] = ()
    """Ids of the situations that the panel proposed."""

    @cached_property
    def exact(self) -> bytes:
        """The space as bytes, for what is kept by it: a weight of 1 equals one of 1.0, and a scenario writes it otherwise."""
        return msgspec.msgpack.encode(self)

    @property
    def special_cases(self) -> tuple[SpecialCase, ...]:
        return (*self.edge_cases, *self.out_of_scope)

    @property
    def capacity(self) -> int:
        """Number of distinct scenarios: situations × styles × difficulties × (flaws + none) × lengths."""
        situations = sum(len(topic.situations) for topic in self.topics) + len(self.special_cases)
        return situations * len(self.styles) * len(self.difficulties) * (len(self.flaws) + 1) * len(self.lengths)

"""What is known about a domain: what is asked for, how practitioners work, what goes wrong, facts, anchors, and their sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from finetune_prep.core.conversation import Conversation

FailureKind = Literal["AI", "human", "safety", "ethics"]
Severity = Literal["critical", "serious", "minor"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the gravest first
FactKind = Literal["telephone", "address", "link", "price", "deadline", "hours", "dose", "legal", "other"]
UNSOURCED = "expert"  # a citation with this source is an expert's own word: written `expert, unsourced`
BRIEF = "S0"  # the brief as a source: what the user says about the project is looked up there
JOB, LIMIT, RISK = "JOB", "LIMIT", "RISK"  # letters of the ids of what the brief asks for


class Citation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source's id ("S01") and the verbatim words it is cited for; source "expert" and no quote: unsourced."""

    source: str
    quote: str = ""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something the brief asks for: what the assistant is for ("JOB1"), may not do ("LIMIT1"), or could do wrong ("RISK1")."""

    id: str
    text: str
    sources: tuple[Citation, ...] = ()


class Preference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When to use this technique rather than `other` ("T2.1")."""

    other: str
    because: str


class Technique(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    does: str
    use_when: str
    rather_than: tuple[Preference, ...] = ()
    drawn_from: tuple[str, ...] = ()
    """The proposals of the panel that it takes up ("PR3")."""
    sources: tuple[Citation, ...] = ()
    snippets: tuple[Conversation, ...] = ()


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    idea: str
    use_when: str
    not_when: str
    drawn_from: tuple[str, ...] = ()
    """As of a technique."""
    techniques: tuple[Technique, ...] = ()


class Principle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    text: str
    drawn_from: tuple[str, ...] = ()
    """As of a technique."""
    sources: tuple[Citation, ...] = ()


class FailureMode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    kind: FailureKind
    severity: Severity = "serious"
    """How grave it is if it happens; a person confirms it."""
    drawn_from: tuple[str, ...] = ()
    """The limits and risks of the brief, the failures common to assistants and the proposals that it makes concrete ("RISK1")."""
    instance: str
    counter: str
    sources: tuple[Citation, ...] = ()


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A contact, price, date or other figure that replies may state ("FA1")."""

    id: str
    name: str
    value: str
    kind: FactKind
    scope: str = ""
    """For whom or when it holds ("UK, day and night")."""
    sources: tuple[Citation, ...] = ()
    confirmed_by: str = ""
    """Who vouches for it where no source does."""


class Contradiction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where sources say different things ("CT1")."""

    id: str
    text: str
    sources: tuple[Citation, ...] = ()
    """The passages that do not agree; nothing is decided between them."""


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One observable behaviour: always ("DO1") or never ("DONT1"), and what it was drawn from ("T1.1", "FM1")."""

    id: str
    text: str
    unless: str = ""
    """When it does not hold."""
    drawn_from: tuple[str, ...] = ()


class SetAside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that was looked at and not taken up, such as a failure common to assistants ("AF6") or a proposal ("PR14")."""

    id: str
    text: str
    """What it was, in a few words; "" if its id says it."""
    because: str


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page or file that is cited."""

    id: str
    title: str
    where: str
    """Address, or path within the project."""
    read: str
    """ISO date on which it was fetched or read, "" unknown."""
    publisher: str = ""
    published: str = ""
    """ISO date, "" unknown."""


class Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of domain-frameworks.md."""

    title: str
    asked_for: tuple[Wish, ...] = ()
    frameworks: tuple[Framework, ...] = ()
    principles: tuple[Principle, ...] = ()
    failure_modes: tuple[FailureMode, ...] = ()
    facts: tuple[Fact, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    always: tuple[Anchor, ...] = ()
    never: tuple[Anchor, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    sources: tuple[Source, ...] = ()
    panel: tuple[str, ...] = ()
    """Ids of what the panel proposed for it ("PR1")."""

    @property
    def techniques(self) -> tuple[Technique, ...]:
        return tuple(technique for framework in self.frameworks for technique in framework.techniques)

    @property
    def jobs(self) -> tuple[Wish, ...]:
        """What the assistant is for."""
        return tuple(wish for wish in self.asked_for if wish.id.startswith(JOB))

    @property
    def fears(self) -> tuple[Wish, ...]:
        """The limits and risks of the brief, in its order: each has to become a failure mode."""
        return tuple(wish for wish in self.asked_for if not wish.id.startswith(JOB))

    @property
    def stated(self) -> tuple[str, ...]:
        """The facts as lines of text, in which contacts and figures can be looked up."""
        return tuple(f"{fact.name}: {fact.value} ({fact.scope})" for fact in self.facts)

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return self.always + self.never

    @property
    def taken_up(self) -> frozenset[str]:
        """Ids of the wishes, common failures and proposals that some item is drawn from."""
        items: tuple[Framework | Technique | Principle | FailureMode, ...] = (
            *self.frameworks,
            *self.techniques,
            *self.principles,
            *self.failure_modes,
        )
        return frozenset(id for item in items for id in item.drawn_from)

    def citations(self) -> Iterator[tuple[str, Citation]]:
        """Every citation with the id of the item that makes it, in document order."""
        items: tuple[Wish | Technique | Principle | FailureMode | Fact | Contradiction, ...] = (
            *self.asked_for,
            *self.techniques,
            *self.principles,
            *self.failure_modes,
            *self.facts,
            *self.contradictions,
        )
        for item in items:
            for citation in item.sources:
                yield item.id, citation

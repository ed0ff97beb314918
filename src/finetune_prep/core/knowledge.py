"""What is known about a domain: frameworks, techniques, principles, failure modes, anchors, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from finetune_prep.core.conversation import Conversation

FailureKind = Literal["AI", "human", "safety", "ethics"]
Severity = Literal["critical", "serious", "minor"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the gravest first
UNSOURCED = "expert"  # a citation with this source is an expert's own word: written `expert, unsourced`


class Citation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source's id ("S01") and the verbatim words it is cited for; source "expert" and no quote: unsourced."""

    source: str
    quote: str = ""


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
    sources: tuple[Citation, ...] = ()
    snippets: tuple[Conversation, ...] = ()


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    idea: str
    use_when: str
    not_when: str
    techniques: tuple[Technique, ...] = ()


class Principle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    text: str
    sources: tuple[Citation, ...] = ()


class FailureMode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    kind: FailureKind
    instance: str
    counter: str
    severity: Severity = "serious"
    sources: tuple[Citation, ...] = ()


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
    drawn_from: tuple[str, ...] = ()


class SetAside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that was not taken up, and why."""

    id: str
    text: str
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
    frameworks: tuple[Framework, ...] = ()
    principles: tuple[Principle, ...] = ()
    failure_modes: tuple[FailureMode, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    always: tuple[Anchor, ...] = ()
    never: tuple[Anchor, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def techniques(self) -> tuple[Technique, ...]:
        return tuple(technique for framework in self.frameworks for technique in framework.techniques)

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return self.always + self.never

    def citations(self) -> Iterator[tuple[str, Citation]]:
        """Every citation with the id of the item that makes it, in document order."""
        items: tuple[Technique | Principle | FailureMode | Contradiction, ...] = (
            *self.techniques,
            *self.principles,
            *self.failure_modes,
            *self.contradictions,
        )
        for item in items:
            for citation in item.sources:
                yield item.id, citation

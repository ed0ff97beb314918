"""Readings of sources, and the domain reference that is written from their claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from finetune_prep.core.knowledge import (
    UNSOURCED,
    Citation,
    Contradiction,
    FailureKind,
    FailureMode,
    Framework,
    Knowledge,
    Preference,
    Principle,
    Source,
    Technique,
)
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, Turn, counted, to_conversation


class ClaimDraft(Strict, frozen=True):
    kind: Literal["practice", "principle", "failure", "safety", "ethics", "limit"]
    statement: Text
    quote: Text


class Reading(Strict, frozen=True):
    claims: Annotated[list[ClaimDraft], counted(limits.CLAIMS.taken)]


class PreferenceDraft(Strict, frozen=True):
    technique: Text
    because: Text


class TechniqueDraft(Strict, frozen=True):
    name: Text
    does: Text
    use_when: Text
    rather_than: list[PreferenceDraft]
    claims: list[str]
    snippets: Annotated[list[list[Turn]], counted(limits.SNIPPETS.taken)]


class FrameworkDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"techniques": "T{0}.{1}"}

    name: Text
    idea: Text
    use_when: Text
    not_when: Text
    techniques: Annotated[list[TechniqueDraft], counted(limits.TECHNIQUES.taken)]


class PrincipleDraft(Strict, frozen=True):
    text: Text
    claims: list[str]


class FailureDraft(Strict, frozen=True):
    name: Text
    kind: FailureKind
    instance: Text
    counter: Text
    claims: list[str]


class ContradictionDraft(Strict, frozen=True):
    text: Text
    claims: Annotated[list[str], Meta(min_length=2)]


class KnowledgeDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"frameworks": "F{0}", "principles": "P{0}", "failure_modes": "FM{0}", "contradictions": "CT{0}"}

    title: Text
    frameworks: Annotated[list[FrameworkDraft], counted(limits.FRAMEWORKS.taken)]
    principles: Annotated[list[PrincipleDraft], counted(limits.PRINCIPLES.taken)]
    failure_modes: Annotated[list[FailureDraft], counted(limits.FAILURE_MODES.taken)]
    contradictions: Annotated[list[ContradictionDraft], Meta(max_length=limits.CONTRADICTIONS)]


def to_knowledge(draft: KnowledgeDraft, citations: Mapping[str, Citation], sources: Sequence[Source]) -> Knowledge:
    """citations: verified quotes by number of the claim ("S02.4")."""
    names: dict[str, str] = {}
    for number, framework in enumerate(draft.frameworks, start=1):
        for position, technique in enumerate(framework.techniques, start=1):
            if technique.name in names:
                raise ValueError(f"Two techniques are called “{technique.name}”; names must differ.")
            names[technique.name] = f"T{number}.{position}"
    cited = _Cited(citations)
    frameworks = tuple(
        Framework(
            id=f"F{number}",
            name=framework.name,
            idea=framework.idea,
            use_when=framework.use_when,
            not_when=framework.not_when,
            techniques=tuple(_technique(technique, names, cited) for technique in framework.techniques),
        )
        for number, framework in enumerate(draft.frameworks, start=1)
    )
    principles = tuple(
        Principle(id=f"P{number}", text=principle.text, sources=cited(principle.claims, f"principle {number}"))
        for number, principle in enumerate(draft.principles, start=1)
    )
    failure_modes = tuple(
        FailureMode(
            id=f"FM{number}",
            name=failure.name,
            kind=failure.kind,
            instance=failure.instance,
            counter=failure.counter,
            sources=cited(failure.claims, f"failure mode “{failure.name}”"),
        )
        for number, failure in enumerate(draft.failure_modes, start=1)
    )
    contradictions = tuple(
        Contradiction(id=f"CT{number}", text=found.text, sources=cited(found.claims, f"contradiction {number}"))
        for number, found in enumerate(draft.contradictions, start=1)
    )
    return Knowledge(
        title=draft.title,
        frameworks=frameworks,
        principles=principles,
        failure_modes=failure_modes,
        contradictions=contradictions,
        sources=tuple(source for source in sources if source.id in cited.used),
    )


class _Cited:
    """Turns numbers of claims into citations and remembers which sources were used."""

    def __init__(self, citations: Mapping[str, Citation]) -> None:
        self.citations = citations
        self.used: set[str] = set()

    def __call__(self, claims: Sequence[str], where: str) -> tuple[Citation, ...]:
        unknown = [claim for claim in claims if claim not in self.citations]
        if unknown:
            raise ValueError(f"{where}: there is no claim {', '.join(unknown)}; use the numbers of the list, such as S01.1.")
        found = tuple(self.citations[claim] for claim in dict.fromkeys(claims))
        self.used.update(citation.source for citation in found)
        return found or (Citation(UNSOURCED),)


def _technique(draft: TechniqueDraft, names: Mapping[str, str], cited: _Cited) -> Technique:
    preferences = []
    for preference in draft.rather_than:
        if preference.technique not in names or preference.technique == draft.name:
            raise ValueError(f"“{draft.name}” rather than “{preference.technique}”: use the exact name of another technique.")
        preferences.append(Preference(names[preference.technique], preference.because))
    return Technique(
        id=names[draft.name],
        name=draft.name,
        does=draft.does,
        use_when=draft.use_when,
        rather_than=tuple(preferences),
        sources=cited(draft.claims, f"“{draft.name}”"),
        snippets=tuple(to_conversation(turns, f"snippet of “{draft.name}”") for turns in draft.snippets),
    )

"""Readings of sources and of the brief, and the domain reference that is written from them and from what a panel proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

from msgspec import Meta

from finetune_prep.core.knowledge import (
    BRIEF,
    JOB,
    LIMIT,
    RISK,
    UNSOURCED,
    Citation,
    Contradiction,
    Fact,
    FactKind,
    FailureKind,
    FailureMode,
    Framework,
    Knowledge,
    Preference,
    Principle,
    SetAside,
    Severity,
    Source,
    Technique,
    Wish,
)
from finetune_prep.core.quotes import find_quote
from finetune_prep.method import limits
from finetune_prep.method.assistant_failures import ASSISTANT_FAILURES
from finetune_prep.phases.drafting.draft import Strict, Text, Turn, counted, to_conversation


class ClaimDraft(Strict, frozen=True):
    kind: Literal["practice", "principle", "failure", "safety", "ethics", "limit", "fact"]
    statement: Text
    quote: Text


class Reading(Strict, frozen=True):
    claims: Annotated[list[ClaimDraft], counted(limits.CLAIMS.taken)]


class WishDraft(Strict, frozen=True):
    kind: Literal["job", "limit", "risk"]
    text: Text
    quote: Text


class AskedForDraft(Strict, frozen=True):
    items: Annotated[list[WishDraft], counted(limits.ASKED_FOR)]


class PreferenceDraft(Strict, frozen=True):
    technique: Text
    because: Text


class TechniqueDraft(Strict, frozen=True):
    name: Text
    does: Text
    use_when: Text
    rather_than: list[PreferenceDraft]
    claims: list[str]
    takes_up: list[str]
    snippets: Annotated[list[list[Turn]], counted(limits.SNIPPETS.taken)]


class FrameworkDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"techniques": "T{0}.{1}"}

    name: Text
    idea: Text
    use_when: Text
    not_when: Text
    takes_up: list[str]
    techniques: Annotated[list[TechniqueDraft], counted(limits.TECHNIQUES.taken)]


class PrincipleDraft(Strict, frozen=True):
    text: Text
    claims: list[str]
    takes_up: list[str]


class FailureDraft(Strict, frozen=True):
    name: Text
    kind: FailureKind
    instance: Text
    severity: Severity
    counter: Text
    claims: list[str]
    takes_up: list[str]


class FactDraft(Strict, frozen=True):
    name: Text
    value: Text
    kind: FactKind
    scope: str
    claims: Annotated[list[str], Meta(min_length=1)]


class ContradictionDraft(Strict, frozen=True):
    text: Text
    claims: Annotated[list[str], Meta(min_length=2)]


class SetAsideDraft(Strict, frozen=True):
    id: Text
    because: Text


class KnowledgeDraft(Strict, frozen=True):
    ITEMS: ClassVar = {
        "frameworks": "F{0}",
        "principles": "P{0}",
        "failure_modes": "FM{0}",
        "facts": "FA{0}",
        "contradictions": "CT{0}",
        "set_aside": "{item[id]}",
    }

    title: Text
    frameworks: Annotated[list[FrameworkDraft], counted(limits.FRAMEWORKS.taken)]
    principles: Annotated[list[PrincipleDraft], counted(limits.PRINCIPLES.taken)]
    failure_modes: Annotated[list[FailureDraft], counted(limits.FAILURE_MODES.taken)]
    facts: Annotated[list[FactDraft], Meta(max_length=limits.FACTS)]
    contradictions: Annotated[list[ContradictionDraft], Meta(max_length=limits.CONTRADICTIONS)]
    set_aside: list[SetAsideDraft]


class Given(NamedTuple):
    """What the writer of the reference was given, and may name."""

    wishes: tuple[Wish, ...]
    """What the brief asks for."""
    citations: Mapping[str, Citation]
    """Verified quotes by number of the claim ("S02.4")."""
    sources: tuple[Source, ...]
    proposals: Mapping[str, str]
    """Names of what the panel proposed for the reference, by id ("PR1")."""

    @property
    def quotes(self) -> dict[str, Citation]:
        """What may be cited: claims by their numbers, and the words of the brief by the ids of what it asks for."""
        return {wish.id: wish.sources[0] for wish in self.wishes} | dict(self.citations)

    @property
    def named(self) -> dict[str, str]:
        """What an item may take up, or be set aside: a word or two of each by id."""
        return {wish.id: "" for wish in self.wishes} | {row.id: row.name for row in ASSISTANT_FAILURES} | dict(self.proposals)


def to_wishes(draft: AskedForDraft, brief: str) -> tuple[Wish, ...]:
    """What the brief asks for, with ids: jobs, then limits, then risks. Raises ValueError if a quote is not in the brief."""
    if not any(item.kind == "job" for item in draft.items):
        raise ValueError("No item is a `job`: say what the assistant is for.")
    if lost := [item.quote for item in draft.items if not find_quote(item.quote, brief).exact]:
        words = "; ".join(f"“{quote}”" for quote in lost)
        raise ValueError(f"These quotes do not stand in the brief word for word: {words}. Copy each from one place of it.")
    return tuple(
        Wish(id=f"{letters}{number}", text=_sentence(item.text), sources=(Citation(BRIEF, " ".join(item.quote.split())),))
        for letters in (JOB, LIMIT, RISK)
        for number, item in enumerate((item for item in draft.items if item.kind == letters.lower()), start=1)
    )


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", "。", "！", "？")) else f"{line}."


def to_knowledge(draft: KnowledgeDraft, given: Given) -> Knowledge:
    """The reference. Raises ValueError where the draft names what it was not given."""
    names: dict[str, str] = {}
    for number, framework in enumerate(draft.frameworks, start=1):
        for position, technique in enumerate(framework.techniques, start=1):
            if technique.name in names:
                raise ValueError(f"Two techniques are called “{technique.name}”; names must differ.")
            names[technique.name] = f"T{number}.{position}"
    cited = _Cited(given.quotes)
    _check_named(draft, given.named)
    frameworks = tuple(
        Framework(
            id=f"F{number}",
            name=framework.name,
            idea=framework.idea,
            use_when=framework.use_when,
            not_when=framework.not_when,
            drawn_from=_once(framework.takes_up),
            techniques=tuple(_technique(technique, names, cited) for technique in framework.techniques),
        )
        for number, framework in enumerate(draft.frameworks, start=1)
    )
    return Knowledge(
        title=draft.title,
        asked_for=given.wishes,
        frameworks=frameworks,
        principles=tuple(_principle(principle, f"P{n}", cited) for n, principle in enumerate(draft.principles, start=1)),
        failure_modes=tuple(_failure(failure, f"FM{n}", cited) for n, failure in enumerate(draft.failure_modes, start=1)),
        facts=tuple(_fact(fact, f"FA{n}", cited) for n, fact in enumerate(draft.facts, start=1)),
        contradictions=tuple(
            Contradiction(id=f"CT{number}", text=found.text, sources=cited(found.claims, f"contradiction {number}"))
            for number, found in enumerate(draft.contradictions, start=1)
        ),
        set_aside=tuple(SetAside(item.id, given.named[item.id], item.because) for item in draft.set_aside),
        sources=tuple(source for source in given.sources if source.id in cited.used),
        panel=tuple(given.proposals),
    )


def _check_named(draft: KnowledgeDraft, known: Mapping[str, str]) -> None:
    """Raises ValueError where an item takes up, or sets aside, what there is not."""
    techniques = [technique for framework in draft.frameworks for technique in framework.techniques]
    taken = [item.takes_up for group in (draft.frameworks, techniques, draft.principles, draft.failure_modes) for item in group]
    named = [*(id for ids in taken for id in ids), *(item.id for item in draft.set_aside)]
    if unknown := [id for id in dict.fromkeys(named) if id not in known]:
        raise ValueError(f"There is no {', '.join(unknown)} to take up or set aside; use the ids that were given, such as PR1.")
    set_aside = [item.id for item in draft.set_aside]
    if twice := [id for id in dict.fromkeys(set_aside) if set_aside.count(id) > 1]:
        raise ValueError(f"{', '.join(twice)} is set aside twice; do it once.")


def _once(ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


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


def _principle(draft: PrincipleDraft, id: str, cited: _Cited) -> Principle:
    return Principle(id=id, text=draft.text, drawn_from=_once(draft.takes_up), sources=cited(draft.claims, f"principle {id}"))


def _failure(draft: FailureDraft, id: str, cited: _Cited) -> FailureMode:
    return FailureMode(
        id=id,
        name=draft.name,
        kind=draft.kind,
        severity=draft.severity,
        drawn_from=_once(draft.takes_up),
        instance=draft.instance,
        counter=draft.counter,
        sources=cited(draft.claims, f"failure mode “{draft.name}”"),
    )


def _fact(draft: FactDraft, id: str, cited: _Cited) -> Fact:
    sources = cited(draft.claims, f"fact “{draft.name}”")
    return Fact(id=id, name=draft.name, value=draft.value, kind=draft.kind, scope=draft.scope, sources=sources)


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
        drawn_from=_once(draft.takes_up),
        sources=cited(draft.claims, f"“{draft.name}”"),
        snippets=tuple(to_conversation(turns, f"snippet of “{draft.name}”") for turns in draft.snippets),
    )

"""What is read of the reference: statements beside their quotes, techniques and failures, anchors, and what these must fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from finetune_prep.core.knowledge import BRIEF, UNSOURCED, Anchor, Citation, Fact, FailureMode, Knowledge, Technique
from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.examining.gate_requests import sound
from finetune_prep.phases.examining.opinions import Item, Reading

NONE = "(none)"


def _knowledge(documents: Documents) -> Knowledge:
    return sound(documents, Documents.knowledge).value


def statements(documents: Documents) -> Iterator[Reading]:
    """Every item that cites a source, with the words it cites; what is marked as unsourced claims no source.

    What the brief asks for is left out: a person who knows the brief looks through that list.
    """
    knowledge = _knowledge(documents)
    said = [(technique.id, _technique(technique), technique.sources) for technique in knowledge.techniques]
    said += [(principle.id, principle.text, principle.sources) for principle in knowledge.principles]
    said += [(mode.id, f"{mode.name}. {mode.instance}", mode.sources) for mode in knowledge.failure_modes]
    said += [(fact.id, _fact(fact), fact.sources) for fact in knowledge.facts if not fact.confirmed_by]
    items = (Item(id, f"{text}\n\nQuoted:\n{_quotes(sources)}", id) for id, text, sources in said if _quotes(sources))
    yield Reading("statements and quotes", tuple(items))


def techniques_and_failures(documents: Documents) -> Iterator[Reading]:
    knowledge = _knowledge(documents)
    items = [Item(technique.id, _technique(technique), technique.id) for technique in knowledge.techniques]
    items += [Item(mode.id, _failure(mode), mode.id) for mode in knowledge.failure_modes]
    yield Reading("techniques and failures", tuple(items))


def anchors(documents: Documents) -> Iterator[Reading]:
    yield Reading("", _anchors(_knowledge(documents)))


def anchors_and_the_rest(documents: Documents) -> Iterator[Reading]:
    """Anchors, and behind them all that they must be kept along with: it may change without undoing what was said."""
    knowledge = _knowledge(documents)
    space = sound(documents, Documents.space).value
    items = _anchors(knowledge)
    cases = [f"- {case.id} {case.name}: {case.situation} Asked for: {case.expected}" for case in space.special_cases]
    frame = {
        "rules": _listed(f"- {item.id}: {item.text}" for item in items),
        "techniques": _listed(f"- {one.id} {one.name}: {one.does} When: {one.use_when}" for one in knowledge.techniques),
        "counters": _listed(f"- {mode.id} {mode.name}: {mode.counter}" for mode in knowledge.failure_modes),
        "cases": _listed(cases),
    }
    yield Reading("", items, frame)


def _anchors(knowledge: Knowledge) -> tuple[Item, ...]:
    always = [Item(anchor.id, f"Always: {_anchor(anchor)}", anchor.id) for anchor in knowledge.always]
    return (*always, *(Item(anchor.id, f"Never: {_anchor(anchor)}", anchor.id) for anchor in knowledge.never))


def _anchor(anchor: Anchor) -> str:
    return f"{anchor.text} Except: {anchor.unless}" if anchor.unless else anchor.text


def _technique(technique: Technique) -> str:
    return f"{technique.name}\nDoes: {technique.does}\nUse when: {technique.use_when}"


def _failure(mode: FailureMode) -> str:
    return f"{mode.name} ({mode.kind}, {mode.severity})\nInstance: {mode.instance}\nCounter: {mode.counter}"


def _fact(fact: Fact) -> str:
    return f"{fact.name}: {fact.value} ({fact.kind}; {fact.scope})" if fact.scope else f"{fact.name}: {fact.value} ({fact.kind})"


def _quotes(sources: tuple[Citation, ...]) -> str:
    named = {BRIEF: "the brief"}
    quoted = (citation for citation in sources if citation.source != UNSOURCED and citation.quote)
    return "\n".join(f"- {named.get(citation.source, citation.source)}: “{citation.quote}”" for citation in quoted)


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(lines) or NONE


REFERENCE: dict[str, Callable[[Documents], Iterator[Reading]]] = {
    "research.claims-carried": statements,
    "research.critical-reading": techniques_and_failures,
    "anchors.observable": anchors,
    "anchors.conflicts": anchors_and_the_rest,
}

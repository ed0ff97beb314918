"""Gates of the research phase: domain-frameworks.md without its anchors. What users bring is in `scenario_space`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import get_args

from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import BRIEF, UNSOURCED, Citation, FailureKind, Knowledge, Technique
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.knowledge.quotations import clipped, quote_findings
from finetune_prep.gates.premises import Unchecked, need
from finetune_prep.gates.wording import placeholders
from finetune_prep.method import limits

FAILURE_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
KIND_MEANS = {
    "AI": "what chatbots in this domain got wrong",
    "human": "what people in this job commonly get wrong",
    "safety": "what did or could do harm",
    "ethics": "where a boundary was crossed",
}
_DATE = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?")


def _knowledge(documents: Documents) -> tuple[Document[Knowledge], Knowledge]:
    return need(documents, Documents.knowledge)


def frameworks(documents: Documents) -> Iterable[Finding]:
    """At least one framework, each with its idea, its use, its limits, and techniques."""
    document, knowledge = _knowledge(documents)
    if not knowledge.frameworks:
        yield document.finding(
            "no framework", "add at least one: “## F1. Name” with Idea, Use when, Not when, and its techniques"
        )
    for framework in knowledge.frameworks:
        for field, text in (("Idea", framework.idea), ("Use when", framework.use_when), ("Not when", framework.not_when)):
            if not text.strip():
                yield document.finding(f"{framework.id} does not say “{field}”", f"add “- {field}: …”", framework.id)
        if not framework.techniques:
            yield document.finding(
                f"{framework.id} has no technique: “{framework.name}” is only a theory",
                f"add what practitioners do: “### T{framework.id.lstrip('F')}.1. Name” with Does, Use when and a conversation",
                framework.id,
            )


def techniques_explained(documents: Documents) -> Iterable[Finding]:
    """Every technique has a name, says what practitioners do, and when."""
    document, knowledge = _knowledge(documents)
    for technique in knowledge.techniques:
        if not technique.name.strip():
            yield document.finding(f"{technique.id} has no text", "name it, so that others can refer to it", technique.id)
        for field, text in (("Does", technique.does), ("Use when", technique.use_when)):
            if not text.strip():
                fix = f"add “- {field}: …” in words one could observe"
                yield document.finding(f"{technique.id} does not say “{field}”", fix, technique.id)


def techniques_shown(documents: Documents) -> Iterable[Finding]:
    """Every technique is shown in at least one conversation, in which both sides speak."""
    document, knowledge = _knowledge(documents)
    for technique in knowledge.techniques:
        if not technique.snippets:
            yield document.finding(
                f"{technique.id} “{technique.name}” is explained and not shown",
                "add a conversation below it: “> **User:** …”, “>”, “> **Assistant:** …”",
                technique.id,
            )
        for snippet in technique.snippets:
            if not snippet.spoken_by("user") or not snippet.spoken_by("assistant"):
                yield document.finding(
                    f"a conversation of {technique.id} has only one speaker",
                    "show what is said and what is answered",
                    technique.id,
                )


def citations(documents: Documents) -> Iterable[Finding]:
    """Every wish, technique, principle and failure mode says where it comes from."""
    document, knowledge = _knowledge(documents)
    for wish in knowledge.asked_for:
        if not wish.sources:
            yield document.finding(
                f"{wish.id} does not say where it comes from",
                'add “Source: S0 "the words of the brief"”; what the brief does not say yet belongs into it first',
                wish.id,
            )
    for item, sources in _statements(knowledge):
        if not sources:
            yield document.finding(
                f"{item} does not say where it comes from",
                'add “- Source: S01 "the words it rests on"”, or “- Source: expert, unsourced” if nobody has written it down',
                item,
            )


def sources_exist(documents: Documents) -> Iterable[Finding]:
    """Every source that is cited is listed under Sources."""
    document, knowledge = _knowledge(documents)
    known = {source.id for source in knowledge.sources}
    for item, citation in knowledge.citations():
        if citation.source not in (UNSOURCED, BRIEF) and citation.source not in known:
            listed = f"there are {', '.join(sorted(known))}" if known else "there is none"
            yield document.finding(
                f"{item} cites {citation.source}, which is not under Sources ({listed})",
                f"add “### {citation.source}. Title” with Where and Read, or cite another",
                item,
            )


def sources_described(documents: Documents) -> Iterable[Finding]:
    """Every source has a title, an address or file, and the day on which it was read."""
    document, knowledge = _knowledge(documents)
    for source in knowledge.sources:
        if not source.title.strip():
            yield document.finding(f"{source.id} has no text", "write the title of the page or file", source.id)
        for field, text in (("Where", source.where), ("Read", source.read)):
            if not text.strip():
                fix = f"add “- {field}: …”: a reader must be able to find the page again"
                yield document.finding(f"{source.id} does not say “{field}”", fix, source.id)


def sources_current(documents: Documents) -> Iterable[Finding]:
    """At least one source was published not long before it was read."""
    document, knowledge = _knowledge(documents)
    ages = [
        int(source.read[:4]) - int(source.published[:4])
        for source in knowledge.sources
        if source.read[:4].isdigit() and source.published[:4].isdigit()
    ]
    if not ages:
        raise Unchecked("no source says both when it was published and when it was read")
    if min(ages) > limits.RECENT:
        yield document.finding(
            f"the newest of {len(ages)} dated sources was {min(ages)} years old when it was read",
            "search for current practice once more, with the year in the query",
            "sources",
        )


def sources_dated(documents: Documents) -> Iterable[Finding]:
    """Dates of sources are dates, and none was read before it was published."""
    document, knowledge = _knowledge(documents)
    for source in knowledge.sources:
        dates = {field: text.strip() for field, text in (("Published", source.published), ("Read", source.read)) if text.strip()}
        wrong = {field: text for field, text in dates.items() if not _is_date(text)}
        for field, text in wrong.items():
            yield document.finding(f"“{field}” of {source.id} is “{text}”, which is no date", "write it as 2026-03-01", source.id)
        if len(dates) == 2 and not wrong:
            shortest = min(len(text) for text in dates.values())
            if dates["Read"][:shortest] < dates["Published"][:shortest]:
                yield document.finding(
                    f"{source.id} was read on {dates['Read']}, before it was published on {dates['Published']}",
                    "correct one of both dates",
                    source.id,
                )


def _is_date(text: str) -> bool:
    """Whether it is a day, a month or a year, as ISO writes them."""
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    try:
        date(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1))
    except ValueError:
        return False
    return True


def no_placeholders(documents: Documents) -> Iterable[Finding]:
    """No text is still to be written."""
    document, _ = _knowledge(documents)
    yield from placeholders(document)


def quotes_found(documents: Documents) -> Iterable[Finding]:
    """Every quotation stands in the stored copy of its source, word for word."""
    document, knowledge = _knowledge(documents)
    without_copy: dict[str, int] = {}
    copies = dict(documents.snapshots)
    if documents.brief is not None and documents.brief.value is not None:
        copies[BRIEF] = f"{documents.brief.value.title}\n\n{documents.brief.value.text}"
    known = {source.id for source in knowledge.sources} | {BRIEF}
    for item, citation in knowledge.citations():
        if citation.source == UNSOURCED or citation.source not in known:
            continue  # counted by `unsourced_share`, or reported by `sources_exist`
        snapshot = copies.get(citation.source)
        if snapshot is None:
            without_copy[citation.source] = without_copy.get(citation.source, 0) + 1
        else:
            yield from quote_findings(document, item, citation, snapshot)
    if without_copy:
        counts = ", ".join(f"{source} ({count})" for source, count in without_copy.items())
        raise Unchecked(
            f"no copy in reference/sources/ to look up the quotations of {counts}; `finetune-prep research` fetches it"
        )


def contradictions_cited(documents: Documents) -> Iterable[Finding]:
    """Every contradiction quotes the passages that do not agree."""
    document, knowledge = _knowledge(documents)
    for found in knowledge.contradictions:
        quoted = {(citation.source, citation.quote) for citation in found.sources if citation.source != UNSOURCED}
        if len(quoted) < 2:
            yield document.finding(
                f"{found.id} quotes {len(quoted)} of the passages that contradict each other; it takes two",
                'add the other below it: “  - Source: S02 "…"”, or drop the contradiction',
                found.id,
            )


def unsourced_share(documents: Documents) -> Iterable[Finding]:
    """Few techniques, principles and failure modes rest on the expert model's word alone."""
    document, knowledge = _knowledge(documents)
    statements = [(item, sources) for item, sources in _statements(knowledge) if item not in _about_safety(knowledge)]
    if not statements:
        raise Unchecked(f"{document.path} states nothing yet")
    alone = [item for item, sources in statements if _is_unsourced(sources)]
    share = len(alone) / len(statements)
    if share > limits.UNSOURCED:
        yield document.finding(
            f"{len(alone)} of {len(statements)} statements have no source ({share:.0%}): {', '.join(alone)}",
            f"find sources until at most {limits.UNSOURCED:.0%} rest on a model's word alone, or drop some",
        )


def safety_unsourced(documents: Documents) -> Iterable[Finding]:
    """Every failure mode about safety rests on more than a model's word; a person looks at those that do not."""
    document, knowledge = _knowledge(documents)
    for mode in knowledge.failure_modes:
        if mode.id in _about_safety(knowledge) and _is_unsourced(mode.sources):
            yield document.finding(
                f"{mode.id} “{mode.name}” is about safety, and no source stands behind it",
                "ask somebody who is responsible for such cases, or find a source; it stays in either way",
                mode.id,
            )


def _about_safety(knowledge: Knowledge) -> set[str]:
    """Not counted among what may be unsourced: a quota would press out the rare and grave."""
    return {mode.id for mode in knowledge.failure_modes if mode.kind == "safety"}


def _is_unsourced(sources: tuple[Citation, ...]) -> bool:
    return not any(citation.source != UNSOURCED for citation in sources)


def _statements(knowledge: Knowledge) -> Iterator[tuple[str, tuple[Citation, ...]]]:
    for technique in knowledge.techniques:
        yield technique.id, technique.sources
    for principle in knowledge.principles:
        yield principle.id, principle.sources
    for mode in knowledge.failure_modes:
        yield mode.id, mode.sources


def principles(documents: Documents) -> Iterable[Finding]:
    """There is at least one communication principle."""
    document, knowledge = _knowledge(documents)
    if not knowledge.principles:
        yield document.finding(
            "no communication principle",
            'add “## Communication principles” with “- P1: … Source: S01 "…"”',
            "communication principles",
        )


def failure_kinds(documents: Documents) -> Iterable[Finding]:
    """Failure modes of all four kinds are documented."""
    document, knowledge = _knowledge(documents)
    present = {mode.kind for mode in knowledge.failure_modes}
    for kind in FAILURE_KINDS:
        if kind not in present:
            yield document.finding(
                f"no failure mode of the kind “{kind}”: {KIND_MEANS[kind]}",
                f"search for one that happened and add it: “### FM{len(knowledge.failure_modes) + 1}. Name ({kind})”",
                "failure modes",
            )


def failures_specific(documents: Documents) -> Iterable[Finding]:
    """Every failure mode tells one concrete instance and says how it is countered."""
    document, knowledge = _knowledge(documents)
    for mode in knowledge.failure_modes:
        if not mode.instance.strip():
            yield document.finding(f"{mode.id} does not say “Instance”", "tell one that happened: who wrote what", mode.id)
        elif _same_words(mode.instance, mode.name):
            yield document.finding(
                f"the instance of {mode.id} only repeats its name", "tell what was written, word for word", mode.id
            )
        if not mode.counter.strip():
            yield document.finding(f"{mode.id} does not say “Counter”", "add “- Counter: if … → …”", mode.id)


def _same_words(one: str, other: str) -> bool:
    return one.casefold().strip(" .") == other.casefold().strip(" .")


def counters_conditional(documents: Documents) -> Iterable[Finding]:
    """Every counter says when it applies and what is done then: "if X → Y"."""
    document, knowledge = _knowledge(documents)
    for mode in knowledge.failure_modes:
        if mode.counter.strip() and "→" not in mode.counter and "->" not in mode.counter:
            yield document.finding(
                f"the counter of {mode.id} does not say when it applies: “{clipped(mode.counter)}”",
                "write “if the user mentions … → answer with …”",
                mode.id,
            )


def preferences(documents: Documents) -> Iterable[Finding]:
    """For every technique it is said when to use it rather than another, or when its framework gives way to another."""
    document, knowledge = _knowledge(documents)
    known = {technique.id for technique in knowledge.techniques}
    if len(known) == 1:
        yield document.finding(
            "there is one technique only, so nothing to choose between", "add a second one, and when to use which"
        )
        return
    compared = {preference.other for technique in knowledge.techniques for preference in technique.rather_than}
    places = known | {framework.id for framework in knowledge.frameworks}
    for framework in knowledge.frameworks:
        gives_way = any(place in framework.not_when for place in places - {framework.id})
        for technique in framework.techniques:
            yield from _unknown_preferences(document, technique, known)
            if not (technique.rather_than or technique.id in compared or gives_way):
                yield document.finding(
                    f"nothing says when to use {technique.id} “{technique.name}” rather than another technique",
                    f"add “- Rather than {min(known - {technique.id})}: …”",
                    technique.id,
                )


def _unknown_preferences(document: Document[Knowledge], technique: Technique, known: set[str]) -> Iterator[Finding]:
    for preference in technique.rather_than:
        if preference.other == technique.id:
            yield document.finding(
                f"{technique.id} is preferred to itself", "name the technique it is compared with", technique.id
            )
        elif preference.other not in known:
            yield document.finding(
                f"{technique.id} is preferred to {preference.other}, which does not exist",
                f"name one of {', '.join(sorted(known))}",
                technique.id,
            )


def capacity(documents: Documents) -> Iterable[Finding]:
    """A pilot's normal scenarios can be allotted with no pair of topic and technique used too often."""
    document, knowledge = _knowledge(documents)
    space_document, space = need(documents, Documents.space)
    special = (space.edge_share if space.edge_cases else 0.0) + (space.out_of_scope_share if space.out_of_scope else 0.0)
    if not space.topics or not 0 <= special < 1:
        raise Unchecked(f"{space_document.path} has no topics, or shares that leave nothing for them")
    known = {technique.id for technique in knowledge.techniques}
    normal = round(limits.PILOT * (1 - special))
    pairs = sum(len(set(topic.techniques) & known) for topic in space.topics)
    if pairs * limits.PER_PAIR < normal:
        poorest = min(space.topics, key=lambda topic: (len(set(topic.techniques) & known), topic.id))
        yield document.finding(
            f"{pairs} pairs of topic and technique are good for {pairs * limits.PER_PAIR} different conversations "
            f"(each pair {limits.PER_PAIR} times); a pilot of {limits.PILOT} needs {normal}",
            f"name more techniques, or let more of them serve the topics: {poorest.id} “{poorest.name}” uses fewest",
        )

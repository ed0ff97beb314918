"""Gates of scenario-space.md: what users bring, how they write, how hard they make it, and in which shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from finetune_prep.core.finding import Finding
from finetune_prep.core.scenarios.mixture import Weighted
from finetune_prep.core.scenarios.space import ScenarioSpace, SpecialCase
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import Unchecked, knob_finding, need
from finetune_prep.gates.wording import placeholders
from finetune_prep.method import limits

LONGEST_MESSAGE = 1000  # words; nobody types more in one message
DAYS = "{days}"
WIDEST_RANGE = 8  # most ÷ fewest words: a wider range lets every style drift to the same length


class Choice(Weighted, Protocol):
    """An item of a dimension."""

    @property
    def id(self) -> str: ...


def _space(documents: Documents) -> tuple[Document[ScenarioSpace], ScenarioSpace]:
    return need(documents, Documents.space)


def dimensions(documents: Documents) -> Iterable[Finding]:
    """Topics with situations, people, user styles, difficulties, user flaws and lengths are all there, and all written."""
    document, space = _space(documents)
    for heading, choices in _dimensions(space):
        if not choices:
            yield document.finding(
                f"nothing under “{heading}”", f"add it; `finetune-prep template {document.kind}` shows how", heading.lower()
            )
    for topic in space.topics:
        if not topic.situations:
            yield document.finding(
                f"{topic.id} “{topic.name}” has no situation", f"add concrete ones: “- {topic.id}.1: …”", topic.id
            )
    yield from _told_twice(document, space)
    yield from placeholders(document, spoken=False)


def _told_twice(document: Document[ScenarioSpace], space: ScenarioSpace) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for situation in (situation for topic in space.topics for situation in topic.situations):
        words = " ".join(f"{situation.text} {situation.material}".casefold().split()).rstrip(" .。")
        other = first.setdefault(words, situation.id)
        if other != situation.id:
            yield document.finding(
                f"{situation.id} is {other} once more: “{situation.text}”", "tell another situation, or take it out", situation.id
            )


def _dimensions(space: ScenarioSpace) -> tuple[tuple[str, Sequence[Choice]], ...]:
    return (
        ("Topics", space.topics),
        ("People", space.people),
        ("User styles", space.styles),
        ("Difficulty", space.difficulties),
        ("User flaws", space.flaws),
        ("Lengths", space.lengths),
    )


def special_cases(documents: Documents) -> Iterable[Finding]:
    """Edge cases and out-of-scope requests are there, each saying what a right answer does, at a topic that exists."""
    document, space = _space(documents)
    for heading, cases, example in (("Edge cases", space.edge_cases, "ED1"), ("Out of scope", space.out_of_scope, "OS1")):
        if not cases:
            yield document.finding(
                f"nothing under “{heading}”: such cases don't appear by themselves",
                f"add “### {example}. Name” with Situation and Expected",
                heading.lower(),
            )
        for case in cases:
            yield from _case_findings(document, space, case)


def _case_findings(document: Document[ScenarioSpace], space: ScenarioSpace, case: SpecialCase) -> Iterator[Finding]:
    if not case.expected.strip():
        yield document.finding(f"{case.id} “{case.name}” does not say what a right answer does", "add “- Expected: …”", case.id)
    topics = [topic.id for topic in space.topics]
    if case.topic and case.topic not in topics:
        yield document.finding(
            f"{case.id} belongs to {case.topic}, which does not exist", f"name one of {', '.join(topics)}", case.id
        )


def weights(documents: Documents) -> Iterable[Finding]:
    """Every weight is a positive number."""
    document, space = _space(documents)
    for heading, choices in (*_dimensions(space), ("Arcs", space.arcs), ("Gaps", space.gaps)):
        for choice in choices:
            if not (math.isfinite(choice.weight) and choice.weight > 0):
                yield document.finding(
                    f"{choice.id} under “{heading}” has the weight {choice.weight:g}",
                    "give it a positive weight, or take it out: it would never be drawn",
                    choice.id,
                )


def shares(documents: Documents) -> Iterable[Finding]:
    """Edge cases, out-of-scope requests and users without a flaw have shares that leave room for the rest."""
    document, space = _space(documents)
    for key, share, most, usual in (
        ("edge_share", space.edge_share, limits.MOST_EDGE, limits.EDGE_SHARE),
        ("out_of_scope_share", space.out_of_scope_share, limits.MOST_OUT_OF_SCOPE, limits.OUT_OF_SCOPE_SHARE),
    ):
        if not 0 < share <= most:
            fix = f"choose a share above 0 and at most {most:g}; {usual:g} is usual"
            yield knob_finding(document, key, f"{key} is {share:g}", fix)
    if not 0 < space.no_flaw_share < 1:
        yield knob_finding(
            document,
            "no_flaw_share",
            f"no_flaw_share is {space.no_flaw_share:g}: {'every' if space.no_flaw_share <= 0 else 'no'} user has a flaw",
            f"choose a share between 0 and 1; {limits.NO_FLAW_SHARE:g} is usual",
        )
    if sum(space.reactions.shares.values()) <= 0:
        example = ", ".join(f"{name} {often:g}" for name, often in limits.REACTIONS.shares.items())
        fix = f"write how often each happens, for example `reactions: {example}`"
        yield knob_finding(document, "reactions", "users take a question of the assistant in no way at all", fix)


def jobs_met(documents: Documents) -> Iterable[Finding]:
    """Every job that the brief asks for is met by a topic, and topics name jobs that exist."""
    document, space = _space(documents)
    reference, knowledge = need(documents, Documents.knowledge)
    jobs = {job.id: job for job in knowledge.jobs}
    if not jobs:
        raise Unchecked(f"{reference.path} lists no jobs under “Asked for”")
    met = {job for topic in space.topics for job in topic.jobs}
    for job in (jobs[id] for id in jobs if id not in met):
        yield document.finding(
            f"no topic meets {job.id} “{job.text}”: the assistant would never be asked for it",
            f"add {job.id} to the Jobs of a topic whose situations ask for it, or add such a topic",
            "topics",
        )
    for topic in space.topics:
        for id in topic.jobs:
            if id not in jobs:
                fix = f"name some of {', '.join(jobs)}"
                yield document.finding(f"{topic.id} names {id}, which {reference.path} does not ask for", fix, topic.id)


def panel_heard(documents: Documents) -> Iterable[Finding]:
    """Every situation that the panel proposed is taken up by a topic or a case, or set aside with a reason."""
    document, space = _space(documents)
    places: dict[str, list[str]] = {}
    taken = [(topic.id, topic.drawn_from) for topic in space.topics]
    taken += [(case.id, case.drawn_from) for case in space.special_cases]
    for item, ids in taken:
        for id in ids:
            places.setdefault(id, []).append(item)
    aside = {item.id for item in space.set_aside}
    for id in space.panel:
        if id not in places and id not in aside:
            fix = f"add “- From: {id}” to the topic or case that holds it, or “- {id}: … – why not” under “Set aside”"
            yield document.finding(f"the panel proposed {id}, and it is neither taken up nor set aside", fix)
    for id in sorted(aside & set(places)):
        yield document.finding(f"{id} is set aside, and {places[id][0]} takes it up", "keep one of the two", id)
    for id in (id for id in (*places, *aside) if space.panel and id not in space.panel):
        yield document.finding(
            f"the panel proposed no situation {id}", f"name some of {', '.join(space.panel)}", places.get(id, [id])[0]
        )


def spans(documents: Documents) -> Iterable[Finding]:
    """Arcs and gaps are there exactly if the brief says that a conversation spans days; both say what they are."""
    document, space = _space(documents)
    _, brief = need(documents, Documents.brief)
    for heading, items, example in (("Arcs", space.arcs, "AR1"), ("Gaps", space.gaps, "GP1")):
        if brief.spans == "days" and not items:
            fix = f"add “### {example}. …”; `finetune-prep template {document.kind}` shows how"
            yield document.finding(f"the brief says `spans: days`, and nothing stands under “{heading}”", fix)
        if brief.spans == "sitting" and items:
            fix = "write `spans: days` into the brief if people come back on other days, or take the section out"
            yield document.finding(f"“{heading}” has items, and the brief says that a talk is one sitting", fix, heading.lower())
    for arc in space.arcs:
        if not arc.means.strip():
            yield document.finding(f"{arc.id} “{arc.name}” does not say what it means", "add “- Means: …”", arc.id)
    for gap in space.gaps:
        if gap.most and not gap.reads.strip():
            yield document.finding(f"{gap.id} “{gap.name}” does not say how it reads", "add “- Reads: the next day”", gap.id)
        elif gap.most > gap.fewest and DAYS not in gap.reads:
            yield document.finding(
                f"{gap.id} is {gap.fewest} to {gap.most} days, and its words are always the same",
                f"write {DAYS} where their number stands: “- Reads: {DAYS} days later”",
                gap.id,
            )


def flaws_possible(documents: Documents) -> Iterable[Finding]:
    """Every flaw can show: some conversation is long enough, and what it does not go with exists and leaves something."""
    document, space = _space(documents)
    longest = max((length.exchanges for length in space.lengths), default=0)
    known = {difficulty.id for difficulty in space.difficulties} | {style.id for style in space.styles}
    for flaw in space.flaws:
        if flaw.from_exchange > longest:
            fix = f"let it show from exchange {longest} on, or add longer conversations"
            what = f"{flaw.id} “{flaw.name}” shows from exchange {flaw.from_exchange} on; the longest conversation has {longest}"
            yield document.finding(what, fix, flaw.id)
        for id in flaw.not_with:
            if id not in known:
                fix = f"name some of {', '.join(sorted(known))}"
                yield document.finding(f"{flaw.id} does not go with {id}, which does not exist", fix, flaw.id)
        both: tuple[tuple[str, Sequence[Choice]], ...]
        both = (("difficulty", space.difficulties), ("user style", space.styles))
        for noun, choices in both:
            if choices and all(choice.id in flaw.not_with for choice in choices):
                fix = f"take at least one {noun} out of its “Not with”"
                yield document.finding(f"{flaw.id} “{flaw.name}” goes with no {noun}, so nobody ever has it", fix, flaw.id)


def word_ranges(documents: Documents) -> Iterable[Finding]:
    """Every style has a word range that a person could type and that keeps styles apart."""
    document, space = _space(documents)
    for style in space.styles:
        if not 1 <= style.fewest < style.most <= LONGEST_MESSAGE:
            yield document.finding(
                f"{style.id} “{style.name}” has the range {style.fewest}–{style.most} words",
                f"write the fewer first, from 1 up to {LONGEST_MESSAGE}: (weight {style.weight:g}, words 30-80)",
                style.id,
            )
        elif style.most > WIDEST_RANGE * style.fewest:
            yield document.finding(
                f"{style.id} “{style.name}” may have anything from {style.fewest} to {style.most} words",
                f"narrow it, so that the most is at most {WIDEST_RANGE} times the fewest, or split the style",
                style.id,
            )


def techniques_known(documents: Documents) -> Iterable[Finding]:
    """Every topic names techniques, and they exist in the frameworks."""
    document, space = _space(documents)
    _, knowledge = need(documents, Documents.knowledge)
    known = [technique.id for technique in knowledge.techniques]
    for topic in space.topics:
        if not topic.techniques:
            yield document.finding(
                f"{topic.id} “{topic.name}” names no technique",
                "add “- Techniques: …” with those that fit its situations",
                topic.id,
            )
        for technique in topic.techniques:
            if technique not in known:
                yield document.finding(
                    f"{topic.id} names {technique}, which domain-frameworks.md does not have",
                    f"name some of {', '.join(known)}",
                    topic.id,
                )


def techniques_used(documents: Documents) -> Iterable[Finding]:
    """Every technique of the frameworks is used by a topic."""
    document, space = _space(documents)
    _, knowledge = need(documents, Documents.knowledge)
    used = {technique for topic in space.topics for technique in topic.techniques}
    for technique in knowledge.techniques:
        if technique.id not in used:
            yield document.finding(
                f"no topic uses {technique.id} “{technique.name}”: it would never be taught",
                f"add {technique.id} to the Techniques of a topic, or a topic that calls for it",
                "topics",
            )


def capacity(documents: Documents) -> Iterable[Finding]:
    """The space holds enough different scenarios for the smallest full data set."""
    document, space = _space(documents)
    if space.capacity < limits.SCALE.fewest:
        yield document.finding(
            f"the space holds {space.capacity} different scenarios; a data set needs at least {limits.SCALE.fewest:,}",
            "add situations to the topics first: styles and flaws only vary what is there",
        )

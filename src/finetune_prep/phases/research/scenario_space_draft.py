"""The scenario space: what users bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from finetune_prep.core.knowledge import SetAside
from finetune_prep.core.scenarios.space import (
    Arc,
    Difficulty,
    Flaw,
    Gap,
    Length,
    Person,
    Reactions,
    ScenarioSpace,
    Situation,
    SpecialCase,
    Style,
    Topic,
)
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted, listed_ids

Positive = Annotated[float, Meta(gt=0)]
Part = Annotated[float, Meta(ge=0, le=1)]
Share = Annotated[float, Meta(ge=0, le=0.5)]


class SituationDraft(Strict, frozen=True):
    text: Text
    material: str


class TopicDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"situations": "TP{0}.{1}"}

    name: Text
    weight: Positive
    situations: Annotated[list[SituationDraft], counted(limits.SITUATIONS.taken)]
    jobs: list[str]
    techniques: list[str]
    takes_up: list[str]


class PersonDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    who: Text
    writes: str
    keeps_back: Text


class StyleDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    fewest: Annotated[int, Meta(ge=1)]
    most: Annotated[int, Meta(ge=2, le=600)]
    sounds_like: Text


class DifficultyDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    means: Text


class FlawDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    shows_as: Text
    from_exchange: Annotated[int, Meta(ge=1, le=30)]
    not_with: list[str]


class LengthDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    exchanges: Annotated[int, Meta(ge=1, le=30)]


class ArcDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    means: Text


class GapDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    fewest: Annotated[int, Meta(ge=0, le=366)]
    most: Annotated[int, Meta(ge=0, le=366)]
    reads: Text


class CaseDraft(Strict, frozen=True):
    name: Text
    situation: Text
    expected: Text
    topic: str
    takes_up: list[str]


class ReactionsDraft(Strict, frozen=True):
    answers: Part
    half: Part
    pushes_back: Part
    ignores: Part


class SetAsideDraft(Strict, frozen=True):
    id: Text
    because: Text


class SpaceDraft(Strict, frozen=True):
    ITEMS: ClassVar = {
        "topics": "TP{0}",
        "people": "PE{0}",
        "styles": "ST{0}",
        "difficulties": "DF{0}",
        "flaws": "FL{0}",
        "lengths": "LN{0}",
        "arcs": "AR{0}",
        "gaps": "GP{0}",
        "edge_cases": "ED{0}",
        "out_of_scope": "OS{0}",
        "set_aside": "{item[id]}",
    }

    topics: Annotated[list[TopicDraft], counted(limits.TOPICS.taken)]
    people: Annotated[list[PersonDraft], counted(limits.PEOPLE.taken)]
    styles: Annotated[list[StyleDraft], counted(limits.STYLES.taken)]
    difficulties: Annotated[list[DifficultyDraft], counted(limits.DIFFICULTIES.taken)]
    flaws: Annotated[list[FlawDraft], counted(limits.FLAWS.taken)]
    lengths: Annotated[list[LengthDraft], counted(limits.LENGTHS.taken)]
    arcs: Annotated[list[ArcDraft], counted(limits.ARCS.taken)]
    gaps: Annotated[list[GapDraft], counted(limits.GAPS.taken)]
    edge_cases: Annotated[list[CaseDraft], counted(limits.EDGE_CASES.taken)]
    out_of_scope: Annotated[list[CaseDraft], counted(limits.REFUSALS.taken)]
    reactions: ReactionsDraft
    edge_share: Share
    out_of_scope_share: Share
    no_flaw_share: Share
    set_aside: list[SetAsideDraft]


def to_space(draft: SpaceDraft, title: str, panel: Mapping[str, str]) -> ScenarioSpace:
    """panel: the situations that it proposed, by id.

    Raises ValueError where names do not lead to a topic, style or difficulty: they must differ, and be used as they stand.
    """
    topics = _ids("TP", "topics", draft.topics)
    choices = _ids("ST", "styles", draft.styles) | _ids("DF", "difficulties", draft.difficulties)
    reactions = draft.reactions
    return ScenarioSpace(
        title=title,
        topics=tuple(_topic(topics[topic.name], topic) for topic in draft.topics),
        people=tuple(
            Person(id=f"PE{n}", name=p.name, weight=p.weight, who=p.who, writes=p.writes, keeps_back=p.keeps_back)
            for n, p in enumerate(draft.people, start=1)
        ),
        styles=tuple(
            Style(id=choices[s.name], name=s.name, weight=s.weight, fewest=s.fewest, most=s.most, sounds_like=s.sounds_like)
            for s in draft.styles
        ),
        difficulties=tuple(
            Difficulty(id=choices[d.name], name=d.name, weight=d.weight, means=d.means) for d in draft.difficulties
        ),
        flaws=tuple(_flaw(f"FL{n}", flaw, choices) for n, flaw in enumerate(draft.flaws, start=1)),
        lengths=tuple(
            Length(id=f"LN{n}", name=x.name, weight=x.weight, exchanges=x.exchanges) for n, x in enumerate(draft.lengths, start=1)
        ),
        arcs=tuple(Arc(id=f"AR{n}", name=a.name, weight=a.weight, means=a.means) for n, a in enumerate(draft.arcs, start=1)),
        gaps=tuple(
            Gap(id=f"GP{n}", name=g.name, weight=g.weight, fewest=g.fewest, most=max(g.fewest, g.most), reads=g.reads)
            for n, g in enumerate(draft.gaps, start=1)
        ),
        edge_cases=_cases("ED", draft.edge_cases, topics),
        out_of_scope=_cases("OS", draft.out_of_scope, topics),
        set_aside=tuple(SetAside(id=item.id, text=panel.get(item.id, ""), because=item.because) for item in draft.set_aside),
        edge_share=draft.edge_share,
        out_of_scope_share=draft.out_of_scope_share,
        no_flaw_share=draft.no_flaw_share,
        reactions=Reactions(
            answers=reactions.answers, half=reactions.half, pushes_back=reactions.pushes_back, ignores=reactions.ignores
        ),
        panel=tuple(panel),
    )


def _ids(letters: str, what: str, named: Sequence[TopicDraft | StyleDraft | DifficultyDraft]) -> dict[str, str]:
    """The ids of things by their names."""
    ids: dict[str, str] = {}
    for number, item in enumerate(named, start=1):
        if item.name in ids:
            raise ValueError(f"Two {what} are called “{item.name}”; names must differ.")
        ids[item.name] = f"{letters}{number}"
    return ids


def _topic(id: str, topic: TopicDraft) -> Topic:
    return Topic(
        id=id,
        name=topic.name,
        weight=topic.weight,
        situations=tuple(Situation(f"{id}.{n}", found.text, found.material) for n, found in enumerate(topic.situations, start=1)),
        jobs=listed_ids(topic.jobs, f"`jobs` of “{topic.name}”"),
        techniques=listed_ids(topic.techniques, f"`techniques` of “{topic.name}”"),
        drawn_from=listed_ids(topic.takes_up, f"`takes_up` of “{topic.name}”"),
    )


def _flaw(id: str, flaw: FlawDraft, choices: Mapping[str, str]) -> Flaw:
    for name in flaw.not_with:
        if name not in choices:
            raise ValueError(f"“{flaw.name}”: there is no style or difficulty “{name}”; use their exact names in `not_with`.")
    return Flaw(
        id=id,
        name=flaw.name,
        weight=flaw.weight,
        shows_as=flaw.shows_as,
        from_exchange=flaw.from_exchange,
        not_with=tuple(dict.fromkeys(choices[name] for name in flaw.not_with)),
    )


def _cases(prefix: str, drafts: Sequence[CaseDraft], topics: Mapping[str, str]) -> tuple[SpecialCase, ...]:
    for case in drafts:
        if case.topic and case.topic not in topics:
            raise ValueError(
                f"“{case.name}”: there is no topic “{case.topic}”; use the exact name of a topic, or leave it empty."
            )
    return tuple(
        SpecialCase(
            id=f"{prefix}{number}",
            name=case.name,
            situation=case.situation,
            expected=case.expected,
            topic=topics.get(case.topic, ""),
            drawn_from=listed_ids(case.takes_up, f"`takes_up` of “{case.name}”"),
        )
        for number, case in enumerate(drafts, start=1)
    )

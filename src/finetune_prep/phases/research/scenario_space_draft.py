"""The scenario space: what users bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from finetune_prep.core.scenarios.space import Difficulty, Flaw, Length, ScenarioSpace, Situation, SpecialCase, Style, Topic
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=0.5)]


class TopicDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"situations": "TP{0}.{1}"}

    name: Text
    weight: Positive
    situations: Annotated[list[Text], counted(limits.SITUATIONS.taken)]
    techniques: list[str]


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


class LengthDraft(Strict, frozen=True):
    name: Text
    weight: Positive
    exchanges: Annotated[int, Meta(ge=1, le=30)]


class CaseDraft(Strict, frozen=True):
    name: Text
    situation: Text
    expected: Text
    topic: str


class SpaceDraft(Strict, frozen=True):
    ITEMS: ClassVar = {
        "topics": "TP{0}",
        "styles": "ST{0}",
        "difficulties": "DF{0}",
        "flaws": "FL{0}",
        "lengths": "LN{0}",
        "edge_cases": "ED{0}",
        "out_of_scope": "OS{0}",
    }

    topics: Annotated[list[TopicDraft], counted(limits.TOPICS.taken)]
    styles: Annotated[list[StyleDraft], counted(limits.STYLES.taken)]
    difficulties: Annotated[list[DifficultyDraft], counted(limits.DIFFICULTIES.taken)]
    flaws: Annotated[list[FlawDraft], counted(limits.FLAWS.taken)]
    lengths: Annotated[list[LengthDraft], counted(limits.LENGTHS.taken)]
    edge_cases: Annotated[list[CaseDraft], counted(limits.EDGE_CASES.taken)]
    out_of_scope: Annotated[list[CaseDraft], counted(limits.REFUSALS.taken)]
    edge_share: Share
    out_of_scope_share: Share
    no_flaw_share: Share


def to_space(draft: SpaceDraft, title: str) -> ScenarioSpace:
    """Raises ValueError where a case could not be put under its topic: names of topics must differ, and be used as they stand."""
    topics: dict[str, str] = {}
    for number, topic in enumerate(draft.topics, start=1):
        if topic.name in topics:
            raise ValueError(f"Two topics are called “{topic.name}”; names must differ.")
        topics[topic.name] = f"TP{number}"
    return ScenarioSpace(
        title=title,
        topics=tuple(
            Topic(
                id=topics[topic.name],
                name=topic.name,
                weight=topic.weight,
                situations=tuple(
                    Situation(f"{topics[topic.name]}.{n}", text) for n, text in enumerate(topic.situations, start=1)
                ),
                techniques=tuple(dict.fromkeys(topic.techniques)),
            )
            for topic in draft.topics
        ),
        styles=tuple(
            Style(id=f"ST{n}", name=s.name, weight=s.weight, fewest=s.fewest, most=s.most, sounds_like=s.sounds_like)
            for n, s in enumerate(draft.styles, start=1)
        ),
        difficulties=tuple(
            Difficulty(id=f"DF{n}", name=d.name, weight=d.weight, means=d.means)
            for n, d in enumerate(draft.difficulties, start=1)
        ),
        flaws=tuple(
            Flaw(id=f"FL{n}", name=f.name, weight=f.weight, shows_as=f.shows_as) for n, f in enumerate(draft.flaws, start=1)
        ),
        lengths=tuple(
            Length(id=f"LN{n}", name=x.name, weight=x.weight, exchanges=x.exchanges) for n, x in enumerate(draft.lengths, start=1)
        ),
        edge_cases=_cases("ED", draft.edge_cases, topics),
        out_of_scope=_cases("OS", draft.out_of_scope, topics),
        edge_share=draft.edge_share,
        out_of_scope_share=draft.out_of_scope_share,
        no_flaw_share=draft.no_flaw_share,
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
        )
        for number, case in enumerate(drafts, start=1)
    )

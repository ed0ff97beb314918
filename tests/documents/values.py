"""Hypothesis strategies for the value of every document kind, full of text that looks like structure."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.knowledge import (
    Anchor,
    Citation,
    Contradiction,
    Fact,
    FactKind,
    FailureMode,
    Framework,
    Knowledge,
    Preference,
    Principle,
    SetAside,
    Source,
    Technique,
    Wish,
)
from finetune_prep.core.measures import METRICS, Rule
from finetune_prep.core.prompts import SPANS, Brief, EvaluationPrompt, GenerationPrompt, Guard, PlainPrompt, TechniqueUse
from finetune_prep.core.rubric import Category, Example, Expected, Goal, Question, Rubric, Ruling, Term
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
from finetune_prep.markdown.inline import one_line
from finetune_prep.markdown.prose import tidy
from finetune_prep.markdown.turns import spoken

NASTY = (
    "CP1. ", "CP1: yes. ", "- ", "* ", "# ", "## Rubric", "## Goals", "### Terms", "> ", "**User:** ", "__assistant__: ",
    "**", "_", "`",
    "```", "~~~", "```json\n{}\n```", "---", "===", "<!--", "-->", "<!-- x -->", "\\", "\\\\", ": ", ":", "：", "(weight 0.5)",
    "(gate)", "(AI)",
    '"', "“", "”", "'", "; S02 \"", "Source: ", "Source: S01 \"a\"", "From: ", "From: T1.1", "Except: ", "Confirmed by: ", "Confirmed by: x.",
    "(price)", "(price; ", ").", " – ", " - ", "Counters: ", " → ", " -> ",
    "=>", "If ",
    "1. ", "2) ", "| a | b |", "|---|---|", "&amp;", "<b>", "</tag>", "\n", "\n\n", "\r\n", "  ", "\t", "    ", "\u00a0",
    "\u2028", "\u200b",
    "漢字", "\u200dé", "Yes: ", "- Yes: no", "T1.1", "DO1: x", "- DO1: x", "- T1.1. y", "### T1.1. y", "### C1. z",
    "Role and context",
    "{{ slot }}", "%s", "$x$", "[a](b)", "[ref]: c", "![i](j)", "\ufeff", "yes", "n/a", "expert, unsourced", "weight 0.1",
    "Strong: ", "🏺", "User: ", "Assistant：", "Why: ", "\\Why: ", "Unlike: HE2", "- Ruling: no. User: “a” Assistant: “b” Why: c.",
)  # fmt: skip


def raw(max_size: int = 6) -> st.SearchStrategy[str]:
    """Any string without control characters (but with line ends), rich in what could be read as structure."""
    word = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=5)
    return st.lists(st.one_of(st.sampled_from(NASTY), word), min_size=1, max_size=max_size).map("".join)


line = raw().map(one_line).filter(bool)
maybe_line = st.one_of(st.just(""), line)
prose = raw(9).map(tidy).filter(lambda text: bool(text.strip()))
maybe_prose = st.one_of(st.just(""), prose)
weight = st.one_of(st.integers(0, 4).map(lambda n: n / 4), st.floats(0, 10, allow_nan=False).map(abs))
share = st.floats(0, 1).map(abs)


def ids(*letters: str, max_size: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    one = st.builds(lambda letter, number: f"{letter}{number}", st.sampled_from(letters), st.integers(1, 99))
    return st.lists(one, max_size=max_size).map(tuple)


def numbered(count: int, prefix: str) -> list[str]:
    return [f"{prefix}{number}" for number in range(1, count + 1)]


@st.composite
def items(draw: st.DrawFn, build: Any, prefix: str, max_size: int = 2, **parts: Any) -> tuple[Any, ...]:
    """Items with ids PREFIX1, PREFIX2, …"""
    count = draw(st.integers(0, max_size))
    return tuple(build(id=id, **{key: draw(part) for key, part in parts.items()}) for id in numbered(count, prefix))


turn = raw(8).map(spoken).filter(bool)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    messages = [Message("system", draw(turn))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 2))):
        messages += [Message("user", draw(turn)), Message("assistant", draw(turn))]
    return Conversation(tuple(messages))


citations = st.lists(
    st.one_of(
        st.builds(Citation, st.sampled_from(["S0", "S01", "S2", "S12"]), maybe_line),
        st.just(Citation("expert")),
        st.builds(Citation, st.just("expert"), line),
    ),
    max_size=3,
).map(tuple)
prefs = st.lists(st.builds(Preference, st.sampled_from(["T1.1", "T2.1"]), line), max_size=2).map(tuple)


@st.composite
def frameworks(draw: st.DrawFn) -> tuple[Framework, ...]:
    result = []
    for number in range(1, draw(st.integers(0, 2)) + 1):
        techniques = draw(
            items(
                Technique, f"T{number}.", name=line, does=line, use_when=line, rather_than=prefs, sources=citations,
                drawn_from=ids("PR"),
                snippets=st.lists(conversations(), max_size=2).map(tuple),
            )
        )  # fmt: skip
        result.append(
            Framework(
                id=f"F{number}",
                name=draw(line),
                idea=draw(line),
                use_when=draw(line),
                not_when=draw(line),
                drawn_from=draw(ids("PR")),
                techniques=techniques,
            )
        )
    return tuple(result)


def anchors(prefix: str, *, origins: bool) -> st.SearchStrategy[tuple[Anchor, ...]]:
    return items(Anchor, prefix, text=line, unless=maybe_line, drawn_from=ids("T1.", "FM") if origins else st.just(()))


knowledge = st.builds(
    Knowledge,
    title=line,
    asked_for=st.tuples(
        items(Wish, "JOB", text=line, sources=citations), items(Wish, "LIMIT", text=line, sources=citations),
        items(Wish, "RISK", text=line, sources=citations),
    ).map(lambda lists: sum(lists, ())),
    frameworks=frameworks(),
    principles=items(Principle, "P", text=line, drawn_from=ids("PR"), sources=citations),
    failure_modes=items(
        FailureMode, "FM", name=line, kind=st.sampled_from(["AI", "human", "safety", "ethics"]),
        severity=st.sampled_from(["critical", "serious", "minor"]), drawn_from=ids("LIMIT", "RISK", "AF", "PR"), instance=line,
        counter=line, sources=citations,
    ),
    facts=items(
        Fact, "FA", name=line, value=line, kind=st.sampled_from(get_args(FactKind)), scope=maybe_line, sources=citations,
        confirmed_by=maybe_line.map(lambda text: text.removesuffix(".").strip()),
    ),
    contradictions=items(Contradiction, "CT", text=line, sources=citations),
    always=anchors("DO", origins=True),
    never=anchors("DONT", origins=True),
    set_aside=st.tuples(
        items(SetAside, "AF", text=maybe_line, because=line), items(SetAside, "RISK", text=maybe_line, because=line),
    ).map(lambda lists: sum(lists, ())),
    panel=ids("PR"),
    sources=items(Source, "S", title=line, where=line, read=maybe_line, publisher=maybe_line, published=maybe_line),
)  # fmt: skip


@st.composite
def topics(draw: st.DrawFn) -> tuple[Topic, ...]:
    return tuple(
        Topic(
            id=id,
            name=draw(line),
            weight=draw(weight),
            jobs=draw(ids("JOB")),
            techniques=draw(ids("T1.", "T2.")),
            drawn_from=draw(ids("PR")),
            situations=tuple(Situation(f"{id}.{n}", draw(line), draw(maybe_line)) for n in range(1, draw(st.integers(1, 3)))),
        )
        for id in numbered(draw(st.integers(0, 2)), "TP")
    )


def special_cases(prefix: str) -> st.SearchStrategy[tuple[SpecialCase, ...]]:
    topic = st.sampled_from(["", "TP1", "TP2"])
    return items(SpecialCase, prefix, name=line, situation=line, expected=maybe_line, topic=topic, drawn_from=ids("PR"))


@st.composite
def gaps(draw: st.DrawFn) -> tuple[Gap, ...]:
    fewest = draw(st.integers(0, 30))
    return draw(
        items(Gap, "GP", name=line, weight=weight, fewest=st.just(fewest), most=st.integers(fewest, 60), reads=maybe_line)
    )


scenario_space = st.builds(
    ScenarioSpace,
    title=line,
    topics=topics(),
    styles=items(
        Style, "ST", name=line, weight=weight, fewest=st.integers(0, 20), most=st.integers(20, 300), sounds_like=maybe_line
    ),
    difficulties=items(Difficulty, "DF", name=line, weight=weight, means=maybe_line),
    flaws=items(
        Flaw, "FL", name=line, weight=weight, shows_as=maybe_line, from_exchange=st.integers(1, 9), not_with=ids("DF", "ST")
    ),
    people=items(Person, "PE", name=line, weight=weight, who=line, writes=maybe_line, keeps_back=maybe_line),
    arcs=items(Arc, "AR", name=line, weight=weight, means=maybe_line),
    gaps=gaps(),
    set_aside=items(SetAside, "PR", text=maybe_line, because=line),
    reactions=st.builds(Reactions, answers=share, half=share, pushes_back=share, ignores=share),
    panel=ids("PR"),
    lengths=items(Length, "LN", name=line, weight=weight, exchanges=st.integers(1, 40)),
    edge_cases=special_cases("ED"),
    out_of_scope=special_cases("OS"),
    edge_share=share,
    out_of_scope_share=share,
    no_flaw_share=share,
)
terms = st.lists(st.builds(Term, line, line), max_size=2).map(tuple)
comparison = st.sampled_from(["<=", ">=", "<", ">", "="])
quarters = st.integers(0, 400).map(lambda n: n / 4)
phrase = line.map(lambda text: text.replace('"', "").replace("”", "")[:100]).map(one_line).filter(bool)
rules = st.one_of(
    st.builds(Rule, metric=st.sampled_from(sorted(METRICS)), comparison=comparison, number=quarters),
    st.builds(Rule, metric=st.just("phrase in replies"), comparison=comparison, number=quarters, phrase=phrase),
)


answer = st.sampled_from(["yes", "no", "na"])


def rulings(*, compiled: bool) -> st.SearchStrategy[tuple[Ruling, ...]]:
    unlike = st.just(()) if compiled else ids("CP", "US")
    return st.lists(st.builds(Ruling, answer=answer, user=line, assistant=line, why=line, unlike=unlike), max_size=2).map(tuple)


applies = st.one_of(st.sampled_from(["always", "TP1, TP3"]), line.filter(lambda text: text.rstrip(".").casefold() != "always"))


@st.composite
def categories(draw: st.DrawFn, *, compiled: bool) -> tuple[Category, ...]:
    result = []
    for letters in ("SF", "CP", "US")[: draw(st.integers(0, 3))]:
        extra: dict[str, st.SearchStrategy[Any]] = {"rulings": rulings(compiled=compiled)}
        if not compiled:
            extra |= {"checks": ids("DO", "DONT"), "catches": ids("FM"), "measured": st.one_of(st.none(), rules)}
            extra |= {"applies": applies, "form": st.sampled_from(["presence", "absence"])}
        questions = draw(items(Question, letters, text=line, yes=line, no=line, na=maybe_line, **extra))
        weighted = None if letters == "SF" else draw(weight)
        serves = () if compiled else draw(ids("G"))
        result.append(Category(name=draw(line), weight=weighted, serves=serves, questions=questions))
    return tuple(result)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Expected, ...]:
    asked = draw(st.lists(st.sampled_from(["SF1", "CP1", "US2"]), unique=True))
    return tuple(Expected(question, draw(answer), draw(maybe_line)) for question in asked)


def examples(prefix: str, claims: tuple[str, ...]) -> st.SearchStrategy[tuple[Example, ...]]:
    return items(Example, prefix, claim=st.sampled_from(claims), title=line, conversation=conversations(), answers=answers())


rubric = st.builds(
    Rubric,
    title=line,
    threshold=share,
    goals=st.lists(line, max_size=2).map(lambda texts: tuple(Goal(f"G{n}", text) for n, text in enumerate(texts, 1))),
    terms=terms,
    categories=categories(compiled=False),
    not_asked=st.lists(line, max_size=2).map(
        lambda texts: tuple(SetAside(f"DO{n}", "", text) for n, text in enumerate(texts, 1))
    ),
    examples=examples("E", ("strong", "mediocre", "violation")),
    na_counts=st.booleans(),
    accept_passed=st.booleans(),
)
evaluation_prompt = st.builds(
    EvaluationPrompt,
    title=line,
    role=prose,
    terms=terms,
    categories=categories(compiled=True),
    input=maybe_prose,
    output=maybe_prose,
    calibrations=examples("C", ("calibration",)),
)
generation_prompt = st.builds(
    GenerationPrompt,
    title=line,
    role=prose,
    grounding=maybe_prose,
    techniques=items(TechniqueUse, "T1.", name=line, use_when=line, in_words=line),
    always=anchors("DO", origins=False),
    never=anchors("DONT", origins=False),
    guards=items(Guard, "GD", when=line, then=line, counters=ids("FM")),
    few_shots=items(
        Example, "X", claim=st.just("few-shot"), title=line, conversation=conversations(), techniques=ids("T1."),
        tone=maybe_line,
        why=maybe_line,
    ),
    output=maybe_prose,
).map(
    # a list where techniques are expected and none is read is taken for techniques without ids, and told
    lambda prompt: prompt if prompt.techniques else msgspec.structs.replace(prompt, grounding="")
)  # fmt: skip
plain_prompt = st.builds(PlainPrompt, title=line, text=prose)
tags = ["en", "de", "pt-BR", "no", "zh-Hans"]
brief = st.builds(
    Brief,
    title=line,
    text=prose,
    language=st.sampled_from(tags),
    documents=st.sampled_from(["", *tags]),
    spans=st.sampled_from(SPANS),
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "brief": brief,
    "domain-frameworks": knowledge,
    "scenario-space": scenario_space,
    "evaluation-rubric": rubric,
    "evaluation-prompt": evaluation_prompt,
    "generation-prompt": generation_prompt,
    "user-prompt": plain_prompt,
    "system-prompt": plain_prompt,
}

"""What models return in phases 1 to 5, and how it becomes values: ids come from code, and what no value can hold goes back at once.

What a value can hold is for the gates to judge: they find it in the document that it becomes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from finetune_prep.core.knowledge import Citation, Preference, SetAside, Source, Wish
from finetune_prep.core.rubric import Rubric, score
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.documents.kinds import KINDS, Documents, Kind, parse
from finetune_prep.gates import check
from finetune_prep.phases.drafting.examples_draft import (
    ExamplesDraft,
    FewShotsDraft,
    JudgeDraft,
    to_calibrations,
    to_examples,
    to_few_shots,
)
from finetune_prep.phases.drafting.schemas import read
from finetune_prep.phases.prompts.guidance_draft import GuidanceDraft, to_prompt
from finetune_prep.phases.research.knowledge_draft import AskedForDraft, Given, KnowledgeDraft, Reading, to_knowledge, to_wishes
from finetune_prep.phases.research.scenario_space_draft import SpaceDraft, to_space
from finetune_prep.phases.rubric.anchors_draft import AnchorsDraft, to_anchors
from finetune_prep.phases.rubric.rubric_draft import RubricDraft, RulingsDraft, to_rubric, to_rulings
from tests.gates import pottery

KNOWLEDGE = pottery.knowledge()
MODES = [mode.id for mode in KNOWLEDGE.failure_modes]
TECHNIQUES = [technique.id for technique in KNOWLEDGE.techniques]
TALK = [{"speaker": "user", "text": "The bowl came cracked."}, {"speaker": "assistant", "text": " Cracked on arrival. "}]


def written(draft: Any) -> str:
    """A draft as a model writes it."""
    return json.dumps(draft, ensure_ascii=False)


def changed(draft: Any, path: str, value: Any) -> Any:
    """The draft with another value at a path such as "frameworks.0.name"."""
    head, _, rest = path.partition(".")
    key: Any = int(head) if isinstance(draft, list) else head
    new = changed(draft[key], rest, value) if rest else value
    copy = list(draft) if isinstance(draft, list) else dict(draft)
    copy[key] = new
    return copy


# knowledge


def technique(name: str, **fields: Any) -> dict[str, Any]:
    found = {
        "name": name,
        "does": "does",
        "use_when": "when",
        "rather_than": [],
        "claims": [],
        "takes_up": [],
        "snippets": [TALK],
    }
    return found | fields


def failure(name: str, **fields: Any) -> dict[str, Any]:
    said = {"name": name, "kind": "AI", "severity": "minor", "instance": "it did", "counter": "do not"}
    return said | {"claims": ["S02.1"], "takes_up": []} | fields


FRAMEWORKS = {
    "title": "Support of a pottery shop",
    "frameworks": [
        {
            "name": "Recovery",
            "idea": "mend",
            "use_when": "broken",
            "not_when": "whole",
            "takes_up": ["PR1"],
            "techniques": [
                technique(
                    "Name it", claims=["S01.1", "S01.2", "S01.1"], rather_than=[{"technique": "Hand over", "because": "known"}]
                ),
                technique("Ask once"),
            ],
        },
        {
            "name": "Handover",
            "idea": "pass on",
            "use_when": "not ours",
            "not_when": "ours",
            "takes_up": [],
            "techniques": [technique("Hand over")],
        },
    ],
    "principles": [{"text": f"Principle {n}", "claims": [], "takes_up": []} for n in range(3)],
    "failure_modes": [failure(f"Mode {n}", takes_up=["RISK1", "AF9", "RISK1"][: 3 - n]) for n in range(6)],
    "facts": [{"name": "Returns", "value": "30 days", "kind": "deadline", "scope": "", "claims": ["JOB1"]}],
    "set_aside": [{"id": "PR2", "because": "nobody asks for it"}, {"id": "AF13", "because": "one language only"}],
    "contradictions": [{"text": "First the fault, or first the question", "claims": ["S01.1", "S02.1"]}],
}
CITATIONS = {"S01.1": Citation("S01", "say what went wrong"), "S01.2": Citation("S01", "wait"), "S02.1": Citation("S02", "never")}
SOURCES = [Source(id=f"S0{n}", title=f"Page {n}", where=f"sources/{n}.md", read="2026-11-20") for n in (1, 2, 3)]


WISHES = (
    Wish(id="JOB1", text="Explain the rules.", sources=(Citation("S0", "explain the rules"),)),
    Wish(id="RISK1", text="Promises money.", sources=(Citation("S0", "an invented promise"),)),
)
GIVEN = Given(WISHES, CITATIONS, tuple(SOURCES), {"PR1": "Recovery", "PR2": "Coupons"})


def knowledge_of(draft: Any) -> Any:
    return to_knowledge(read(written(draft), KnowledgeDraft), GIVEN)


def test_what_was_given_ends_in_items_or_set_aside_and_facts_may_rest_on_the_brief() -> None:
    knowledge = knowledge_of(FRAMEWORKS)
    assert (knowledge.asked_for, knowledge.panel) == (WISHES, ("PR1", "PR2"))
    assert knowledge.taken_up == {"PR1", "RISK1", "AF9"}
    assert knowledge.failure_modes[0].drawn_from == ("RISK1", "AF9")
    assert knowledge.facts[0].sources == (Citation("S0", "explain the rules"),)
    assert [(item.id, item.text, item.because) for item in knowledge.set_aside] == [
        ("PR2", "Coupons", "nobody asks for it"),
        ("AF13", "switches the language", "one language only"),
    ]


BRIEF = "A shop.\n\nThe assistant explains the rules. It sees no orders. We fear an invented promise."


def wish(kind: str, quote: str) -> dict[str, str]:
    return {"kind": kind, "text": f"{quote} it is", "quote": quote}


def test_what_the_brief_asks_for_is_numbered_by_kind_and_cites_the_brief() -> None:
    items = [wish("risk", "We fear an\ninvented promise"), wish("job", "The assistant explains the rules"), wish("job", "A shop")]
    found = to_wishes(read(written({"items": items}), AskedForDraft), BRIEF)
    assert [wish.id for wish in found] == ["JOB1", "JOB2", "RISK1"]
    assert found[2].sources == (Citation("S0", "We fear an invented promise"),)
    assert found[2].text == "We fear an invented promise it is."


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (
            [wish("job", "explains the rule"), wish("limit", "It sees no orders")],
            "not stand in the brief word for word: “explains",
        ),
        ([wish("limit", "It sees no orders"), wish("risk", "We fear")], "No item is a `job`"),
    ],
)
def test_words_that_the_brief_does_not_hold_go_back(items: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        to_wishes(read(written({"items": items}), AskedForDraft), BRIEF)


def test_frameworks_techniques_principles_and_failure_modes_get_their_ids_from_code() -> None:
    knowledge = knowledge_of(FRAMEWORKS)
    assert [framework.id for framework in knowledge.frameworks] == ["F1", "F2"]
    assert [technique.id for technique in knowledge.techniques] == ["T1.1", "T1.2", "T2.1"]
    assert [principle.id for principle in knowledge.principles] == ["P1", "P2", "P3"]
    assert [mode.id for mode in knowledge.failure_modes] == [f"FM{n}" for n in range(1, 7)]


def test_names_and_numbers_of_a_draft_become_references() -> None:
    first = knowledge_of(FRAMEWORKS).techniques[0]
    assert first.rather_than == (Preference("T2.1", "known"),)
    assert first.sources == (CITATIONS["S01.1"], CITATIONS["S01.2"])
    assert first.snippets[0].messages[1].content == "Cracked on arrival."


def test_what_cites_nothing_is_marked_as_an_experts_own_word() -> None:
    assert knowledge_of(FRAMEWORKS).techniques[1].sources == (Citation("expert"),)


def test_only_sources_that_are_cited_are_listed() -> None:
    assert [source.id for source in knowledge_of(FRAMEWORKS).sources] == ["S01", "S02"]


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("frameworks.1.techniques.0.name", "Name it", "Two techniques are called “Name it”"),
        ("frameworks.0.techniques.0.rather_than.0.technique", "T2.1", "use the exact name of another technique"),
        ("frameworks.0.techniques.0.rather_than.0.technique", "Name it", "use the exact name of another technique"),
        ("frameworks.0.techniques.1.claims", ["S09.1"], "“Ask once”: there is no claim S09.1"),
        ("principles.1.claims", ["S01"], "principle P2: there is no claim S01"),
        ("failure_modes.0.claims", ["x", "y"], "failure mode “Mode 0”: there is no claim x, y"),
        ("failure_modes.0.kind", "robot", "Invalid enum value 'robot'"),
        ("frameworks.0.techniques.0.snippets.0", TALK[:1], "must alternate"),
        ("frameworks.0.techniques.0.snippets.0", TALK[::-1], "must alternate"),
        ("frameworks.0.techniques.0.snippets.0.0.text", " \n", "nothing but white space"),
        ("frameworks.0.techniques.0.snippets.0", [], "must alternate"),
        ("frameworks.0.idea", "", "length >= 1"),
        ("frameworks.0.techniques", [], "length >= 1"),
        ("failure_modes", [failure("one")], "length >= 6"),
        ("contradictions.0.claims", ["S01.1"], "length >= 2"),
        ("failure_modes.0.takes_up", ["AF99"], "There is no AF99 to take up or set aside"),
        ("set_aside.1.id", "PR9", "There is no PR9 to take up or set aside"),
        ("set_aside.1.id", "PR2", "PR2 is set aside twice"),
        ("facts.0.claims", ["RISK2"], "fact “Returns”: there is no claim RISK2"),
        ("contradictions.0.claims", ["S01.1", "S03.1"], "contradiction 1: there is no claim S03.1"),
    ],
)
def test_a_draft_of_frameworks_that_does_not_hold_together_goes_back(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        knowledge_of(changed(FRAMEWORKS, path, value))


def test_a_reading_without_claims_goes_back() -> None:
    with pytest.raises(ValueError, match="length >= 1"):
        read('{"claims": []}', Reading)


# anchors

ANCHORS = {
    "always": [{"text": f"Name  thing {n}", "unless": "night", "drawn_from": ["T1.1", "T1.1"]} for n in range(6)],
    "never": [{"text": f"Promise thing {n}!", "unless": "", "drawn_from": MODES} for n in range(8)],
}


def anchors_of(draft: Any) -> Any:
    return to_anchors(read(written(draft), AnchorsDraft))


def test_anchors_get_ids_one_line_and_a_full_stop() -> None:
    always, never = anchors_of(ANCHORS)
    assert [anchor.id for anchor in always] == [f"DO{n}" for n in range(1, 7)]
    assert [anchor.id for anchor in never] == [f"DONT{n}" for n in range(1, 9)]
    assert (always[0].text, always[0].unless, always[0].drawn_from) == ("Name thing 0.", "night.", ("T1.1",))
    assert (never[0].text, never[0].unless) == ("Promise thing 0!", "")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("always", ANCHORS["always"][:5], "length >= 6"),
        ("never", ANCHORS["never"] * 2, "length <= 12"),
        ("never.2.drawn_from", ["FM1", "the second one"], "`drawn_from` of DONT3: “the” is not an id"),
    ],
)
def test_a_draft_of_anchors_that_does_not_hold_together_goes_back(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        anchors_of(changed(ANCHORS, path, value))


# rubric


def question(text: str, **fields: Any) -> dict[str, Any]:
    said = {"text": text, "yes": "so", "no": "not so", "na": "", "applies": "always", "form": "presence", "checks": []}
    return said | {"catches": MODES, "measured": ""} | fields


def category(code: str, size: int = 4) -> dict[str, Any]:
    questions = [question(f"Is {code} {n} so?") for n in range(size)]
    return {"code": code, "name": f"Category {code}", "weight": 0.25, "serves": ["G1"], "questions": questions}


MEASURED = question("Is it  short?", yes="", no="", measured="words per reply <= 80", catches=[])
FAULT = {"of": ["FM1"], "user": "It broke.", "reply": "So sorry!"}
RUBRIC = {
    "faults": [FAULT] * 6,
    "title": "Rubric",
    "threshold": 0.75,
    "goals": ["Felt heard", "Knows what happens next"],
    "terms": [{"name": "Next step", "meaning": "one action"}],
    "gate": [question(f"Does it avoid {n}?") for n in range(3)],
    "categories": [category("CP"), category("US"), category("CN"), changed(category("FT"), "questions.3", MEASURED)],
    "not_asked": [{"anchor": "DO7", "because": "nobody asks for it"}],
}


def rubric_of(draft: Any) -> Rubric:
    return to_rubric(read(written(draft), RubricDraft))


def test_questions_get_ids_from_their_category_and_safety_becomes_the_gate() -> None:
    rubric = rubric_of(RUBRIC)
    assert [question.id for question in rubric.questions][:4] == ["SF1", "SF2", "SF3", "CP1"]
    assert [category.name for category in rubric.categories if category.gate] == ["Safety"]
    assert [goal.id for goal in rubric.goals] == ["G1", "G2"]
    assert [(left.id, left.because) for left in rubric.not_asked] == [("DO7", "nobody asks for it")]
    (measured,) = rubric.measured
    assert (measured.id, measured.text, str(measured.measured)) == ("FT4", "Is it short?", "words per reply <= 80")


def test_the_gate_serves_the_goals_that_no_category_names() -> None:
    """“Nobody comes to harm” is what it is for, and a draft has no place to say so; the document has one, which a person reads."""
    rubric = rubric_of(changed(RUBRIC, "goals.1", "Nobody comes to harm"))
    assert [category.serves for category in rubric.categories] == [("G2",), *[("G1",)] * 4]
    document = parse("evaluation-rubric", KINDS["evaluation-rubric"].form.render(rubric), "evaluation-rubric.md")
    outcomes = check(pottery.having(pottery.sound(), document))
    assert [outcome.findings for outcome in outcomes if outcome.gate == "rubric.goals-served"] == [()]
    assert rubric_of(changed(RUBRIC, "categories.0.serves", ["G1", "G2"])).categories[0].serves == ()


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("categories.0.code", "US", "The code US is used twice"),
        ("categories.0.code", "SF", "The code SF is used twice"),
        ("categories.0.code", "cp", "Expected `str` matching regex"),
        ("categories.0.name", "Category US", "Two categories are called “Category US”"),
        ("categories.0.name", "Safety", "Two categories are called “Safety”"),
        ("categories.3.questions.3.yes", "short", "FT4 is measured; then yes, no and na must be empty"),
        ("categories.3.questions.3.measured", "sighs per reply <= 1", "“sighs per reply” cannot be measured"),
        ("threshold", 0.9, "Expected `float` <= 0.8"),
        ("categories.0.serves", ["being heard"], "`serves` of CP: “being” is not an id"),
        ("categories.0.questions.0.checks", ["DO1", "honesty"], "`checks` of CP1: “honesty” is not an id"),
        ("gate.0.catches", ["harm"], "`catches` of SF1: “harm” is not an id"),
    ],
)
def test_a_draft_of_a_rubric_that_does_not_hold_together_goes_back(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        rubric_of(changed(RUBRIC, path, value))


def ruling(question: str, answer: str, *unlike: str) -> dict[str, Any]:
    said = {"question": question, "user": "It broke.", "assistant": "It did.", "answer": answer, "why": "“It did.”"}
    return said | {"unlike": [*unlike]}


def test_rulings_stand_below_their_questions_in_the_order_in_which_they_came() -> None:
    draft = {"rulings": [ruling("CP2", "no", "CP1", "CP1"), ruling("SF1", "yes"), ruling("CP2", "yes")]}
    rubric = to_rulings(read(written(draft), RulingsDraft), rubric_of(RUBRIC))
    found = {q.id: [(r.answer, r.unlike) for r in q.rulings] for q in rubric.questions if q.rulings}
    assert found == {"SF1": [("yes", ())], "CP2": [("no", ("CP1",)), ("yes", ())]}


@pytest.mark.parametrize("unasked", ["XX1", "FT4"])
def test_a_ruling_of_what_no_judge_is_asked_goes_back(unasked: str) -> None:
    with pytest.raises(ValueError, match=f"A ruling is about {unasked}"):
        to_rulings(read(written({"rulings": [ruling(unasked, "no")]}), RulingsDraft), rubric_of(RUBRIC))


# examples, calibrations, few-shots

ASKED = [question.id for question in rubric_of(RUBRIC).judged]


def example(claim: str = "", no: tuple[str, ...] = ()) -> dict[str, Any]:
    answers = [{"question": id, "answer": "no" if id in no else "yes", "reason": "seen"} for id in reversed(ASKED)]
    return {"title": f"The {claim} one", "conversation": TALK, "answers": answers} | ({"claim": claim} if claim else {})


EXAMPLES = {"examples": [example("strong"), example("mediocre", tuple(ASKED[3:])), example("violation", ("SF1",))]}


def test_worked_examples_answer_every_judged_question_in_the_order_of_the_rubric() -> None:
    rubric = rubric_of(RUBRIC)
    strong, mediocre, violation = to_examples(read(written(EXAMPLES), ExamplesDraft), rubric)
    assert [example.id for example in (strong, mediocre, violation)] == ["E1", "E2", "E3"]
    assert [answer.question for answer in strong.answers] == ASKED
    scores = [
        score(rubric, {answer.question: answer.answer for answer in example.answers} | {"FT4": "yes"})
        for example in (strong, mediocre, violation)
    ]
    assert [result.passed for result in scores] == [True, False, False]
    assert scores[2].safety_failed == ("SF1",)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("examples.0.claim", "fine", "Invalid enum value 'fine'"),
        ("examples.1.conversation", [*TALK, TALK[0]], "must alternate"),
    ],
)
def test_worked_examples_that_do_not_hold_together_go_back(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        to_examples(read(written(changed(EXAMPLES, path, value)), ExamplesDraft), rubric_of(RUBRIC))


def test_calibrations_are_numbered_and_claim_nothing_else() -> None:
    draft = read(written({"role": "You judge.", "calibrations": [example(), example(no=("CP1",))]}), JudgeDraft)
    calibrations = to_calibrations(draft, rubric_of(RUBRIC))
    assert [(one.id, one.claim) for one in calibrations] == [("C1", "calibration"), ("C2", "calibration")]


SHOTS = {
    "few_shots": [
        {"title": f"Shot {n}", "techniques": [id, id], "tone": "calm", "conversation": TALK, "why": "it names the fault"}
        for n, id in enumerate(TECHNIQUES[:3])
    ]
}


def test_few_shots_get_ids_and_name_each_technique_once() -> None:
    shots = to_few_shots(read(written(SHOTS), FewShotsDraft))
    assert [(shot.id, shot.techniques) for shot in shots] == [(f"X{n}", (id,)) for n, id in enumerate(TECHNIQUES[:3], start=1)]


# guidance

GUIDANCE = {
    "role": "You answer for a shop.",
    "grounding": "Use these.",
    "techniques": [{"id": id, "use_when": "when", "in_words": "like so"} for id in TECHNIQUES],
    "guards": [{"when": "it happens", "then": "do this", "counters": MODES}],
    "output": "Take turns. Be short.",
}


# scenario space


def case(name: str, topic: str = "") -> dict[str, Any]:
    return {"name": name, "situation": f"what happens: {name}", "expected": "what is right", "topic": topic, "takes_up": []}


SPACE = {
    "topics": [
        {
            "name": f"Topic {n}",
            "weight": 1.0,
            "situations": [{"text": "one", "material": ""}, {"text": "two", "material": "a letter"}],
            "jobs": ["JOB1"],
            "techniques": [TECHNIQUES[0], TECHNIQUES[0]],
            "takes_up": ["PR1"],
        }
        for n in range(3)
    ],
    "people": [{"name": "Giver", "weight": 1.0, "who": "forties", "writes": "", "keeps_back": "the date"}],
    "styles": [{"name": f"Style {n}", "weight": 1.0, "fewest": 5, "most": 20, "sounds_like": "so"} for n in range(3)],
    "difficulties": [{"name": f"D {n}", "weight": 1.0, "means": "so"} for n in range(2)],
    "flaws": [
        {"name": f"Flaw {n}", "weight": 1.0, "shows_as": "so", "from_exchange": 1 + n // 2, "not_with": ["D 0", "Style 1"][:n]}
        for n in range(3)
    ],
    "lengths": [{"name": "One", "weight": 1.0, "exchanges": 1}, {"name": "Some", "weight": 2.0, "exchanges": 3}],
    "arcs": [{"name": "Worse", "weight": 1.0, "means": "so"}],
    "gaps": [{"name": "Days", "weight": 1.0, "fewest": 2, "most": 6, "reads": "{days} days later"}],
    "edge_cases": [case("gift", "Topic 1"), case("customs")],
    "out_of_scope": [case("law"), case("wholesale", "Topic 2")],
    "reactions": {"answers": 0.4, "half": 0.3, "pushes_back": 0.1, "ignores": 0.2},
    "set_aside": [{"id": "PR2", "because": "nobody asks that"}],
    "edge_share": 0.15,
    "out_of_scope_share": 0.1,
    "no_flaw_share": 0.2,
}


def space_of(draft: Any) -> Any:
    return to_space(read(written(draft), SpaceDraft), "Pottery", {"PR1": "A gift.", "PR2": "A ring."})


def test_a_space_gets_ids_and_can_be_planned_from() -> None:
    space = space_of(SPACE)
    assert [situation.id for topic in space.topics for situation in topic.situations][:3] == ["TP1.1", "TP1.2", "TP2.1"]
    assert space.topics[0].techniques == (TECHNIQUES[0],)
    assert [(case.id, case.topic) for case in space.edge_cases + space.out_of_scope] == [
        ("ED1", "TP2"),
        ("ED2", ""),
        ("OS1", ""),
        ("OS2", "TP3"),
    ]
    assert len(plan(space, 40, 1)) == 40
    assert space.topics[0].situations[1].material == "a letter"
    assert (space.topics[0].jobs, space.topics[0].drawn_from, space.panel) == (("JOB1",), ("PR1",), ("PR1", "PR2"))
    assert [(flaw.from_exchange, flaw.not_with) for flaw in space.flaws] == [(1, ()), (1, ("DF1",)), (2, ("DF1", "ST2"))]
    assert space.set_aside == (SetAside("PR2", "A ring.", "nobody asks that"),)
    assert space.reactions.shares == {"answers": 0.4, "half": 0.3, "pushes back": 0.1, "ignores": 0.2}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("topics.1.name", "Topic 0", "Two topics are called “Topic 0”"),
        ("edge_cases.1.topic", "TP1", "there is no topic “TP1”"),
        ("topics.0.weight", 0, "Expected `float` > 0"),
        ("topics.0.situations", [{"text": "one", "material": ""}], "length >= 2"),
        ("flaws.1.not_with", ["DF1"], "no style or difficulty “DF1”"),
        ("styles.1.name", "Style 0", "Two styles are called “Style 0”"),
        ("edge_share", 0.6, "<= 0.5"),
        ("topics.0.techniques", ["Listen first"], "`techniques` of “Topic 0”: “Listen” is not an id"),
        ("topics.0.jobs", ["explain"], "`jobs` of “Topic 0”: “explain” is not an id"),
        ("topics.0.takes_up", ["all of PR1"], "`takes_up` of “Topic 0”: “all” is not an id"),
        ("edge_cases.1.takes_up", ["all"], "`takes_up` of “.*”: “all” is not an id"),
    ],
)
def test_a_draft_of_a_space_that_does_not_hold_together_goes_back(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        space_of(changed(SPACE, path, value))


# what gates find in the document that a draft becomes


def guidance_of(draft: Any) -> Any:
    return to_prompt(read(written(draft), GuidanceDraft), KNOWLEDGE, ())


def rubric_with_examples(draft: Any) -> Any:
    examples = to_examples(read(written(draft), ExamplesDraft), rubric_of(RUBRIC))
    return msgspec.structs.replace(rubric_of(RUBRIC), examples=examples)


def prompt_with_shots(draft: Any) -> Any:
    shots = to_few_shots(read(written(draft), FewShotsDraft))
    return msgspec.structs.replace(pottery.generation_prompt(), few_shots=shots)


def knowledge_with_anchors(draft: Any) -> Any:
    always, never = anchors_of(draft)
    return msgspec.structs.replace(KNOWLEDGE, always=always, never=never)


SAME = [{"text": f"Joke {n}", "unless": "", "drawn_from": MODES[1:]} for n in range(8)]
UNCAUGHT = [category(code) | {"questions": [question("Is it so?", catches=[])] * 4} for code in ("CP", "US", "CN")]
ANSWERS = example("strong")["answers"]


@pytest.mark.parametrize(
    ("kind", "become", "draft", "path", "value", "gate", "said"),
    [
        (Documents.knowledge, knowledge_with_anchors, ANCHORS, "always.0.drawn_from", ["T9.9"], "anchors.drawn-from", "T9.9"),
        (Documents.knowledge, knowledge_with_anchors, ANCHORS, "never", SAME, "anchors.failures-countered", MODES[0]),
        (Documents.rubric, rubric_of, RUBRIC, "categories", [category(c) for c in ("CP", "US", "CN", "FT", "XX")],
         "rubric.question-count", "23 questions"),
        (Documents.rubric, rubric_of, RUBRIC, "categories.0.weight", 0.3, "rubric.weights", "sum to 1.05"),
        (Documents.rubric, rubric_of, RUBRIC, "categories.0.serves", ["G9"], "rubric.goals-served", "G9"),
        (Documents.rubric, rubric_of, RUBRIC, "categories.0.questions.0.catches", ["FM99"], "rubric.failures-caught", "FM99"),
        (Documents.rubric, rubric_of, changed(RUBRIC, "categories", UNCAUGHT), "gate",
         [question(f"Does it avoid {n}?", catches=MODES[1:]) for n in range(3)], "rubric.failures-caught", MODES[0]),
        (Documents.rubric, rubric_of, RUBRIC, "categories.0.questions.0.yes", "", "rubric.yes-and-no", "CP1"),
        (Documents.rubric, rubric_with_examples, EXAMPLES, "examples.0.answers", ANSWERS[1:], "worked-examples.complete", ASKED[-1]),
        (Documents.rubric, rubric_with_examples, EXAMPLES, "examples.0.answers.0.question", "XX1", "worked-examples.complete", "XX1"),
        (Documents.rubric, rubric_with_examples, EXAMPLES, "examples.0.answers", [*ANSWERS, ANSWERS[0]], "", "twice"),
        (Documents.rubric, rubric_with_examples, EXAMPLES, "examples.0.answers.0.answer", "na",
         "worked-examples.not-applicable", ASKED[-1]),
        (Documents.rubric, rubric_with_examples, EXAMPLES, "examples.0.claim", "mediocre", "worked-examples.kinds", "strong"),
        (Documents.generation_prompt, guidance_of, GUIDANCE, "techniques", GUIDANCE["techniques"][1:],
         "generation-prompt.techniques", "T1.1"),
        (Documents.generation_prompt, guidance_of, GUIDANCE, "techniques", [*GUIDANCE["techniques"], GUIDANCE["techniques"][0]],
         "", "second time"),
        (Documents.generation_prompt, guidance_of, GUIDANCE, "techniques.0.id", "T9.9", "generation-prompt.techniques", "T9.9"),
        (Documents.generation_prompt, guidance_of, GUIDANCE, "guards.0.counters", MODES[1:], "generation-prompt.guards", MODES[0]),
        (Documents.generation_prompt, guidance_of, GUIDANCE, "guards.0.counters", [*MODES, "FM77"], "generation-prompt.guards", "FM77"),
        (Documents.generation_prompt, prompt_with_shots, SHOTS, "few_shots.1.techniques", ["T9.9"],
         "generation-prompt.few-shots-annotated", "T9.9"),
        (Documents.space, space_of, SPACE, "topics.0.techniques", ["T9.9"], "scenario-space.techniques-known", "T9.9"),
        (Documents.space, space_of, SPACE, "styles.0.most", 5, "scenario-space.word-ranges", "5–5"),
        (Documents.space, space_of, SPACE, "styles.0.most", 4, "", "no range of words"),
        (Documents.space, space_of, changed(SPACE, "edge_share", 0.5), "out_of_scope_share", 0.5, "scenario-space.shares", "out_of_scope"),
    ],
)  # fmt: skip
def test_what_a_draft_says_wrong_is_found_in_the_document(
    kind: Kind[Any], become: Callable[[Any], Any], draft: Any, path: str, value: Any, gate: str, said: str
) -> None:
    """By this gate, or, without one, by the document's form; not so in the draft as it was."""

    def found(draft: Any) -> list[str]:
        document = parse(kind.name, kind.form.render(become(draft)), kind.path)
        outcomes = check(pottery.having(pottery.sound(), document))
        findings = document.findings + tuple(
            finding for outcome in outcomes if outcome.gate == gate for finding in outcome.findings
        )
        return [finding.what for finding in findings if said in finding.what]

    assert found(changed(draft, path, value))
    assert not found(draft)

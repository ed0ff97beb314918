"""Every computed gate that looks at documents: silent about sound documents, and exact about one broken value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finetune_prep.core.finding import Finding, Outcome
from finetune_prep.core.knowledge import Anchor, Citation, Contradiction, Fact, Preference, SetAside
from finetune_prep.core.rubric import Category, Expected, Question, Ruling, Term
from finetune_prep.core.scenarios.space import Gap, Reactions, SpecialCase
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates import check
from finetune_prep.gates.rubric import rubric
from finetune_prep.method.gates import GATES
from tests.gates import pottery
from tests.gates.pottery import broken, having, sound, talk
from tests.soak import SOAK, examples

KNOWLEDGE = pottery.knowledge()
RUBRIC = pottery.rubric()
SPACE = pottery.space()
JUDGE = pottery.evaluation_prompt()
GENERATION = pottery.generation_prompt()


def outcome(gate: str, documents: Documents) -> Outcome:
    return next(outcome for outcome in check(documents) if outcome.gate == gate)


def without(items: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    return (*items[:at], *items[at + 1 :])


def question(at: str) -> str:
    category, number = at.split(".")
    return f"rubric.categories.{category}.questions.{number}"


ASKED_FIRST = RUBRIC.categories[1].questions[1].rulings[:1]
# gate, where, the broken value, what every finding says
CASES: list[tuple[str, str, Any, list[str]]] = [
    ("research.frameworks", "knowledge.frameworks.1.not_when", "", ["F2 does not say “Not when”"]),
    (
        "research.frameworks",
        "knowledge.frameworks.1.techniques",
        (),
        ["F2 has no technique: “Handing over” is only a theory"],
    ),
    ("research.frameworks", "knowledge.frameworks", (), ["no framework"]),
    ("research.techniques-explained", "knowledge.frameworks.0.techniques.1.does", " ", ["T1.2 does not say “Does”"]),
    (
        "research.techniques-shown",
        "knowledge.frameworks.0.techniques.1.snippets",
        (),
        ["T1.2 “One question” is explained and not shown"],
    ),
    (
        "research.techniques-shown",
        "knowledge.frameworks.0.techniques.1.snippets",
        (talk("Only I speak."),),
        ["a conversation of T1.2 has only one speaker"],
    ),
    ("research.citations", "knowledge.principles.0.sources", (), ["P1 does not say where it comes from"]),
    (
        "research.sources-exist",
        "knowledge.principles.0.sources.0.source",
        "S09",
        ["P1 cites S09, which is not under Sources (there are S01, S02)"],
    ),
    ("research.sources-described", "knowledge.sources.1.read", "", ["S02 does not say “Read”"]),
    (
        "research.sources-current",
        "knowledge.sources.0.published",
        "2019",
        ["the newest of 1 dated sources was 7 years old when it was read"],
    ),
    (
        "research.quotes-found",
        "knowledge.principles.0.sources.0.quote",
        "Ask two things, then wait",
        ["P1 quotes words that S01 does not hold: “Ask two things, then wait”"],
    ),
    ("research.quotes-found", "knowledge.principles.0.sources.0.quote", "", ["P1 cites S01 without its words"]),
    ("research.quotes-found", "knowledge.principles.0.sources.0.quote", "Ask one", ["P1 quotes only “Ask one” from S01"]),
    (
        "research.contradictions-cited",
        "knowledge.contradictions",
        (Contradiction(id="CT1", text="One question or two.", sources=(Citation("S01", "Ask one thing"), Citation("expert"))),),
        ["CT1 quotes 1 of the passages that contradict each other; it takes two"],
    ),
    (
        "research.unsourced-share",
        "knowledge.failure_modes",
        tuple(msgspec.structs.replace(mode, sources=(Citation("expert"),)) for mode in KNOWLEDGE.failure_modes),
        ["3 of 9 statements have no source (33%): FM1, FM2, FM4"],
    ),
    (
        "research.safety-unsourced",
        "knowledge.failure_modes.2.sources",
        (Citation("expert"),),
        ["FM3 “Harm made small” is about safety, and no source stands behind it"],
    ),
    (
        "research.sources-dated",
        "knowledge.sources.0.published",
        "2027",
        ["S01 was read on 2026-11-20, before it was published on 2027"],
    ),
    (
        "research.sources-dated",
        "knowledge.sources.0.published",
        "2025-02-30",
        ["“Published” of S01 is “2025-02-30”, which is no date"],
    ),
    (
        "research.no-placeholders",
        "knowledge.principles.0.text",
        "Say {{ name }}.",
        ["“{{ name }}” holds the place of a text that is not written yet"],
    ),
    ("origins.jobs", "knowledge.asked_for", KNOWLEDGE.fears, ["nothing says what the assistant is for"]),
    (
        "origins.fears-taken-up",
        "knowledge.failure_modes.1.drawn_from",
        ("AF1", "AF9", "PR1"),
        ["no failure mode makes LIMIT1 concrete: “Grants no refund.”"],
    ),
    (
        "origins.common-failures",
        "knowledge.failure_modes.0.drawn_from",
        ("AF10",),
        [
            "AF2 (misses what stands in the material) is neither taken up nor set aside: Overlooks something decisive that the user "
            "wrote or pasted, most easily in the middle of a long text."
        ],
    ),
    (
        "origins.panel-answered",
        "knowledge.panel",
        ("PR1", "PR2", "PR7"),
        ["2 of 3 proposals of the panel are taken up or set aside; not so: PR7"],
    ),
    (
        "origins.exist",
        "knowledge.panel",
        ("PR1",),
        ["“Set aside” names PR2, which is no wish of the brief, no common failure and no proposal of the panel"],
    ),
    (
        "fact-table.vouched-for",
        "knowledge.facts.0.confirmed_by",
        " ",
        ["nobody vouches for FA1 “Photographs: kiln@shop.example”"],
    ),
    (
        "fact-table.as-quoted",
        "knowledge.facts.0",
        Fact(id="FA1", name="Waiting", value="2 days", kind="deadline", sources=(Citation("S01", "Ask one thing, then wait"),)),
        ["FA1 states “2 days”, and its quotation does not: “Ask one thing, then wait”"],
    ),
    (
        "fact-table.distinct",
        "knowledge.facts",
        tuple(msgspec.structs.replace(KNOWLEDGE.facts[0], id=f"FA{n}", value=f"{n}") for n in (1, 2)),
        ["FA2 and FA1 are both “Photographs”, for the same cases"],
    ),
    (
        "anchors.never-without-not",
        "knowledge.never.3.text",
        "Avoid jokes about broken presents.",
        ["DONT4 stands under “Never do” and begins with “Avoid”, so it says the opposite"],
    ),
    ("research.principles", "knowledge.principles", (), ["no communication principle"]),
    (
        "research.failure-kinds",
        "knowledge.failure_modes.2.kind",
        "AI",
        ["no failure mode of the kind “safety”: what did or could do harm"],
    ),
    ("research.failures-specific", "knowledge.failure_modes.2.instance", "", ["FM3 does not say “Instance”"]),
    (
        "research.failures-specific",
        "knowledge.failure_modes.2.instance",
        "harm made small.",
        ["the instance of FM3 only repeats its name"],
    ),
    ("research.failures-specific", "knowledge.failure_modes.2.counter", "", ["FM3 does not say “Counter”"]),
    (
        "research.counters-conditional",
        "knowledge.failure_modes.2.counter",
        "be careful",
        ["the counter of FM3 does not say when it applies: “be careful”"],
    ),
    (
        "research.preferences",
        "knowledge.frameworks.1.techniques.0.rather_than",
        (Preference("T9.9", "never"),),
        ["T2.1 is preferred to T9.9, which does not exist"],
    ),
    (
        "research.preferences",
        "knowledge.frameworks.1.techniques.0.rather_than",
        (Preference("T2.1", "always"),),
        ["T2.1 is preferred to itself"],
    ),
    (
        "research.preferences",
        "knowledge.frameworks.1.techniques",
        tuple(msgspec.structs.replace(technique, rather_than=()) for technique in KNOWLEDGE.frameworks[1].techniques),
        [
            "nothing says when to use T2.1 “Warm handover” rather than another technique",
            "nothing says when to use T2.2 “Photograph first” rather than another technique",
        ],
    ),
    (
        "research.capacity",
        "space.topics.4.techniques",
        ("T1.1", "T1.2"),
        ["22 pairs of topic and technique are good for 66 different conversations (each pair 3 times); a pilot of 100 needs 75"],
    ),
    ("scenario-space.dimensions", "space.flaws", (), ["nothing under “User flaws”"]),
    ("scenario-space.dimensions", "space.topics.1.situations", (), ["TP2 “Late parcels” has no situation"]),
    (
        "scenario-space.special-cases",
        "space.edge_cases",
        (),
        ["nothing under “Edge cases”: such cases don't appear by themselves"],
    ),
    (
        "scenario-space.special-cases",
        "space.out_of_scope.0",
        SpecialCase(id="OS1", name="Legal advice", situation="asks whether to sue", topic="TP8"),
        ["OS1 “Legal advice” does not say what a right answer does", "OS1 belongs to TP8, which does not exist"],
    ),
    ("scenario-space.weights", "space.styles.0.weight", 0.0, ["ST1 under “User styles” has the weight 0"]),
    ("scenario-space.weights", "space.styles.0.weight", float("nan"), ["ST1 under “User styles” has the weight nan"]),
    ("scenario-space.shares", "space.edge_share", 0.6, ["edge_share is 0.6"]),
    ("scenario-space.shares", "space.no_flaw_share", 0.0, ["no_flaw_share is 0: every user has a flaw"]),
    ("scenario-space.word-ranges", "space.styles.0.most", 5, ["ST1 “Terse” has the range 5–5 words"]),
    ("scenario-space.word-ranges", "space.styles.0.most", 300, ["ST1 “Terse” may have anything from 5 to 300 words"]),
    (
        "scenario-space.techniques-known",
        "space.topics.0.techniques",
        (*SPACE.topics[0].techniques, "T7.1"),
        ["TP1 names T7.1, which domain-frameworks.md does not have"],
    ),
    ("scenario-space.techniques-known", "space.topics.0.techniques", (), ["TP1 “Damaged goods” names no technique"]),
    (
        "scenario-space.techniques-used",
        "space.topics",
        tuple(msgspec.structs.replace(topic, techniques=topic.techniques[:4]) for topic in SPACE.topics),
        ["no topic uses T2.2 “Photograph first”: it would never be taught"],
    ),
    (
        "scenario-space.dimensions",
        "space.people",
        (),
        ["nothing under “People”"],
    ),
    ("scenario-space.weights", "space.people.1.weight", -1.0, ["PE2 under “People” has the weight -1"]),
    (
        "scenario-space.shares",
        "space.reactions",
        Reactions(answers=0, half=0, pushes_back=0, ignores=0),
        ["users take a question of the assistant in no way at all"],
    ),
    (
        "scenario-space.jobs-met",
        "space.topics",
        tuple(msgspec.structs.replace(topic, jobs=("JOB7",)) for topic in SPACE.topics[:1]),
        [
            "no topic meets JOB1 “Answer customers whose goods came late, cracked or wrong.”: the assistant would never be asked for it",
            "TP1 names JOB7, which reference/domain-frameworks.md does not ask for",
        ],
    ),
    (
        "scenario-space.panel-heard",
        "space.panel",
        ("PR1", "PR3"),
        [
            "the panel proposed PR1, and it is neither taken up nor set aside",
            "the panel proposed PR3, and it is neither taken up nor set aside",
        ],
    ),
    (
        "scenario-space.spans",
        "brief.spans",
        "days",
        [
            "the brief says `spans: days`, and nothing stands under “Arcs”",
            "the brief says `spans: days`, and nothing stands under “Gaps”",
        ],
    ),
    (
        "scenario-space.spans",
        "space.gaps",
        (
            Gap(id="GP1", name="Days", weight=1, fewest=2, most=6, reads="{days} days later"),
            Gap(id="GP2", name="Some", weight=1, fewest=2, most=6, reads="some days later"),
            Gap(id="GP3", name="Next", weight=1, fewest=1, most=1),
            Gap(id="GP4", name="Same day", weight=1, fewest=0, most=0),
        ),
        [
            "“Gaps” has items, and the brief says that a talk is one sitting",
            "GP2 is 2 to 6 days, and its words are always the same",
            "GP3 “Next” does not say how it reads",
        ],
    ),
    (
        "scenario-space.flaws-possible",
        "space.flaws.0.not_with",
        ("DF1", "DF2", "DF3", "ST9"),
        [
            "FL1 does not go with ST9, which does not exist",
            "FL1 “Buries the lede” goes with no difficulty, so nobody ever has it",
        ],
    ),
    (
        "scenario-space.flaws-possible",
        "space.flaws.0.from_exchange",
        4,
        ["FL1 “Buries the lede” shows from exchange 4 on; the longest conversation has 3"],
    ),
    (
        "scenario-plan.playable",
        "space.edge_cases.0.situation",
        " ".join(["bleeding"] * 800),
        ["150 of 1,000 cards cannot be played: ED1 takes 800 words to tell, and ST2 has 120 in each of 1"],
    ),
    (
        "scenario-plan.shares-kept",
        "space.flaws",
        (msgspec.structs.replace(SPACE.flaws[0], not_with=("DF1", "DF2", "DF3")), *SPACE.flaws[1:]),
        [
            "FL1 is declared for 27% of the conversations, and 0% of those planned have it",
            "FL2 is declared for 27% of the conversations, and 36% of those planned have it",
            "FL3 is declared for 27% of the conversations, and 37% of those planned have it",
            "no flaw is declared for 20% of the conversations, and 27% of those planned have it",
        ],
    ),
    ("scenario-plan.single-exchanges", "space.lengths.0.weight", 1.0, ["59% of the conversations have a single exchange"]),
    (
        "scenario-space.capacity",
        "space.topics",
        SPACE.topics[:1],
        ["the space holds 576 different scenarios; a data set needs at least 2,000"],
    ),
    ("anchors.always-count", "knowledge.always", KNOWLEDGE.always[:5], ["5 anchors under “Always do”"]),
    (
        "anchors.always-count",
        "knowledge.always",
        KNOWLEDGE.always + tuple(Anchor(id=f"DO{n}", text=f"Write the number {n}.") for n in range(7, 12)),
        ["11 anchors under “Always do”"],
    ),
    ("anchors.never-count", "knowledge.never", KNOWLEDGE.never[:7], ["7 anchors under “Never do”"]),
    (
        "anchors.failures-countered",
        "knowledge.never.0.drawn_from",
        ("P1",),
        ["no anchor counters FM2 “The promise nobody can keep”"],
    ),
    ("anchors.drawn-from", "knowledge.always.2.drawn_from", (), ["DO3 does not say what it was drawn from"]),
    (
        "anchors.drawn-from",
        "knowledge.always.2.drawn_from",
        ("T8.8",),
        ["DO3 is drawn from T8.8, which this document does not have"],
    ),
    (
        "anchors.distinct",
        "knowledge.always.2.text",
        "Name the fault reported before you offer any remedy.",
        ["DO3 says nearly what DO1 says (67% of the words): “Name the fault reported before you offer any remedy.”"],
    ),
    (
        "anchors.verb-first",
        "knowledge.always.2.text",
        "Empathy with the customer",
        ["DO3 has no verb first: “Empathy with the customer”"],
    ),
    (
        "anchors.plain-words",
        "knowledge.always.2.text",
        "Answer in an appropriate way",
        ["DO3 rests on “appropriate”, on which two readers would differ"],
    ),
    (
        "rubric.question-count",
        "rubric.categories.1.questions",
        RUBRIC.categories[1].questions[:3],
        ["14 questions"],
    ),
    (
        "rubric.question-count",
        "rubric.categories.1.questions",
        tuple(msgspec.structs.replace(RUBRIC.categories[1].questions[0], id=f"CP{n}") for n in range(1, 12)),
        ["22 questions: judges tire, and noise and cost grow"],
    ),
    ("rubric.category-count", "rubric.categories", RUBRIC.categories[:3], ["3 categories"]),
    (
        "rubric.questions-per-category",
        "rubric.categories.1.questions",
        RUBRIC.categories[1].questions[:1],
        ["“Comprehension” has 1 question"],
    ),
    ("rubric.weights", "rubric.categories.1.weight", 0.31, ["the weights sum to 1.01, not 1: 0.31 + 0.4 + 0.3"]),
    (
        "rubric.weights",
        "rubric.categories.1.weight",
        -0.3,
        ["“Comprehension” has the weight -0.3", "the weights sum to 0.4, not 1: -0.3 + 0.4 + 0.3"],
    ),
    ("rubric.threshold", "rubric.threshold", 0.69, ["the threshold is 0.69"]),
    (
        "rubric.safety-gate",
        "rubric.categories",
        RUBRIC.categories[1:],
        ["no safety gate: nothing fails a conversation whatever its score"],
    ),
    ("rubric.safety-gate", "rubric.categories.1.weight", None, ["“Comprehension” is a second gate beside “Safety”"]),
    ("rubric.safety-gate", "rubric.categories.0.questions", (), ["the safety gate “Safety” has no question"]),
    ("rubric.yes-and-no", f"{question('1.0')}.no", "", ["CP1 does not say “No”"]),
    (
        "rubric.question-form",
        f"{question('1.0')}.text",
        "The reply names the fault.",
        ["CP1 is no question: “The reply names the fault.”"],
    ),
    (
        "rubric.binary",
        f"{question('1.0')}.text",
        "How well does the reply name the fault?",
        ["CP1 asks for more than yes or no (“How well”)"],
    ),
    (
        "rubric.binary",
        f"{question('1.0')}.yes",
        "a rating of 1–5",
        ["CP1 asks for more than yes or no (“1–5”)"],
    ),
    (
        "rubric.double-questions",
        f"{question('1.0')}.text",
        "Does the reply name the fault and offer a remedy?",
        ["CP1 asks two things (“… and offer a …”): “Does the reply name the fault and offer a remedy?”"],
    ),
    (
        "rubric.presence",
        f"{question('1.0')}.text",
        "Does the reply avoid stock phrases?",
        ["CP1 asks that something is missing (“avoid”): “Does the reply avoid stock phrases?”"],
    ),
    (
        "rubric.failures-caught",
        "rubric.categories",
        tuple(
            msgspec.structs.replace(
                category,
                questions=tuple(
                    msgspec.structs.replace(q, catches=tuple(mode for mode in q.catches if mode != "FM1"))
                    for q in category.questions
                ),
            )
            for category in RUBRIC.categories
        ),
        ["no question catches FM1 “Sympathy without substance”"],
    ),
    (
        "rubric.failures-caught",
        f"{question('1.0')}.catches",
        ("FM1", "FM9"),
        ["CP1 catches FM9, which domain-frameworks.md does not have"],
    ),
    ("rubric.questions-distinct", f"{question('1.0')}.catches", (), ["CP1 catches no documented failure"]),
    (
        "rubric.questions-distinct",
        f"{question('1.1')}.catches",
        ("FM1",),
        ["CP1 and CP2 catch exactly the same (FM1)"],
    ),
    (
        "rubric.questions-distinct",
        f"{question('1.1')}.text",
        "Does the reply name the fault reported first?",
        ["CP1 and CP2 share 100% of their words"],
    ),
    ("rubric.goals-served", "rubric.categories.1.serves", (), ["“Comprehension” serves no goal"]),
    (
        "rubric.goals-served",
        "rubric.categories.1.serves",
        ("G1", "G4"),
        ["“Comprehension” serves G4, which is not under Goals"],
    ),
    (
        "rubric.terms-defined",
        f"{question('1.0')}.text",
        "Is the reply empathetic?",
        ["CP1 rests on “empathetic”, which Terms does not define"],
    ),
    (
        "rubric.pairs-apart",
        "rubric.categories.3.questions",
        tuple(
            msgspec.structs.replace(q, rulings=tuple(msgspec.structs.replace(ruling, unlike=()) for ruling in q.rulings))
            for q in RUBRIC.categories[3].questions
        ),
        ["no example tells apart FT2/FT3 (“Fit”)"],
    ),
    (
        "chain.anchors-asked",
        f"{question('1.1')}.checks",
        (),
        ["no question checks DO4 “Count earlier messages when the customer writes again.”"],
    ),
    (
        "chain.anchors-asked",
        f"{question('1.1')}.checks",
        ("DO4", "DO9"),
        ["CP2 checks DO9, which domain-frameworks.md does not have"],
    ),
    (
        "chain.anchors-asked",
        f"{question('1.1')}.checks",
        ("DO1", "DO2", "DO3", "DO4"),
        ["CP2 checks 4 anchors (DO1, DO2, DO3, DO4)"],
    ),
    (
        "chain.anchors-asked",
        "rubric.not_asked",
        (SetAside("DONT7", "", "no status is shown"), SetAside("DO3", "", "why not"), SetAside("DO40", "", "why not")),
        [
            "DO3 stands under “Not asked”, and a question checks it",
            "DO40 is not asked, and domain-frameworks.md does not have it",
        ],
    ),
    (
        "chain.anchors-asked",
        "knowledge.never.6.drawn_from",
        ("T2.1", "FM3"),
        ["DONT7 is not asked, and it guards against FM3, which is critical"],
    ),
    (
        "chain.critical-in-gate",
        f"{question('0.2')}.catches",
        (),
        ["FM3 “Harm made small” is critical, and no question of the gate catches it: a conversation may pass with it"],
    ),
    (
        "chain.topics-covered",
        "rubric.categories.2.questions",
        tuple(
            msgspec.structs.replace(q, applies="TP1, TP2, TP3" if q.id in ("NS1", "NS2") else q.applies)
            for q in RUBRIC.categories[2].questions
        ),
        ["in “Next step”, one question is sure to apply to TP4, TP5: elsewhere N/A decides, and not what was said"],
    ),
    (
        "chain.applies",
        f"{question('1.0')}.na",
        "nothing is broken",
        ["CP1 applies always, and has an N/A: “nothing is broken”"],
    ),
    (
        "chain.applies",
        f"{question('1.2')}.na",
        "",
        ["CP3 applies to “when the customer speaks of it”, and does not say when it is N/A"],
    ),
    (
        "chain.applies",
        f"{question('1.2')}.applies",
        "TP1, TP9",
        ["CP3 applies to TP9, which scenario-space.md does not have"],
    ),
    (
        "rulings.unlike",
        f"{question('1.0')}.rulings.1.unlike",
        ("CP1", "CP2", "NS1"),
        ["a ruling of CP1 is unlike CP1, NS1, which is no other judged question of “Comprehension”"],
    ),
    (
        "rulings.unlike",
        f"{question('1.2')}.rulings.1.answer",
        "na",
        ["a ruling of CP3 is N/A, and tells nothing from CP1, CP2"],
    ),
    (
        "rulings.not-applicable",
        f"{question('1.0')}.rulings.1.answer",
        "na",
        ["a ruling of CP1 is N/A, which CP1 does not allow"],
    ),
    (
        "rulings.quotes",
        f"{question('1.0')}.rulings.1.why",
        "“We will look into it” names nothing.",
        ["a ruling of CP1 rests on “We will look into it”, which neither the user nor the assistant says there"],
    ),
    (
        "worked-examples.spoken",
        "rubric.examples.2.conversation",
        talk("My bowl came cracked."),
        ["in E3 the assistant says nothing"],
    ),
    (
        "worked-examples.reasons",
        "rubric.examples.0.answers",
        tuple(msgspec.structs.replace(given, reason="It is all there.") for given in RUBRIC.examples[0].answers),
        ["E1 gives the same reason 13 times: “it is all there.”"],
    ),
    (
        "worked-examples.quotes",
        "rubric.examples.0.answers.3",
        Expected("CP1", "yes", "“A cracked … bowl” and „bowl“ come back, “by Monday” too."),
        ["E1 answers CP1 from “by Monday”, which nobody says there"],
    ),
    ("worked-examples.kinds", "rubric.examples", without(RUBRIC.examples, 1), ["no mediocre example"]),
    ("worked-examples.complete", "rubric.examples.0.answers", RUBRIC.examples[0].answers[1:], ["E1 does not answer SF1"]),
    (
        "worked-examples.complete",
        "rubric.examples.0.answers",
        (*RUBRIC.examples[0].answers, Expected("QQ7", "yes", "why")),
        ["E1 answers QQ7, which is no question"],
    ),
    (
        "worked-examples.reasons",
        "rubric.examples.0.answers.0",
        Expected("SF1", "yes", ""),
        ["E1 gives no reason for SF1"],
    ),
    (
        "worked-examples.not-applicable",
        "rubric.examples.0.answers",
        pottery.answer("na", RUBRIC.examples[0], "CP4"),
        ["E1 answers N/A to CP4, which does not allow it"],
    ),
    (
        "worked-examples.measured-agree",
        "rubric.examples.0.answers",
        (*RUBRIC.examples[0].answers, Expected("NS4", "no", "Two questions.")),
        ["E1 answers no to NS4; measured, it is yes"],
    ),
    (
        "worked-examples.scores",
        "rubric.examples.0.answers",
        RUBRIC.examples[1].answers,
        ["E1 claims to be strong and fails: 0.50 at a threshold of 0.75; NO to CP1, CP2, CP3, NS1, NS2, FT1"],
    ),
    (
        "worked-examples.scores",
        "rubric.examples.0.answers",
        RUBRIC.examples[2].answers,
        ["E1 claims to be strong and fails: a safety NO (SF1)"],
    ),
    (
        "worked-examples.scores",
        "rubric.examples.0.answers",
        pottery.answered("E1", "strong", "", talk("a"), no="CP1 CP2").answers,
        ["E1 claims to be strong and scores 0.85; NO to CP1, CP2"],
    ),
    (
        "worked-examples.scores",
        "rubric.examples.1.answers",
        RUBRIC.examples[0].answers,
        ["E2 claims to be mediocre and passes: 1.00 at a threshold of 0.75"],
    ),
    (
        "worked-examples.scores",
        "rubric.examples.1.answers",
        RUBRIC.examples[2].answers,
        ["E2 claims to be mediocre and violates safety (SF1)"],
    ),
    (
        "worked-examples.scores",
        "rubric.examples.2.answers",
        RUBRIC.examples[0].answers,
        ["E3 claims a violation and has no safety NO"],
    ),
    (
        "evaluation-prompt.purpose",
        "evaluation_prompt.role",
        "You judge replies of a pottery shop.",
        ["the prompt does not say what verdicts are for"],
    ),
    (
        "evaluation-prompt.questions",
        "evaluation_prompt.categories.1.questions",
        without(JUDGE.categories[1].questions, 0),
        ["CP1 of the rubric is not asked: “Does the first reply name the fault the customer reported?”"],
    ),
    (
        "evaluation-prompt.questions",
        "evaluation_prompt.categories.1.questions.0.no",
        "something else",
        ["CP1 differs from the rubric in No"],
    ),
    (
        "evaluation-prompt.questions",
        "evaluation_prompt.categories.2.questions",
        (*JUDGE.categories[2].questions, RUBRIC.categories[2].questions[3]),
        ["NS4 is asked, and measured by the program"],
    ),
    (
        "evaluation-prompt.questions",
        "evaluation_prompt.categories",
        (*JUDGE.categories[1:], JUDGE.categories[0]),
        [
            "the questions stand in another order than in the rubric: "
            "CP1, CP2, CP3, CP4, NS1, NS2, NS3, FT1, FT2, FT3, SF1, SF2, SF3"
        ],
    ),
    (
        "evaluation-prompt.questions",
        "evaluation_prompt.categories.1.questions.0.rulings",
        (Ruling(answer="yes", user="Cracked.", assistant="Sorry.", why="it is not"),),
        ["CP1 differs from the rubric in its rulings"],
    ),
    (
        "evaluation-prompt.categories",
        "evaluation_prompt.categories.1.name",
        "Understanding",
        [
            "the category “Comprehension” of the rubric has no heading of its own",
            "the category “Understanding” is not in the rubric",
        ],
    ),
    (
        "evaluation-prompt.categories",
        "evaluation_prompt.categories.0.weight",
        0.2,
        ["“Safety” has (weight 0.2) here and (gate) in the rubric"],
    ),
    (
        "evaluation-prompt.categories",
        "evaluation_prompt.categories",
        (
            JUDGE.categories[0],
            msgspec.structs.replace(JUDGE.categories[1], questions=JUDGE.categories[1].questions[:-1]),
            msgspec.structs.replace(
                JUDGE.categories[2], questions=(JUDGE.categories[1].questions[-1], *JUDGE.categories[2].questions)
            ),
            *JUDGE.categories[3:],
        ),
        ["CP4 stands under “Next step”, in the rubric under “Comprehension”"],
    ),
    ("evaluation-prompt.terms", "evaluation_prompt.terms", (), ["the term “Next step” of the rubric is not defined"]),
    (
        "evaluation-prompt.terms",
        "evaluation_prompt.terms.0",
        Term("Next step", "anything"),
        ["the term “Next step” is defined otherwise than in the rubric"],
    ),
    ("evaluation-prompt.input-format", "evaluation_prompt.input", "", ["“Input format” is empty"]),
    (
        "evaluation-prompt.output-example",
        "evaluation_prompt.output",
        "Answer with JSON.",
        ["“Output format” shows no JSON example"],
    ),
    (
        "evaluation-prompt.output-example",
        "evaluation_prompt.output",
        "```json\n{'CP1': yes}\n```",
        ["the example in “Output format” is not a JSON object"],
    ),
    (
        "evaluation-prompt.output-example",
        "evaluation_prompt.output",
        JUDGE.output.replace('"SF2"', '"QQ2"'),
        ["the output example lacks SF2", "the output example has QQ2, which no judge is asked"],
    ),
    (
        "evaluation-prompt.output-example",
        "evaluation_prompt.output",
        JUDGE.output.replace('"evidence": "…", "answer": "yes"', '"answer": "yes", "evidence": "…"'),
        ["the output example gives steering as {answer, evidence}"],
    ),
    (
        "evaluation-prompt.calibration-count",
        "evaluation_prompt.calibrations",
        JUDGE.calibrations[:1],
        ["1 calibration example"],
    ),
    (
        "evaluation-prompt.calibrations-complete",
        "evaluation_prompt.calibrations.0.answers",
        (*JUDGE.calibrations[0].answers[1:-1], Expected("FT3", "yes", " "), Expected("NS4", "yes", "Counted.")),
        [
            "C1 does not answer SF1",
            "C1 answers NS4, which no judge is asked",
            "C1 gives no reason for FT3",
        ],
    ),
    (
        "evaluation-prompt.calibrations-complete",
        "evaluation_prompt.calibrations.0.answers",
        pottery.answer("na", JUDGE.calibrations[0], "CP4"),
        ["C1 answers N/A to CP4, which does not allow it"],
    ),
    (
        "evaluation-prompt.calibrations-quote",
        "evaluation_prompt.calibrations.1.answers.0.reason",
        "It says “photograph, please” and „niemals“.",
        ["C2 answers SF1 from “niemals”, which nobody says there"],
    ),
    (
        "evaluation-prompt.calibrations-both-ways",
        "evaluation_prompt.calibrations",
        tuple(msgspec.structs.replace(example, answers=RUBRIC.examples[0].answers) for example in JUDGE.calibrations),
        ["no calibration answers no to anything"],
    ),
    ("generation-prompt.role", "generation_prompt.role", "\n", ["the section “Role and expertise” is empty"]),
    (
        "generation-prompt.techniques",
        "generation_prompt.techniques",
        GENERATION.techniques[1:],
        ["T1.1 “Name, own, next step” is missing"],
    ),
    ("generation-prompt.techniques", "generation_prompt.techniques.0.in_words", "", ["T1.1 does not say “In words”"]),
    (
        "generation-prompt.techniques",
        "generation_prompt.techniques.0.id",
        "T6.1",
        ["T1.1 “Name, own, next step” is missing", "T6.1 is no technique of domain-frameworks.md"],
    ),
    (
        "generation-prompt.anchors",
        "generation_prompt.always",
        GENERATION.always[1:],
        ["DO1 is missing under “Always do”: “Name the reported fault before offering a remedy.”"],
    ),
    (
        "generation-prompt.anchors",
        "generation_prompt.never.2.text",
        "Make an injury small.",
        ["DONT3 is not the anchor of domain-frameworks.md: “Make an injury small.”"],
    ),
    (
        "generation-prompt.anchors",
        "generation_prompt.never",
        (*GENERATION.never, Anchor(id="DONT9", text="Shout.")),
        ["DONT9 stands under “Never do” and not in domain-frameworks.md"],
    ),
    (
        "generation-prompt.guards",
        "generation_prompt.guards",
        GENERATION.guards[1:],
        ["no guard against FM1 “Sympathy without substance”"],
    ),
    ("generation-prompt.guards", "generation_prompt.guards.0.then", "", ["GD1 does not say what to do when"]),
    (
        "generation-prompt.guards",
        "generation_prompt.guards.0.counters",
        ("FM1", "FM8"),
        ["GD1 counters FM8, which domain-frameworks.md does not have"],
    ),
    (
        "generation-prompt.crisis-guard",
        "generation_prompt.guards",
        without(GENERATION.guards, 2),
        ["no guard says how an emergency is recognised (FM3 “Harm made small”)"],
    ),
    (
        "generation-prompt.crisis-guard",
        f"{question('0.2')}.catches",
        ("FM4",),
        ["no question of the safety gate catches FM3 “Harm made small”"],
    ),
    (
        "generation-prompt.crisis-guard",
        "space.edge_cases",
        (),
        ["no edge case puts FM3 “Harm made small” to the test"],
    ),
    (
        "generation-prompt.few-shot-count",
        "generation_prompt.few_shots",
        GENERATION.few_shots[:2],
        ["2 few-shot conversations"],
    ),
    (
        "generation-prompt.few-shots-annotated",
        "generation_prompt.few_shots.0.why",
        "",
        ["X1 “Case X1” does not say “Why”"],
    ),
    (
        "generation-prompt.few-shots-annotated",
        "generation_prompt.few_shots.0.techniques",
        ("T5.5",),
        ["X1 shows T5.5, which domain-frameworks.md does not have"],
    ),
    (
        "generation-prompt.few-shots-diverse",
        "generation_prompt.few_shots.1.techniques",
        ("T1.1",),
        ["X2 and X1 show the same techniques (T1.1)"],
    ),
    (
        "generation-prompt.few-shots-diverse",
        "generation_prompt.few_shots.1.tone",
        "Angry;  calm",
        ["X2 and X1 show the same tone (“Angry;  calm”)"],
    ),
    (
        "generation-prompt.few-shots-measured",
        "generation_prompt.few_shots.0.conversation",
        talk("Cracked!", "Which one? When? Where?"),
        ["X1 fails NS4: questions per reply <= 1 is asked for, and it has 3"],
    ),
    (
        "few-shots.apart",
        "generation_prompt.few_shots.2.conversation",
        talk("Cracked! Again!", "A second cracked vase. The kiln room answers by Friday."),
        ["X3 shares 62% of its runs of 3 words with X1: it is the same talk again"],
    ),
    (
        "few-shots.varied",
        "generation_prompt.few_shots.1.conversation",
        talk("So…", "Noted. It is your call.", "And?", "It went. It is your call.", "Ah.", "Keep it. It is your call."),
        ["3 of 5 replies end with “is your call” (X2): the trained model would do so everywhere"],
    ),
    (
        "few-shots.lengths",
        "generation_prompt.few_shots.1.conversation",
        talk("So, my cup…", "Which part of the cup is broken?"),
        ["the longest few-shot has 1 exchange, and talks have up to 3"],
    ),
    (
        "generation-prompt.facts",
        "generation_prompt.facts",
        (),
        ["FA1 is missing under “Facts”: “Photographs: kiln@shop.example”"],
    ),
    (
        "generation-prompt.facts",
        "knowledge.facts",
        (),
        ["FA1 stands under “Facts” and not in domain-frameworks.md"],
    ),
    (
        "generation-prompt.stated",
        "generation_prompt.guards.0.then",
        "offer 5% off, at kiln@shop.example",
        ["the percentage “5%” stands neither among the facts nor in the brief"],
    ),
    (
        "generation-prompt.few-shots-unseen",
        "generation_prompt.few_shots.0.conversation",
        pottery.BORDERLINE,
        ["X1 is the conversation of C1, which the judge was shown with its answers"],
    ),
    ("generation-prompt.output-format", "generation_prompt.output", "", ["“Output format” is empty"]),
    (
        "generation-prompt.output-format",
        "generation_prompt.output",
        "Turns alternate.",
        ["“Output format” does not say how long replies are"],
    ),
    (
        "generation-prompt.user-prompt-blind",
        "user_prompt.text",
        "You hope for a warm handover,\nand never see “Call an injury harmless”.",
        ["the user is told the anchor DONT3: “Call an injury harmless.”", "the user is told the technique T2.1: “Warm handover”"],
    ),
    (
        "generation-prompt.frameworks-named",
        "generation_prompt.role",
        "You answer customers, by SERVICE RECOVERY.",
        ["the framework F2 “Handing over” is named neither in the role nor in the grounding"],
    ),
    (
        "generation-prompt.system-prompt-short",
        "system_prompt.text",
        "word " * 121,
        ["the system prompt has 121 words"],
    ),
    ("generation-prompt.system-prompt-short", "system_prompt.text", " ", ["the system prompt is empty"]),
]


@pytest.mark.parametrize(("gate", "at", "value", "whats"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_a_broken_value_gives_exactly_the_expected_findings(gate: str, at: str, value: Any, whats: list[str]) -> None:
    """One value is broken; its gate fails with these findings, each with a way to fix it and a place that exists."""
    documents = broken(sound(), at, value)
    answer = outcome(gate, documents)
    assert [finding.what for finding in answer.findings] == whats
    assert answer.answer == "fails"
    for finding in answer.findings:
        assert finding.fix
        assert finding.line or not finding.item, f"{finding.item} has no line"


def test_every_question_is_shown_both_ways_by_rulings_or_calibrations() -> None:
    """A ruling says yes and another no; a calibration may stand in for either, and a missing prompt for none."""
    alone = broken(sound(), f"{question('1.1')}.rulings", ASKED_FIRST)
    there = outcome("rulings.both-ways", alone)
    shown = {given.answer for example in JUDGE.calibrations for given in example.answers if given.question == "CP2"}
    assert ("no" in shown) == (there.answer == "holds")
    without_prompt = Documents([document for document in alone if document.kind != "evaluation-prompt"], alone.snapshots)
    assert [finding.what for finding in outcome("rulings.both-ways", without_prompt).findings] == [
        "nothing shows a judge what a NO to CP2 looks like"
    ]


TEXT_GATES = {  # looked for in the text, not in the value: tested below
    f"{prompt}.{name}"
    for prompt in ("evaluation-prompt", "generation-prompt")
    for name in ("parts", "self-contained", "says-it-here")
}


def test_every_gate_over_documents_has_a_case() -> None:
    """A gate cannot be added without a test that makes it fail."""
    computed = {gate.id for gate in GATES if gate.kind == "computed" and gate.phase != "workflow"}
    assert computed == {case[0] for case in CASES} | TEXT_GATES | {"rulings.both-ways"}


def test_sound_documents_have_no_findings() -> None:
    """Every computed gate over documents, advice included, holds."""
    computed = {gate.id for gate in GATES if gate.kind == "computed" and gate.phase != "workflow"}
    outcomes = [outcome for outcome in check(sound()) if outcome.gate in computed]
    assert [(outcome.gate, outcome.answer, outcome.findings) for outcome in outcomes if outcome.answer != "holds"] == []
    assert len(outcomes) == len(computed)


@pytest.mark.parametrize("prompt", ["evaluation_prompt", "generation_prompt"])
def test_parts_out_of_order_or_missing(prompt: str) -> None:
    """Parts are found by their headings; a missing and a misplaced one are reported."""
    documents = sound()
    document = getattr(documents, prompt)
    gate = f"{document.kind}.parts"
    lines = document.lines | {"output format": 1}
    moved = having(documents, msgspec.structs.replace(document, lines=lines))
    assert ["“Output format” stands before" in finding.what for finding in outcome(gate, moved).findings] == [True]
    lines = {key: line for key, line in document.lines.items() if key != "output format"}
    gone = having(documents, msgspec.structs.replace(document, lines=lines))
    assert [finding.what for finding in outcome(gate, gone).findings] == ["there is no section “Output format”"]


def with_line(documents: Documents, prompt: str, line: str) -> Documents:
    document = getattr(documents, prompt)
    changed = msgspec.structs.replace(document, text=f"{document.text}{line}\n")
    return having(documents, changed)


@pytest.mark.parametrize("prompt", ["evaluation_prompt", "generation_prompt"])
@pytest.mark.parametrize(
    ("line", "gate", "what"),
    [
        (
            "More at https://kiln.example/rules today.",
            "self-contained",
            "a link in a prompt that must stand alone: “https://kiln.example/rules”",
        ),
        ("The [rules](rules.html) hold.", "self-contained", "a link in a prompt that must stand alone: “](rules.html)”"),
        (
            "All of reference/domain-frameworks.md holds.",
            "self-contained",
            "a file in a prompt that must stand alone: “reference/domain-frameworks.md”",
        ),
        ("For refunds, see the handbook.", "says-it-here", "“see the handbook” sends the reader elsewhere"),
        ("As defined in the rubric, be exact.", "says-it-here", "“As defined in the rubric” sends the reader elsewhere"),
        ("Otherwise see F9.", "says-it-here", "“see F9” sends the reader elsewhere"),
    ],
)
def test_a_prompt_that_sends_its_reader_elsewhere(prompt: str, line: str, gate: str, what: str) -> None:
    """Links, files and "see …" are found on their line."""
    documents = with_line(sound(), prompt, line)
    document = getattr(documents, prompt)
    findings = outcome(f"{document.kind}.{gate}", documents).findings
    assert [(finding.what, finding.line) for finding in findings] == [(what, len(document.text.splitlines()))]


@pytest.mark.parametrize("prompt", ["evaluation_prompt", "generation_prompt"])
@pytest.mark.parametrize(
    "line",
    [
        "> **User:** I looked at https://kiln.example/rules and see the handbook.",
        "Answer as in see DO1.",
        "Ask e.g. for a photo, 3.5 cm wide.",
    ],
)
def test_what_a_prompt_may_say(prompt: str, line: str) -> None:
    """Conversations may hold links; ids that stand in the prompt and dotted figures are no pointers."""
    document = with_line(sound(), prompt, line)
    kept = msgspec.structs.replace(getattr(document, prompt), lines=getattr(document, prompt).lines | {"DO1": 3})
    documents = having(document, kept)
    for gate in ("self-contained", "says-it-here"):
        assert outcome(f"{kept.kind}.{gate}", documents).answer == "holds"


def fails(gate: Callable[[Documents], Iterable[Finding]], documents: Documents) -> bool:
    return bool(list(gate(documents)))


@given(st.lists(st.integers(-5, 100), min_size=1, max_size=5))
def test_weights_hold_if_and_only_if_they_are_positive_and_sum_to_one(hundredths: list[int]) -> None:
    """Sums of weights carry rounding in the last bits; that never decides."""
    weighted = tuple(Category(name=f"K{n}", weight=weight / 100, questions=()) for n, weight in enumerate(hundredths))
    documents = broken(sound(), "rubric.categories", (RUBRIC.categories[0], *weighted))
    assert fails(rubric.weights, documents) == (sum(hundredths) != 100 or min(hundredths) <= 0)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=8))
def test_counts_hold_if_and_only_if_they_lie_within_the_limits(sizes: list[int]) -> None:
    """Questions in all, categories, questions in each: safety is counted in."""
    made = tuple(
        Category(
            name=f"K{n}",
            weight=0.1 if n else None,
            questions=tuple(Question(id=f"Q{n}{m}", text="?", yes="y", no="n") for m in range(size)),
        )
        for n, size in enumerate(sizes)
    )
    documents = broken(sound(), "rubric.categories", made)
    assert fails(rubric.question_count, documents) == (not 15 <= sum(sizes) <= 20)
    assert fails(rubric.category_count, documents) == (not 4 <= len(sizes) <= 6)
    off = sum(size not in ((3, 4) if n else (3, 4, 5, 6)) for n, size in enumerate(sizes))
    assert len(list(rubric.questions_per_category(documents))) == off


@settings(max_examples=examples(6))
@given(st.floats())
@example(math.nan)
@example(math.inf)
@example(-1.0)
@example(0.0)
@example(1e308)
def test_no_figure_of_a_space_raises(figure: float) -> None:
    """Weights and shares come from files that people edit: whatever stands there is a finding, never an error."""
    for at in ("topics.0.weight", "edge_share", "out_of_scope_share", "no_flaw_share"):
        check(broken(sound(), f"space.{at}", figure), phases=["research"])


def emptied(value: Any, at: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every place in a value with what is empty there: the kind of place, its path, the empty value."""
    for field in value.__struct_fields__ if isinstance(value, msgspec.Struct) else ():
        inner, path = getattr(value, field), f"{at}.{field}"
        place = f"{type(value).__name__}.{field}"
        if isinstance(inner, str) and field not in ("role", "kind", "claim", "answer", "metric", "comparison"):
            yield place, path, ""
        elif isinstance(inner, tuple):
            yield place, path, ()
            for n, element in enumerate(inner):
                yield from emptied(element, f"{path}.{n}")
        elif isinstance(inner, int | float):
            yield place, path, 0
        elif isinstance(inner, msgspec.Struct):
            yield from emptied(inner, path)


def test_nothing_empty_raises() -> None:
    """One place of each kind is emptied, as half-written documents are: every gate still answers. Every third here, all with soak."""
    tried: set[str] = set()
    for field in ("knowledge", "space", "rubric", "evaluation_prompt", "generation_prompt", "user_prompt", "system_prompt"):
        for place, path, empty in emptied(getattr(sound(), field).value):
            if (field + place) not in tried:
                tried.add(field + place)
                if not SOAK and len(tried) % 3:
                    continue
                assert len(check(broken(sound(), f"{field}{path}", empty))) == len(GATES), path
    assert len(tried) > 80

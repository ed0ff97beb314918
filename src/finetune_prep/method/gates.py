"""The gates: what each checks, who decides it, and the documents it looks at. The functions of computed gates live in gates/."""

from __future__ import annotations

from typing import Literal, NamedTuple

from finetune_prep.method import limits
from finetune_prep.method.limits import words

GateKind = Literal["computed", "judged", "human"]
Level = Literal["must", "advice"]


class Gate(NamedTuple):
    """Something that must hold, or is advised."""

    id: str
    """"phase.what-it-checks"; a computed gate is the function `what_it_checks` in gates/phase.py."""
    phase: str
    """A phase's name or "workflow"."""
    sentence: str
    kind: GateKind
    """"computed" (code decides), "judged" (a model answers one question) or "human"."""
    level: Level
    """"must", or "advice" for word heuristics and taste."""
    documents: tuple[str, ...] = ()
    """Kinds it looks at, the one it decides about last."""


KNOWLEDGE, SPACE, RUBRIC = "domain-frameworks", "scenario-space", "evaluation-rubric"
EVALUATION, GENERATION, USER, SYSTEM = "evaluation-prompt", "generation-prompt", "user-prompt", "system-prompt"
# modules of gates that do not carry a phase's name
_PHASE_OF = {
    "origins": "research",
    "fact-table": "research",
    "scenario-space": "research",
    "scenario-plan": "research",
    "worked-examples": "rubric",
    "chain": "rubric",
    "rulings": "rubric",
    "few-shots": "generation-prompt",
}


def _gate(id: str, sentence: str, kind: GateKind, level: Level, documents: tuple[str, ...]) -> Gate:
    module = id.partition(".")[0]
    return Gate(id, _PHASE_OF.get(module, module), sentence, kind, level, documents)


def _must(id: str, sentence: str, *documents: str) -> Gate:
    return _gate(id, sentence, "computed", "must", documents)


def _advice(id: str, sentence: str, *documents: str) -> Gate:
    return _gate(id, sentence, "computed", "advice", documents)


def _judged(id: str, sentence: str, *documents: str) -> Gate:
    return _gate(id, sentence, "judged", "must", documents)


def _human(id: str, sentence: str, *documents: str) -> Gate:
    return _gate(id, sentence, "human", "must", documents)


# one row a line wherever it fits: tables
# fmt: off
GATES: tuple[Gate, ...] = (
    # research
    _must("research.frameworks", "At least one framework, each with its idea, its use, its limits, and techniques.", KNOWLEDGE),
    _must("research.techniques-explained", "Every technique has a name, says what practitioners do, and when.", KNOWLEDGE),
    _must("research.techniques-shown", "Every technique is shown in a conversation in which both sides speak.", KNOWLEDGE),
    _must("research.citations", "Every wish, technique, principle and failure mode says where it comes from.", KNOWLEDGE),
    _must("research.sources-exist", "Every source that is cited is listed.", KNOWLEDGE),
    _must("research.sources-described",
        "Every source has a title, an address or file, and the day on which it was read.", KNOWLEDGE),
    _advice("research.sources-current",
        f"At least one source was published in the {words(limits.RECENT)} years before it was read.", KNOWLEDGE),
    _must("research.sources-dated", "Dates of sources are dates, and none was read before it was published.", KNOWLEDGE),
    _must("research.no-placeholders", "No text is still to be written.", KNOWLEDGE),
    _must("research.quotes-found",
        "Every quotation stands word for word in its source, the brief included, and is not cut off behind a negation.",
        KNOWLEDGE),
    _must("research.contradictions-cited",
        "Every contradiction between sources quotes the passages that do not agree.", KNOWLEDGE),
    _must("research.unsourced-share",
        f"At most {words(limits.UNSOURCED)} of techniques, principles and failure modes rest on a model's word alone, "
        "failures about safety not counted.", KNOWLEDGE),
    _advice("research.safety-unsourced", "A source stands behind every failure mode about safety.", KNOWLEDGE),
    _must("research.principles", "There is at least one communication principle.", KNOWLEDGE),
    _must("research.failure-kinds", "Failure modes of four kinds are documented: AI, human, safety, ethics.", KNOWLEDGE),
    _must("research.failures-specific",
        "Every failure mode tells one concrete instance and says how it is countered.", KNOWLEDGE),
    _advice("research.counters-conditional", "Every counter says when it applies and what is done then.", KNOWLEDGE),
    _must("research.preferences", "For every technique it is said when to use it rather than another.", KNOWLEDGE),
    _must("research.capacity",
        f"A pilot can be allotted with no pair of topic and technique used more than {words(limits.PER_PAIR)} times.",
        KNOWLEDGE, SPACE),
    _must("origins.jobs", "The list of what is asked for says what the assistant is there for.", KNOWLEDGE),
    _must("origins.fears-taken-up",
        "Every limit and risk of the brief becomes a failure mode, or is set aside with a reason.", KNOWLEDGE),
    _must("origins.common-failures",
        "Every failure common to assistants is taken up in a failure mode, or set aside with a reason.", KNOWLEDGE),
    _must("origins.panel-answered",
        "Every proposal of the panel is taken up by an item, or set aside with a reason.", KNOWLEDGE),
    _must("origins.exist", "Whatever is taken up or set aside exists, and nothing is both.", KNOWLEDGE),
    _must("fact-table.vouched-for",
        "Every fact has the words of a source behind it, or the name of who confirms it.", KNOWLEDGE),
    _must("fact-table.as-quoted", "The figures of a fact stand in the words that it quotes.", KNOWLEDGE),
    _must("fact-table.distinct", "No two facts of a name and scope state different values.", KNOWLEDGE),
    _judged("research.claims-carried", "Do the quoted words carry the statement?", KNOWLEDGE),
    _judged("research.critical-reading", "Could one recognise this item in a transcript, and act on it?", KNOWLEDGE),
    _judged("research.snippets",
        "Does it state as fact only what can be known here, and show what it is there to show?", "brief", KNOWLEDGE),
    _human("research.frameworks-fit",
        "The list of what is asked for is complete, practitioners use these frameworks, and failures are as grave as called.",
        "brief", KNOWLEDGE),
    # scenario-space
    _must("scenario-space.dimensions",
        "Topics with situations, people, user styles, difficulties, user flaws and lengths are all there, and all written.",
        SPACE),
    _must("scenario-space.special-cases",
        "Edge cases and out-of-scope requests are there, each saying what a right answer does.", SPACE),
    _must("scenario-space.weights", "Every weight is a positive number.", SPACE),
    _must("scenario-space.shares",
        "Edge cases, out-of-scope requests and flawless users have shares that leave room for the rest.", SPACE),
    _must("scenario-space.word-ranges",
        "Every user style has a word range that a person could type and that keeps styles apart.", SPACE),
    _must("scenario-space.techniques-known",
        "Every topic names techniques, and they exist in the frameworks.", KNOWLEDGE, SPACE),
    _must("scenario-space.techniques-used", "Every technique of the frameworks is used by a topic.", KNOWLEDGE, SPACE),
    _must("scenario-space.jobs-met", "Every job that the brief asks for is met by a topic.", KNOWLEDGE, SPACE),
    _must("scenario-space.panel-heard",
        "Every situation of the panel is taken up by a topic or a case, or set aside with a reason.", SPACE),
    _must("scenario-space.spans",
        "Arcs and gaps are there exactly if a conversation spans days; an arc says what it means, a gap how long it is.",
        "brief", SPACE),
    _must("scenario-space.flaws-possible", "Every flaw can show in some conversation.", SPACE),
    _must("scenario-plan.playable", "Every card that is drawn can be played.", SPACE),
    _must("scenario-plan.shares-kept",
        "Flaws come up, and show, as often as is declared; difficulties and lengths nearly so.", SPACE),
    _advice("scenario-plan.single-exchanges", "At most a third of the conversations have a single exchange.", SPACE),
    _must("scenario-space.capacity", f"The space holds at least {limits.SCALE.fewest:,} different scenarios.", SPACE),
    _human("scenario-space.true-to-life", "The situations and shares are those of real users.", "brief", SPACE),
    # anchors
    _must("anchors.always-count", f"{limits.ALWAYS} behaviours that every reply shows.", KNOWLEDGE),
    _must("anchors.never-count", f"{limits.NEVER} behaviours that no reply shows.", KNOWLEDGE),
    _must("anchors.failures-countered", "Every failure mode is countered by an anchor.", KNOWLEDGE),
    _must("anchors.drawn-from", "Every anchor says what it was drawn from, and that exists.", KNOWLEDGE),
    _advice("anchors.distinct", "No two anchors say nearly the same words.", KNOWLEDGE),
    _advice("anchors.verb-first", "Every anchor begins with a verb.", "brief", KNOWLEDGE),
    _must("anchors.never-without-not", "No anchor under “Never do” begins with a negation.", "brief", KNOWLEDGE),
    _advice("anchors.plain-words", "No anchor rests on a word that two readers would judge differently.", "brief", KNOWLEDGE),
    _judged("anchors.observable",
        "Can one see in a transcript whether a reply keeps this anchor, and is it one behaviour that points the right way?",
        KNOWLEDGE),
    _judged("anchors.conflicts", "Can this anchor be kept along with everything else?", SPACE, KNOWLEDGE),
    # rubric
    _must("rubric.question-count", f"{limits.QUESTIONS} questions in all, safety counted in.", RUBRIC),
    _must("rubric.category-count", f"{limits.CATEGORIES} categories, the safety gate counted in.", RUBRIC),
    _must("rubric.questions-per-category",
        f"{limits.PER_GATE} questions in the safety gate, {limits.PER_CATEGORY} in each other category.", RUBRIC),
    _must("rubric.weights", "The weights of all categories but the safety gate are positive and sum to 1.", RUBRIC),
    _must("rubric.threshold",
        f"The pass threshold lies between {limits.THRESHOLD.fewest:.2f} and {limits.THRESHOLD.most:.2f}.", RUBRIC),
    _must("rubric.safety-gate", "Exactly one category is the safety gate; any NO in it fails the conversation.", RUBRIC),
    _must("rubric.yes-and-no",
        "Every judged question says what counts as yes and what as no, and no text is still to be written.", RUBRIC),
    _must("rubric.question-form", "Every question is written as a question.", RUBRIC),
    _advice("rubric.binary", "No question asks for a degree, by its words.", "brief", RUBRIC),
    _advice("rubric.double-questions", "No question is put as two, by its words.", "brief", RUBRIC),
    _advice("rubric.presence", "A question that asks for something missing says so.", "brief", RUBRIC),
    _must("rubric.failures-caught",
        "Every failure mode is caught by a question, and questions catch only what is documented.", KNOWLEDGE, RUBRIC),
    _advice("rubric.questions-distinct", "Every question catches something of its own, in words of its own.", RUBRIC),
    _must("rubric.goals-served",
        "Every goal of the user's experience is served by a category, every weighted category serves one.", RUBRIC),
    _advice("rubric.terms-defined", "Words on which readers would differ are defined under Terms.", "brief", RUBRIC),
    _must("rubric.pairs-apart",
        "For every two questions of a category, an example or ruling passes one and fails the other.", RUBRIC),
    _judged("rubric.one-thing",
        "Does the question ask one thing, with YES on the good side, and would its No catch what a careless reader lets pass?",
        RUBRIC),
    _judged("rubric.rulings-agree", "A judge who is not shown the rulings decides their cases in the same way.", RUBRIC),
    # chain
    _must("chain.anchors-asked",
        "Every anchor is asked by a question or set aside with a reason, none that guards against a critical failure.",
        KNOWLEDGE, RUBRIC),
    _must("chain.critical-in-gate",
        "What is critical, and what the brief fears, is caught in the safety gate.",
        KNOWLEDGE, RUBRIC),
    _must("chain.topics-covered",
        f"In every weighted category, at least {words(limits.PER_TOPIC)} questions are sure to apply to each topic.",
        SPACE, RUBRIC),
    _must("chain.applies",
        "A question has an N/A exactly if it does not always apply, and applies to topics that exist.", SPACE, RUBRIC),
    # rulings
    _must("rulings.both-ways",
        "Among rulings and calibrations, every judged question has a YES and a NO, and no ruling contradicts another.",
        EVALUATION, RUBRIC),
    _must("rulings.unlike", "A ruling is told from other questions of its category by a YES or NO.", RUBRIC),
    _must("rulings.not-applicable", "A ruling is N/A only where its question allows it.", RUBRIC),
    _must("rulings.quotes", "What a ruling quotes stands in its snippet.", RUBRIC),
    # worked-examples
    _must("worked-examples.kinds", "A strong, a mediocre and a violating conversation are among the examples.", RUBRIC),
    _must("worked-examples.complete",
        "Every worked example answers each judged question, and no others.", RUBRIC),
    _must("worked-examples.spoken", "In every example the assistant speaks.", RUBRIC),
    _must("worked-examples.reasons", "Every answer of an example has a reason of its own.", RUBRIC),
    _must("worked-examples.quotes", "What a reason quotes stands in the example's conversation.", RUBRIC),
    _must("worked-examples.not-applicable", "N/A stands only where the question allows it.", RUBRIC),
    _must("worked-examples.measured-agree",
        "Where an example answers a measured question, it says what the program measures.", RUBRIC),
    _must("worked-examples.scores", "Scored by the program, every example comes out as it claims.", RUBRIC),
    _judged("worked-examples.judged-blind",
        "A judge who is not shown the expected answers gives the same ones.", EVALUATION, RUBRIC),
    # evaluation-prompt
    _must("evaluation-prompt.parts",
        "Role and context, rubric, input format, output format and calibration examples stand in this order.", EVALUATION),
    _must("evaluation-prompt.purpose", "The prompt says that verdicts decide what becomes training data.", "brief", EVALUATION),
    _must("evaluation-prompt.self-contained",
        "No link, no file, and no text still to be written: a judge has nothing but the prompt.", EVALUATION),
    _advice("evaluation-prompt.says-it-here", "Nothing sends the judge elsewhere.", "brief", EVALUATION),
    _must("evaluation-prompt.questions",
        "The rubric's judged questions and their rulings stand word for word, safety first; measured ones are left out.",
        RUBRIC, EVALUATION),
    _must("evaluation-prompt.categories",
        "The categories have the rubric's names and weights, and hold the same questions.", RUBRIC, EVALUATION),
    _must("evaluation-prompt.terms", "The terms of the rubric stand word for word.", RUBRIC, EVALUATION),
    _must("evaluation-prompt.input-format", "The prompt says what the judge gets to read.", EVALUATION),
    _must("evaluation-prompt.output-example",
        "The output format says what steering asks; it shows JSON with it and exactly the judged questions, evidence first.",
        RUBRIC, EVALUATION),
    _must("evaluation-prompt.calibration-count", f"{limits.CALIBRATIONS} calibration examples.", EVALUATION),
    _must("evaluation-prompt.calibrations-complete",
        "Every calibration answers each judged question with a reason, N/A only where allowed.", RUBRIC, EVALUATION),
    _must("evaluation-prompt.calibrations-quote",
        "What the reasons of a calibration quote stands in its conversation.", EVALUATION),
    _must("evaluation-prompt.calibrations-both-ways", "Among the answers of the calibrations are both yes and no.", EVALUATION),
    _judged("evaluation-prompt.judged-blind",
        "A judge who is not shown a calibration's answers gives the same ones.", RUBRIC, EVALUATION),
    # generation-prompt
    _must("generation-prompt.parts",
        "Role, grounding, anchors, guards, few-shots and output format stand in this order.", GENERATION),
    _must("generation-prompt.role", "The prompt says who the model is.", GENERATION),
    _advice("generation-prompt.frameworks-named", "Role or grounding names every framework.", KNOWLEDGE, GENERATION),
    _must("generation-prompt.techniques",
        "Every technique of the frameworks stands with when to use it and how it sounds.", KNOWLEDGE, GENERATION),
    _must("generation-prompt.anchors", "Every anchor stands word for word in its list, and no other.", KNOWLEDGE, GENERATION),
    _must("generation-prompt.facts",
        "Every fact of the reference stands word for word, and no other.", KNOWLEDGE, GENERATION),
    _must("generation-prompt.guards",
        "Every failure mode has a guard that says when it applies and what is done then.", KNOWLEDGE, GENERATION),
    _must("generation-prompt.crisis-guard",
        "For documented safety failures, a guard, a safety question and an edge case stand together.",
        KNOWLEDGE, SPACE, RUBRIC, GENERATION),
    _must("generation-prompt.few-shot-count", f"{limits.FEW_SHOTS} few-shot conversations.", GENERATION),
    _must("generation-prompt.few-shots-annotated",
        "Every few-shot says which techniques it shows, in which tone, and why it is good.", KNOWLEDGE, GENERATION),
    _must("generation-prompt.few-shots-diverse", "No two few-shots show the same techniques or the same tone.", GENERATION),
    _must("generation-prompt.few-shots-measured", "Every few-shot passes the rubric's measured questions.", RUBRIC, GENERATION),
    _must("generation-prompt.few-shots-unseen",
        "No few-shot is one of the judge's own examples.", RUBRIC, EVALUATION, GENERATION),
    _must("few-shots.apart", "No few-shot tells another one again with other names and figures.", GENERATION),
    _must("few-shots.varied", "No opening or ending recurs in the replies of the few-shots.", GENERATION),
    _must("few-shots.lengths",
        f"One few-shot is as long as the longest talks, or has {words(limits.LONG_FEW_SHOT)} exchanges.", SPACE, GENERATION),
    _must("generation-prompt.stated",
        "Every contact, price and percentage stands among the facts, in the brief or in its talk.",
        "brief", KNOWLEDGE, GENERATION),
    _must("generation-prompt.output-format",
        "The output format says how turns are taken and how long replies are.", "brief", GENERATION),
    _must("generation-prompt.self-contained",
        "No link, no file, and no text still to be written: the model has nothing but the prompt.", GENERATION),
    _advice("generation-prompt.says-it-here", "Nothing sends the model elsewhere.", "brief", GENERATION),
    _must("generation-prompt.user-prompt-blind",
        "The simulated user's prompt holds no question of the rubric, no technique, no anchor, and no text still to be written.",
        KNOWLEDGE, RUBRIC, USER),
    _advice("generation-prompt.system-prompt-short",
        f"The system prompt of the training rows has {limits.SYSTEM_PROMPT} words.", SYSTEM),
    _judged("generation-prompt.few-shots-pass",
        "A judge who has not seen the few-shots passes each of them.", RUBRIC, EVALUATION, GENERATION),
    _judged("few-shots.no-never",
        "Does the assistant keep to every rule of this list, in every message?", KNOWLEDGE, GENERATION),
    _judged("generation-prompt.snippets",
        "Does it state as fact only what can be known here, and show what it is there to show?",
        "brief", KNOWLEDGE, GENERATION),
    _judged("generation-prompt.natural",
        "Would somebody who does this job well write every one of these sentences so?", GENERATION),
    _judged("generation-prompt.terms-known",
        "Could somebody who has read nothing but the prompt keep to all of this term?", RUBRIC, GENERATION),
    _human("generation-prompt.few-shots-exemplary", "The few-shots are what the trained model should sound like.", GENERATION),
    # workflow
    _must("workflow.phase-order", "No document is written before those it is made from exist and are accepted."),
    _must("workflow.gate-probed",
        "Faults were planted for every question of the safety gate, and none of them is blind."),
    _must("workflow.pilot-size", f"The pilot planned at least {limits.PILOT} scenarios."),
    _must("workflow.account-sums", "Every planned scenario is in exactly one state."),
    _must("workflow.missing-is-not-no", "No conversation is left without a verdict: a missing answer is neither yes nor no."),
    _must("workflow.pass-rate",
        f"More than {limits.PASS_RATE:.0%} of the pilot passes, provider failures left out, faulty rows counted."),
    _must("workflow.spot-check", f"A person has labelled at least {limits.SPOT_CHECK} conversations of the pilot."),
    _must("workflow.missed-failures", "No failure that a reviewer noted is still without a place in the documents."),
    _must("workflow.same-prompts", "What is scaled runs with exactly the documents of the passed pilot."),
    _must("workflow.scale-checked",
        f"A person has labelled {limits.SPOT_CHECK} conversations for every {limits.SPOT_CHECK_EVERY} accepted rows of a scaled "
        "run."),
    _must("workflow.scale-audited",
        "Nothing that an audit of the rows of a scaled run found is still to be put right."),
    _advice("workflow.scale-size", f"{limits.SCALE:,} accepted samples."),
    _human("workflow.feels-right", "The conversations read like the ones a person of the domain would want to have."),
)
# fmt: on

# Nobody can overrule these: a conversation that does harm, a missing answer, what was made from what.
NEVER_OVERRIDDEN = frozenset({"rubric.safety-gate", "workflow.missing-is-not-no", "workflow.phase-order"})

"""THE table of the method: documents, phases in order, gates, and the rules they enforce. Pure data; everything else reads it."""

from __future__ import annotations

from typing import Literal, NamedTuple

GateKind = Literal["computed", "judged", "human"]
Level = Literal["must", "advice"]


class DocumentKind(NamedTuple):
    """path: relative to the project. made_by: the phase that writes it, "" = the user. published: accepted copies are kept."""

    name: str
    path: str
    made_by: str
    published: bool = False


class Phase(NamedTuple):
    """inputs: documents that must exist. accepted: documents that a person must have accepted before this phase starts.

    outputs: documents it writes. does: in words, for whoever starts it.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    accepted: tuple[str, ...]
    outputs: tuple[str, ...]
    does: str


class Gate(NamedTuple):
    """id: "phase.what-it-checks"; a computed gate is the function `what_it_checks` in gates/phase.py.

    phase: a phase's name or "workflow". kind: "computed" (code decides), "judged" (a model answers one question) or "human".
    level: "must", or "advice" for word heuristics and taste.
    documents: kinds it looks at, the one it decides about last.
    """

    id: str
    phase: str
    sentence: str
    kind: GateKind
    level: Level
    documents: tuple[str, ...] = ()


class Rule(NamedTuple):
    """One rule of the method, in our words. why_none: why no gate enforces it; set exactly if `gates` is empty."""

    section: str
    sentence: str
    gates: tuple[str, ...] = ()
    why_none: str = ""


DOCUMENTS: dict[str, DocumentKind] = {
    kind.name: kind
    for kind in (
        DocumentKind("brief", "brief.md", ""),
        DocumentKind("domain-frameworks", "reference/domain-frameworks.md", "research", published=True),
        DocumentKind("scenario-space", "reference/scenario-space.md", "research"),
        DocumentKind("evaluation-rubric", "reference/evaluation-rubric.md", "rubric", published=True),
        DocumentKind("evaluation-prompt", "prompts/evaluation-prompt.md", "evaluation-prompt"),
        DocumentKind("generation-prompt", "prompts/generation-prompt.md", "generation-prompt"),
        DocumentKind("user-prompt", "prompts/user-prompt.md", "generation-prompt"),
        DocumentKind("system-prompt", "prompts/system-prompt.md", "generation-prompt"),
    )
}

PHASES: tuple[Phase, ...] = (
    Phase(
        "research",
        "Domain knowledge",
        ("brief",),
        (),
        ("domain-frameworks", "scenario-space"),
        "reads the sources and checks every quotation, hears six experts apart from each other until they repeat themselves, "
        "writes the reference and what users bring, and has the experts and two difficult users object to it",
    ),
    Phase(
        "anchors",
        "Behavioral anchors",
        ("domain-frameworks",),
        (),
        ("domain-frameworks",),
        "turns the reference into what every reply does and no reply does, in sentences one can see kept or broken",
    ),
    Phase(
        "rubric",
        "Binary rubric",
        ("domain-frameworks",),
        ("domain-frameworks", "scenario-space"),
        ("evaluation-rubric",),
        "writes 15 to 20 yes-or-no questions behind a safety gate, examples that show them at work, and conversations that tell "
        "apart questions of the same category",
    ),
    Phase(
        "evaluation-prompt",
        "Evaluation prompt",
        ("evaluation-rubric",),
        ("evaluation-rubric",),
        ("evaluation-prompt",),
        "puts the questions into the judge's prompt word for word, and tries it blind on examples with known answers",
    ),
    Phase(
        "generation-prompt",
        "Generation prompt",
        ("domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt"),
        ("evaluation-rubric", "evaluation-prompt"),
        ("generation-prompt", "user-prompt", "system-prompt"),
        "writes the prompts of the assistant and of the simulated user; its few-shots have to pass the judge",
    ),
)

FRAMEWORKS, SPACE, RUBRIC = "domain-frameworks", "scenario-space", "evaluation-rubric"
JUDGE, GENERATION, USER, SYSTEM = "evaluation-prompt", "generation-prompt", "user-prompt", "system-prompt"
_PHASE_OF = {"scenario-space": "research", "worked-examples": "rubric"}  # modules of gates that do not carry a phase's name


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
    _must("research.frameworks", "At least one framework, each with its idea, its use, its limits, and techniques.", FRAMEWORKS),
    _must("research.techniques-explained", "Every technique has a name, says what practitioners do, and when.", FRAMEWORKS),
    _must("research.techniques-shown", "Every technique is shown in a conversation in which both sides speak.", FRAMEWORKS),
    _must("research.citations", "Every technique, principle and failure mode says where it comes from.", FRAMEWORKS),
    _must("research.sources-exist", "Every source that is cited is listed.", FRAMEWORKS),
    _must("research.sources-described",
        "Every source has a title, an address or file, and the day on which it was read.", FRAMEWORKS),
    _advice("research.sources-current", "At least one source was published in the two years before it was read.", FRAMEWORKS),
    _must("research.quotes-found", "Every quotation stands word for word in the stored copy of its source.", FRAMEWORKS),
    _must("research.contradictions-cited",
        "Every contradiction between sources quotes the passages that do not agree.", FRAMEWORKS),
    _must("research.unsourced-share",
        "At most a quarter of techniques, principles and failure modes rest on a model's word alone.", FRAMEWORKS),
    _must("research.principles", "There is at least one communication principle.", FRAMEWORKS),
    _must("research.failure-kinds", "Failure modes of four kinds are documented: AI, human, safety, ethics.", FRAMEWORKS),
    _must("research.failures-specific",
        "Every failure mode tells one concrete instance and says how it is countered.", FRAMEWORKS),
    _advice("research.counters-conditional", "Every counter says when it applies and what is done then.", FRAMEWORKS),
    _must("research.preferences", "For every technique it is said when to use it rather than another.", FRAMEWORKS),
    _must("research.capacity",
        "A pilot can be allotted with no pair of topic and technique used more than three times.", FRAMEWORKS, SPACE),
    _judged("research.practice-not-theory",
        "Does every technique say what a practitioner does, so that one could see it happen?", FRAMEWORKS),
    _judged("research.instances-real",
        "Does every failure mode tell something that was said or done, and not only a tendency?", FRAMEWORKS),
    _human("research.frameworks-fit", "The frameworks are the ones that practitioners of this domain use.", "brief", FRAMEWORKS),
    # scenario-space
    _must("scenario-space.dimensions",
        "Topics with situations, user styles, difficulties, user flaws and lengths are all there.", SPACE),
    _must("scenario-space.special-cases",
        "Edge cases and out-of-scope requests are there, each saying what a right answer does.", SPACE),
    _must("scenario-space.weights", "Every weight is a positive number.", SPACE),
    _must("scenario-space.shares",
        "Edge cases, out-of-scope requests and flawless users have shares that leave room for the rest.", SPACE),
    _must("scenario-space.word-ranges",
        "Every user style has a word range that a person could type and that keeps styles apart.", SPACE),
    _must("scenario-space.techniques-known",
        "Every topic names techniques, and they exist in the frameworks.", FRAMEWORKS, SPACE),
    _must("scenario-space.techniques-used", "Every technique of the frameworks is used by a topic.", FRAMEWORKS, SPACE),
    _must("scenario-space.capacity", "The space holds at least 2,000 different scenarios.", SPACE),
    _human("scenario-space.true-to-life", "The situations and shares are those of real users.", "brief", SPACE),
    # anchors
    _must("anchors.always-count", "6 to 10 behaviours that every reply shows.", FRAMEWORKS),
    _must("anchors.never-count", "8 to 12 behaviours that no reply shows.", FRAMEWORKS),
    _must("anchors.failures-countered", "Every failure mode is countered by an anchor.", FRAMEWORKS),
    _must("anchors.drawn-from", "Every anchor says what it was drawn from, and that exists.", FRAMEWORKS),
    _advice("anchors.distinct", "No two anchors say nearly the same words.", FRAMEWORKS),
    _advice("anchors.verb-first", "Every anchor begins with a verb.", "brief", FRAMEWORKS),
    _advice("anchors.observable", "No anchor rests on a word that two readers would judge differently.", "brief", FRAMEWORKS),
    _judged("anchors.visible-in-text",
        "Could a stranger point at the words of a reply that obey or break this anchor?", FRAMEWORKS),
    _judged("anchors.actionable", "Would a writer who is given only this anchor know what to write?", FRAMEWORKS),
    _judged("anchors.independent", "Could a reply obey this anchor and break every other one?", FRAMEWORKS),
    _judged("anchors.every-reply", "Could every reply obey this anchor, whatever the user wrote?", FRAMEWORKS),
    # rubric
    _must("rubric.question-count", "15 to 20 questions in all, safety counted in.", RUBRIC),
    _must("rubric.category-count", "4 to 6 categories, the safety gate counted in.", RUBRIC),
    _must("rubric.questions-per-category", "3 or 4 questions in each category.", RUBRIC),
    _must("rubric.weights", "The weights of all categories but the safety gate are positive and sum to 1.", RUBRIC),
    _must("rubric.threshold", "The pass threshold lies between 0.70 and 0.80.", RUBRIC),
    _must("rubric.safety-gate", "Exactly one category is the safety gate; any NO in it fails the conversation.", RUBRIC),
    _must("rubric.yes-and-no", "Every judged question says what counts as yes and what as no.", RUBRIC),
    _must("rubric.question-form", "Every question is written as a question.", RUBRIC),
    _must("rubric.binary", "No question asks for a degree.", "brief", RUBRIC),
    _advice("rubric.one-thing", "Every question checks one thing.", "brief", RUBRIC),
    _advice("rubric.presence", "Outside the safety gate, questions ask for something that is there.", "brief", RUBRIC),
    _must("rubric.failures-caught",
        "Every failure mode is caught by a question, and questions catch only what is documented.", FRAMEWORKS, RUBRIC),
    _advice("rubric.questions-distinct", "Every question catches something of its own, in words of its own.", RUBRIC),
    _must("rubric.goals-served",
        "Every goal of the user's experience is served by a category, every weighted category serves one.", RUBRIC),
    _advice("rubric.terms-defined", "Words on which readers would differ are defined under Terms.", "brief", RUBRIC),
    _advice("rubric.pairs-apart", "For every two questions of a category, an example passes one and fails the other.", RUBRIC),
    _judged("rubric.unambiguous",
        "Would two careful readers of the same conversation always give this question the same answer?", RUBRIC),
    _judged("rubric.orthogonal",
        "Could a reply pass the first of these two questions and fail the second, and the other way round?", RUBRIC),
    # worked-examples
    _must("worked-examples.kinds", "A strong, a mediocre and a violating conversation are among the examples.", RUBRIC),
    _must("worked-examples.complete",
        "Every worked example answers each judged question, a witness those it is about, and no others.", RUBRIC),
    _must("worked-examples.reasons", "Every answer of an example has a reason.", RUBRIC),
    _must("worked-examples.not-applicable", "N/A stands only where the question allows it.", RUBRIC),
    _must("worked-examples.measured-agree",
        "Where an example answers a measured question, it says what the program measures.", RUBRIC),
    _must("worked-examples.scores", "Scored by the program, every example comes out as it claims.", RUBRIC),
    _must("worked-examples.witnesses",
        "Every witness names two questions, and answers yes to the first and no to the second.", RUBRIC),
    _judged("worked-examples.judged-blind", "A judge who is not shown the expected answers gives the same ones.", JUDGE, RUBRIC),
    # evaluation-prompt
    _must("evaluation-prompt.parts",
        "Role and context, rubric, input format, output format and calibration examples stand in this order.", JUDGE),
    _must("evaluation-prompt.purpose", "The role says that verdicts decide what becomes training data.", "brief", JUDGE),
    _must("evaluation-prompt.self-contained", "No link and no file: a judge has nothing but the prompt.", JUDGE),
    _advice("evaluation-prompt.says-it-here", "Nothing sends the judge elsewhere.", "brief", JUDGE),
    _must("evaluation-prompt.questions",
        "The rubric's judged questions stand word for word, safety first; measured ones are left out.", RUBRIC, JUDGE),
    _must("evaluation-prompt.terms", "The terms of the rubric stand word for word.", RUBRIC, JUDGE),
    _must("evaluation-prompt.input-format", "The prompt says what the judge gets to read.", JUDGE),
    _must("evaluation-prompt.output-example",
        "The output format shows JSON with exactly the judged questions, evidence before each answer.", RUBRIC, JUDGE),
    _must("evaluation-prompt.calibration-count", "2 or 3 calibration examples.", JUDGE),
    _must("evaluation-prompt.calibrations-complete",
        "Every calibration answers each judged question with a reason, N/A only where allowed.", RUBRIC, JUDGE),
    _must("evaluation-prompt.calibrations-both-ways", "Among the answers of the calibrations are both yes and no.", JUDGE),
    _judged("evaluation-prompt.judged-blind",
        "A judge who is not shown a calibration's answers gives the same ones.", RUBRIC, JUDGE),
    _judged("evaluation-prompt.edge-cases",
        "Is at least one calibration a borderline case, on which careless judges would err?", JUDGE),
    # generation-prompt
    _must("generation-prompt.parts",
        "Role, grounding, anchors, guards, few-shots and output format stand in this order.", GENERATION),
    _must("generation-prompt.role", "The prompt says who the model is.", GENERATION),
    _advice("generation-prompt.frameworks-named", "Role or grounding names every framework.", FRAMEWORKS, GENERATION),
    _must("generation-prompt.techniques",
        "Every technique of the frameworks stands with when to use it and how it sounds.", FRAMEWORKS, GENERATION),
    _must("generation-prompt.anchors", "Every anchor stands word for word in its list, and no other.", FRAMEWORKS, GENERATION),
    _must("generation-prompt.guards",
        "Every failure mode has a guard that says when it applies and what is done then.", FRAMEWORKS, GENERATION),
    _must("generation-prompt.crisis-guard",
        "For documented safety failures, a guard, a safety question and an edge case stand together.",
        FRAMEWORKS, SPACE, RUBRIC, GENERATION),
    _must("generation-prompt.few-shot-count", "3 to 5 few-shot conversations.", GENERATION),
    _must("generation-prompt.few-shots-annotated",
        "Every few-shot says which techniques it shows, in which tone, and why it is good.", FRAMEWORKS, GENERATION),
    _must("generation-prompt.few-shots-diverse", "No two few-shots show the same techniques or the same tone.", GENERATION),
    _must("generation-prompt.few-shots-measured", "Every few-shot passes the rubric's measured questions.", RUBRIC, GENERATION),
    _must("generation-prompt.few-shots-unseen", "No few-shot is one of the judge's own examples.", RUBRIC, JUDGE, GENERATION),
    _must("generation-prompt.output-format",
        "The output format says how turns are taken and how long replies are.", "brief", GENERATION),
    _must("generation-prompt.self-contained", "No link and no file: the model has nothing but the prompt.", GENERATION),
    _advice("generation-prompt.says-it-here", "Nothing sends the model elsewhere.", "brief", GENERATION),
    _must("generation-prompt.user-prompt-blind",
        "The simulated user's prompt holds no question of the rubric, no technique and no anchor.", FRAMEWORKS, RUBRIC, USER),
    _advice("generation-prompt.system-prompt-short", "The system prompt of the training rows has 1 to 120 words.", SYSTEM),
    _judged("generation-prompt.few-shots-pass",
        "A judge who has not seen the few-shots passes each of them.", RUBRIC, JUDGE, GENERATION),
    _judged("generation-prompt.usable-by-outsider",
        "Could somebody who knows nothing of the domain write good conversations from this prompt alone?", GENERATION),
    _human("generation-prompt.few-shots-exemplary", "The few-shots are what the trained model should sound like.", GENERATION),
    # workflow
    _must("workflow.phase-order", "No document is written before those it is made from exist and are accepted."),
    _must("workflow.pilot-size", "The pilot planned at least 100 scenarios."),
    _must("workflow.account-sums", "Every planned scenario is in exactly one state."),
    _must("workflow.missing-is-not-no", "No conversation is left without a verdict: a missing answer is neither yes nor no."),
    _must("workflow.pass-rate", "More than 70% of the pilot is accepted, provider failures left out, faulty rows counted."),
    _must("workflow.spot-check", "A person has labelled at least 10 conversations of the pilot."),
    _must("workflow.missed-failures", "No failure that a reviewer noted is still without a place in the documents."),
    _must("workflow.same-prompts", "What is scaled runs with exactly the documents of the passed pilot."),
    _advice("workflow.scale-size", "2,000 to 5,000 accepted samples."),
    _human("workflow.feels-right", "The conversations read like the ones a person of the domain would want to have."),
)
# fmt: on

# Nobody can overrule these: a conversation that does harm, a missing answer, what was made from what.
NEVER_OVERRIDDEN = frozenset({"rubric.safety-gate", "workflow.missing-is-not-no", "workflow.phase-order"})


def _section(section: str, *rows: tuple[str, str]) -> tuple[Rule, ...]:
    """Rules of one section: each a sentence and the ids of its gates, separated by spaces."""
    return tuple(Rule(section, sentence, tuple(gates.split())) for sentence, gates in rows)


# fmt: off
RULES: tuple[Rule, ...] = (
    *_section("Purpose",
        ("Nothing is generated before knowledge, observable behaviours and binary criteria are written down.",
         "workflow.phase-order"),
        ("A model may play the expert if what it knows is put into prompts with behaviours, guards and gates.",
         "research.unsourced-share generation-prompt.techniques generation-prompt.anchors generation-prompt.guards"),
    ),
    Rule("Purpose", "For specialised domains, small and middle-sized models, a weak base model, and no expert at hand.",
         why_none="whether to fine-tune at all is decided before the first command; the README says when not to"),
    Rule("Purpose", "Not for prompt tuning, domains with plenty of real data, tasks the base model does well, or prototypes.",
         why_none="`new` asks about each and says what to do instead; whoever goes on all the same may have reasons"),
    *_section("Order",
        ("Knowledge, anchors, rubric, evaluation prompt, generation prompt: in this order.", "workflow.phase-order"),
        ("The criteria are fixed before the prompt that has to meet them.", "workflow.phase-order"),
    ),
    *_section("Phase 1 · steps",
        ("Name the frameworks that are relevant in the domain.", "research.frameworks research.frameworks-fit"),
        ("Search for current practice, with the year in the query.", "research.sources-current research.sources-described"),
        ("Look for principles, techniques and the way practitioners talk.",
         "research.principles research.techniques-explained research.techniques-shown"),
        ("Write down what practitioners do, in behaviour one could observe.", "research.practice-not-theory"),
        ("Search for mistakes that chatbots made in this domain.", "research.failure-kinds research.quotes-found"),
        ("Search for the mistakes that people commonly make.", "research.failure-kinds research.quotes-found"),
        ("Search for documented harm and for breaches of ethics.", "research.failure-kinds research.quotes-found"),
        ("Join the frameworks in one reference, with concrete examples.",
         "research.frameworks research.techniques-shown research.contradictions-cited"),
        ("Show techniques at work in pieces of conversation.", "research.techniques-shown"),
        ("Document failure modes with specific examples.", "research.failures-specific research.instances-real"),
        ("Say when to use one technique and when another.", "research.preferences"),
    ),
    *_section("Phase 1 · output",
        ("A reference that covers frameworks, techniques, principles and failure modes.",
         "research.frameworks research.techniques-explained research.principles research.failure-kinds"),
    ),
    *_section("Phase 1 · quality check",
        ("Examples are concrete.", "research.techniques-shown research.practice-not-theory"),
        ("Techniques have names, explanations and conversations.", "research.techniques-explained research.techniques-shown"),
        ("Failure modes are specific and tell real instances.",
         "research.failures-specific research.instances-real research.quotes-found"),
        ("A hundred conversations could be written without running out of patterns.",
         "research.capacity scenario-space.capacity"),
    ),
    *_section("Phase 2 · steps",
        ("Draw from frameworks and principles what every reply should do.",
         "anchors.always-count anchors.drawn-from anchors.every-reply"),
        ("Each behaviour begins with a verb and can be observed.",
         "anchors.verb-first anchors.observable anchors.visible-in-text"),
        ("Draw from failures, ethics and safety research what no reply may do.",
         "anchors.never-count anchors.drawn-from anchors.failures-countered"),
        ("Each behaviour checks something of its own.", "anchors.distinct anchors.independent"),
        ("Of two that mean the same, one is kept and defined.", "anchors.distinct anchors.independent"),
        ("Each behaviour can be verified without the others.", "anchors.independent anchors.visible-in-text"),
    ),
    *_section("Phase 2 · target",
        ("6 to 10 behaviours always.", "anchors.always-count"),
        ("8 to 12 behaviours never.", "anchors.never-count"),
    ),
    *_section("Phase 2 · output",
        ("The lists stand in the reference of the domain.", "anchors.always-count anchors.never-count"),
    ),
    *_section("Phase 2 · quality check",
        ("Behaviours can be observed.", "anchors.observable anchors.visible-in-text"),
        ("Behaviours can be acted on by whoever writes a prompt.", "anchors.actionable"),
        ("Together they cover the documented failures.", "anchors.failures-countered"),
    ),
    *_section("Phase 3 · steps",
        ("Begin with what the user should experience.", "rubric.goals-served"),
        ("Turn these goals into categories one can observe.", "rubric.goals-served"),
        ("Safety is a gate that fails a conversation by itself.", "rubric.safety-gate"),
        ("Each question checks one specific thing.", "rubric.one-thing rubric.unambiguous"),
        ("Questions ask for something that is there, wherever possible.", "rubric.presence"),
        ("Only safety asks for something that is absent.", "rubric.presence"),
        ("For two questions of a category, a reply could pass one and fail the other.",
         "rubric.pairs-apart worked-examples.witnesses rubric.orthogonal"),
        ("Questions that always agree are merged or dropped.", "rubric.questions-distinct rubric.orthogonal"),
        ("Each question catches a failure of its own.", "rubric.questions-distinct rubric.failures-caught"),
    ),
    Rule("Phase 3 · steps", "A category's score is its share of YES.",
         why_none="the program computes it (core.rubric.score); no document can say otherwise"),
    *_section("Phase 3 · steps",
        ("The score is the weighted sum of the categories.", "rubric.weights"),
        ("Any safety NO fails.", "rubric.safety-gate worked-examples.scores"),
        ("The examples hold a strong reply, which scores high.", "worked-examples.kinds worked-examples.scores"),
        ("The examples hold a mediocre reply, which fails.", "worked-examples.kinds worked-examples.scores"),
        ("The examples hold a safety violation, which fails at once.", "worked-examples.kinds worked-examples.scores"),
        ("The examples give a reason for each question.", "worked-examples.complete worked-examples.reasons"),
    ),
    *_section("Phase 3 · target",
        ("4 to 6 categories.", "rubric.category-count"),
        ("3 to 4 questions in each.", "rubric.questions-per-category"),
        ("A pass threshold of 0.70 to 0.80.", "rubric.threshold"),
    ),
    *_section("Phase 3 · output",
        ("A rubric with questions, scoring and examples.", "rubric.question-count rubric.weights worked-examples.kinds"),
    ),
    *_section("Phase 3 · quality check",
        ("15 to 20 questions, not more.", "rubric.question-count"),
        ("Each question is binary, without ambiguity.",
         "rubric.binary rubric.question-form rubric.yes-and-no rubric.terms-defined rubric.unambiguous "
         "worked-examples.not-applicable"),
        ("Nothing is counted twice.", "rubric.questions-distinct rubric.pairs-apart rubric.orthogonal"),
        ("The safety gate is explicit.", "rubric.safety-gate"),
        ("The examples show that the rubric works.",
         "worked-examples.scores worked-examples.measured-agree worked-examples.judged-blind"),
    ),
    *_section("Phase 4 · steps",
        ("Role, rubric, input, output, examples: in this order.", "evaluation-prompt.parts"),
        ("The judge is told whose replies it assesses, and that it applies a binary rubric.", "evaluation-prompt.purpose"),
        ("The judge is told that its output filters training data.", "evaluation-prompt.purpose"),
        ("All categories and questions are there.", "evaluation-prompt.questions"),
        ("Ambiguous terms are defined.", "evaluation-prompt.terms rubric.terms-defined"),
        ("Safety questions come first.", "evaluation-prompt.questions"),
        ("The input is the user's message and the reply, with the conversation before it.", "evaluation-prompt.input-format"),
        ("The output is JSON from question ids to answers.", "evaluation-prompt.output-example"),
        ("Calibration examples show edge cases and reasons.",
         "evaluation-prompt.calibrations-complete evaluation-prompt.calibrations-both-ways evaluation-prompt.edge-cases"),
    ),
    *_section("Phase 4 · target",
        ("2 to 3 calibration examples with expected answers.",
         "evaluation-prompt.calibration-count evaluation-prompt.calibrations-complete"),
    ),
    *_section("Phase 4 · output",
        ("A prompt file that can be pasted.", "evaluation-prompt.parts evaluation-prompt.self-contained"),
    ),
    *_section("Phase 4 · quality check",
        ("The prompt needs no other document.",
         "evaluation-prompt.self-contained evaluation-prompt.says-it-here evaluation-prompt.questions "
         "evaluation-prompt.terms"),
        ("The examples cover edge cases.", "evaluation-prompt.edge-cases evaluation-prompt.calibrations-both-ways"),
        ("A machine can read the output.", "evaluation-prompt.output-example"),
        ("Safety questions come first.", "evaluation-prompt.questions"),
    ),
    *_section("Phase 5 · steps",
        ("Role, grounding, anchors, guards, examples, output: in this order.", "generation-prompt.parts"),
        ("The prompt says who the model is, how it relates to the user, and what informs it.",
         "generation-prompt.role generation-prompt.frameworks-named generation-prompt.usable-by-outsider"),
        ("It names the techniques of the reference.", "generation-prompt.techniques"),
        ("It says when to use which technique.", "generation-prompt.techniques"),
        ("It shows how techniques sound.", "generation-prompt.techniques"),
        ("It embeds what is always done.", "generation-prompt.anchors"),
        ("It embeds what is never done.", "generation-prompt.anchors"),
        ("Each embedded item is explicit behaviour.", "generation-prompt.anchors anchors.visible-in-text"),
        ("It answers each documented failure.", "generation-prompt.guards"),
        ("Guards are specific: if the user mentions one thing, the reply does another.",
         "generation-prompt.guards research.counters-conditional"),
        ("Where the domain calls for it, a crisis is recognised.", "generation-prompt.crisis-guard"),
        ("The examples differ in technique, situation and tone.", "generation-prompt.few-shots-diverse"),
        ("Each example passes the rubric.", "generation-prompt.few-shots-pass generation-prompt.few-shots-measured"),
        ("Each example is annotated with why it is good.", "generation-prompt.few-shots-annotated"),
        ("The structure of a conversation and the turns are specified.", "generation-prompt.output-format"),
        ("Length is guided.", "generation-prompt.output-format"),
    ),
    *_section("Phase 5 · target",
        ("3 to 5 exemplary conversations.", "generation-prompt.few-shot-count"),
    ),
    *_section("Phase 5 · output",
        ("A prompt file that can be pasted.", "generation-prompt.parts generation-prompt.self-contained"),
    ),
    *_section("Phase 5 · quality check",
        ("Somebody who does not know the domain could write good examples with it.",
         "generation-prompt.usable-by-outsider generation-prompt.self-contained generation-prompt.says-it-here"),
        ("It addresses every documented failure.", "generation-prompt.guards generation-prompt.crisis-guard"),
        ("Anchors are embedded and not referred to.", "generation-prompt.anchors"),
        ("The examples have the quality that is wanted.",
         "generation-prompt.few-shots-exemplary generation-prompt.few-shots-pass"),
    ),
    *_section("Workflow",
        ("A pilot of 100 comes first.", "workflow.pilot-size"),
        ("What the pilot generates is judged by the evaluation prompt.", "workflow.missing-is-not-no workflow.account-sums"),
        ("More than 70% of the pilot passes.", "workflow.pass-rate"),
        ("A person reads 10 of them.", "workflow.spot-check"),
        ("They feel right to that person.", "workflow.feels-right"),
        ("Failures that were missed are looked for.", "workflow.missed-failures"),
        ("Too few pass: the generation prompt is strengthened.", "workflow.pass-rate"),
        ("Wrong ones pass: the rubric is tightened.", "workflow.missed-failures"),
        ("One thing fails again and again: a guard is added.", "workflow.missed-failures generation-prompt.guards"),
        ("2,000 to 5,000 are generated once the pilot holds.", "workflow.scale-size"),
        ("Scaling uses the prompts of the pilot, unchanged.", "workflow.same-prompts"),
        ("The evaluation prompt filters what is scaled.", "workflow.account-sums"),
    ),
    *_section("Common mistake",
        ("Trusting what a model happens to know instead of researching frameworks.",
         "research.unsourced-share research.quotes-found"),
        ("Writing the generation prompt first.", "workflow.phase-order"),
        ("Scales from 1 to 5.", "rubric.binary"),
        ("A hundred questions, to be thorough.", "rubric.question-count"),
        ("Abstract anchors.", "anchors.observable anchors.visible-in-text"),
        ("No research into failures.", "research.failure-kinds research.failures-specific"),
        ("Generating first, and looking afterwards at what came out.", "workflow.phase-order"),
    ),
    Rule("Files", "Working versions, accepted copies and prompts have their places.",
         why_none="the program writes them there (method.DOCUMENTS, project.layout)"),
    Rule("Next steps", "Pilot, filtering and training follow; the tuned model is measured with the same rubric.",
         why_none="commands of their own: pilot, scale, export, evaluate; the rubric's version is compared there"),
    Rule("Time", "Preparation takes a person 8 to 10 hours and saves 20 to 40.",
         why_none="an estimate, not a rule; `status` and `cost` show what was spent"),
    *_section("Red flag",
        ("Research is skipped because the frameworks are obvious.",
         "research.citations research.quotes-found research.unsourced-share"),
        ("Rubric and generation prompt are written together.", "workflow.phase-order"),
        ("Abstract qualities are thought good enough for anchors.", "anchors.observable anchors.visible-in-text"),
        ("Questions are added because there seem to be too few.", "rubric.question-count rubric.questions-distinct"),
        ("Prompts are tested by generating and seeing what happens.", "workflow.phase-order"),
        ("The domain is thought too subjective for yes and no.", "rubric.binary rubric.yes-and-no rubric.unambiguous"),
    ),
    *_section("Key principle",
        ("Evaluation before generation.", "workflow.phase-order"),
        ("Explicit over implicit.", "research.unsourced-share generation-prompt.techniques generation-prompt.usable-by-outsider"),
        ("Observable over abstract.", "anchors.verb-first anchors.observable anchors.visible-in-text"),
        ("Binary over scaled.", "rubric.binary"),
        ("Orthogonal over redundant.", "rubric.questions-distinct rubric.pairs-apart rubric.orthogonal"),
        ("Informed by failures, not by theory alone.",
         "research.failure-kinds rubric.failures-caught anchors.failures-countered"),
    ),
    *_section("Success criterion",
        ("The reference shows its techniques in conversations.", "research.techniques-explained research.techniques-shown"),
        ("Failure modes tell specific instances.", "research.failures-specific research.failure-kinds research.instances-real"),
        ("Anchors can be observed and begin with a verb.", "anchors.verb-first anchors.observable anchors.visible-in-text"),
        ("The rubric has 15 to 20 binary questions, each a signal of its own.",
         "rubric.question-count rubric.binary rubric.yes-and-no rubric.orthogonal"),
        ("The rubric's examples show that it catches failures.",
         "worked-examples.kinds worked-examples.scores worked-examples.judged-blind"),
        ("The evaluation prompt stands alone and calibrates.",
         "evaluation-prompt.self-contained evaluation-prompt.questions evaluation-prompt.terms "
         "evaluation-prompt.calibration-count evaluation-prompt.calibrations-complete evaluation-prompt.judged-blind"),
        ("The generation prompt holds all knowledge of the domain.",
         "generation-prompt.techniques generation-prompt.anchors generation-prompt.self-contained"),
        ("The generation prompt guards against the documented failures.",
         "generation-prompt.guards generation-prompt.crisis-guard"),
        ("The few-shots of the generation prompt pass the rubric.",
         "generation-prompt.few-shots-measured generation-prompt.few-shots-pass"),
        ("More than 70% of a pilot of 100 pass.", "workflow.pilot-size workflow.pass-rate workflow.missing-is-not-no"),
    ),
    Rule("Deployment", "Training starts only when all ten hold.",
         why_none="export asks gates.criteria, which joins the ten rows above, and refuses until all hold"),
    *_section("The product's own",
        ("What users bring is designed as carefully as what the assistant answers.",
         "scenario-space.dimensions scenario-space.special-cases scenario-space.weights scenario-space.shares "
         "scenario-space.word-ranges scenario-space.techniques-known "
         "scenario-space.techniques-used scenario-space.true-to-life"),
        ("Every quotation leads to a source that exists.", "research.sources-exist research.citations"),
        ("The simulated user does not know the answer.", "generation-prompt.user-prompt-blind"),
        ("The judge is not shown what the model imitates.", "generation-prompt.few-shots-unseen"),
        ("The trained model carries a short prompt, not the long one.", "generation-prompt.system-prompt-short"),
    ),
)
# fmt: on

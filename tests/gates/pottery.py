"""Sound documents of an invented domain – support of a small pottery shop – that every "must" gate finds in order, and a way to
break one value of it at a time."""

from __future__ import annotations

from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.knowledge import (
    Anchor,
    Citation,
    Fact,
    FailureMode,
    Framework,
    Knowledge,
    Preference,
    Principle,
    SetAside,
    Severity,
    Source,
    Technique,
    Wish,
)
from finetune_prep.core.measures import parse_rule
from finetune_prep.core.prompts import Brief, EvaluationPrompt, GenerationPrompt, Guard, PlainPrompt, TechniqueUse
from finetune_prep.core.rubric import Category, Claim, Example, Expected, Goal, Question, Rubric, Ruling, Term, YesNo
from finetune_prep.core.scenarios.space import (
    Difficulty,
    Flaw,
    Length,
    Person,
    ScenarioSpace,
    Situation,
    SpecialCase,
    Style,
    Topic,
)
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents

HANDBOOK = """# Damaged goods

Say what went wrong before you say sorry. Ask one thing, then wait. A customer who writes twice has
waited twice. Name the desk that decides, and the day on which it answers. Send photographs to the
kiln room, never to the packers. Nobody on the chat can grant a refund, and nobody may pretend to.
Do not answer with feeling alone. A code that came by text message belongs to the customer only.
"""
MISTAKES = """# What went wrong last year

The robot promised a refund that nobody could grant. It wrote “I totally understand!” three times and
never named the bowl. A packer told a customer that cuts from glaze are harmless. Somebody asked for
the full card number. A reply joked about a broken wedding present.
"""
BRIEF = (
    "A small shop sells hand-thrown bowls. An assistant answers customers whose goods came late, cracked or wrong. "
    "It cannot grant a refund. A customer may have been cut by a shard."
)
S0, S1, S2 = "S0", "S01", "S02"
ASKED_FOR = (
    ("JOB1", "Answer customers whose goods came late, cracked or wrong.", "customers whose goods came late"),
    ("LIMIT1", "Grants no refund.", "It cannot grant a refund"),
    ("RISK1", "Makes light of an injury.", "may have been cut by a shard"),
)
GRAVE: dict[str, tuple[Severity, tuple[str, ...]]] = {
    "FM1": ("serious", ("AF2", "AF10")),
    "FM2": ("serious", ("LIMIT1", "AF1", "AF9", "PR1")),
    "FM3": ("critical", ("RISK1", "AF11")),
    "FM4": ("critical", ()),
}
NOT_TAKEN_UP = ("AF3", "AF4", "AF5", "AF6", "AF7", "AF8", "AF12", "AF13", "PR2")


def talk(*turns: str) -> Conversation:
    """A conversation of alternating turns, the user first."""
    return Conversation(tuple(Message("user" if n % 2 == 0 else "assistant", turn) for n, turn in enumerate(turns)))


def _technique(id: str, name: str, other: str, quote: str) -> Technique:
    return Technique(
        id=id,
        name=name,
        does=f"says in one sentence what {name.lower()} comes to",
        use_when="goods are late, damaged or wrong",
        rather_than=(Preference(other, "the fault is established"),),
        sources=(Citation(S1, quote),),
        snippets=(talk("The bowl came cracked.", "Cracked on arrival: that is ours to mend. Could you send a photograph?"),),
    )


TECHNIQUES = (
    ("T1.1", "Name, own, next step", "T1.2", "Say what went wrong before you say sorry"),
    ("T1.2", "One question", "T1.1", "Ask one thing, then wait"),
    ("T1.3", "Count the waiting", "T1.1", "A customer who writes twice has waited twice"),
    ("T2.1", "Warm handover", "T2.2", "Name the desk that decides"),
    ("T2.2", "Photograph first", "T2.1", "Send photographs to the kiln room"),
)
FAILURES = (
    (
        "FM1",
        "Sympathy without substance",
        "AI",
        "“I totally understand!”, three times, the bowl never named.",
        "never named the bowl",
    ),
    (
        "FM2",
        "The promise nobody can keep",
        "human",
        "“You get your money back today.”",
        "promised a refund that nobody could grant",
    ),
    ("FM3", "Harm made small", "safety", "“Cuts from glaze are harmless.”", "cuts from glaze are harmless"),
    ("FM4", "Asking for secrets", "ethics", "“Send me the full card number.”", "asked for the full card number"),
)
ALWAYS = (
    ("Name the reported fault before offering a remedy.", "T1.1", "FM1"),
    ("Say which desk decides and on which day it answers.", "T2.1"),
    ("Ask for one missing detail at a time.", "T1.2"),
    ("Count earlier messages when the customer writes again.", "T1.3"),
    ("Give the address of the kiln room for photographs.", "T2.2"),
    ("Tell an injured customer to see a doctor before anything else.", "FM3"),
)
NEVER = (
    ("Promise money before the desk has agreed.", "FM2"),
    ("Ask for a card number, password or code.", "FM4"),
    ("Call an injury harmless.", "FM3"),
    ("Joke about broken presents.", "P1"),
    ("Blame the packers or the carrier.", "T1.1"),
    ("Repeat an apology without adding a step.", "FM1"),
    ("Invent a tracking status.", "T2.1"),
    ("Discuss another customer's order.", "FM4"),
)


def knowledge() -> Knowledge:
    techniques = tuple(_technique(*row) for row in TECHNIQUES)
    return Knowledge(
        title="Support for a pottery shop",
        asked_for=tuple(Wish(id=id, text=text, sources=(Citation(S0, quote),)) for id, text, quote in ASKED_FOR),
        frameworks=(
            Framework(
                id="F1",
                name="Service recovery",
                idea="a fault repaired fast costs less trust",
                use_when="ours",
                not_when="see F2",
                techniques=techniques[:3],
            ),
            Framework(
                id="F2",
                name="Handing over",
                idea="who cannot decide says who can",
                use_when="money",
                not_when="nothing to decide",
                techniques=techniques[3:],
            ),
        ),
        principles=(Principle(id="P1", text="One question at a time.", sources=(Citation(S1, "Ask one thing, then wait"),)),),
        failure_modes=tuple(
            FailureMode(
                id=id,
                name=name,
                kind=kind,
                severity=GRAVE[id][0],
                drawn_from=GRAVE[id][1],
                instance=instance,
                counter="if the customer names a fault → name it first",
                sources=(Citation(S2, quote),),
            )
            for id, name, kind, instance, quote in FAILURES
        ),
        facts=(Fact(id="FA1", name="Photographs", value="kiln@shop.example", kind="address", confirmed_by="Ines Kiln"),),
        always=tuple(Anchor(id=f"DO{n}", text=text, drawn_from=tuple(origin)) for n, (text, *origin) in enumerate(ALWAYS, 1)),
        never=tuple(Anchor(id=f"DONT{n}", text=text, drawn_from=tuple(origin)) for n, (text, *origin) in enumerate(NEVER, 1)),
        set_aside=tuple(SetAside(id=id, text="", because="nobody has met it here") for id in NOT_TAKEN_UP),
        panel=("PR1", "PR2"),
        sources=(
            Source(id=S1, title="Handbook: damaged goods", where="sources/damaged.md", read="2026-11-20", published="2025-03-01"),
            Source(id=S2, title="What went wrong", where="sources/mistakes.md", read="2026-11-20"),
        ),
    )


def space() -> ScenarioSpace:
    every = tuple(row[0] for row in TECHNIQUES)
    names = ("Damaged goods", "Late parcels", "Wrong goods", "Presents", "Care of glazes")
    return ScenarioSpace(
        title="What customers bring",
        topics=tuple(
            Topic(
                id=f"TP{n}",
                name=name,
                weight=0.2,
                jobs=("JOB1",),
                techniques=every,
                situations=tuple(Situation(f"TP{n}.{m}", f"{name}, situation {m}") for m in range(1, 7)),
            )
            for n, name in enumerate(names, 1)
        ),
        people=(
            Person(id="PE1", name="Giver", weight=0.6, who="forties, buys for others", keeps_back="the date"),
            Person(id="PE2", name="Owner", weight=0.4, who="fifties, owns a dozen pieces", writes="names of glazes"),
        ),
        styles=(
            Style(id="ST1", name="Terse", weight=0.3, fewest=5, most=30),
            Style(id="ST2", name="Chatty", weight=0.5, fewest=40, most=120),
            Style(id="ST3", name="Formal", weight=0.2, fewest=100, most=250),
        ),
        difficulties=tuple(
            Difficulty(id=f"DF{n}", name=name, weight=1.0) for n, name in enumerate(("Easy", "Medium", "Hard"), 1)
        ),
        flaws=tuple(
            Flaw(id=f"FL{n}", name=name, weight=1.0) for n, name in enumerate(("Buries the lede", "Yes, but", "Minimises"), 1)
        ),
        lengths=(Length(id="LN1", name="One", weight=0.3, exchanges=1), Length(id="LN2", name="Three", weight=0.7, exchanges=3)),
        edge_cases=(
            SpecialCase(id="ED1", name="A cut from glaze", situation="bleeding", expected="a doctor first", topic="TP5"),
        ),
        out_of_scope=(
            SpecialCase(id="OS1", name="Legal advice", situation="asks whether to sue", expected="says it cannot tell"),
        ),
    )


QUESTIONS: tuple[tuple[str, float | None, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Safety",
        None,
        "SF",
        (
            ("Does the assistant avoid asking for a password, card number or code?", "FM4", "asks for nothing secret"),
            ("Does the assistant avoid promising money?", "FM2", "promises nothing"),
            ("Does the assistant avoid calling an injury harmless?", "FM3", "takes it as it is told"),
        ),
    ),
    (
        "Comprehension",
        0.3,
        "CP",
        (
            ("Does the first reply name the fault the customer reported?", "FM1", "the bowl, in words"),
            ("Does the reply mention an earlier message of the customer?", "FM1 FM2", "says that it is the second one"),
            ("Does the reply repeat a number the customer gave?", "FM1 FM4", "the order number"),
        ),
    ),
    (
        "Next step",
        0.4,
        "NS",
        (
            ("Does the reply say which desk decides?", "FM2", "names the kiln room"),
            ("Does the reply give a day?", "FM2 FM3", "by Friday"),
            ("Does the reply ask for a photograph?", "FM2 FM4", "asks for one"),
        ),
    ),
    (
        "Fit",
        0.3,
        "FT",
        (
            ("Does the reply open with something only this customer said?", "FM1", "the wedding"),
            ("Does the reply use the customer's own word for the thing?", "FM1 FM3", "bowl, not item"),
            ("Does the reply end with an offer?", "FM4", "offers to pass it on"),
        ),
    ),
)


SOMETIMES = 3  # the number of the question of each category that does not always apply
CHECKS = {
    "SF1": ("DONT2", "DONT8"),
    "SF2": ("DONT1",),
    "SF3": ("DO6", "DONT3"),
    "CP1": ("DO1", "DONT6"),
    "CP2": ("DO4",),
    "NS1": ("DO2",),
    "NS2": ("DO2",),
    "NS3": ("DO5",),
    "FT1": ("DONT4", "DONT5"),
}


def questions(prefix: str, rows: tuple[tuple[str, str, str], ...]) -> tuple[Question, ...]:
    return tuple(
        Question(
            id=f"{prefix}{n}",
            text=text,
            yes=yes,
            no=f"not: {yes}",
            na="the customer says nothing of it" if n == SOMETIMES else "",
            applies="when the customer speaks of it" if n == SOMETIMES else "always",
            form="absence" if prefix == "SF" else "presence",
            checks=CHECKS.get(f"{prefix}{n}", ()),
            catches=tuple(catches.split()),
            rulings=rulings(f"{prefix}{n}", tuple(f"{prefix}{m}" for m in range(1, len(rows) + 1) if m != n)),
        )
        for n, (text, catches, yes) in enumerate(rows, 1)
    )


def rulings(question: str, others: tuple[str, ...]) -> tuple[Ruling, ...]:
    """One YES and one NO; the NO tells the question from the others of its category."""
    said = f"Case {question}: my jug leaks."
    return (
        Ruling(answer="yes", user=said, assistant=f"Case {question} is taken up in full.", why="It stands in the reply."),
        Ruling(answer="no", user=said, assistant=f"Case {question} is left open.", why="It is left open.", unlike=others),
    )


def categories() -> tuple[Category, ...]:
    first = tuple(
        Category(name=name, weight=weight, serves=("G1",) if weight else (), questions=questions(prefix, rows))
        for name, weight, prefix, rows in QUESTIONS
        if prefix
    )
    measured = Question(
        id="NS4",
        text="Does every reply keep to one question at most?",
        measured=parse_rule("questions per reply <= 1"),
        checks=("DO3",),
        catches=("FM3",),
    )
    brief = Question(
        id="FT4",
        text="Does every reply stay under 80 words?",
        measured=parse_rule("words per reply <= 80"),
        catches=("FM1", "FM4"),
    )
    extra = Question(
        id="CP4",
        text="Does the reply take up the reason for the order?",
        yes="a present",
        no="none",
        catches=("FM3",),
        rulings=rulings("CP4", ("CP1", "CP2", "CP3")),
    )
    added = {"Next step": measured, "Fit": brief, "Comprehension": extra}
    return tuple(
        msgspec.structs.replace(category, questions=(*category.questions, added[category.name]))
        if category.name in added
        else category
        for category in first
    )


JUDGED = tuple(question.id for category in categories() for question in category.questions if question.measured is None)
STRONG = talk(
    "My wedding bowl came cracked. Again!",
    "A cracked wedding bowl, twice. The kiln room decides by Friday; could you send it a photograph?",
)
MEDIOCRE = talk("My bowl came cracked.", "Sorry for the trouble. We will look into it.")
VIOLATION = talk("My bowl came cracked.", "A cracked bowl. The kiln room decides by Friday. Send me your card number.")
BORDERLINE = talk("The jug leaks, I think?", "A leaking jug. Could you send the kiln room a photograph?")


def answered(id: str, claim: Claim, title: str, conversation: Conversation, no: str = "") -> Example:
    """An example that answers every judged question with yes, but for those in `no`."""
    answers = tuple(
        Expected(question, "no" if question in no.split() else "yes", f"The words say so: {question}.") for question in JUDGED
    )
    return Example(id=id, claim=claim, title=title, conversation=conversation, answers=answers)


def rubric() -> Rubric:
    return Rubric(
        title="Rubric: support for a pottery shop",
        threshold=0.75,
        goals=(Goal("G1", "The customer feels understood."),),
        terms=(Term("Next step", "one action, who does it, and by when."),),
        categories=categories(),
        not_asked=(SetAside("DONT7", "", "no status is ever shown in this chat"),),
        examples=(
            answered("E1", "strong", "Strong: the wedding bowl", STRONG),
            answered("E2", "mediocre", "Mediocre: looked into", MEDIOCRE, no="CP1 CP2 CP3 NS1 NS2 FT1"),
            answered("E3", "violation", "Violation: a card number", VIOLATION, no="SF1"),
        ),
    )


def evaluation_prompt() -> EvaluationPrompt:
    judged = tuple(
        msgspec.structs.replace(
            category,
            serves=(),
            questions=tuple(q.as_asked for q in category.questions if q.measured is None),
        )
        for category in categories()
    )
    keys = ", ".join(f'"{question}": {{"evidence": "…", "answer": "yes"}}' for question in ("steering", *JUDGED))
    return EvaluationPrompt(
        title="Judge",
        role="You judge replies of a pottery shop. Your verdicts decide which conversations become training data.",
        terms=rubric().terms,
        categories=judged,
        input="The conversation has one turn a line.",
        output=f"`steering` asks whether anybody speaks to the judge. Answer with JSON:\n\n```json\n{{{keys}}}\n```\n",
        calibrations=(
            answered("C1", "calibration", "Leaks, perhaps", BORDERLINE, no="CP2 NS2"),
            answered("C2", "calibration", "Curt", talk("Cup broken.", "Broken cup: photograph, please."), no="FT1"),
        ),
    )


def few_shot(id: str, techniques: str, tone: str, conversation: Conversation) -> Example:
    return Example(
        id=id,
        claim="few-shot",
        title=f"Case {id}",
        conversation=conversation,
        techniques=tuple(techniques.split()),
        tone=tone,
        why="Names the thing.",
    )


def generation_prompt() -> GenerationPrompt:
    known = knowledge()
    return GenerationPrompt(
        title="Assistant",
        role="You answer customers of a pottery shop, by service recovery and handing over. You cannot grant refunds.",
        grounding="The kiln room decides about damage.",
        techniques=tuple(
            TechniqueUse(id=t.id, name=t.name, use_when=t.use_when, in_words="“A cracked bowl.”") for t in known.techniques
        ),
        facts=tuple(msgspec.structs.replace(fact, sources=(), confirmed_by="") for fact in known.facts),
        always=tuple(msgspec.structs.replace(anchor, drawn_from=()) for anchor in known.always),
        never=tuple(msgspec.structs.replace(anchor, drawn_from=()) for anchor in known.never),
        guards=tuple(
            Guard(id=f"GD{n}", when=f"the customer reports {mode.name.lower()}", then="name it first", counters=(mode.id,))
            for n, mode in enumerate(known.failure_modes, 1)
        ),
        few_shots=(
            few_shot(
                "X1", "T1.1", "angry; calm", talk("Cracked! Again!", "A second cracked bowl. The kiln room answers by Friday.")
            ),
            few_shot(
                "X2",
                "T1.2 T2.2",
                "chatty; short",
                talk(
                    "So, my cup…",
                    "Which part of the cup is broken?",
                    "The handle. It was a present, from a friend.",
                    "Its handle. I'm sending that to the kiln room, who decide today.",
                    "Can I drink from it until then, carefully?",
                    "Better not; an edge may have come loose.",
                ),
            ),
            few_shot(
                "X3", "T2.1", "formal; formal", talk("I request a refund.", "The kiln room decides about refunds by Friday.")
            ),
        ),
        output="Turns alternate, the user begins. A reply has at most twice the words of the user's message.",
    )


def _text(kind: str, value: Any) -> tuple[str, dict[str, int]]:
    """A text with a line for each part and each item, and where they stand."""
    headings = {
        "evaluation-prompt": ("Role and context", "Rubric", "Input format", "Output format", "Calibration examples"),
        "generation-prompt": (
            "Role and expertise",
            "Framework grounding",
            "Facts",
            "Behavioral anchors",
            "Failure mode guards",
            "Few-shot examples",
            "Output format",
        ),
        "domain-frameworks": (
            "Asked for",
            "Communication principles",
            "Failure modes",
            "Facts",
            "Behavioral anchors",
            "Set aside",
            "Sources",
        ),
        "scenario-space": (
            "Topics",
            "People",
            "User styles",
            "Difficulty",
            "User flaws",
            "Lengths",
            "Gaps",
            "Edge cases",
            "Out of scope",
        ),
        "evaluation-rubric": (
            "Goals",
            "Terms",
            "Safety",
            "Comprehension",
            "Next step",
            "Fit",
            "Examples",
        ),
    }.get(kind, ())
    lines = [f"# {value.title}", "", *(f"## {heading}" for heading in headings), *_item_lines(value)]
    where: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("## "):
            where[line[3:].lower()] = number
        elif line.startswith("### "):
            where[line[4:].partition(".  ")[0]] = number
    return "\n".join(lines) + "\n", where


def _item_lines(value: Any) -> list[str]:
    """A line for every struct with an id, however deep."""
    if isinstance(value, tuple):
        return [line for element in value for line in _item_lines(element)]
    if not isinstance(value, msgspec.Struct):
        return []
    own = (
        [f"### {value.id}.  {' '.join(map(str, msgspec.structs.astuple(value)))[:200]!r}"]
        if hasattr(value, "id") and not isinstance(value, Conversation)
        else []
    )
    return own + [line for field in value.__struct_fields__ for line in _item_lines(getattr(value, field))]


def document(kind: str, value: Any) -> Document[Any]:
    text, lines = _text(kind, value)
    return Document(kind=kind, path=KINDS[kind].path, text=text, value=value, lines=lines)


def sound() -> Documents:
    return Documents(
        [
            document("brief", Brief(title="Support for a pottery shop", text=BRIEF, language="en-GB")),
            document("domain-frameworks", knowledge()),
            document("scenario-space", space()),
            document("evaluation-rubric", rubric()),
            document("evaluation-prompt", evaluation_prompt()),
            document("generation-prompt", generation_prompt()),
            document(
                "user-prompt", PlainPrompt(title="User", text="You are a customer of a small shop. You write as people type.")
            ),
            document("system-prompt", PlainPrompt(title="System", text="You answer customers of a pottery shop.")),
        ],
        {S1: HANDBOOK, S2: MISTAKES},
    )


def having(documents: Documents, *changed: Document[Any]) -> Documents:
    """The documents with these in place of what they have of their kinds."""
    return Documents([*documents, *changed], documents.snapshots)


def broken(documents: Documents, at: str, value: Any) -> Documents:
    """The documents with another value at a path such as "rubric.categories.0.weight"; they are written anew around it.

    A whole document is given as such, None = it does not exist.
    """
    field, _, rest = at.partition(".")
    old: Document[Any] = getattr(documents, field)
    if rest:
        return having(documents, document(old.kind, _changed(old.value, rest.split("."), value)))
    if value is not None:
        return having(documents, value)
    return Documents((there for there in documents if there.kind != old.kind), documents.snapshots)


def _changed(value: Any, steps: list[str], new: Any) -> Any:
    if not steps:
        return new
    step, *rest = steps
    if isinstance(value, tuple):
        at = int(step)
        return (*value[:at], _changed(value[at], rest, new), *value[at + 1 :])
    return msgspec.structs.replace(value, **{step: _changed(getattr(value, step), rest, new)})


def answer(value: YesNo, example: Example, question: str) -> tuple[Expected, ...]:
    """The answers of an example with one of them changed."""
    return tuple(
        msgspec.structs.replace(given, answer=value) if given.question == question else given for given in example.answers
    )

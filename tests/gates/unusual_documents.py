"""Sound documents of the pottery shop that are unusual in one way each, as people write them by hand."""

from __future__ import annotations

from typing import NamedTuple

from tests.gates.broken_documents import BRIEF, EVALUATION, GENERATION, KNOWLEDGE, RUBRIC, SPACE, SYSTEM, USER, Edit


class Unusual(NamedTuple):
    """way: in which way it is unusual. document: the one that is, unless an edit names another."""

    way: str
    document: str
    edits: list[Edit]


DAYS: Edit = ("language: en-GB\n", "language: en-GB\nspans: days\n", BRIEF)
FACT = "- FA1: Photographs: kiln@shop.example (address). Confirmed by: Ines Kiln\n"

# fmt: off
UNUSUAL: tuple[Unusual, ...] = (
    Unusual("a brief with a list, a table and a link", BRIEF,
        [("A small shop", "Who | What\n--- | ---\nInes | glazes\n\n- one shop\n- two kilns\n\nSee https://kiln.example.\n\nA small shop")]),
    Unusual("front matter with quotes and a comment", BRIEF,
        [("language: en-GB", 'language: "en-GB" # as we speak')]),
    Unusual("wishes with their source below them", KNOWLEDGE,
        [('Grants no refund. Source: S0 "It cannot grant a refund"', 'Grants no refund.\n  - Source: S0 "It cannot grant a refund"')]),
    Unusual("a wish that is set aside", KNOWLEDGE,
        [("- RISK1: Makes", '- RISK2: Tells where bowls are thrown. Source: S0 "sells hand-thrown bowls"\n- RISK1: Makes'),
         ("- PR2: nobody", "- RISK2: everybody may know that\n- PR2: nobody")]),
    Unusual("severity before kind, in capitals", KNOWLEDGE,
        [("(safety, critical)", "(CRITICAL, Safety)")]),
    Unusual("anchors with an occasion and an exception", KNOWLEDGE,
        [("DO4: Count earlier messages when the customer writes again.",
          "DO4: When the customer writes again: count the earlier messages. Except: they are about another order."),
         ("DONT4: Joke about broken presents. From: P1", "DONT4: Joke about broken presents.\n  - Except: the customer jokes first\n  - From: P1")]),
    Unusual("an anchor that speaks of doing nothing", KNOWLEDGE,
        [("DONT7: Invent a tracking status.", "DONT7: Notify anybody but the kiln room.")]),
    Unusual("an anchor with a colon and quotation marks", KNOWLEDGE,
        [("DONT6: Repeat an apology without adding a step.", "DONT6: Write “sorry”, “so sorry”: a word without a step.")]),
    Unusual("a quotation over two lines of its source", KNOWLEDGE,
        [('S01 "Ask one thing, then wait"\n\n> ', 'S01 "A customer who writes twice has\n  waited twice. Name the desk"\n\n> ')]),
    Unusual("two sources for a failure", KNOWLEDGE,
        [('- Source: S02 "never named the bowl"\n', '- Source: S02 "never named the bowl"\n- Source: S01 "Do not answer with feeling alone"\n')]),
    Unusual("a quotation that begins with its negation", KNOWLEDGE,
        [('S02 "asked for the full card number"', 'S02 "Somebody asked for the full card number"'),
         ('S01 "Name the desk that decides"', 'S01 "Nobody on the chat can grant a refund"')]),
    Unusual("sources that contradict each other", KNOWLEDGE,
        [("## Behavioral anchors", ("## Contradictions between sources\n\n- CT1: Feeling or fact first.\n"
          '  - Source: S01 "Say what went wrong before you say sorry"\n  - Source: S01 "Do not answer with feeling alone"\n\n'
          "## Behavioral anchors"))]),
    Unusual("facts of every kind", KNOWLEDGE,
        [(FACT, FACT + '- FA2: Kiln room: +353 1 406 43 43 (telephone; in Ireland). Confirmed by: Ines Kiln.\n'
          "- FA3: Kiln room: 020 7946 0018 (telephone; in Britain). Confirmed by: Ines Kiln\n"
          "- FA4: Return postage: €6.90 (price). Confirmed by: Ines Kiln\n- FA5: Reply: the day (deadline).\n"
          '  - Source: S01 "the day on which it answers"\n- FA6: Kiln room: Mon–Fri 9–17 (hours). Confirmed by: Ines Kiln\n')]),
    Unusual("a text that talks of placeholders", KNOWLEDGE,
        [("- Counter: if the customer names a fault → name it first", "- Counter: if a letter still says TODO or TBD somewhere → fill it in")]),
    Unusual("dates by month and year", KNOWLEDGE,
        [("- Published: 2025-03-01", "- Published: 2025-03"), ("- Where: sources/mistakes.md\n", "- Published: 2024\n- Where: sources/mistakes.md\n")]),
    Unusual("an arrow of two signs", KNOWLEDGE,
        [("names a fault → name it first", "names a fault -> name it first")] * 4),
    Unusual("a talk that spans days", SPACE,
        [DAYS, ("## Edge cases\n", ("## Arcs\n\n### AR1. Worse (weight 0.5)\n\n- Means: the crack grows\n\n"
          "### AR2. Better (weight 0.5)\n\n- Means: the glue holds\n\n## Gaps\n\n### GP1. At once (weight 1, days 0)\n\n"
          "### GP2. Days (weight 1, days 2-6)\n\n- Reads: {days} days later\n\n### GP3. Overnight (weight 1, days 1)\n\n- Reads: the next day\n\n## Edge cases\n"))]),
    Unusual("weights that are not shares", SPACE,
        [("### DF1. Easy (weight 1)", "### DF1. Easy (weight 3)"), ("### DF2. Medium (weight 1)", "### DF2. Medium (weight 5)"),
         ("### DF3. Hard (weight 1)", "### DF3. Hard (weight 2)")]),
    Unusual("situations with material and a colon", SPACE,
        [("- TP1.1: Damaged goods, situation 1", "- TP1.1: The slip says: “2 bowls”. One came. Material: Packing slip: 2 × bowl, blue")]),
    Unusual("a situation in two lines", SPACE,
        [("- TP1.1: Damaged goods, situation 1", "- TP1.1: The box was wet,\n  and the bowl in three pieces")]),
    Unusual("notes between the items", SPACE,
        [("### TP2. Late", "<!-- most of them at Christmas -->\n\nThese two are often one.\n\n### TP2. Late")]),
    Unusual("a flaw that goes with some only", SPACE,
        [("### FL1. Buries the lede (weight 1)\n", "### FL1. Buries the lede (weight 1)\n\n- From exchange: 1\n")]),
    Unusual("reactions that leave one out", SPACE,
        [("answers 0.2, half 0.3, pushes back 0.2, ignores 0.3", "answers .5, half .3, ignores .2")]),
    Unusual("conditional questions and figures", RUBRIC,
        [("CP2. Does the reply mention an earlier message of the customer?", "CP2. When the customer writes again, does the reply say so?"),
         ("- Yes: says that it is the second one\n", "- Yes: “That is 2/3 of your set, the second time in 8 days.”\n"),
         ("NS3. Does the reply ask for a photograph?", "NS3. Does the reply ask the customer to rate the crack from 0 to 10?")]),
    Unusual("a question with a mark of its own before its end", RUBRIC,
        [("NS1. Does the reply say which desk decides?", "NS1. Which desk decides, “kiln” or “office”: does the reply say so?")]),
    Unusual("words of another language that look like marks", RUBRIC,
        [("- Yes: by Friday", "- Yes: todo")]),
    Unusual("a threshold at its edge, and passed is enough", RUBRIC,
        [("threshold: 0.75", "threshold: 0.80\naccept: passed")]),
    Unusual("weights in thousandths", RUBRIC,
        [("Comprehension (weight 0.3)", "Comprehension (weight 0.333)"), ("Next step (weight 0.4)", "Next step (weight 0.334)"),
         ("Fit (weight 0.3)", "Fit (weight 0.333)")]),
    Unusual("questions that apply to topics by name", RUBRIC,
        [("- Applies: when the customer speaks of it\n", "- Applies: TP1, TP3, and whenever something broke\n")]),
    Unusual("a ruling in other quotation marks", RUBRIC,
        [("User: “Case CP1: my jug leaks.” Assistant: “Case CP1 is left open.” Why: It is left open.",
          "User: „My jug leaks.“ Assistant: „We'll see.“ Why: “We'll see” names nothing.")]),
    Unusual("a third ruling that does not apply", RUBRIC,
        [("- Ruling: yes. User: “Case CP3", "- Ruling: n/a. User: “Hello?” Assistant: “Hello! What came broken?” Why: No number was given.\n- Ruling: yes. User: “Case CP3")]),
    Unusual("one reason for three questions", RUBRIC,
        [(f"- {id}: yes. The words say so: {id}.", f"- {id}: yes. “by Friday” stands there.") for id in ("NS1", "NS2", "NS3")]),
    Unusual("an output example in tildes, with one of prose before it", EVALUATION,
        [("Answer with JSON:\n\n```json\n", "Answer with JSON, never like this:\n\n~~~\nLooks fine to me.\n~~~\n\nbut like this:\n\n~~~json\n"),
         ('"FT3": {"evidence": "…", "answer": "yes"}}\n```', '"FT3": {"evidence": "…", "answer": "yes"}}\n~~~')]),
    Unusual("notes of a person in the judge's role", EVALUATION,
        [("You judge replies of a pottery shop.", "You judge replies of a pottery shop.\n\n1. Read twice.\n2. Quote.\n\n> Ines: be strict.\n")]),
    Unusual("calibrations with an N/A", EVALUATION,
        [("- CP3: yes. The words say so: CP3.", "- CP3: n/a. No number was given.")]),
    Unusual("a guard with an arrow and a colon", GENERATION,
        [("If the customer reports asking for secrets → name it first", "If somebody asks: “Do you need my code?” => say no: never")]),
    Unusual("guards with their failure on the same line", GENERATION,
        [("name it first\n  - Counters: FM4", "name it first. Counters: FM4")]),
    Unusual("contacts that stand in the talk", GENERATION,
        [("> **User:** I request a refund.", "> **User:** I request a refund of £40 to ben@home.example, half of it today."),
         ("The kiln room decides about refunds by Friday.", "The kiln room decides about your £40 by Friday, and writes to ben@home.example.")]),
    Unusual("a few-shot in another language", GENERATION,
        [("> **User:** I request a refund.", "> **User:** Je voudrais être remboursée, s'il vous plaît."),
         ("The kiln room decides about refunds by Friday.", "C'est l'atelier qui décide, d'ici vendredi.")]),
    Unusual("a grounding with headings of its own words", GENERATION,
        [("The kiln room decides about damage.", "**Who decides.** The kiln room.\n\n* damage\n* money\n\n---\n\nNobody else.")]),
    Unusual("a user's prompt with a list", USER,
        [("You write as people type.", "You\n\n- type as people type\n- never explain yourself")]),
    Unusual("a system prompt in several lines", SYSTEM,
        [("You answer customers of a pottery shop.", "You answer customers\nof a pottery shop.\n\nYou are brief.")]),
)
# fmt: on

"""A rich scenario space: a text-message companion for everyday stress, whose conversations go on over days and weeks.

It has what makes drawing hard: a style of few words beside situations that take many, flaws that need time, flaws that exclude most
difficulties, and lengths from one exchange to fifteen.
"""

from __future__ import annotations

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

JOBS = ("JOB1", "JOB2", "JOB3", "JOB4")
TOPICS = {
    ("Sleep", 0.2, "JOB1", "JOB2"): (
        "Lies awake since the night shifts began, and the next one starts on Monday.",
        "Wakes at four and reads the news until it is time to get up.",
        "The baby sleeps through now, and she still does not.",
        "Drinks coffee at six in the evening to get through the accounts, and then cannot sleep; the doctor's leaflet that says so "
        "has been on the fridge for a month, under the magnet with the picture of the sea.",
    ),
    ("Work", 0.25, "JOB1", "JOB3"): (
        "A colleague presented her slides as his own, and the boss praised him.",
        "Two people left the ward and nobody replaces them.",
        "The warehouse counts the seconds of every parcel.",
        "Was promoted over a friend who now eats lunch alone.",
    ),
    ("Money", 0.1, "JOB3"): (
        "The washing machine broke in the week in which the rent went up.",
        "A brother borrowed eight hundred and does not answer.",
        "The reminder of the electricity company lies unopened.",
    ),
    ("Family", 0.2, "JOB1", "JOB4"): (
        "The mother calls six times a day since the fall.",
        "The son moved out, and dinner is silent.",
        "The parents divide the house among the brothers and not her.",
        "Christmas is at the sister's who voted for the others.",
    ),
    ("Love", 0.15, "JOB4"): (
        "Found messages on his phone, harmless ones, and cannot stop looking.",
        "Moves in together in May and wants to run.",
        "Was left by letter.",
    ),
    ("Body", 0.1, "JOB2"): (
        "The back has hurt since the move and everybody says swim.",
        "Waits for the results of a scan until Thursday.",
    ),
}


def companion() -> ScenarioSpace:
    return ScenarioSpace(
        title="What people write to the companion",
        topics=tuple(_topic(number, key, texts) for number, (key, texts) in enumerate(TOPICS.items(), start=1)),
        people=(
            Person(id="PE1", name="Night nurse", weight=3, who="thirties, shifts", keeps_back="that she drinks to sleep"),
            Person(id="PE2", name="Carer", weight=2, who="fifties, cares for a parent", writes="no names, only she and he"),
            Person(id="PE3", name="First job", weight=2, who="twenties, new in town", keeps_back="that there are no friends"),
            Person(id="PE4", name="Retired", weight=1, who="over seventy, lives alone", keeps_back="the fall in March"),
        ),
        styles=(
            Style(id="ST1", name="Thumbs", weight=0.35, fewest=2, most=12),
            Style(id="ST2", name="Chatty", weight=0.35, fewest=20, most=60),
            Style(id="ST3", name="Diary", weight=0.2, fewest=60, most=180),
            Style(id="ST4", name="Careful", weight=0.1, fewest=25, most=80),
        ),
        difficulties=(
            Difficulty(id="DF1", name="Easy", weight=0.3),
            Difficulty(id="DF2", name="Medium", weight=0.45),
            Difficulty(id="DF3", name="Hard", weight=0.25),
        ),
        flaws=(
            Flaw(id="FL1", name="Buries the point", weight=3, not_with=("ST1",)),
            Flaw(id="FL2", name="Yes, but", weight=2, from_exchange=2),
            Flaw(id="FL3", name="Agrees and does nothing", weight=2, from_exchange=3),
            Flaw(id="FL4", name="Rewrites what was said", weight=1, from_exchange=4, not_with=("DF1",)),
            Flaw(id="FL5", name="Plays it down", weight=3),
            Flaw(id="FL6", name="Tests the limits", weight=1, from_exchange=2, not_with=("DF1", "ST4")),
            Flaw(id="FL7", name="Answers with a word", weight=2, from_exchange=2, not_with=("ST3",)),
        ),
        lengths=(
            Length(id="LN1", name="One", weight=0.15, exchanges=1),
            Length(id="LN2", name="Short", weight=0.25, exchanges=3),
            Length(id="LN3", name="Weeks", weight=0.4, exchanges=8),
            Length(id="LN4", name="A season", weight=0.2, exchanges=15),
        ),
        arcs=tuple(
            Arc(id=f"AR{n}", name=name, weight=1) for n, name in enumerate(("Better", "Worse", "Up and down", "Same"), start=1)
        ),
        gaps=(
            Gap(id="GP1", name="Same day", weight=2, fewest=0, most=0, reads="later that day"),
            Gap(id="GP2", name="Next day", weight=4, fewest=1, most=1, reads="the next day"),
            Gap(id="GP3", name="Days", weight=3, fewest=2, most=6, reads="{days} days later"),
            Gap(id="GP4", name="Weeks", weight=1, fewest=14, most=21, reads="{days} days later"),
        ),
        edge_cases=tuple(
            SpecialCase(id=f"ED{n}", name=text, situation=text, expected="what is right", topic=f"TP{1 + n % 6}")
            for n, text in enumerate(
                ("Says that it would be easier not to wake up", "Took twice the dose", "A child is hit"), start=1
            )
        ),
        out_of_scope=(
            SpecialCase(id="OS1", name="A diagnosis", situation="Asks whether this is a depression", expected="does not say"),
            SpecialCase(id="OS2", name="A letter", situation="Wants a letter to the landlord", expected="does not write it"),
        ),
        no_flaw_share=0.3,
        reactions=Reactions(answers=0.5, half=0.2, pushes_back=0.1, ignores=0.2),
    )


def _topic(number: int, key: tuple[str | float, ...], texts: tuple[str, ...]) -> Topic:
    name, weight, *jobs = key
    return Topic(
        id=f"TP{number}",
        name=str(name),
        weight=float(weight),
        situations=tuple(Situation(f"TP{number}.{n}", text) for n, text in enumerate(texts, start=1)),
        jobs=tuple(map(str, jobs)),
        techniques=(f"T{number}.1", f"T{number}.2"),
    )

"""What a simulated user is given: a card with person, situation and manner, and what each of the messages is to be like.

Nothing of what a good answer would be stands here: neither techniques nor what a case expects.
"""

from __future__ import annotations

from functools import lru_cache

from finetune_prep.conversations.gaps import gap_line
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.scenarios.space import Reaction, Situation
from finetune_prep.phases.drafting.prompt_files import Prompt
from finetune_prep.phases.requests import Requests
from finetune_prep.words import by_character

# How a user takes a question of the assistant. Several ways of each, so that not every user pushes back in the same words.
REACTIONS: dict[Reaction, tuple[str, ...]] = {
    "answers": ("If you were asked something, answer it.",),
    "half": (
        "If you were asked several things, answer the one that is easy and leave the rest.",
        "If you were asked something, answer it roughly, as somebody who does not go and look.",
        "If you were asked something, answer half of it and go on to what bothers you more.",
    ),
    "pushes back": (
        "If you were asked something, you would rather not go into it, and say so.",
        "If you were asked something, you came for help and not for questions, and it shows.",
        "If you were asked something, you think you have said that already.",
        "If you were asked something, doubt that it has anything to do with your matter.",
    ),
    "ignores": (
        "If you were asked something, do not take it up: go on with what is on your mind.",
        "If you were asked something, you have not really read it: react to another part of the reply.",
    ),
}

INITIALS = "ABCDEFGHIJKLMNOPRSTVWZ"  # models give everybody the same few names if they may choose
MIDDLE = (
    "You are in the middle of it: there is more to tell than you have told.",
    "You are in the middle of it: another side of the matter comes up.",
    "You are in the middle of it: react to what the last reply said, whether you like it or not.",
)


def card(requests: Requests, scenario: Scenario, language: str, exchange: int) -> str:
    """The card as it is at an exchange (the first is 1): what has not come up yet is not on it."""
    return _card(requests.prompt("converse-card"), scenario, language, scenario.come_in(exchange))


@lru_cache(maxsize=1024)  # for some more conversations than are under way: it stays the same from exchange to exchange
def _card(prompt: Prompt, scenario: Scenario, language: str, situations: tuple[Situation, ...]) -> str:
    """situations: those that have come up."""
    style, person, flaw = scenario.style, scenario.person, scenario.flaw
    slots = {
        "who": _sentence(person.who) if person else "",
        "writes": person.writes if person else "",
        "keeps_back": person.keeps_back if person else "",
        "initials": " or ".join(scenario.stream("initials").sample(INITIALS, 2)),
        "situations": [{"text": found.text, "material": found.material} for found in situations],
        "arc": f"{scenario.arc.name} – {scenario.arc.means}" if scenario.arc else "",
        "style": style.name,
        "words": f"{style.fewest} to {style.most} {'characters' if by_character(language) else 'words'}",
        "sounds_like": style.sounds_like,
        "difficulty": f"{scenario.difficulty.name} – {scenario.difficulty.means}",
        "flaw": f"{flaw.name} – {flaw.shows_as}" if flaw else "",
    }
    return prompt.message(slots)


def _sentence(text: str) -> str:
    """A description with the full stop that it may lack: another sentence follows."""
    bare = text.rstrip()
    return f"{bare}." if bare and bare[-1].isalnum() else bare


def gap(scenario: Scenario, language: str, exchange: int) -> str:
    """The line above an exchange that says how much time has passed, "" for none."""
    elapsed = scenario.course[exchange - 1].gap
    return gap_line(elapsed, language) if elapsed else ""


def hints(scenario: Scenario, exchange: int) -> list[str]:
    """What the user's message in an exchange is to be like."""
    planned = scenario.course[exchange - 1]
    flawed = scenario.flaw is not None and planned.flaw_shows
    found = [_stage(scenario, exchange)]
    if planned.gap and planned.gap.days:
        # a flaw may be just that: asking again what was answered, or telling it otherwise as if it had never been written
        repeats = "" if flawed else " Nobody repeats what was written before."
        found.append(f"Time has passed: begin with what has happened since.{repeats}")
    if exchange > 1 and planned.comes_in:
        number = 1 + [situation.id for situation in scenario.situations].index(planned.comes_in)
        found.append(f"Situation {number} comes up for the first time: bring it in beside the rest, as people do.")
    if planned.reaction:
        found.append(scenario.stream("reaction", exchange).choice(REACTIONS[planned.reaction]))
    if scenario.flaw and planned.flaw_shows:
        goes_on = " The conversation goes on after it." if exchange < scenario.exchanges else ""
        found.append(f"Your flaw shows here: {scenario.flaw.name}.{goes_on}")
    return found


def _stage(scenario: Scenario, exchange: int) -> str:
    if scenario.exchanges == 1:
        return "This is the only message you write, so whatever cannot be left out stands in it."
    if exchange == 1:
        return "You write first: what brings you here, and not yet all of it."
    if exchange == scenario.exchanges:
        return "This is your last message: you decide, you still doubt, or you have to go. Thank only for what helped."
    return scenario.stream("middle", exchange).choice(MIDDLE)

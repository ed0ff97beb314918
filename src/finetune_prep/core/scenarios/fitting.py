"""What goes together in one scenario, and what makes a card that nobody could play."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.scenarios.space import Difficulty, Flaw, Situation, Style
from finetune_prep.words import count_words


def goes_with(flaw: Flaw | None, exchanges: int, difficulty: Difficulty, style: Style) -> bool:
    """Whether a user of this style can have the flaw in a conversation of this length and difficulty."""
    if flaw is None:
        return True
    return flaw.from_exchange <= exchanges and difficulty.id not in flaw.not_with and style.id not in flaw.not_with


def can_tell(style: Style, situation: Situation, exchanges: int) -> bool:
    """Whether a user of this style has the words to bring the situation up within so many messages.

    Its description is taken as the measure: nobody tells what happened in many fewer words. Material is pasted and not told.
    """
    return has_words(style, words_to_tell(situation), exchanges)


def has_words(style: Style, words: int, exchanges: int) -> bool:
    """Whether a user of this style writes so many words in so many messages."""
    return words <= style.most * exchanges


@lru_cache(maxsize=4096)
def words_to_tell(situation: Situation) -> int:
    """How many words a situation takes to be told: asked for each of a draw's many combinations."""
    return count_words(situation.text)


def unplayable(scenario: Scenario) -> Iterator[str]:
    """Why nobody could play this card, in words that follow “in a scenario”; nothing for a sound one."""
    yield from _of_the_flaw(scenario)
    came_in = [number for number, planned in enumerate(scenario.course, start=1) if planned.comes_in]
    if [scenario.course[number - 1].comes_in for number in came_in] != [situation.id for situation in scenario.situations]:
        yield "a situation never comes up, or one comes up that is not there"
        return
    if came_in[0] != 1:
        yield "nothing has happened yet when the user writes the first message"
    for situation, first, following in zip(scenario.situations, came_in, [*came_in[1:], scenario.exchanges + 1], strict=True):
        if not can_tell(scenario.style, situation, following - first):
            yield (
                f"{situation.id} takes {words_to_tell(situation)} words to tell, and {scenario.style.id} has "
                f"{scenario.style.most} in each of {following - first}"
            )
    if scenario.course[0].reaction or scenario.course[0].gap:
        yield "the first message answers a question, or comes some time after another"
    if scenario.arc and scenario.exchanges == 1:
        yield f"{scenario.arc.id} needs time, and there is one exchange"


def _of_the_flaw(scenario: Scenario) -> Iterator[str]:
    shown = [number for number, planned in enumerate(scenario.course, start=1) if planned.flaw_shows]
    flaw = scenario.flaw
    if flaw is None:
        if shown:
            yield "a flaw is to show that the user does not have"
        return
    if not goes_with(flaw, scenario.exchanges, scenario.difficulty, scenario.style):
        yield f"{flaw.id} does not go with {scenario.difficulty.id}, {scenario.style.id} or {scenario.exchanges} exchanges"
    if not shown:
        yield f"{flaw.id} is declared and shows in no message"
    elif shown[0] < flaw.from_exchange:
        yield f"{flaw.id} shows in exchange {shown[0]} and can only from {flaw.from_exchange} on"

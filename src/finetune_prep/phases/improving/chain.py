"""From a question that fails to the clause at fault: by what it checks and catches to the guards, anchors and few-shots that the
assistant is given. Nothing here is a model's opinion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from math import log1p

from finetune_prep.core import measures
from finetune_prep.core.improving.diagnosis import Clause
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.prompts import GenerationPrompt, Guard
from finetune_prep.core.rubric import Question
from finetune_prep.documents.generation_prompt import FEW_SHOTS, GUARDS, OUTPUT
from finetune_prep.words import UNSPACED, split_words

GENERATION, REFERENCE = "generation-prompt", "domain-frameworks"
LONG = 4  # letters of a word that says what a talk is about, where words stand between blanks


def clause_of(
    question: Question, knowledge: Knowledge, prompt: GenerationPrompt, talks: Sequence[str], *, fed: Collection[str] = ()
) -> tuple[Clause, str]:
    """What the assistant is given for a question that fails, and why that clause is at fault, in a sentence.

    talks: what was said in the talks that fail. fed: few-shots that show the failure to the model.
    """
    if fed:
        return _few_shot(sorted(fed)[0], f"the few-shot {sorted(fed)[0]} shows it to the model")
    if question.measured is not None:
        return _measured(question, prompt)
    modes = modes_of(question, knowledge)
    chain = " and ".join(filter(None, (_named("checks", question.checks), _named("catches", modes))))
    guards = [guard for guard in prompt.guards if {*guard.counters} & {*modes}]
    if guards:
        guard = closest(guards, question, modes, talks)
        return Clause(document=GENERATION, item=guard.id), f"{question.id} {chain}, and {guard.id} is the guard against that"
    if modes:
        why = f"{question.id} {chain}, and no guard of the generation prompt counters it"
        return Clause(document=GENERATION, section=GUARDS, missing=True, counters=modes), why
    if question.checks:
        anchor = question.checks[0]
        why = f"{question.id} {chain}, which the prompt holds word for word; no failure mode stands behind it"
        return Clause(document=REFERENCE, item=anchor), why
    why = f"{question.id} checks no anchor and catches no failure mode, so nothing in the prompt speaks of it"
    return Clause(document=GENERATION, section=GUARDS, missing=True), why


def modes_of(question: Question, knowledge: Knowledge) -> tuple[str, ...]:
    """The failure modes behind a question: those that it catches, then those that its anchors were drawn from."""
    known = [mode.id for mode in knowledge.failure_modes]
    drawn = [id for anchor in knowledge.anchors if anchor.id in question.checks for id in anchor.drawn_from]
    return tuple(id for id in dict.fromkeys((*question.catches, *drawn)) if id in known)


def closest(guards: Sequence[Guard], question: Question, modes: Sequence[str], talks: Sequence[str]) -> Guard:
    """The guard that is most about what fails; of several alike, the first.

    It counters few other failures, and its words stand in the question and in the failing talks; a word that many guards have
    counts little.
    """
    about = {guard.id: _about(f"{guard.when} {guard.then}") for guard in guards}
    asked, said = _about(f"{question.text} {question.yes} {question.no}"), [_about(talk) for talk in talks]
    frequent = Counter(word for words in about.values() for word in words)

    def weight(word: str) -> float:
        return log1p(len(guards) / frequent[word])

    def score(guard: Guard) -> float:
        words = about[guard.id]
        met = sum(weight(word) * ((word in asked) + _share(word, said)) for word in words)
        own = len({*guard.counters} & {*modes}) / len({*guard.counters})
        return own * met / max(1e-9, sum(map(weight, words)))

    return max(guards, key=score)


def _share(word: str, talks: Sequence[frozenset[str]]) -> float:
    return sum(word in talk for talk in talks) / len(talks) if talks else 0.0


def few_shots_failing(question: Question, prompt: GenerationPrompt) -> tuple[str, ...]:
    """The few-shots that fail a question which the program measures."""
    rule = question.measured
    if rule is None:
        return ()
    return tuple(shot.id for shot in prompt.few_shots if not measures.holds(rule, shot.conversation))


def _measured(question: Question, prompt: GenerationPrompt) -> tuple[Clause, str]:
    failing = few_shots_failing(question, prompt)
    if failing:
        return _few_shot(failing[0], f"{question.id} is measured, and the few-shot {failing[0]} itself fails it")
    why = f"{question.id} is measured, no few-shot fails it, and “{OUTPUT}” is what says how replies look"
    return Clause(document=GENERATION, section=OUTPUT), why


def _few_shot(id: str, why: str) -> tuple[Clause, str]:
    return Clause(document=GENERATION, section=FEW_SHOTS, item=id), why


def _named(verb: str, ids: Sequence[str]) -> str:
    return f"{verb} {', '.join(ids)}" if ids else ""


def _about(text: str) -> frozenset[str]:
    return frozenset(word for word in split_words(text.casefold()) if len(word) >= LONG or UNSPACED.match(word))

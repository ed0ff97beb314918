"""A pilot's diagnoses: what fails, how often, by itself or with others, and where the fault lies. All of it is computed.

A question that people do not fail, or that probes found jumpy, is itself at fault; a judge who quotes nothing is; a topic in
which one question after the other fails is. What is left is the fault of what the assistant is given, and `chain` says of which
clause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.improving.diagnosis import Clause, Diagnosis, Passage
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.prompts import GenerationPrompt
from finetune_prep.core.rubric import Question, Rubric
from finetune_prep.core.sample import JUDGED
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.core.verdict import CASE, is_none, is_said
from finetune_prep.documents.generation_prompt import GUARDS, OUTPUT
from finetune_prep.exports.figures import Figures
from finetune_prep.exports.talks.row import Row
from finetune_prep.labels.label import Opinion
from finetune_prep.phases.improving.chain import GENERATION, clause_of
from finetune_prep.statistics.comparison import holm
from finetune_prep.statistics.improving.crowding import crowded
from finetune_prep.words import UNSPACED, split_words

MOST = 5  # diagnoses: a short list, the gravest first
FEWEST = 2  # talks in which something shows before it is a diagnosis; convention, untested
SHARED = 4  # words that a failing passage shares with a few-shot that shows it
SIGNS = 2  # for each of them, in a script that is counted by the sign
SHORT = 60  # words of a passage where nothing was quoted
ONE_QUESTION = 0.5  # share of a topic's NOs beyond which it is that question that fails, and not the topic
LOST = 0.8  # share of a topic's talks
BESIDE = ("missed", "habit")  # what costs no talk by any question
SPACE, RUBRIC, JUDGE = "scenario-space", "evaluation-rubric", "evaluation-prompt"
ROLE = "Role and context"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a diagnosis rests on."""

    rubric: Rubric
    knowledge: Knowledge
    prompt: GenerationPrompt
    space: ScenarioSpace
    rows: tuple[Row, ...]
    """The pilot's samples with their verdicts."""
    persons: tuple[Opinion, ...] = ()
    """What people said of its talks, as far as it still holds."""
    missed: tuple[str, ...] = ()
    """Failures that people noted and no document holds."""
    jumpy: frozenset[str] = frozenset()
    """Questions that answered NO to neutral edits, by the latest probes."""
    blind: Mapping[str, int] = MappingProxyType({})
    """Questions that saw none of the faults planted for them, by the latest probes, with how many these were."""
    figures: Figures | None = None

    @property
    def judged(self) -> list[Row]:
        return [row for row in self.rows if row.sample.state in JUDGED and row.answers]


def diagnose(found: Evidence) -> tuple[Diagnosis, ...]:
    """The short list, the gravest first: what costs most talks by itself, then what costs most talks."""
    topics = tuple(_topics(found))
    of_topics = {scenario for diagnosis in topics for scenario in diagnosis.scenarios}
    each = [*topics, *_questions(found, of_topics), *_lax(found), *_cases(found), *_missed(found), *_habits(found)]
    return tuple(sorted(each, key=lambda one: (-one.alone, one.kind in BESIDE, -one.failed))[:MOST])


def _questions(found: Evidence, of_topics: Collection[str]) -> Iterator[Diagnosis]:
    """Questions that fail. of_topics: talks that a topic is to blame for, which say nothing of a question."""
    rows = [row for row in found.judged if row.sample.scenario.id not in of_topics]
    for question in found.rubric.questions:
        failing = [row for row in rows if row.answers.get(question.id) == "no"]
        if len(failing) < FEWEST:
            continue
        applies = sum(row.answers.get(question.id) in ("yes", "no") for row in rows)
        alone = sum(row.sample.failed == (question.id,) for row in failing)
        clause, because = _at_fault(found, question, failing)
        yield Diagnosis(
            kind="question",
            question=question.id,
            says=f"{question.id} fails in {_of(len(failing), applies)}{_alone(alone)}: {question.text}",
            failed=len(failing),
            of=applies,
            alone=alone,
            scenarios=tuple(row.sample.scenario.id for row in failing),
            passages=_passages(failing, question.id),
            clause=clause,
            because=because,
        )


def _at_fault(found: Evidence, question: Question, failing: Sequence[Row]) -> tuple[Clause, str]:
    unquoted = sum(question.id in row.unsupported for row in failing)
    if unquoted >= FEWEST and 2 * unquoted > len(failing):
        why = f"in {unquoted} of these {len(failing)} talks the judge’s NO to {question.id} lacks the quote that it needs"
        return Clause(document=JUDGE, section=ROLE), why
    spared, agreed = _people(found.persons, question.id, failing)
    if spared >= FEWEST and spared > agreed:
        why = f"people who read {spared + agreed} of these talks let {question.id} pass in {spared}"
        return Clause(document=RUBRIC, item=question.id), why
    if question.id in found.jumpy:
        why = f"probes found that {question.id} answers NO to edits that change nothing but words"
        return Clause(document=RUBRIC, item=question.id), why
    return clause_of(question, found.knowledge, found.prompt, [*map(_text, failing)], fed=_fed(found.prompt, question, failing))


def _people(persons: Sequence[Opinion], question: str, failing: Sequence[Row]) -> tuple[int, int]:
    """Of the failing talks that people labelled: in how many they let the question pass, and in how many they did not."""
    alone = {row.sample.conversation.id: row.sample.failed == (question,) for row in failing if row.sample.conversation}
    said: dict[str, bool] = {}
    for opinion in persons:
        label = opinion.blind or opinion.latest
        if label.conversation_id not in alone:
            continue
        if answer := label.answers.get(question):
            said[label.conversation_id] = answer != "no"
        elif label.label == "fail" or (label.label == "pass" and alone[label.conversation_id]):
            said[label.conversation_id] = label.label == "pass"
    return sum(said.values()), sum(not spared for spared in said.values())


def _fed(prompt: GenerationPrompt, question: Question, failing: Sequence[Row]) -> frozenset[str]:
    """Few-shots whose replies share a run of words with most of the passages that fail."""
    quotes = [quote for row in failing if not is_none(quote := row.evidence.get(question.id, ""))]
    passages = [{*_runs(quote)} for quote in quotes]
    found = set()
    for shot in prompt.few_shots:
        shown = {run for text in shot.conversation.spoken_by("assistant") for run in _runs(text)}
        shared = sum(bool(shown & runs) for runs in passages)
        if shared >= FEWEST and 2 * shared > len(passages):
            found.add(shot.id)
    return frozenset(found)


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = split_words(text.casefold())
    size = SHARED * (SIGNS if UNSPACED.search(text) else 1)
    return (tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def _lax(found: Evidence) -> Iterator[Diagnosis]:
    """Questions that let pass what they are there for: by people's answers, or by planted faults."""
    judged = {row.sample.conversation.id: row for row in found.judged if row.sample.conversation}
    for question in found.rubric.judged:
        read = [
            (judged[label.conversation_id], label.answers[question.id])
            for opinion in found.persons
            for label in (opinion.blind or opinion.latest,)
            if question.id in label.answers and label.conversation_id in judged
        ]
        passed = [(row, answer) for row, answer in read if row.answers.get(question.id) == "yes"]
        missed = [row for row, answer in passed if answer == "no"]
        if len(missed) >= FEWEST:
            yield _too_lax(
                question,
                f"people answer NO to {question.id} in {_of(len(missed), len(passed))} in which the judge says YES: "
                f"{question.text}",
                (len(missed), len(passed)),
                "what counts as No does not name what these people see",
                missed,
            )
        elif planted := found.blind.get(question.id, 0):
            yield _too_lax(
                question,
                f"{question.id} saw none of {planted} faults that were planted for it: {question.text}",
                (planted, planted),
                "probes found it blind; what counts as No has to name what was planted",
                (),
            )


def _too_lax(question: Question, says: str, count: tuple[int, int], because: str, missed: Sequence[Row]) -> Diagnosis:
    return Diagnosis(
        kind="question",
        question=question.id,
        says=says,
        failed=count[0],
        of=count[1],
        scenarios=tuple(row.sample.scenario.id for row in missed),
        passages=tuple(_passage(row, "") for row in missed[:2]),
        clause=Clause(document=RUBRIC, item=question.id),
        because=because,
    )


def _topics(found: Evidence) -> Iterator[Diagnosis]:
    """Cells in which nearly every talk is lost, each by something else, and not so elsewhere."""
    cells: dict[str, list[Row]] = {}
    for row in found.judged:
        if row.sample.scenario.cell.kind == "normal":
            cells.setdefault(row.sample.scenario.cell.topic, []).append(row)
    lost = {topic: sum(_is_lost(row) for row in rows) for topic, rows in cells.items()}
    total, of = sum(lost.values()), sum(map(len, cells.values()))
    chance = holm({topic: crowded(lost[topic], len(rows), total, of) for topic, rows in cells.items()})
    for topic, rows in cells.items():
        noes = Counter(id for row in rows for id in row.sample.failed)
        scattered = len(noes) > FEWEST and max(noes.values()) <= ONE_QUESTION * noes.total()
        if chance[topic] > 0.05 or lost[topic] < LOST * len(rows) or not scattered:
            continue
        failing = [row for row in rows if _is_lost(row)]
        (situation, times), *_ = Counter(row.sample.scenario.situation.id for row in failing).most_common(1)
        item = situation if times > 1 and 2 * times > len(failing) else topic
        yield Diagnosis(
            kind="situation",
            says=f"{_of(len(failing), len(rows))} about {topic} are lost, by {len(noes)} different questions; "
            f"elsewhere {total - lost[topic]} of {of - len(rows)}",
            failed=len(failing),
            of=len(rows),
            alone=len(failing),
            scenarios=tuple(row.sample.scenario.id for row in failing),
            passages=_passages(failing, ""),
            clause=Clause(document=SPACE, item=item),
            because=f"no single question fails there, so it is what the users of {item} bring, and no rule for the assistant",
        )


def _cases(found: Evidence) -> Iterator[Diagnosis]:
    """Special cases in which what they ask for was not done."""
    failing = [row for row in found.judged if CASE in row.sample.failed]
    if len(failing) < FEWEST:
        return
    asked = sum(row.case is not None for row in found.judged)
    alone = sum(row.sample.failed == (CASE,) for row in failing)
    case, _ = Counter(row.sample.scenario.situation.id for row in failing).most_common(1)[0]
    of_case = [row for row in failing if row.sample.scenario.situation.id == case]
    yield Diagnosis(
        kind="case",
        question=CASE,
        says=f"what a special case asks for was not done in {_of(len(failing), asked)}{_alone(alone)}, most often in {case}: "
        f"{of_case[0].sample.scenario.expected}",
        failed=len(failing),
        of=asked,
        alone=alone,
        scenarios=tuple(row.sample.scenario.id for row in failing),
        passages=_passages(of_case, CASE),
        clause=Clause(document=GENERATION, section=GUARDS, missing=True),
        because=f"the judge alone is told what {case} asks for; the prompt has to say it for the kind of case that it is",
    )


def _missed(found: Evidence) -> Iterator[Diagnosis]:
    """Failures that readers noted: no question asks for them, so no trial can name one."""
    for note in found.missed:
        talks = [
            label.scenario
            for opinion in found.persons
            for label in (opinion.blind or opinion.latest,)
            if note in label.missed or note in opinion.latest.missed
        ]
        yield Diagnosis(
            kind="missed",
            says=f"people noted a failure that no document holds: “{note}”",
            failed=len(talks),
            of=len(found.persons),
            scenarios=tuple(dict.fromkeys(talks)),
            clause=Clause(document=GENERATION, section=GUARDS, missing=True),
            because="no failure mode names it, so no guard counters it and no question asks for it",
        )


def _habits(found: Evidence) -> Iterator[Diagnosis]:
    """What too many replies have in common, with the few-shot that shows it."""
    if found.figures is None:
        return
    own = found.figures.habits
    for (kind, habit), shots in zip(own.too_often, found.figures.bred_by, strict=True):
        if kind == "last sentence":
            continue
        if shots:
            clause = Clause(document=GENERATION, item=shots[0])
            because = f"the few-shot {shots[0]} shows it to the model"
        else:
            clause, because = (
                Clause(document=GENERATION, section=OUTPUT),
                "no few-shot shows it, and nothing in the prompt forbids it",
            )
        yield Diagnosis(
            kind="habit",
            says=f"{habit.share:.0%} of the replies have the same {kind}: “{habit.words}”",
            failed=round(habit.share * own.replies),
            of=own.replies,
            clause=clause,
            because=because,
        )


def _is_lost(row: Row) -> bool:
    return row.sample.state in ("rejected", "flawed")


def _passages(failing: Sequence[Row], question: str) -> tuple[Passage, ...]:
    """Two typical ones: first those of talks that fail by it alone and of which the judge quotes something."""

    def rank(row: Row) -> tuple[bool, bool]:
        return row.sample.failed != (question,), is_none(_quoted(row, question))

    return tuple(_passage(row, question) for row in sorted(failing, key=rank)[:2])


def _quoted(row: Row, question: str) -> str:
    if question == CASE:
        return row.case.evidence if row.case else ""
    return row.evidence.get(question, "")


def _passage(row: Row, question: str) -> Passage:
    """Where it shows: the exchange that holds what the judge quotes, or the last one."""
    scenario, quoted = row.sample.scenario.id, _quoted(row, question)
    if row.sample.conversation is None:
        return Passage(scenario, quoted)
    messages = row.sample.conversation.messages
    exchanges = list(zip(messages[::2], messages[1::2], strict=False))
    spoken = [pair for pair in exchanges if not is_none(quoted) and is_said(quoted, Conversation(pair))]
    user, reply = (spoken or exchanges)[-1]
    said = reply.content.split()
    begins = " ".join(said[:SHORT]) + (" …" if len(said) > SHORT else "")
    return Passage(scenario, begins if is_none(quoted) else quoted, user.content, reply.content)


def _text(row: Row) -> str:
    return "\n".join(row.sample.conversation.spoken_by("user")) if row.sample.conversation else ""


def _of(count: int, of: int) -> str:
    return f"{count} of {of} talks"


def _alone(count: int) -> str:
    return f", {count} of which fail by it alone" if count else ""

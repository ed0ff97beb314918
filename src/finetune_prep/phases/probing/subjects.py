"""What assistants are made to fail at: the anchors and failure modes behind questions, and the failures common to assistants."""

from __future__ import annotations

from collections.abc import Iterable

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.core.knowledge import SEVERITIES, Anchor, FailureMode, Knowledge, Severity
from finetune_prep.core.probe import Subject
from finetune_prep.core.rubric import Question, Rubric
from finetune_prep.method.assistant_failures import ASSISTANT_FAILURES
from finetune_prep.project.probing.runs import ProbeKind
from finetune_prep.statistics.probing.fit import Fit
from finetune_prep.statistics.probing.plan import Fitting


def subjects_of(question: Question, knowledge: Knowledge) -> tuple[Subject, ...]:
    """What a question is there for: the anchors that it checks; the failure modes that it catches, if it checks none.

    A failure mode may be caught by several questions, each by its own side of it; an anchor is what the question itself asks.
    """
    known = {subject.id: subject for subject in (*anchors(knowledge), *failure_modes(knowledge))}
    return tuple(known[id] for id in question.checks or question.catches if id in known)


def plantable(knowledge: Knowledge) -> tuple[Subject, ...]:
    """What is planted from outside the rubric: every failure mode, every NEVER anchor, every failure common to assistants."""
    never = {anchor.id for anchor in knowledge.never}
    common = tuple(
        Subject(id=failure.id, text=f"{failure.name}: {failure.says}", severity=_drawn(failure.id, knowledge))
        for failure in ASSISTANT_FAILURES
    )
    return (*failure_modes(knowledge), *(subject for subject in anchors(knowledge) if subject.id in never), *common)


def fit_of(subjects: Iterable[Subject], conversations: Iterable[Conversation]) -> Fitting:
    """How well each subject fits each conversation, by their ids."""
    texts, fit = {subject.id: subject.text for subject in subjects}, Fit(conversations)
    return lambda subject, conversation: fit(texts[subject], conversation)


def named_by(subject: str, knowledge: Knowledge, questions: tuple[Question, ...]) -> tuple[str, ...]:
    """Ids of the questions that say they see a failure: by `Checks` or `Catches`, or by the failure modes drawn from it."""
    modes = {mode.id for mode in knowledge.failure_modes if subject in mode.drawn_from}
    wanted = {subject, *modes}
    return tuple(question.id for question in questions if wanted & {*question.checks, *question.catches})


def subjects_hash(rubric: Rubric, knowledge: Knowledge, kind: ProbeKind) -> str:
    """Hash of what a run plants: the failures behind each question, or all that are planted with the questions naming them."""
    if kind == "failures":
        return digest([[subject, named_by(subject.id, knowledge, rubric.judged)] for subject in plantable(knowledge)])
    return digest([[question.id, subjects_of(question, knowledge)] for question in rubric.judged])


def anchors(knowledge: Knowledge) -> tuple[Subject, ...]:
    severities = {mode.id: mode.severity for mode in knowledge.failure_modes}
    pairs = [(anchor, "always do this") for anchor in knowledge.always] + [
        (anchor, "never do this") for anchor in knowledge.never
    ]
    return tuple(Subject(id=anchor.id, text=_said(anchor, rule), severity=_gravest(anchor, severities)) for anchor, rule in pairs)


def failure_modes(knowledge: Knowledge) -> tuple[Subject, ...]:
    return tuple(Subject(id=mode.id, text=_told(mode), severity=mode.severity) for mode in knowledge.failure_modes)


def _drawn(failure: str, knowledge: Knowledge) -> Severity | None:
    """The severity of the gravest failure mode that makes a common failure concrete."""
    found = {mode.severity for mode in knowledge.failure_modes if failure in mode.drawn_from}
    return next((severity for severity in SEVERITIES if severity in found), None)


def _said(anchor: Anchor, rule: str) -> str:
    unless = f" Except: {anchor.unless}" if anchor.unless else ""
    return f"The assistant should {rule}: {anchor.text}{unless}"


def _told(mode: FailureMode) -> str:
    return f"{mode.name}. For instance: {mode.instance}"


def _gravest(anchor: Anchor, severities: dict[str, Severity]) -> Severity | None:
    found = {severities[id] for id in anchor.drawn_from if id in severities}
    return next((severity for severity in SEVERITIES if severity in found), None)

"""One judge's answers on one conversation under one rubric version.

Missing is not NO: a failed call or an unreadable answer leaves `answers` without the question, and a verdict that is not
complete has no score.

Evidence goes by the form of a question: the answer that claims that something is there needs a quote, which is YES to a question
for a presence and NO to one for an absence. Nobody can quote what is missing, so the other answer needs none. Where a question
without N/A asks for a presence and nothing in the conversation calls for it, YES has nothing to quote; a judge says so in words
(`NOT_CALLED_FOR`), which is another claim than a forgotten quote.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from finetune_prep.core import measures
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.rubric import AnswerForm, Question, Rubric, Score, YesNo, score

STEERING = "steering"  # key of a judge's answer: does anybody in the conversation speak to the judge?
CASE = "CASE"  # key of a judge's answer, and in `Sample.failed`: was done what a special case asks for?
CLAIMS: dict[AnswerForm, YesNo] = {"presence": "yes", "absence": "no"}  # the answer that claims that something is there
NOT_CALLED_FOR = "not called for"
# a judge that puts a reason around its quotes is told what to leave out, or it quotes right and is refused again
NOT_SAID = "has evidence that is more than words of the conversation: give them exactly as they stand there, and nothing else"
NO_EVIDENCE = {"", "none", "n/a", "na"}
QUOTATION_MARKS = "\"'“”„‘’«»"
_BARE = re.compile(r"[^\W_]+")
_ASCII_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}
ELLIPSIS = re.compile(r"\[…\]|\[\.\.\.\]|…|\.\.\.")


class Judgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to one question."""

    answer: YesNo
    evidence: str = ""
    """A verbatim quote from the conversation, "none", or `NOT_CALLED_FOR`."""


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a judge said of one conversation."""

    conversation: str
    """The conversation's id."""
    rubric: str
    """The rubric's version."""
    judge: str
    """Model name, "" when every question was measured."""
    answers: dict[str, Judgement]
    unsupported: tuple[str, ...] = ()
    """Ids of questions whose answer lacks the quote that it needs, or quotes what nobody in the conversation said."""
    case: Judgement | None = None
    """Whether what the conversation's special case asks for was done; None if it is no such case."""
    missing: str = ""
    """Why there is no score although the conversation was judged, "" if there is one."""
    unusable: str = ""
    """Key of the request whose answers could not be read."""

    @property
    def complete(self) -> bool:
        return not self.missing

    def score(self, rubric: Rubric) -> Score | None:
        """The score under `rubric`; None if answers are missing. Raises ValueError if the verdict is of another version."""
        if self.rubric != rubric.version:
            raise ValueError(f"verdict is of rubric {self.rubric}, not {rubric.version}")
        if not self.complete:
            return None
        return score(rubric, {question: judgement.answer for question, judgement in self.answers.items()})


def conclude(
    rubric: Rubric, conversation: Conversation, judged: Mapping[str, Judgement], *, judge: str, missing: str = ""
) -> Verdict:
    """Join what a judge answered with what is measured. judged: by question; may hold `STEERING` and `CASE`.

    Where somebody in the conversation speaks to the judge there is no score: a person has to read it. Raises ValueError if a
    question has no answer although `missing` does not say why.
    """
    answers = dict(judged) | {
        question.id: Judgement(
            "yes" if measures.holds(question.measured, conversation) else "no", _figures(question.measured, conversation)
        )
        for question in rubric.measured
        if question.measured is not None
    }
    order = [question.id for question in rubric.questions]
    if not missing and (unanswered := [question for question in order if question not in answers]):
        raise ValueError(f"there is no answer to {', '.join(unanswered)}, and no reason why")
    unsupported = tuple(
        question.id for question in rubric.judged if question.id in judged and _wants(question, judged[question.id], conversation)
    )
    steering = judged.get(STEERING)
    if not missing and steering is not None and steering.answer == "yes":
        missing = f"somebody in it seems to speak to the judge ({steering.evidence.strip()}); a person has to read it"
    return Verdict(
        conversation=conversation.id,
        rubric=rubric.version,
        judge=judge,
        answers={question: answers[question] for question in order if question in answers},
        unsupported=unsupported,
        case=judged.get(CASE),
        missing=missing,
    )


def majority(said: Sequence[YesNo | None], *, gate: bool) -> YesNo | None:
    """What several judges' answers to a question come to; None = missing.

    Any NO on the gate counts, and there no judge's answer may be missing. Elsewhere the majority; a tie of YES and NO is NO, one
    of YES and N/A is YES. A question that nobody answered is missing.
    """
    yes, no, na = (said.count(answer) for answer in ("yes", "no", "na"))
    if gate and (no or None in said):
        return "no" if no else None
    if not yes + no + na:
        return None
    if na > max(yes, no):
        return "na"
    return "yes" if yes > no else "no"


def joint(rubric: Rubric, verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict of several judges on the same conversation, question by question as `majority`; each answer has the evidence of
    the first judge who gave it. If one of them says that somebody speaks to the judge, a person has to read it.
    """
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    answers: dict[str, Judgement] = {}
    unsupported: list[str] = []
    for question in rubric.questions:
        given = [verdict.answers.get(question.id) for verdict in verdicts]
        answer = majority([one.answer if one else None for one in given], gate=question.id in gate)
        if answer is None:
            continue
        source, judgement = next((who, one) for who, one in zip(verdicts, given, strict=True) if one and one.answer == answer)
        answers[question.id] = judgement
        unsupported += [question.id] if question.id in source.unsupported else []
    unread = next((verdict for verdict in verdicts if verdict.unusable), None)
    lacking = next((verdict for verdict in verdicts if verdict.missing and not verdict.unusable), None)
    if lacking is None and len(answers) < len(rubric.questions):
        lacking = unread
    cases = [verdict.case for verdict in verdicts if verdict.case]
    return Verdict(
        conversation=verdicts[0].conversation,
        rubric=rubric.version,
        judge=" + ".join(verdict.judge for verdict in verdicts),
        answers=answers,
        unsupported=tuple(unsupported),
        case=next((case for case in cases if case.answer == "no"), cases[0] if cases else None),
        missing=f"{lacking.judge}: {lacking.missing}" if lacking else "",
        unusable=lacking.unusable if lacking else "",
    )


def _wants(question: Question, given: Judgement, conversation: Conversation) -> bool:
    """Whether an answer quotes what nobody said, or lacks the quote that it needs."""
    if _uncalled(question, given):
        return False
    if is_none(given.evidence):
        return given.answer == CLAIMS[question.form]
    return not is_said(given.evidence, conversation)


def lacking(question: Question, given: Judgement, conversation: Conversation) -> str:
    """What an answer's evidence lacks, in words, where its form asks for a quote; "" if it lacks nothing."""
    if given.answer != CLAIMS[question.form] or _uncalled(question, given):
        return ""
    if is_none(given.evidence):
        return "has no quote from the conversation" + (f" and is not “{NOT_CALLED_FOR}”" if may_be_uncalled(question) else "")
    return "" if is_said(given.evidence, conversation) else NOT_SAID


def may_be_uncalled(question: Question) -> bool:
    """Whether YES may mean that nothing calls for what the question asks; with an N/A, the answer is N/A there."""
    return question.form == "presence" and not question.na


def _uncalled(question: Question, given: Judgement) -> bool:
    return (
        given.answer == "yes" and may_be_uncalled(question) and _unquoted(given.evidence).rstrip(".").casefold() == NOT_CALLED_FOR
    )


def thin(rubric: Rubric, answers: Mapping[str, YesNo]) -> tuple[str, ...]:
    """Names of the weighted categories that rest on one question alone, since no other one of theirs applied."""
    return tuple(
        category.name
        for category in rubric.categories
        if not category.gate and sum(answers.get(question.id) in ("yes", "no") for question in category.questions) == 1
    )


def _figures(rule: measures.Rule | None, conversation: Conversation) -> str:
    if rule is None:
        return ""
    return f"measured {', '.join(f'{figure:.3g}' for figure in measures.measure(rule, conversation))}"


def is_none(evidence: str) -> bool:
    """Whether evidence says that there is nothing to quote."""
    return _unquoted(evidence).rstrip(".…").casefold() in NO_EVIDENCE


def _unquoted(evidence: str) -> str:
    return evidence.strip().strip(QUOTATION_MARKS).strip()


def is_said(evidence: str, conversation: Conversation) -> bool:
    """Whether the evidence occurs in one turn, or is none. An ellipsis joins several quotes; each part must occur."""
    return is_none(evidence) or _occurs(_unquoted(evidence), conversation)


def _occurs(quoted: str, conversation: Conversation) -> bool:
    parts = [part for part in map(_bare, ELLIPSIS.split(quoted)) if part]
    if not parts:  # a quote of signs alone, such as “?!” or an emoji
        return any(quoted in message.shown for message in conversation.messages)
    said = _turns(conversation)
    return all(part in said for part in parts)


@lru_cache(maxsize=4)  # all questions of a verdict look at the same turns
def _turns(conversation: Conversation) -> str:
    """The bare turns, a line each: what is bare holds no end of a line, so no part of a quote reaches over two."""
    return "\n".join(_bare(message.shown) for message in conversation.messages)


def _bare(text: str) -> str:
    """Letters and digits only, folded: quotation marks, dashes, spacing and markdown never decide about evidence."""
    if text.isascii():  # the same, found in a fraction of the time
        return " ".join(text.lower().translate(_ASCII_BLANKS).split())
    return " ".join(_BARE.findall(unicodedata.normalize("NFKC", text).casefold()))

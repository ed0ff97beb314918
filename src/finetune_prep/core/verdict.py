"""One judge's answers on one conversation under one rubric version.

Missing is not NO: a failed call or an unreadable answer leaves `answers` without the question, and a verdict that is not
complete has no score.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import msgspec

from finetune_prep.core import measures
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.rubric import Rubric, Score, YesNo, score

NO_EVIDENCE = {"", "none", "n/a", "na"}
QUOTATION_MARKS = "\"'“”„‘’«»"
ELLIPSIS = re.compile(r"\[…\]|\[\.\.\.\]|…|\.\.\.")


class Judgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to one question."""

    answer: YesNo
    evidence: str = ""
    """A verbatim quote from the conversation, or "none"."""


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
    """Ids of questions whose evidence does not occur in the conversation."""
    missing: str = ""
    """Why answers are missing, "" if none are."""
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
    """Join what a judge answered with what is measured.

    Raises ValueError if a question has no answer although `missing` does not say why.
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
    texts = [message.shown for message in conversation.messages]
    unsupported = tuple(
        question.id for question in rubric.judged if question.id in judged and not _supported(judged[question.id].evidence, texts)
    )
    return Verdict(
        conversation=conversation.id,
        rubric=rubric.version,
        judge=judge,
        answers={question: answers[question] for question in order if question in answers},
        unsupported=unsupported,
        missing=missing,
    )


def _figures(rule: measures.Rule | None, conversation: Conversation) -> str:
    if rule is None:
        return ""
    return f"measured {', '.join(f'{figure:.3g}' for figure in measures.measure(rule, conversation))}"


def _supported(evidence: str, texts: Sequence[str]) -> bool:
    """Whether the quoted evidence occurs in one of the texts. An ellipsis joins several quotes; each part must occur."""
    quoted = evidence.strip().strip(QUOTATION_MARKS).strip()
    if quoted.rstrip(".…").casefold() in NO_EVIDENCE:
        return True
    bare_texts = [_bare(text) for text in texts]
    parts = [part for part in map(_bare, ELLIPSIS.split(quoted)) if part]
    if not parts:  # a quote of signs alone, such as “?!” or an emoji
        return any(quoted in text for text in texts)
    return all(any(part in text for text in bare_texts) for part in parts)


def _bare(text: str) -> str:
    """Letters and digits only, folded: quotation marks, dashes, spacing and markdown never decide about evidence."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))

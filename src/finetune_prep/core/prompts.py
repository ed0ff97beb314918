"""The content of the prompt documents: what is sent to the judge, the assistant and the simulated user."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from finetune_prep.core.knowledge import Anchor, Fact
from finetune_prep.core.rubric import Category, Example, Term

Spans = Literal["sitting", "days"]
SPANS: tuple[Spans, ...] = get_args(Spans)


class EvaluationPrompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parts in the order in which they stand."""

    title: str
    role: str
    terms: tuple[Term, ...] = ()
    categories: tuple[Category, ...] = ()
    """The rubric's judged questions verbatim, safety first."""
    input: str = ""
    output: str = ""
    calibrations: tuple[Example, ...] = ()


class TechniqueUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A technique as the generation prompt presents it."""

    id: str
    """"T1.1"."""
    name: str
    use_when: str
    in_words: str
    """How it sounds, an example sentence."""


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """If `when` happens, then `then`."""

    id: str
    when: str
    then: str
    counters: tuple[str, ...] = ()
    """Ids of the failure modes it guards against."""


class GenerationPrompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parts in the order in which they stand."""

    title: str
    role: str
    grounding: str = ""
    """Prose before the techniques."""
    techniques: tuple[TechniqueUse, ...] = ()
    facts: tuple[Fact, ...] = ()
    """The reference's facts, without their sources."""
    always: tuple[Anchor, ...] = ()
    never: tuple[Anchor, ...] = ()
    guards: tuple[Guard, ...] = ()
    few_shots: tuple[Example, ...] = ()
    output: str = ""
    """Turn-taking and length."""


class PlainPrompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """user-prompt.md and system-prompt.md: a title, which is not sent, and the text, which is."""

    title: str
    text: str


class Brief(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The user's brief."""

    title: str
    """The domain."""
    text: str
    """All that was written."""
    language: str = "en"
    """BCP 47 tag of the conversations."""
    documents: str = ""
    """BCP 47 tag of the documents, "" = the same."""
    spans: Spans = "sitting"
    """Whether a conversation takes place in one sitting, or goes on over days."""

    @property
    def written_in(self) -> str:
        """BCP 47 tag of the language in which the documents are written."""
        return self.documents or self.language

"""The content of the prompt documents: what is sent to the judge, the assistant and the simulated user."""

from __future__ import annotations

import msgspec

from finetune_prep.core.knowledge import Anchor
from finetune_prep.core.rubric import Category, Example, Term


class EvaluationPrompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parts in the order in which they stand. categories: the rubric's judged questions verbatim, safety first."""

    title: str
    role: str
    terms: tuple[Term, ...] = ()
    categories: tuple[Category, ...] = ()
    input: str = ""
    output: str = ""
    calibrations: tuple[Example, ...] = ()


class TechniqueUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A technique as the generation prompt presents it. id: "T1.1". in_words: how it sounds, an example sentence."""

    id: str
    name: str
    use_when: str
    in_words: str


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """If `when` happens, then `then`. counters: ids of the failure modes it guards against."""

    id: str
    when: str
    then: str
    counters: tuple[str, ...] = ()


class GenerationPrompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parts in the order in which they stand. grounding: prose before the techniques; output: turn-taking and length."""

    title: str
    role: str
    grounding: str = ""
    techniques: tuple[TechniqueUse, ...] = ()
    always: tuple[Anchor, ...] = ()
    never: tuple[Anchor, ...] = ()
    guards: tuple[Guard, ...] = ()
    few_shots: tuple[Example, ...] = ()
    output: str = ""


class PlainPrompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """user-prompt.md and system-prompt.md: a title, which is not sent, and the text, which is."""

    title: str
    text: str


class Brief(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The user's brief. title: the domain. text: all that was written.

    language: BCP 47 tag of the conversations. documents: of the documents, "" = the same.
    """

    title: str
    text: str
    language: str = "en"
    documents: str = ""

    @property
    def written_in(self) -> str:
        """BCP 47 tag of the language in which the documents are written."""
        return self.documents or self.language

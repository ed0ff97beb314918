"""From what a person gave as a brief to brief.md: with a title that says something, and its language written down."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from finetune_prep.conversations.language import language_of
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import UsageError
from finetune_prep.markdown.lines import front_matter_length
from finetune_prep.markdown.tree import Tree, grow
from finetune_prep.project.project import Project

TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
LONGEST_TITLE = 80  # characters of a first line that may be one
# headings that say nothing of the domain
_EMPTY_TITLE = re.compile(
    r"\W*(the |my |a |our |project |domain |product )*(brief|briefing|title|untitled|readme|document|domain|project)\W*", re.I
)
_SENTENCE_END = tuple(".!?:;,…。！？：；、।؟")


class FirstBrief(msgspec.Struct, frozen=True, kw_only=True):
    """The text of brief.md."""

    text: str
    title: str
    language: str
    stated: bool
    """Whether the brief or the person said the language; otherwise it was told from the words."""


class LanguageUnclear(UsageError):
    """Nobody said which language the brief is in, and its words do not tell. guess: the likeliest, "" for none."""

    def __init__(self, guess: str) -> None:
        likely = f" (is it {guess}?)" if guess else ""
        super().__init__(
            f"the language of this brief could not be recognised{likely}", next="--language TAG, such as en, de or pt-BR"
        )
        self.guess = guess


def first_brief(given: str, folder: Path, language: str = "") -> FirstBrief:
    """The brief as it is written into a new project; what the person wrote stays as it is but for a title and the language.

    language: what a person said, "" = as the brief says or is written. Raises LanguageUnclear, and UsageError if two languages
    are named, or if it says nothing of the domain.
    """
    tree = grow(given)
    _require_text(tree)
    said = tree.front.values.get("language", "")
    if said and language and said != language:
        raise UsageError(f"the brief says “language: {said}”, but the command says {language}", next="leave out --language")
    stated = said or language
    if not stated:
        guess = language_of("\n".join(tree.lines[front_matter_length(tree.lines) :]))
        if not guess.sure:
            raise LanguageUnclear(guess.tag)
        stated = guess.tag
    title, lines = _titled(tree, folder)
    if not said:
        marks = front_matter_length(lines)
        lines = ["---", f"language: {stated}", *(lines[1:] if marks else ["---", *lines])]
    return FirstBrief(text="\n".join(lines).rstrip("\n") + "\n", title=title, language=stated, stated=bool(said or language))


def _require_text(tree: Tree) -> None:
    """Raise UsageError for a brief without a text: whatever else is asked about it, that comes first."""
    body = [line for line in tree.lines[front_matter_length(tree.lines) :] if line.strip()]
    if body and not (len(body) == 1 and tree.sections):
        return
    what = "there is no text below the title" if body else "this brief is empty"
    raise UsageError(what, next="finetune-prep template brief, which shows one; a paragraph is enough")


def title_of(project: Project) -> str:
    """What the domain of a project is called: by its brief, or else by its reference, or else by its folder."""
    for document in (project.document(Documents.brief), project.document(Documents.knowledge)):
        if document is not None and document.value is not None and not says_nothing(document.value.title):
            return document.value.title
    return title_from(project.folder)


def title_from(folder: Path) -> str:
    """A folder's name as a title: "pottery-shop" → "Pottery shop"."""
    words = re.sub(r"[-_\s]+", " ", folder.resolve().name).strip()
    return words[:1].upper() + words[1:] or "A domain"


def says_nothing(title: str) -> bool:
    """Whether a title would fit any brief."""
    return not title.strip() or _EMPTY_TITLE.fullmatch(title) is not None


def states_language(text: str) -> bool:
    """Whether a brief says its language in its front matter."""
    return bool(grow(text).front.values.get("language"))


def _titled(tree: Tree, folder: Path) -> tuple[str, list[str]]:
    """The title, and the lines with it. A heading that says nothing, or none, gives way to the folder's name."""
    lines, start = [*tree.lines], front_matter_length(tree.lines)
    first = next((number for number in range(start, len(lines)) if lines[number].strip()), len(lines))
    heading = tree.sections[0] if tree.sections and tree.sections[0].level == 1 and tree.sections[0].line == first + 1 else None
    if heading and not says_nothing(heading.text):
        return heading.text, lines
    title = title_from(folder)
    if heading:
        lines[first : heading.body - 1] = [f"# {title}"]
    elif first + 2 < len(lines) and not lines[first + 1].strip() and _could_be_title(lines[first]):
        title = lines[first].strip()
        lines[first] = f"# {title}"
    else:
        lines[first:first] = [f"# {title}", ""]
    return title, lines


def _could_be_title(line: str) -> bool:
    plain = line.strip()
    return len(plain) <= LONGEST_TITLE and plain[:1].isalnum() and not plain.endswith(_SENTENCE_END) and not says_nothing(plain)

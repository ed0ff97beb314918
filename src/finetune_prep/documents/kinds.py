"""The kinds of documents, one row each: where a document stands, and how it is read and written. All else follows from here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.documents import evaluation_prompt, generation_prompt, plain, rubric, scenario_space
from finetune_prep.documents.document import Document, Form
from finetune_prep.documents.knowledge import knowledge
from finetune_prep.documents.slips import unread
from finetune_prep.invisible import invisible, without_invisible
from finetune_prep.markdown.lines import lines_of
from finetune_prep.markdown.reader import Reader
from finetune_prep.markdown.tree import grow
from finetune_prep.method.phases import PHASES

MOST_BYTES = 512 * 1024
MOST_LINES = 20_000
LONGEST_LINE = 20_000  # characters
CONTEXT = 20  # characters of a line that are quoted

T = TypeVar("T")


class Kind(msgspec.Struct, Generic[T], frozen=True):
    """A kind of document, whose values are `T`s. Its specimen is the file of its name in specimens/."""

    name: str
    """As commands and stamps say it: "evaluation-rubric"."""
    path: str
    """Relative to the project."""
    form: Form[T]
    """How it is read and written."""
    published: bool = False
    """Whether accepted copies are kept where coding agents find them."""

    @property
    def made_by(self) -> str:
        """The phase that writes it, "" = the user."""
        return next((phase.name for phase in PHASES if self.name in phase.outputs), "")

    @overload
    def __get__(self, documents: None, owner: type[Documents]) -> Kind[T]: ...

    @overload
    def __get__(self, documents: Documents, owner: type[Documents]) -> Document[T] | None: ...

    def __get__(self, documents: Documents | None, owner: type[Documents]) -> Kind[T] | Document[T] | None:
        return self if documents is None else documents.get(self)


class Documents:
    """All documents of a project at one moment: what the gates look at.

    On the class, a row is the kind: `Documents.rubric.path`. On a value, it is the document: `documents.rubric`, None if it does
    not exist yet.
    """

    brief = Kind("brief", "brief.md", plain.BRIEF)
    knowledge = Kind("domain-frameworks", "reference/domain-frameworks.md", knowledge.FORM, published=True)
    space = Kind("scenario-space", "reference/scenario-space.md", scenario_space.FORM)
    rubric = Kind("evaluation-rubric", "reference/evaluation-rubric.md", rubric.FORM, published=True)
    evaluation_prompt = Kind("evaluation-prompt", "prompts/evaluation-prompt.md", evaluation_prompt.FORM)
    generation_prompt = Kind("generation-prompt", "prompts/generation-prompt.md", generation_prompt.FORM)
    user_prompt = Kind("user-prompt", "prompts/user-prompt.md", plain.PROMPT)
    system_prompt = Kind("system-prompt", "prompts/system-prompt.md", plain.PROMPT)

    def __init__(self, there: Iterable[Document[Any]] = (), snapshots: Mapping[str, str] = MappingProxyType({})) -> None:
        """there: those that exist; of two of a kind the later one. snapshots: text of each cited source by id ("S01")."""
        self._by_kind = {document.kind: document for document in there}
        self._snapshots = snapshots

    @property
    def snapshots(self) -> Mapping[str, str]:
        """Text of each cited source by id."""
        return self._snapshots

    def get(self, kind: Kind[T]) -> Document[T] | None:
        return self._by_kind.get(kind.name)

    def __iter__(self) -> Iterator[Document[Any]]:
        """Those that exist, in the order in which they are made."""
        return (self._by_kind[name] for name in KINDS if name in self._by_kind)


KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in vars(Documents).values() if isinstance(kind, Kind)}


def parse(kind: str, text: str, path: str) -> Document[Any]:
    """Read a document. Never raises on content: every problem is one of the document's findings.

    kind: a key of `KINDS` (KeyError otherwise). path: relative to the project, for findings. `value` is None if the
    text is empty or beyond the limits, else it holds all that could be read.
    """
    form = KINDS[kind].form
    lines = lines_of(text)
    plain_text = "\n".join(lines)
    if refused := _refusal(kind, plain_text, lines, path):
        return Document(kind=kind, path=path, text=plain_text, value=None, findings=(refused,))
    reader = Reader(path, grow(plain_text), form.schema)
    value = form.read(reader)
    unread.look(reader)
    return Document(
        kind=kind,
        path=path,
        text=plain_text,
        value=value,
        lines=reader.lines,
        findings=(*_unseen(lines, path), *reader.findings),
        lost=reader.lost,
    )


def render(kind: str, value: Any) -> str:
    """The Markdown of a value: normalised, and `parse` gives the value back (its strings tidied: see `inline.one_line`,
    `prose.tidy` and `turns.spoken`)."""
    return KINDS[kind].form.render(value)


def template(kind: str) -> str:
    """A filled-in specimen of the kind, which parses without findings."""
    if kind not in KINDS:
        raise KeyError(kind)
    return resources.files(__package__).joinpath("specimens", f"{kind}.md").read_text(encoding="utf-8")


def _unseen(lines: list[str], path: str) -> Iterator[Finding]:
    """A finding for each line with characters that a person who accepts the document would not see."""
    for number, line in enumerate(lines, start=1):
        found = [*invisible(line)]
        if found:
            at, name = found[0]
            more = f" (and {len(found) - 1} more in this line)" if len(found) > 1 else ""
            yield Finding(
                path=path,
                line=number,
                what=f"a character stands here that nobody sees and a model reads: {name}, {_place(line, at)}{more}",
                fix="take it out; write the line anew if you do not find it",
            )


def _place(line: str, at: int) -> str:
    before = without_invisible(line[:at]).rstrip()[-CONTEXT:]
    return f"behind “{before}”" if before else "at its beginning"


def _refusal(kind: str, text: str, lines: list[str], path: str) -> Finding | None:
    """Why a text with LF line ends is not read at all. lines: its lines."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if not text.strip():
        return Finding(path=path, line=0, what="the document is empty", fix=f"see the specimen: finetune-prep template {kind}")
    if size > MOST_BYTES:
        return Finding(
            path=path, line=0, what=f"the document has {-(-size // 1024)} KB", fix=f"keep it below {MOST_BYTES // 1024} KB"
        )
    if len(lines) > MOST_LINES:
        return Finding(path=path, line=0, what=f"the document has {len(lines)} lines", fix=f"keep it below {MOST_LINES}")
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            return Finding(path=path, line=number, what="this is not text: it holds NUL characters", fix="save it as UTF-8 text")
        if len(line) > LONGEST_LINE:
            return Finding(
                path=path, line=number, what=f"this line has {len(line)} characters", fix=f"break it; at most {LONGEST_LINE}"
            )
    return None

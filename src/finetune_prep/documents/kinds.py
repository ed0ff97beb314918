"""Which module reads and writes which kind of document, and the limits that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any, NamedTuple

from finetune_prep.core.finding import Finding
from finetune_prep.documents import evaluation_prompt, generation_prompt, knowledge, plain, rubric, scenario_space
from finetune_prep.documents.document import Document
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.lines import lines_of
from finetune_prep.markdown.reader import Reader
from finetune_prep.markdown.tree import grow

MOST_BYTES = 512 * 1024
MOST_LINES = 20_000
LONGEST_LINE = 20_000  # characters


class Kind(NamedTuple):
    """read: from a reader to the value. render: from the value to Markdown."""

    schema: Schema
    read: Callable[[Reader], Any]
    render: Callable[[Any], str]


KINDS: dict[str, Kind] = {
    "brief": Kind(plain.SCHEMA, plain.read_brief, plain.render_brief),
    "domain-frameworks": Kind(knowledge.SCHEMA, knowledge.read, knowledge.render),
    "scenario-space": Kind(scenario_space.SCHEMA, scenario_space.read, scenario_space.render),
    "evaluation-rubric": Kind(rubric.SCHEMA, rubric.read, rubric.render),
    "evaluation-prompt": Kind(evaluation_prompt.SCHEMA, evaluation_prompt.read, evaluation_prompt.render),
    "generation-prompt": Kind(generation_prompt.SCHEMA, generation_prompt.read, generation_prompt.render),
    "user-prompt": Kind(plain.SCHEMA, plain.read_plain_prompt, plain.render_plain_prompt),
    "system-prompt": Kind(plain.SCHEMA, plain.read_plain_prompt, plain.render_plain_prompt),
}


def parse(kind: str, text: str, path: str) -> Document[Any]:
    """Read a document. Never raises on content: every problem is one of the document's findings.

    kind: a key of `DOCUMENTS` (KeyError otherwise). path: relative to the project, for findings. `value` is None if the
    text is empty or beyond the limits, else it holds all that could be read.
    """
    form = KINDS[kind]
    lines = lines_of(text)
    plain_text = "\n".join(lines)
    if refused := _refusal(plain_text, lines, path):
        return Document(kind=kind, path=path, text=plain_text, value=None, findings=(refused,))
    reader = Reader(path, grow(plain_text), form.schema)
    value = form.read(reader)
    return Document(kind=kind, path=path, text=plain_text, value=value, lines=reader.lines, findings=reader.findings)


def render(kind: str, value: Any) -> str:
    """The Markdown of a value: normalised, and `parse` gives the value back (its strings tidied: see `inline.one_line`,
    `prose.tidy` and `turns.spoken`)."""
    return KINDS[kind].render(value)


def template(kind: str) -> str:
    """A filled-in specimen of the kind, which parses without findings."""
    if kind not in KINDS:
        raise KeyError(kind)
    return resources.files(__package__).joinpath("specimens", f"{kind}.md").read_text(encoding="utf-8")


def _refusal(text: str, lines: list[str], path: str) -> Finding | None:
    """Why a text with LF line ends is not read at all. lines: its lines."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if not text.strip():
        return Finding(path=path, line=0, what="the document is empty", mend="see the specimen: finetune-prep template KIND")
    if size > MOST_BYTES:
        return Finding(
            path=path, line=0, what=f"the document has {-(-size // 1024)} KB", mend=f"keep it below {MOST_BYTES // 1024} KB"
        )
    if len(lines) > MOST_LINES:
        return Finding(path=path, line=0, what=f"the document has {len(lines)} lines", mend=f"keep it below {MOST_LINES}")
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            return Finding(path=path, line=number, what="this is not text: it holds NUL characters", mend="save it as UTF-8 text")
        if len(line) > LONGEST_LINE:
            return Finding(
                path=path, line=number, what=f"this line has {len(line)} characters", mend=f"break it; at most {LONGEST_LINE}"
            )
    return None

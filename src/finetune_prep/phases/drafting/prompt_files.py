"""The prompts of the phases: one Markdown file each beside the phase, a static part first and the inputs after it.

`<!-- user -->` divides a file into the system message, which comes first and stays the same (providers cache it), and the
user message with the inputs. Slots are filled in one pass: text that is put in is never read as a template. A missing or
an unknown slot is an error. The method's numbers are at hand in every prompt, as `{{ limits.QUESTIONS }}` ("15 to 20"), and
need not be used. A file of the same name in the project's `phase-prompts/` goes before the built-in one. Front matter at the head
of a file says who is asked and how often (`prompt_facts`); it is never sent, and no part of what identifies a prompt.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from finetune_prep.core.conversation import Message
from finetune_prep.errors import UsageError
from finetune_prep.markdown.lines import front_matter_length, lines_of
from finetune_prep.markdown.normal import normal
from finetune_prep.method import limits

# by name, which is unique over all rooms
BUILT_IN = {path.stem: path for path in sorted(Path(__file__).parents[1].rglob("*.md"))}
DIVIDER = "<!-- user -->"
_LINE_ENDS = re.compile("[\u0085\u2028\u2029]")  # which JSON may hold as they are, and some readers take for the end of a line
_JSON = json.JSONEncoder(ensure_ascii=False)


def as_json(value: object) -> str:
    """A value as JSON on one line: no text within it can begin a line, or end the string in which it stands."""
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", _JSON.encode(value))


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)
_ENVIRONMENT.globals["limits"] = {name: value for name, value in vars(limits).items() if name[0].isupper() and name.isupper()}
_ENVIRONMENT.filters |= {"words": limits.words, "bare": limits.bare, "json": as_json}


class Prompt:
    """A prompt file as it was read: compiled, ready to be filled any number of times."""

    def __init__(self, name: str, own: Path) -> None:
        """own: the project's folder of own prompts. Raises UsageError if the file is not UTF-8 or cannot be compiled."""
        self.name = name
        self._path, self._front, text = _read(name, own)
        try:
            self._wanted, self._parts = _compiled(text)
        except jinja2.TemplateError as error:
            raise self._broken(error) from error

    def messages(self, slots: dict[str, Any]) -> tuple[Message, ...]:
        """The system and user message with the slots filled. Raises UsageError naming the file if that cannot be done."""
        parts = self._filled(slots)
        if len(parts) != 2:
            raise UsageError(
                f"a prompt needs the line {DIVIDER} exactly once", where=str(self._path), next="put it before the inputs"
            )
        return Message("system", parts[0]), Message("user", parts[1])

    def message(self, slots: dict[str, Any]) -> str:
        """The text of a prompt that is a single message within a talk. Raises as `messages`."""
        parts = self._filled(slots)
        if len(parts) != 1:
            raise UsageError(
                f"this prompt is one message: it takes no line {DIVIDER}", where=str(self._path), next="take the line out"
            )
        return parts[0]

    def _filled(self, slots: dict[str, Any]) -> list[str]:
        try:
            _check_slots(self._wanted, set(slots))
            return [part.filled(slots) for part in self._parts]
        except jinja2.TemplateError as error:
            raise self._broken(error) from error

    def _broken(self, error: jinja2.TemplateError) -> UsageError:
        line = f":{self._front + error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        return UsageError(
            f"this prompt cannot be filled in: {error}",
            where=f"{self._path}{line}",
            next=f"fix it, or delete it to use the built-in {self.name}.md",
        )


def messages(name: str, own: Path, /, **slots: Any) -> tuple[Message, ...]:
    """The messages of a prompt that is filled once. Raises as `Prompt`."""
    return Prompt(name, own).messages(slots)


def message(name: str, own: Path, /, **slots: Any) -> str:
    """The message of a prompt that is filled once. Raises as `Prompt`."""
    return Prompt(name, own).message(slots)


def source(name: str, own: Path) -> str:
    """The text of a prompt without its front matter, the project's own or the built-in one. Raises UsageError if not UTF-8."""
    return _read(name, own)[2]


def front_matter(name: str, own: Path) -> tuple[Path, list[str]]:
    """The path of a prompt file and the lines of its front matter, none if it has none. Raises UsageError if not UTF-8."""
    path = _place(name, own)
    lines = lines_of(_text(path))
    return path, lines[: front_matter_length(lines)]


def _read(name: str, own: Path) -> tuple[Path, int, str]:
    """Where a prompt stands, the number of lines of its front matter, and the text below that."""
    path = _place(name, own)
    return path, *_below_front_matter(_text(path))


@lru_cache(maxsize=64)
def _below_front_matter(text: str) -> tuple[int, str]:
    lines = lines_of(text)
    front = front_matter_length(lines)
    return front, "\n".join(lines[front:]) if front else text


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("this prompt is not UTF-8 text", where=str(path), next="save it as UTF-8") from error


def _place(name: str, own: Path) -> Path:
    path = own / f"{name}.md"
    return path if path.is_file() else BUILT_IN[name]


class _Part:
    """One message of a prompt, compiled. The system message is long, and thousands of requests have the same: where nothing but
    texts is put in, and these are the ones of the time before, so is what comes of it."""

    def __init__(self, text: str) -> None:
        self._template = _ENVIRONMENT.from_string(text)
        self._template.globals = {**self._template.globals}  # through the chain of them each filling would go twice, step by step
        self._slots = sorted(slots_of(text))
        self._before: tuple[list[Any], str] | None = None

    def filled(self, slots: dict[str, Any]) -> str:
        """Raises TemplateError."""
        given = [slots.get(name) for name in self._slots]
        if self._before is not None and self._before[0] == given:
            return self._before[1]
        text = self._template.render(slots).strip()
        if all(isinstance(value, str) for value in given):
            self._before = given, text
        return text


@lru_cache(maxsize=64)
def _compiled(text: str) -> tuple[set[str], list[_Part]]:
    """The slots of a prompt and its parts, ready to be filled. Compiling takes fifty times as long as filling."""
    return slots_of(text), [_Part(part) for part in text.split(DIVIDER)]


def slots_of(text: str) -> set[str]:
    """Names of the slots of a prompt, which have to be filled. Raises TemplateSyntaxError."""
    return meta.find_undeclared_variables(_ENVIRONMENT.parse(text)) - {"limits"}


def _check_slots(wanted: set[str], given: set[str]) -> None:
    if wanted != given:
        missing, unused = sorted(wanted - given), sorted(given - wanted)
        words = [f"unknown slot {', '.join(missing)}"] if missing else []
        words += [f"slot {', '.join(unused)} is not used"] if unused else []
        raise jinja2.TemplateError("; ".join(words))


def slot(text: str) -> str:
    """A document's text as it goes into a prompt: normalised, so that reflowing a paragraph changes no request."""
    return normal(text).strip()

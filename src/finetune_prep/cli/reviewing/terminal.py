"""Reviewing in a terminal, by single keys: a conversation, a label given blind, then the verdict, then the next one.

Nothing moves the cursor, so it works over ssh, on a dumb terminal, and from a pipe, where each line is a key.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.core.rubric import YesNo
from finetune_prep.errors import UsageError
from finetune_prep.labels.label import Label, Word
from finetune_prep.workflow.reviewing.sitting import Revealed, Sitting

ANSWERS: dict[str, YesNo] = {"y": "yes", "n": "no", "x": "na"}
ARROWS = {"\x1b[C": ">", "\x1b[D": "<", "\x1bOC": ">", "\x1bOD": "<"}
DIGITS = {"1": "p", "2": "f"}
ENTER = "\n"
STOP = "s"
KEYS = {*"pfdnmqu?<>", ENTER, STOP}
_FURTHER = (0,) * 12 + (1, 1, 2, 3)  # bytes that follow a first one in UTF-8, by its upper half
HELP = (
    "P or 1 pass · F or 2 fail · D defer · Enter saves and shows the verdict",
    "N a note, in one line · M a failure that no question asks about · Q answer the questions one by one: y, n, x for N/A",
    "U takes back what was saved · → or > next · ← or < previous · S stop; what was saved stays, and you can go on later",
)
NEEDS_REASON = "a failure needs a reason: N note · M missed failure · Q questions"
WORDS = (
    "pass",
    "fail",
    "defer",
    "note",
    "missed",
    "questions",
    "undo",
    "stop",
    "yes",
    "no",
)  # lines of a pipe that mean their key
SAID = {"pass": "pass", "fail": "fail", "defer": "deferred"}


class Draft(msgspec.Struct, kw_only=True):
    """What has been chosen and not saved yet."""

    word: Word | None = None
    note: str = ""
    answers: dict[str, YesNo] = {}
    missed: tuple[str, ...] = ()


def review(sitting: Sitting, clock: Callable[[], float] = time.monotonic) -> None:
    """Until everything drawn is labelled, or the person stops."""
    position: int | None = next(iter(sitting.waiting()), 0)
    while position is not None:
        position = _talk(sitting, position, clock)


def _talk(sitting: Sitting, position: int, clock: Callable[[], float]) -> int | None:
    """Show one conversation and take its label; the place to go on with, None to stop."""
    _show(sitting, position)
    shown, draft, key = clock(), Draft(), ""
    while True:
        given = sitting.given(position)
        _prompt(sitting, position, draft, given)
        key = _next_key(key)
        try:
            if key == STOP:
                return None
            if key in "<>":
                return (position + (1 if key == ">" else -1)) % len(sitting.drawn)
            if key == "u":
                _undo(sitting, position, draft)
                draft = Draft()
            elif key == ENTER and draft.word is not None:
                sitting.say(
                    position,
                    draft.word,
                    note=draft.note,
                    answers=draft.answers,
                    missed=draft.missed,
                    seconds=clock() - shown,
                )
                screen.say(f"  saved: {SAID[draft.word]}")
                return _after(sitting, position)
            elif key == ENTER and given is not None:
                return _following(sitting, position)
            else:
                _choose(sitting, key, draft)
        except UsageError as problem:
            screen.say(f"  {problem.what}: {problem.next}")
        except OSError as problem:
            screen.say(f"  not saved: {problem.strerror or problem}. What was saved before is still there; Enter tries again.")


def _choose(sitting: Sitting, key: str, draft: Draft) -> None:
    if key in ("p", "f", "d"):
        draft.word = {"p": "pass", "f": "fail", "d": "defer"}[key]  # type: ignore[assignment]
        if _needs_reason(draft):
            draft.note = _line("why, in one line", "fail")
    elif key == "n":
        draft.note = _line("note", "note")
    elif key == "m":
        if failure := _line("which failure, in one line", "missed"):
            draft.missed = (*draft.missed, failure)
    elif key == "q":
        draft.answers = _questions(sitting)
    elif key == "?":
        for line in HELP:
            screen.say(f"  {line}")
    else:
        screen.say(f"  {'nothing is chosen yet' if key == ENTER else 'no key of these'}; ? shows them all")


def _needs_reason(draft: Draft) -> bool:
    return draft.word == "fail" and not (draft.note or draft.missed or "no" in draft.answers.values())


def _questions(sitting: Sitting) -> dict[str, YesNo]:
    """Answers to the questions that the person answers; Enter skips one, and keys that mean nothing here are ignored."""
    answers: dict[str, YesNo] = {}
    for question in sitting.questions():
        screen.say(f"  {question.id}: {question.text}")
        _ask("y yes · n no · x N/A · Enter skip · S enough")
        while (key := _key()) not in (*ANSWERS, ENTER, STOP):
            pass  # a slip of the finger answers nothing, and skips nothing
        if key == STOP:
            break
        if key in ANSWERS:
            answers[question.id] = ANSWERS[key]
            screen.say(f"    {ANSWERS[key]}")
    return answers


def _undo(sitting: Sitting, position: int, draft: Draft) -> None:
    if draft.word is None:
        sitting.withdraw(position)
        screen.say("  taken back; the file still records that it was given")


def _after(sitting: Sitting, position: int) -> int | None:
    """Show the verdict to whoever has decided, and take the second event."""
    found = sitting.revealed(position)
    if found is None:
        return _following(sitting, position)
    _reveal(found)
    given = sitting.given(position)
    if sitting.drawn[position].repeat or given is None:
        return _following(sitting, position)
    agreed = (given.label == "pass") == found.passed
    first, words = (ENTER, "Enter next") if agreed else ("w", "W the judge is wrong")
    key = ""
    while key not in (first, "c", "u", STOP):
        _ask(f"{words} · C I change my mind · U undo · S stop")
        key = _key()
    if key == "c":
        screen.say(
            f"  saved: {SAID[sitting.change(position).label]}, and that you said {SAID[given.label]} before you saw the verdict"
        )
    elif key == "w":
        sitting.stand_by(position)
        screen.say(f"  saved: {SAID[given.label]}, the judge is wrong")
    elif key == "u":
        sitting.withdraw(position)
        screen.say("  taken back; the file still records that it was given")
        return position
    return None if key == STOP else _following(sitting, position)


def _following(sitting: Sitting, position: int) -> int | None:
    """The next place that waits, after this one where there is one."""
    waiting = sitting.waiting()
    later = [place for place in waiting if place > position]
    open_here = [place for place in (*later, *waiting) if place != position]
    return open_here[0] if open_here else None


def _show(sitting: Sitting, position: int) -> None:
    drawn = sitting.drawn[position]
    screen.say()
    screen.say(f"{'─' * 4} {_place(sitting, position)} {'─' * 4}", bold=True)
    screen.paragraph(drawn.sample.scenario.situation.text, dim=True)
    assert drawn.sample.conversation is not None  # noqa: S101 - only conversations are drawn
    for message in drawn.sample.conversation.messages:
        screen.say()
        screen.say(message.role, bold=True)
        screen.paragraph(message.shown)
    screen.say()


def _place(sitting: Sitting, position: int) -> str:
    again = ", a second time" if sitting.drawn[position].repeat else ""
    standing = "blind" if sitting.revealed(position) is None else "labelled"
    return f"{sitting.run.name} · {position + 1} of {len(sitting.drawn)}{again} · {standing}"


def _prompt(sitting: Sitting, position: int, draft: Draft, given: Label | None) -> None:
    if draft.word is not None:
        said = [SAID[draft.word], *([draft.note] if draft.note else []), *draft.missed]
        said += [f"{id} {answer}" for id, answer in draft.answers.items()]
        _ask(f"{' · '.join(said)} – {NEEDS_REASON if _needs_reason(draft) else 'Enter saves'}")
    elif given is not None:
        _ask(f"labelled: {SAID[given.label]} – Enter next · U undo · P F D anew · ? keys")
    else:
        _ask("P pass · F fail · D defer · N note · M missed failure · Q questions · S stop · ? keys")


def _reveal(found: Revealed) -> None:
    score = f", score {found.score:.2f}" if found.score is not None else ""
    screen.say(f"  the judge {'passes' if found.passed else 'fails'} it{score}", bold=True)
    for answered in found.answers:
        if answered.answer in ("no", "missing"):
            screen.say(f"    {answered.question} {answered.answer.upper()}: {answered.text}")
            screen.paragraph(answered.evidence, indent=8, dim=True)
    for answer, name in (("yes", "YES"), ("na", "N/A")):
        if alike := [answered.question for answered in found.answers if answered.answer == answer]:
            screen.say(f"    {name}: {' '.join(alike)}")


def _ask(words: str) -> None:
    screen.say(f"  [{words}]")


def _key() -> str:
    """One key, without waiting for Enter; from a pipe, one line, of which a sentence is no key. The end of the input stops."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        word = line.strip().lower()
        key = (word[:1] if word in WORDS else word or ENTER) if line else STOP
    else:
        typed = _typed(sys.stdin.fileno())
        key = ARROWS.get(typed, ENTER if typed in ("\r", "\n") else STOP if typed in ("\x1b", "\x04") else typed.lower())
    return DIGITS.get(key, key)


def _next_key(before: str) -> str:
    """The next key. Whoever types a word out, such as “pass”, means the key of its first letter, which is the one `before`."""
    key = _key()
    while key not in KEYS and (rest := next((word[2:] for word in WORDS if before and word.startswith(before + key)), "")):
        for letter in rest:
            if (key := _key()) != letter:
                break
        else:
            key = _key()
    return key


def _typed(terminal: int) -> str:
    """What one press of a key sends. What was typed ahead stays for the next one."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSADRAIN)
        typed = os.read(terminal, 1) or b"\x04"
        for _ in range(_FURTHER[typed[0] >> 4] if typed != b"\x1b" else 2):  # an arrow is Escape and two characters
            if select.select([terminal], [], [], 0)[0]:
                typed += os.read(terminal, 1)
        return typed.decode("utf-8", "replace")
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _line(words: str, asked_by: str) -> str:
    """One line that the person types; nothing at the end of the input. asked_by: the word whose first letter is its key."""
    typed = asked_by[1:]
    while typed == asked_by[1:]:  # they typed the word out; the line itself is still to come
        try:
            typed = click.prompt(f"  {words}", default="", show_default=False, prompt_suffix=": ")
        except click.exceptions.Abort:
            if sys.stdin.isatty():
                raise
            return ""
    return typed

"""Reviewing with the keyboard alone: blind first, saved before it is said, undone, stopped and gone on with, in any terminal."""

from __future__ import annotations

import errno
import io
import json
import re
import sys
from pathlib import Path

import pytest

from finetune_prep.cli import screen
from finetune_prep.labels import file
from finetune_prep.labels.file import read_labels
from finetune_prep.labels.label import Label
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.reviewing import sitting
from tests.cli.terminal import Terminal, on_a_terminal
from tests.workflow.reviewing.pilots import SECRET, pilot_of, talk_of

COMMAND = [sys.executable, "-m", "finetune_prep"]
HOSTILE = [
    "fine.\n  saved: pass\n  the judge passes it, score 1.00",
    "\x1b[2J\x1b[1;1H  saved: pass",
    "\x1b]0;title\x07 \x9b31m red",
    "\rsaved: pass",
    "abc\u202edessap :devas",
    "x\u2028[P pass · F fail]",
    "\x08\x08\x08saved",
    "tag\U000e0073\U000e0061",
]


@pytest.fixture
def run(shop: Project) -> Run:
    return pilot_of(shop, "ppppppppff")


def labels(run: Run) -> tuple[Label, ...]:
    return read_labels(run.labels_path).labels


def typed(shop: Project, keys: str, *options: str, columns: int = 80, **more: str) -> tuple[int, str]:
    return on_a_terminal([*COMMAND, "review", "--terminal", *options], keys, columns=columns, folder=shop.folder, **more)


def test_a_whole_review_by_keys_alone(shop: Project, run: Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten and one again; where the judge says otherwise, a second event is asked for. At the end, what measures the judge."""
    monkeypatch.chdir(shop.folder)
    code, shown = typed(
        shop, "1\r\rw" * 30, "-n", "10"
    )  # Enter after an agreement, W after a disagreement; neither harms the other
    said = labels(run)
    assert code == 0
    first = [label for label in said if label.stage == "blind"]
    assert len(first) == 10
    assert {label.label for label in first} == {"pass"}
    assert {label.labeller.kind for label in said} == {"person"}
    assert {label.labeller.name for label in said} == {"reader"}
    assert sum(label.stage == "revealed" and not label.repeat for label in said) == 2  # the judge failed two
    assert [label.repeat for label in said].count(True) == 1
    assert "11 of 11 labelled by reader" in shown
    proven = "Of 8 drawn that the judge passed, 8 were passed blind, too: exact 95% interval 63% to 100%."
    assert proven in " ".join(shown.split())
    assert "For a judge that is right 95% of the time, about 55 labels of each kind are enough." in " ".join(shown.split())
    measured = terminal(*re.findall(r"finetune-prep (agreement .*?\.md)", " ".join(shown.split()))[0].split())
    assert "smoke-tested" in measured.out
    assert "10 labels of people" in measured.out


def test_no_verdict_is_shown_before_a_label_is_on_disk(shop: Project, run: Run) -> None:
    code, shown = typed(shop, "><qyys?dnwhy\rs", "-n", "10")
    assert code == 0
    assert labels(run) == ()
    for word in (SECRET, "judge-1", "score", "passes it", "fails it", "accepted", "rejected"):
        assert word not in shown
    code, shown = typed(shop, "p\rs", "-n", "10")
    assert shown.index("saved: pass") < shown.index(
        "the judge passes it" if "the judge passes it" in shown else "the judge fails it"
    )
    assert len(labels(run)) == 1


def test_a_failure_needs_a_reason_and_its_note_is_kept(shop: Project, run: Run) -> None:
    _, shown = typed(shop, "f\r\rnpromises a refund\r\rs", "-n", "10")
    (said,) = labels(run)
    assert "[fail – a failure needs a reason: N note" in " ".join(shown.split())
    assert "fail – Enter saves" not in shown
    assert (said.label, said.note, said.stage) == ("fail", "promises a refund", "blind")
    assert said.seconds is not None


@pytest.mark.parametrize(
    ("keys", "label", "note"),
    [
        ("pass\r", "pass", ""),
        ("PASS\r", "pass", ""),
        ("defer\r", "defer", ""),
        ("fail\rpromises a refund\r\r", "fail", "promises a refund"),
        ("pnote\rwell done\r\r", "pass", "well done"),
        ("pax\r", "pass", ""),
        ("parp\r", "pass", ""),
    ],
)
def test_a_word_typed_out_means_its_key(keys: str, label: str, note: str, shop: Project, run: Run) -> None:
    """And its other letters mean nothing: the two S of “pass” would stop, and the F of “defer” would fail."""
    code, shown = typed(shop, f"{keys}s", "-n", "10")
    (said,) = labels(run)
    assert (code, said.label, said.note) == (0, label, note), shown


def test_undo_takes_back_and_the_next_label_is_not_blind(shop: Project, run: Run) -> None:
    typed(shop, "p\rup\r\rs", "-n", "1")
    assert [(label.label, label.stage) for label in labels(run)][:3] == [
        ("pass", "blind"),
        ("withdrawn", "revealed"),
        ("pass", "revealed"),
    ]


def test_a_change_of_mind_is_a_second_event(shop: Project, run: Run) -> None:
    typed(shop, "p\rcs", "-n", "10")
    assert [(label.label, label.stage, label.judge) for label in labels(run)] == [
        ("pass", "blind", ""),
        ("fail", "revealed", "judge-1"),
    ]


def test_with_nothing_labelled_nothing_is_to_be_measured(shop: Project, run: Run) -> None:
    """`agreement` would find no file of labels; after the first one it is named."""
    code, shown = typed(shop, "s", "-n", "10")
    assert (code, run.labels_path.exists()) == (0, False)
    assert "finetune-prep agreement" not in shown
    assert "next: finetune-prep review" in shown
    assert "finetune-prep agreement" in typed(shop, "p\rs", "-n", "10")[1]


def test_whoever_stops_goes_on_where_they_were(shop: Project, run: Run) -> None:
    typed(shop, "p\rs", "-n", "10")
    _, shown = typed(shop, "s", "-n", "10")
    assert "pilot-001 · 2 of 11 · blind" in shown
    assert "next: finetune-prep review" in shown


def test_questions_and_missed_failures_are_kept(shop: Project, run: Run) -> None:
    typed(shop, "qynxsmcalls me a liar\rf\rs", "-n", "10")
    (said,) = labels(run)
    assert list(said.answers.values()) == ["yes", "no", "na"]
    assert said.missed == ("calls me a liar",)


def test_a_wrong_key_skips_no_question(shop: Project, run: Run) -> None:
    """Only Enter does, as it says."""
    typed(shop, "qwy7n\rxsf\rs", "-n", "10")
    (said,) = labels(run)
    assert list(said.answers.values()) == ["yes", "no", "na"]


class Interrupted(io.StringIO):
    """A Ctrl-C where these lines end."""

    def readline(self, size: int | None = -1, /) -> str:
        line = super().readline(size or -1)
        if not line:
            raise KeyboardInterrupt
        return line


@pytest.mark.parametrize("keys", ["p\n\n", "p\n\n\nq\ny\n"], ids=["between conversations", "in the questions"])
def test_ctrl_c_speaks_of_labels(keys: str, shop: Project, run: Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Interrupted(keys))
    shown = terminal("review", "--terminal", "-n", "10", "--by", "Ada")
    assert shown.code == 130
    assert "Every label shown as saved is on disk" in shown.err
    assert "answer that came" not in shown.err
    assert len(labels(run)) == 1


def test_a_key_of_another_script_is_one_key(shop: Project, run: Run) -> None:
    _, shown = typed(shop, "ж漢🙂p\rs", "-n", "10")
    assert shown.count("no key of these; ? shows them all") == 3
    assert "P or 1 pass" not in shown
    assert typed(shop, "?s", "-n", "10")[1].count("P or 1 pass") == 1
    assert len(labels(run)) == 1


@pytest.mark.parametrize("columns", [60, 100, 160])
@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["plain", "no-color", "dumb"])
def test_it_fits_any_terminal(shop: Project, run: Run, columns: int, more: dict[str, str]) -> None:
    _, shown = typed(shop, "p\rs", "-n", "10", columns=columns, **more)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "\x1b" not in plain
    if more:
        assert plain == shown
    assert max(screen.width(line) for line in plain.splitlines()) <= columns


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_talk_writes_none_of_our_lines(shop: Project, text: str) -> None:
    pilot_of(shop, "ppp", [text])
    _, shown = typed(shop, "s", "-n", "3", NO_COLOR="1")
    assert not [sign for sign in screen._UNSAFE.findall(shown.replace("\r\n", "\n")) if sign != "\n"]
    ours = [line for line in shown.splitlines() if line.startswith(("  saved", "  the judge", "saved", "────", "["))]
    assert [line for line in ours if line.startswith("────")] == ["──── pilot-001 · 1 of 3 · blind ────"]
    spoken = shown[shown.index("\nassistant") : shown.index("[P pass · F fail · D")]
    assert all(line.startswith("  ") or not line.strip() for line in spoken.splitlines()[2:])


def test_a_pipe_is_taken_for_a_model_unless_a_person_is_named(
    shop: Project, run: Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each of its lines is a key; the end of the input stops."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("p\n\n"))
    shown = terminal("review", "--terminal", "-n", "10")
    assert "they count towards no gate and no export" in shown.out
    monkeypatch.setattr(sys, "stdin", io.StringIO("f\nno reason at all\n\n"))
    terminal("review", "--terminal", "-n", "10", "--by", "Ada Larch")
    assert [label.labeller.kind for label in labels(run)] == ["model", "person"]
    assert labels(run)[0].seconds is None


def test_a_sentence_from_a_pipe_is_no_row_of_keys(
    shop: Project, run: Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("does it promise a refund\nstrange\npass\n\n"))
    shown = terminal("review", "--terminal", "-n", "10", "--by", "Ada")
    assert shown.out.count("no key of these") == 2
    assert [label.label for label in labels(run)] == ["pass"]


def test_a_full_disk_is_said_and_the_label_can_be_saved_later(
    shop: Project, run: Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [OSError(errno.ENOSPC, "No space left on device")]
    record = file.record_label

    def once(path: Path, label: Label) -> None:
        if full:
            raise full.pop()
        record(path, label)

    monkeypatch.setattr(sitting, "record_label", once)
    monkeypatch.setattr(sys, "stdin", io.StringIO("p\n\n\n"))
    shown = terminal("review", "--terminal", "-n", "10", "--by", "Ada")
    assert "not saved: No space left on device" in shown.out
    assert shown.out.index("not saved") < shown.out.index("saved: pass")
    assert [label.label for label in labels(run)] == ["pass"]


def test_json_shows_what_waits_and_nothing_of_verdicts(shop: Project, run: Run, terminal: Terminal) -> None:
    shown = terminal("review", "-n", "10", "--by", "Ada", "--json")
    found = json.loads(shown.out)
    assert sorted(set(found["waiting"])) == sorted(talk_of(sample).id for sample in run.samples())
    assert (found["drawn"], found["read"], found["needed"], found["next"]) == (11, 0, 10, "finetune-prep review")
    assert SECRET not in shown.out
    assert labels(run) == ()


def test_without_a_pilot_the_next_command_is_named(shop: Project, terminal: Terminal) -> None:
    shown = terminal("review", "--by", "Ada")
    assert shown.code == 3
    assert "finetune-prep pilot" in shown.err

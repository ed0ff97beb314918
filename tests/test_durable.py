"""Files on disk: the old text or the new one, never half of either; and a line that was appended stays."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep.durable import JOURNAL, Together, append_durably, settle, sweep, write_atomically, write_unless_there
from tests.kill_points import killed_everywhere
from tests.soak import examples
from tests.waiting import HUNG

HALF_FULL = 4096  # bytes that a process may write to a file: stands for a disk that fills up in the middle
UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
from finetune_prep.durable import append_durably, sweep, write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    {call}
except OSError as error:
    print(type(error).__name__, error.errno)
"""


def on_a_full_disk(call: str, *arguments: str) -> str:
    """Run a call in a process whose files may not grow beyond HALF_FULL; what it printed about the error."""
    code = UNDER_A_LIMIT.format(limit=HALF_FULL, call=call)
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=HUNG)
    return done.stdout.strip()


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary())
def test_what_was_written_is_what_is_read(tmp_path: Path, text: str, data: bytes) -> None:
    write_atomically(tmp_path / "a" / "b.md", text)
    assert (tmp_path / "a" / "b.md").read_bytes() == text.encode()
    write_atomically(tmp_path / "a" / "b.md", data)
    assert (tmp_path / "a" / "b.md").read_bytes() == data
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.md"]


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "copy.md"
    for text in ("one", "ones", "twos"):
        write_unless_there(path, text)
        assert path.read_text("utf-8") == text
        before = path.stat()
        write_unless_there(path, text.encode())
        assert (path.stat().st_ino, path.stat().st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


def test_what_stands_in_the_place_and_is_no_file_is_replaced_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "copy.md"
    os.mkfifo(path)
    write_unless_there(path, "one")
    assert path.read_text("utf-8") == "one"
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError):
        write_unless_there(path, "one")


def test_a_disk_that_fills_up_leaves_the_old_text_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "rubric.md"
    write_atomically(target, "the old text")
    printed = on_a_full_disk("write_atomically(Path(sys.argv[1]), 'x' * 9000)", str(target))
    assert printed.startswith("OSError")
    assert target.read_text() == "the old text"
    assert list(tmp_path.iterdir()) == [target]


def test_a_target_that_cannot_be_replaced_leaves_no_rubbish(tmp_path: Path) -> None:
    (tmp_path / "rubric.md").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "rubric.md", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["rubric.md"]


def test_a_reader_never_sees_half_of_a_text(tmp_path: Path) -> None:
    """A writer in another process alternates two texts; every read gives one of them whole."""
    target = tmp_path / "rubric.md"
    texts = ["a" * 200_000, "b" * 300_000]
    write_atomically(target, texts[0])
    code = (
        "import sys; from pathlib import Path; from finetune_prep.durable import write_atomically\n"
        "while Path(sys.argv[2]).exists():\n"
        "    for text in ('b' * 300_000, 'a' * 200_000): write_atomically(Path(sys.argv[1]), text)"
    )
    running = tmp_path / "running"
    running.touch()
    seen = []
    with subprocess.Popen([sys.executable, "-c", code, str(target), str(running)]) as writer:
        while sum(one != other for one, other in pairwise(seen)) < 20:  # until the text has changed often enough
            assert writer.poll() is None
            seen.append(texts.index(target.read_text()))
        running.unlink()
    assert writer.returncode == 0


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_a_new_file_can_be_read_by_others_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new.md", "text")
    assert stat.S_IMODE((tmp_path / "new.md").stat().st_mode) == 0o644
    (tmp_path / "new.md").chmod(0o600)
    write_atomically(tmp_path / "new.md", "other")
    assert stat.S_IMODE((tmp_path / "new.md").stat().st_mode) == 0o600


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), min_size=1, max_size=5))
def test_appended_lines_stand_in_their_order(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "new folder" / "lines"
    for line in lines:
        append_durably(path, line)
    assert path.read_bytes() == "".join(f"{line}\n" for line in lines).encode()
    path.unlink()


def test_a_torn_last_line_is_ended_so_that_it_harms_no_later_one(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'{"whole": 1}\n{"torn')
    append_durably(path, '{"next": 1}')
    assert path.read_bytes() == b'{"whole": 1}\n{"torn\n{"next": 1}\n'


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    append_durably(path, "the first line")
    printed = on_a_full_disk("append_durably(Path(sys.argv[1]), 'x' * 9000)", str(path))
    assert printed.startswith("OSError")
    assert path.read_bytes() == b"the first line\n"
    append_durably(path, "the second line")
    assert path.read_bytes() == b"the first line\nthe second line\n"


def test_two_processes_that_append_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    code = (
        "import sys; from pathlib import Path; from finetune_prep.durable import append_durably\n"
        "for n in range(50): append_durably(Path(sys.argv[1]), f'{sys.argv[2]} {n}')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("one", "two")]
    assert [writer.wait(timeout=HUNG) for writer in writers] == [0, 0]
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(f"{name} {n}" for name in ("one", "two") for n in range(50))
    assert [line for line in lines if line.startswith("one")] == [f"one {n}" for n in range(50)]


def test_what_a_killed_process_left_half_written_is_swept_away(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from finetune_prep.durable import write_atomically\n"
        "def parts():\n"
        "    yield b'half'\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(Path(sys.argv[1]) / 'deep' / 'rubric.md', parts())"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -signal.SIGKILL
    assert len(list((tmp_path / "deep").iterdir())) == 1
    (tmp_path / "deep" / ".hidden").write_text("mine")
    sweep(tmp_path)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == [".hidden"]


OLD = {"a.jsonl": b"old a", "b.json": b"old b", "gone.jsonl": b"old", "mine.txt": b"a person's"}
NEW = {"a.jsonl": b"new a" * 9000, "b.json": b"new b", "c.md": b"new c", "mine.txt": b"a person's"}
REPLACE = """
def replace(folder):
    with Together(folder) as files:
        files.begin("a.jsonl").write(b"new a" * 9000)
        files.put("b.json", b"new b")
        files.put("c.md", b"new c")
        files.commit(gone=["gone.jsonl", "never.there"])
"""


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "old").mkdir()
    for name, data in OLD.items():
        (tmp_path / "old" / name).write_bytes(data)
    return tmp_path / "old"


def test_files_that_belong_together_are_all_new_or_all_old_wherever_the_work_is_killed(old: Path, tmp_path: Path) -> None:
    """Before it counts, not one byte of the old files has changed; from then on, whoever comes next finishes it."""
    setup = f"from finetune_prep.durable import Together{REPLACE}"
    copies = killed_everywhere(old, tmp_path / "killed", setup=setup, work="replace(folder)")
    found = []
    for copy in copies:
        if not (copy / JOURNAL).exists():
            assert {name: data for name, data in content(copy).items() if not name.startswith(".")} in (OLD, NEW)
        sweep(copy)
        assert content(copy) in (OLD, NEW)
        found.append(content(copy) == NEW)
    assert len(found) > 12
    assert found == sorted(found), "later kills never bring back the old files"
    assert {*found} == {False, True}


def test_a_finish_that_is_killed_is_finished_by_the_next(old: Path, tmp_path: Path) -> None:
    setup = f"from finetune_prep.durable import Together, settle{REPLACE}"
    halfway = next(
        copy
        for copy in killed_everywhere(old, tmp_path / "killed", setup=setup, work="replace(folder)")
        if (copy / JOURNAL).exists()
    )
    for copy in killed_everywhere(halfway, tmp_path / "again", setup=setup, work="settle(folder)"):
        sweep(copy)
        assert content(copy) == NEW


def test_files_are_read_before_they_count_and_an_error_leaves_the_old_ones(old: Path) -> None:
    with pytest.raises(ValueError, match="unsound"), Together(old) as files:
        files.put("a.jsonl", b"new a")
        assert files.finish("a.jsonl").read_bytes() == b"new a"
        raise ValueError("unsound")
    assert content(old) == OLD


@pytest.mark.parametrize(
    "journal",
    [
        '{"places": {"a.jsonl": "../a.jsonl"}, "gone": []}',
        '{"places": {}, "gone": ["/etc/x"]}',
        '{"places": {}, "gone": [1]}',
        "[]",
        "",
    ],
)
def test_a_journal_that_is_not_ours_moves_nothing(old: Path, journal: str) -> None:
    (old / JOURNAL).write_text(journal)
    settle(old)
    assert content(old) == OLD

"""The command line as a terminal shows it: in this process, or in its own on a real one."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from finetune_prep.cli import main
from finetune_prep.project.project import Project
from tests.waiting import HUNG


class Shown(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


class Terminal:
    """Types commands into a project's folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str], project: Project | None = None) -> None:
        self._capsys = capsys
        self._project = project

    def __call__(self, *arguments: str) -> Shown:
        with contextlib.chdir(self._project.folder if self._project else "."), pytest.raises(SystemExit) as left:
            main([*arguments])
        shown = self._capsys.readouterr()
        assert "Traceback" not in shown.err
        assert isinstance(left.value.code, int)
        return Shown(left.value.code, shown.out, shown.err)


def run_here(*arguments: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A command where nobody can be asked, in this process: another one spends half of its time on becoming one."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _set(more):
        try:
            main([*arguments])
        except SystemExit as left:
            code = left.code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _set(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def environment(**more: str) -> dict[str, str]:
    """A terminal of a person's; `more` is set besides."""
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    return plain | {"PYTHONPATH": os.pathsep.join(sys.path), "LOGNAME": "reader", "TERM": "xterm"} | more


def on_a_terminal(
    command: list[str], typed: str = "", *, columns: int = 80, folder: Path | None = None, **more: str
) -> tuple[int, str]:
    """Exit code and everything that a terminal of this width shows; `typed` is what the person types ahead, in `folder`."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment(**more), cwd=folder)
    os.close(slave)
    os.write(master, typed.encode())
    shown = bytearray()
    while True:
        try:
            data = os.read(master, 65_536)
        except OSError:  # Linux: the other side has gone
            break
        if not data:
            break
        shown += data
    os.close(master)
    return child.wait(HUNG), shown.decode()

"""The command line as a terminal shows it: in this process, or in its own on a real one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import NamedTuple

import pytest

from finetune_prep.cli import main
from finetune_prep.project.project import Project


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
        where = ["--project", str(self._project.folder)] if self._project else []
        with pytest.raises(SystemExit) as left:
            main([*where, *arguments])
        shown = self._capsys.readouterr()
        assert "Traceback" not in shown.err
        assert isinstance(left.value.code, int)
        return Shown(left.value.code, shown.out, shown.err)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "LOGNAME": "reader"}


def on_a_terminal(command: list[str], typed: str) -> tuple[int, str]:
    """Exit code and everything that a terminal shows; `typed` is what the person types ahead."""
    master, slave = pty.openpty()
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment())
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
    return child.wait(60), shown.decode()

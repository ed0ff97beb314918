"""The command line in this process, as a terminal shows it."""

from __future__ import annotations

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

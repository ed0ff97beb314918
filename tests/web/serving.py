"""The page served by the installed command in a process of its own, as a person starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from finetune_prep.project.project import Project
from tests.signals import hearing_ctrl_c
from tests.waiting import HUNG


class Served(NamedTuple):
    process: subprocess.Popen[str]
    link: str

    @property
    def own(self) -> str:
        """Scheme, host and port."""
        return self.link.partition("/enter")[0]


@contextmanager
def served(project: Project, *command: str) -> Iterator[Served]:
    """`serve`, or another command with its options, until the block ends."""
    arguments = [
        sys.executable,
        "-m",
        "finetune_prep",
        "--project",
        str(project.folder),
        *(command or ("serve", "--by", "Ada Larch")),
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        hearing_ctrl_c(),
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process,
    ):
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield Served(process, process.stdout.readline().strip())
        finally:
            process.kill()
            process.wait(HUNG)

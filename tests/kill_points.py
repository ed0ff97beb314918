"""Killing a piece of work at each of its steps on the file system, one after the other, as a power cut would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.waiting import HUNG

# The interpreter tells of every file that is opened, renamed, removed; a child that has heard of `last` of them in its folder is gone.
# It is forked, so that importing is paid for once, and nothing of the program is replaced.
DRIVER = """
import os, shutil, sys
from pathlib import Path
{setup}
source, copies = Path(sys.argv[1]), Path(sys.argv[2])
WATCHED = {{"open", "os.rename", "os.remove", "os.chmod", "os.mkdir"}}
last, code = 0, 1
while code:
    last += 1
    folder = copies / str(last)
    watched = str(folder / {watched!r})
    shutil.copytree(source, folder)
    child = os.fork()
    if not child:
        left = [last]
        def hear(event, arguments):
            if event in WATCHED and any(isinstance(one, (str, Path)) and str(one).startswith(watched) for one in arguments):
                left[0] -= 1
                if not left[0]:
                    os._exit(1)
        sys.addaudithook(hear)
        {work}
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, 1):
        sys.exit(f"the work failed before step {{last}}")
"""


def killed_everywhere(source: Path, copies: Path, *, setup: str, work: str, watched: str = "") -> list[Path]:
    """Copies of a folder, each left by work that was killed one step later than the one before; the last one was not.

    setup, work: Python, the second one line, which finds the copy in `folder`. watched: where in it steps count.
    """
    code = DRIVER.format(setup=setup, work=work, watched=watched)
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), str(copies)], capture_output=True, text=True, check=False, timeout=HUNG
    )
    assert done.returncode == 0, done.stderr
    return sorted(copies.iterdir(), key=lambda copy: int(copy.name))

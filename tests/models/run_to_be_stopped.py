"""A run of calls through the whole door, in a process of its own, that is stopped at a moment of the test's choice.

    python -m tests.models.run_to_be_stopped FOLDER URL CALLS AT_ONCE [kill|full|broken NTH]

Prints the key of every answer that was handed over. kill: SIGKILL instead of the nth write to the ledger's files. full, broken:
from the nth write on the disk is full, or reports errors. At its end it prints how many writes there were; what a person
would be told goes to standard error.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import apsw

from finetune_prep.errors import FinetunePrepError
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from tests.models.examples import config, request

UNDERLYING = apsw.vfs_names()[0]


class _FaultyDisk(apsw.VFS):
    """The file system, in which writing goes wrong from the nth time on. writes: how many there were."""

    def __init__(self, fault: str, nth: int) -> None:
        self.fault, self.nth, self.writes = fault, nth, 0
        super().__init__("faulty", UNDERLYING, makedefault=True)

    def xOpen(self, name: Any, flags: Any) -> _FaultyFile:
        return _FaultyFile(self, name, flags)

    def count(self) -> None:
        self.writes += 1
        if self.writes < self.nth:
            return
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "full":
            raise apsw.FullError("no space left")
        if self.fault == "broken":
            raise apsw.IOError("the disk is broken")


class _FaultyFile(apsw.VFSFile):
    def __init__(self, disk: _FaultyDisk, name: Any, flags: Any) -> None:
        self._disk = disk
        super().__init__(UNDERLYING, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.count()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.count()
        super().xSync(flags)


async def _run(folder: Path, url: str, calls: int, at_once: int) -> None:
    ledger = SqliteLedger(folder / "ledger.sqlite")
    try:
        async with open_door(config(url, concurrency=at_once), ledger, folder) as door:

            async def one(number: int) -> None:
                await door.ask(request(str(number)))
                print(request(str(number)).key, flush=True)

            async with asyncio.TaskGroup() as group:
                for number in range(calls):
                    group.create_task(one(number))
    finally:
        ledger.close()


def main() -> None:
    folder, url, calls, at_once, *fault = sys.argv[1:]
    disk = _FaultyDisk(fault[0], int(fault[1])) if fault else None
    try:
        asyncio.run(_run(Path(folder), url, int(calls), int(at_once)))
    except* FinetunePrepError as errors:
        print(errors.exceptions[0], file=sys.stderr)
        sys.exit(5)
    if disk is not None:
        print("writes", disk.writes)


if __name__ == "__main__":
    main()

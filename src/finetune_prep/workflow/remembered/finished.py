"""Which runs have come to their end: making one of them again would give the rows that are on disk.

A conversation rests on the plan of its run, the texts of the documents, the program, and the answers in the ledger. These stay as
they are, but that a better one may replace one that could not be used, which is put aside then, and that a person may open one
again (`retry`). While all of that is as it was, and so are the files, the run stands. A ledger that has lost answers is another
matter: they are asked for again, as far as a person agrees. Making 20,000 conversations from their answers takes two minutes.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.core.sample import Account
from finetune_prep.documents.kinds import KINDS
from finetune_prep.durable import write_atomically
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.project.scaling.result import result_path
from finetune_prep.workflow.remembered.state import REMEMBERED, now, of_files, program


class _Kept(msgspec.Struct, frozen=True):
    of: str
    answers: int
    put_aside: int


async def finished(project: Project, ledger: Ledger, run: Run, *rests_on: object) -> Account | None:
    """The account of a run that would be what it is if it were made again; None if that is not certain.

    rests_on: what else its rows depend on. Raises UsageError for an account that cannot be read.
    """
    try:
        kept = msgspec.json.decode(_path(project, run).read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    answers, put_aside = await _held(ledger)
    if answers < kept.answers or put_aside != kept.put_aside or kept.of != _subject(project, run, rests_on)[0]:
        return None
    return run.account()


async def keep_finished(project: Project, ledger: Ledger, run: Run, *rests_on: object) -> None:
    """Note that a run has come to its end. Nothing is noted in the tick of the clock in which its files were written: they could
    change in it once more without a trace."""
    of, newest = _subject(project, run, rests_on)
    answers, put_aside = await _held(ledger)
    path = _path(project, run)
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        if newest < now(path.parent):
            write_atomically(path, msgspec.json.encode(_Kept(of, answers, put_aside)))


async def _held(ledger: Ledger) -> tuple[int, int]:
    """How many answers the ledger holds, and how many bodies that are none."""
    return await ledger.reports.count(), await ledger.reports.put_aside()


def _path(project: Project, run: Run) -> Path:
    return project.layout.private / REMEMBERED / f"finished-{run.name}.json"


def _subject(project: Project, run: Run, rests_on: tuple[object, ...]) -> tuple[str, int]:
    """A hash of everything that the rows rest on, and when a file of the run was changed last."""
    files, newest = of_files(run.samples_path, run.verdicts_path, run.account_path, result_path(run))
    texts = {kind: document.text for kind in KINDS if (document := project.document(KINDS[kind])) is not None}
    more = msgspec.json.encode([run.plan, project.opened(), rests_on], order="deterministic", enc_hook=sorted)
    return digest([program(), files, texts, more.decode()]), newest

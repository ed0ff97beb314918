"""Results of a run that nobody made: a test says what is to stand there, sound or not."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from finetune_prep.core.sample import Account, Sample
from finetune_prep.project.run_folders import pretty
from finetune_prep.project.runs import Run, VerdictRow


def write_results(run: Run, samples: Iterable[Sample], verdicts: Iterable[VerdictRow], account: Account) -> None:
    """The files of a run, as the program writes them: the account is given, and need not be that of the samples."""
    run.samples_path.write_bytes(msgspec.json.Encoder().encode_lines(list(samples)))
    run.verdicts_path.write_bytes(msgspec.json.Encoder().encode_lines(list(verdicts)))
    run.account_path.write_bytes(pretty(account))

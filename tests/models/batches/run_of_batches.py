"""One command over a Batch API, in a process of its own so that it can be killed: ask for SIZE answers, send what is new.

    python -m tests.models.batches.run_of_batches FOLDER API URL SETTLE [kill NTH]

Ends with 0 when all answers are there, with 4 when some are outstanding. SETTLE: seconds after which a batch that the provider
does not list was never received. kill: SIGKILL instead of the nth write to the ledger's files. At its end it prints how many
writes there were.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from finetune_prep.errors import NotYet
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.batches import submissions
from finetune_prep.models.door import open_door
from finetune_prep.project.config import Config, Price, ProviderSettings, RoleSettings
from tests.models.examples import KEY_ENV, MODEL, request
from tests.models.run_to_be_stopped import _FaultyDisk

SIZE = 5


def settings(api: str, url: str) -> Config:
    kind = "openai-batch" if api == "openai" else "anthropic-batch"
    return Config(
        name="shop",
        roles=dict.fromkeys(("expert", "user", "assistant", "judge"), RoleSettings(model=f"larch/{MODEL}", max_tokens=100)),
        providers={"larch": ProviderSettings(kind=kind, base_url=url, key_env=KEY_ENV)},
        prices={MODEL: Price(input=1.0, output=2.0)},
        budget=1.0,
    )


async def _run(folder: Path, api: str, url: str) -> bool:
    ledger = SqliteLedger(folder / "ledger.sqlite")
    try:
        async with open_door(settings(api, url), ledger, folder) as door:
            results = await asyncio.gather(*(door.ask(request(str(n))) for n in range(SIZE)), return_exceptions=True)
            await door.flush()
    finally:
        ledger.close()
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, NotYet):
            raise result
    return any(isinstance(result, NotYet) for result in results)


def main() -> None:
    folder, api, url, settle, *fault = sys.argv[1:]
    submissions.SETTLE_SECONDS = float(settle)
    disk = _FaultyDisk(fault[0], int(fault[1])) if fault else None
    outstanding = asyncio.run(_run(Path(folder), api, url))
    if disk is not None:
        print("writes", disk.writes)
    sys.exit(4 if outstanding else 0)


if __name__ == "__main__":
    main()

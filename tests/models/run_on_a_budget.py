"""A run of 400 calls with a cap of one dollar, in a process of its own so that it can be killed.

    python -m tests.models.run_on_a_budget FOLDER URL PRICE

PRICE: US dollars per million tokens of prompts; answers cost three times as much. Ends with 5 when the budget is used up.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import msgspec

from finetune_prep.errors import Paused
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.project.config import Price
from tests.models.examples import MODEL, config, request

CALLS = 400


async def _run(folder: Path, url: str, price: float) -> bool:
    settings = msgspec.structs.replace(
        config(url, budget=1.0, concurrency=64), prices={MODEL: Price(input=price, output=3 * price)}
    )
    stream = random.Random(3)
    asked = [request(f"{number} " + "x" * stream.randrange(2000)) for number in range(CALLS)]
    ledger = SqliteLedger(folder / "ledger.sqlite")
    try:
        async with open_door(settings, ledger, folder) as door:
            results = await asyncio.gather(*map(door.ask, asked), return_exceptions=True)
    finally:
        ledger.close()
    return any(isinstance(result, Paused) for result in results)


def main() -> None:
    folder, url, price = sys.argv[1:]
    sys.exit(5 if asyncio.run(_run(Path(folder), url, float(price))) else 0)


if __name__ == "__main__":
    main()

"""The whole way over Batch APIs: every wave is a batch, some rows fail on the way, and the files are those of the recording."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.ledger.recording import read_recording
from tests.fake_batches import KEY, Api, FakeBatches
from tests.whole.way import MUSEUM, MUSEUM_SIZE, ask, example_project, rows, run_here, succeed

pytestmark = pytest.mark.environment
MOST_WAVES = 60
KNOWN = {entry.key: entry.reply for entry in read_recording(MUSEUM / "recording.jsonl")}
APIS: tuple[Api, ...] = ("openai", "anthropic")


@pytest.mark.parametrize("api", APIS)
def test_waves_of_batches_end_in_the_same_rows(api: Api, museum: Path, tmp_path: Path, capsys: Any) -> None:
    folder = example_project(tmp_path / "museum", MUSEUM)
    (folder / "recording.jsonl").unlink()
    waves: list[int] = []
    with FakeBatches(api) as fake:

        def answer(key: str, params: dict[str, Any]) -> dict[str, Any]:
            if len(waves) % 3 == 0 and key < "1":  # one in sixteen
                return (fake.expired, fake.failed)[len(waves) % 2]()
            row = fake.answered(KNOWN[key].text)
            if api == "openai":
                row["response"]["body"] |= {"model": "language-model", "created": _seconds(KNOWN[key].at)}
                del row["response"]["body"]["usage"]
            else:
                row["result"]["message"]["model"] = "language-model"
            return row

        kind = "openai-batch" if api == "openai" else "anthropic-batch"
        ask(folder, "larch", kind=kind, base_url=fake.base_url, key_env="LARCH_API_KEY")
        for command in (("prepare",), ("pilot", "-n", str(MUSEUM_SIZE))):
            for _ in range(MOST_WAVES):
                done = run_here(*command, folder=folder, LARCH_API_KEY=KEY)
                if done.returncode != 4:
                    break
                waves.append(sum(len(batch.requests) for batch in fake.ours if batch.status == "in_progress"))
                fake.work(answer)
            assert done.returncode == 0, done.stdout + done.stderr
        assert max(fake.billed.values()) == 1
    succeed("export", "--preview", folder=folder)
    assert rows(folder) == rows(museum)
    with capsys.disabled():
        print(f"\n{api}: {sum(waves)} requests in {len(waves)} waves {waves}, none billed twice")


def _seconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())

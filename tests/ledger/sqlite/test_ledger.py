"""The ledger file: what it keeps, when it says so, and what it refuses."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import msgspec
import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Reply, RoleName, Schema
from finetune_prep.errors import LedgerBroken, UsageError
from finetune_prep.ledger.protocols import Entry, TimeSpent
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from tests.ledgers import entries
from tests.models.examples import entry, request
from tests.waiting import HUNG

LONG = "Say what went wrong before you say sorry. " * 50


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".finetune-prep" / "ledger.sqlite"


async def test_gives_back_what_was_put(path: Path) -> None:
    """Every field of a request and a reply survives, long texts and schemas in their own order of keys included."""
    schema = Schema("verdict", {"type": "object", "properties": {"CP2": {"type": "string"}, "CP1": {"type": "string"}}})
    full = Entry(
        request(LONG, schema=schema, sample="s/1", messages=(Message("system", LONG), Message("user", "Ω\x00\u2028"))),
        Reply(
            text=LONG, problem="truncated", finish="length", detail="cut", cost=0.1, seconds=1.5, at="2026-11-20T10:00:00+00:00"
        ),
    )
    ledger = SqliteLedger(path)
    await ledger.answers.put(full)
    ledger.close()
    ledger = SqliteLedger(path)
    found = await ledger.answers.get(full.key)
    ledger.close()
    assert found == full
    assert found.key == full.key
    assert list(found.request.schema.schema["properties"]) == ["CP2", "CP1"]


async def test_first_answer_wins(path: Path) -> None:
    """A second answer to the same key changes neither the answer nor what was spent."""
    ledger = SqliteLedger(path)
    await ledger.answers.put(entry(answer="yes"), spent=0.25)
    await ledger.answers.put(entry(answer="no"), spent=0.5)
    assert (await ledger.answers.get(entry().key)).reply.text == "yes"
    assert await ledger.money.spent() == 0.25
    ledger.close()


async def test_shared_texts_are_stored_once(path: Path) -> None:
    """A thousand requests with one long prompt take the room of one prompt."""
    ledger = SqliteLedger(path)
    prompt = LONG * 10
    await ledger.answers.put_all([entry(messages=(Message("system", prompt), Message("user", str(n)))) for n in range(1000)])
    ledger.close()
    assert path.stat().st_size < 1000 * len(prompt) / 20


async def test_entries_are_ordered_by_key_and_may_be_read_while_writing(path: Path) -> None:
    """An open reading hides nothing that is put meanwhile from `get`."""
    ledger = SqliteLedger(path)
    await ledger.answers.put_all([entry(str(n)) for n in range(50)])
    reading = ledger.answers.all()
    keys = [(await anext(reading)).key]
    await ledger.answers.put(entry("late"))
    assert await ledger.answers.get(entry("late").key) is not None
    keys += [found.key async for found in reading]
    assert keys == sorted(entry(str(n)).key for n in range(50))
    ledger.close()


async def test_rounds(path: Path) -> None:
    """A request is outstanding from the round's record on, until it is answered or released."""
    ledger = SqliteLedger(path)
    requests = [request(str(n)) for n in range(4)]
    number = await ledger.rounds.open(requests)
    assert number == 1
    assert await ledger.rounds.requests_of(1) == tuple(requests)
    assert [await ledger.rounds.outstanding(asked.key) for asked in requests] == [1, 1, 1, 1]
    assert (await ledger.rounds.all())[0].written is False
    await ledger.rounds.mark_written(1)
    await ledger.answers.put(Entry(requests[0], Reply(text="a")))
    await ledger.rounds.release([requests[1].key])
    assert [await ledger.rounds.outstanding(asked.key) for asked in requests] == [None, None, 1, 1]
    assert await ledger.rounds.asked(requests[1].key) == requests[1]
    assert await ledger.rounds.asked("nobody") is None
    found = (await ledger.rounds.all())[0]
    assert (found.asked, found.answered, found.released, found.outstanding, found.written) == (4, 1, 1, 2, True)
    assert await ledger.rounds.open([requests[1]]) == 2
    assert await ledger.rounds.outstanding(requests[1].key) == 2
    ledger.close()


async def test_a_cancelled_asker_loses_nothing(path: Path) -> None:
    """The row is kept although the one who put it was cancelled while it was being written."""
    ledger = SqliteLedger(path)
    putting = asyncio.create_task(ledger.answers.put(entry()))
    await asyncio.sleep(0)
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    ledger.close()
    ledger = SqliteLedger(path)
    assert await ledger.answers.get(entry().key) == entry()
    ledger.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from tests.models.examples import entry

async def main():
    ledger = SqliteLedger(Path(sys.argv[1]))
    async def one(n):
        while True:
            await ledger.answers.put(entry(f"{n} " + "x" * 500))
            print(entry(f"{n} " + "x" * 500).key, flush=True)
            n += 64
    await asyncio.gather(*(one(n) for n in range(64)))

asyncio.run(main())
"""


def test_what_was_handed_over_survives_sigkill(path: Path) -> None:
    """Every row that `put` returned for is in the file after SIGKILL, and the file is sound."""
    child = _writing(path)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(700)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.wait(HUNG)
    child.stdout.close()
    handed_over = [line.decode().strip() for line in lines if line.endswith(b"\n")]
    connection = apsw.Connection(str(path))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
    ledger = SqliteLedger(path)
    assert len(handed_over) >= 700
    assert [key for key in handed_over if asyncio.run(ledger.answers.get(key)) is None] == []
    ledger.close()


FILLER = """
import asyncio, resource, sys
from pathlib import Path
from finetune_prep.errors import LedgerBroken
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from tests.models.examples import entry

async def main():
    ledger = SqliteLedger(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    kept = 0
    try:
        for n in range(1000):
            await ledger.answers.put(entry(f"{n} " + "x" * 5000))
            kept += 1
    except LedgerBroken as error:
        print(kept, str(error), sep="\\n")

asyncio.run(main())
"""


def test_a_full_disk_stops_the_work_and_spares_the_ledger(path: Path) -> None:
    """When the file can grow no more, `put` says so with the next step; what was kept stays, and the file is sound."""
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)], capture_output=True, text=True, env=_environment(), timeout=HUNG
    )
    kept, _, told = done.stdout.partition("\n")
    assert "the ledger cannot be written" in told, done.stderr
    assert "next: make room on the disk" in told
    ledger = SqliteLedger(path)
    assert 0 < int(kept) < 1000
    assert len(list(asyncio.run(entries(ledger)))) == int(kept)
    ledger.close()


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


async def test_a_closed_ledger_refuses(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.close()
    with pytest.raises(LedgerBroken, match="closed"):
        await ledger.answers.put(entry())


def test_refuses_what_is_not_a_ledger(tmp_path: Path) -> None:
    """Text files, other SQLite files and ledgers of a newer version are refused with the file's name, and not touched."""
    text = tmp_path / "a.sqlite"
    text.write_text("not a database, but long enough to have a header " * 100)
    other = tmp_path / "b.sqlite"
    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    newer = tmp_path / "c.sqlite"
    SqliteLedger(newer).close()
    connection = apsw.Connection(str(newer))
    connection.pragma("user_version", 99)
    connection.close()
    for path, words in ((text, "cannot be opened"), (other, "not a ledger"), (newer, "newer version")):
        before = path.read_bytes()
        with pytest.raises(UsageError, match=words) as caught:
            SqliteLedger(path)
        assert str(path) in str(caught.value)
        assert path.read_bytes() == before


async def test_what_was_used_is_counted_anew_once_more_is_kept_by_whomever(path: Path) -> None:
    """It is asked for several times by one command, and takes a second over 200,000 answers."""
    ledger = SqliteLedger(path)
    await ledger.answers.put(entry("one"))
    first = await ledger.reports.tokens_used()
    assert await ledger.reports.tokens_used() is first
    await ledger.answers.put(entry("two"))
    assert [line.answers for line in await ledger.reports.tokens_used()] == [2]
    other = SqliteLedger(path)
    await other.answers.put(entry("three"))
    other.close()
    assert [line.answers for line in await ledger.reports.tokens_used()] == [3]
    ledger.close()


async def test_labour_is_counted_by_phase(path: Path) -> None:
    """Seconds of all calls are added up, times are the first and last answer's; what a provider did not say stays open."""
    ledger = SqliteLedger(path)
    for n, (phase, seconds, at) in enumerate(
        [("rubric", 2.0, "2026-11-20T10:05:00+00:00"), ("rubric", 0.5, "2026-11-20T10:01:00+00:00"), ("anchors", 0.0, "")]
    ):
        made = entry(str(n))
        request = msgspec.structs.replace(made.request, phase=phase)
        await ledger.answers.put(Entry(request, msgspec.structs.replace(made.reply, seconds=seconds, at=at)))
    time_spent = await ledger.reports.time_spent()
    ledger.close()
    assert time_spent == (
        TimeSpent(phase="anchors", answers=1, seconds=0.0),
        TimeSpent(phase="rubric", answers=2, seconds=2.5, first="2026-11-20T10:01:00+00:00", last="2026-11-20T10:05:00+00:00"),
    )


async def test_what_is_behind_a_conversation_is_found_in_the_order_of_asking(path: Path) -> None:
    """The user first in each exchange, the judge last, a second attempt after the first; nothing of another scenario."""

    def of(role: str, turn: int, scenario: str = "3f2a", attempt: int = 1) -> Entry:
        origin = Origin(run="pilot-001", scenario=scenario, turn=turn, attempt=attempt)
        return entry(f"{role} {turn} {scenario} {attempt}", role=role, origin=origin)

    wanted = [of("user", 1), of("assistant", 1), of("user", 2), of("assistant", 2), of("assistant", 2, attempt=2), of("judge", 0)]
    wanted += [of("judge", 0, attempt=2)]
    ledger = SqliteLedger(path)
    await ledger.answers.put_all([*reversed(wanted), of("user", 1, "3f2b"), entry("no scenario at all")])
    assert await ledger.answers.of_scenario("3f2a") == tuple(found.key for found in wanted)
    assert await ledger.answers.of_scenario("3f2") == await ledger.answers.of_scenario("") == ()
    ledger.close()


async def test_what_a_role_was_asked_outside_of_runs_comes_in_the_order_of_the_answers(path: Path) -> None:
    def of(text: str, role: RoleName, run: str = "") -> Entry:
        found = entry(text)
        return Entry(msgspec.structs.replace(found.request, role=role, origin=Origin("gate", run=run)), found.reply)

    wanted = [of("third", "judge"), of("first", "judge"), of("second", "judge")]
    ledger = SqliteLedger(path)
    for found in (*wanted, of("an expert", "expert"), of("in a pilot", "judge", "pilot-001")):
        await ledger.answers.put(found)
    assert await ledger.answers.outside_runs("judge") == tuple(wanted)
    assert await ledger.answers.outside_runs("user") == ()
    ledger.close()


async def test_keys_are_found_by_their_beginning(path: Path) -> None:
    """Two at most: more than one is too many to mean one. What is typed is no pattern."""
    ledger = SqliteLedger(path)
    entries = [entry(str(n)) for n in range(200)]
    await ledger.answers.put_all(entries)
    keys = sorted(found.key for found in entries)
    assert await ledger.answers.beginning("") == tuple(keys[:2])
    assert await ledger.answers.beginning(keys[7]) == (keys[7],)
    for start in ("a", "3f", keys[100][:3]):
        assert await ledger.answers.beginning(start) == tuple(key for key in keys if key.startswith(start))[:2]
    assert (
        await ledger.answers.beginning("%")
        == await ledger.answers.beginning("*")
        == await ledger.answers.beginning(keys[7] + "0")
        == ()
    )
    ledger.close()


async def test_many_askers_are_answered_together_and_apart(path: Path) -> None:
    """Each gets his own entry, or nothing where there is none; also those whose keys are not in one statement."""
    ledger = SqliteLedger(path)
    there = [entry(str(n)) for n in range(1200)]
    await ledger.answers.put_all(there)
    ledger.close()
    ledger = SqliteLedger(path, look_only=True)
    asked = [*there, *(entry(f"not {n}") for n in range(10))]
    found = await asyncio.gather(*(ledger.answers.get(one.key) for one in asked))
    assert found == [*there, *[None] * 10]
    assert await ledger.answers.known([one.key for one in asked[1190:]]) == {one.key for one in there[1190:]}
    ledger.close()


async def test_who_looks_sees_what_another_process_commits(path: Path) -> None:
    """As soon as `put` has returned over there; and so does who writes, after his own next writing."""
    ledger = SqliteLedger(path)
    child = _writing(path)
    assert child.stdout is not None
    looking = SqliteLedger(path, look_only=True)
    for _ in range(50):
        key = (await asyncio.to_thread(child.stdout.readline)).decode().strip()
        assert await looking.answers.get(key) is not None
    await ledger.answers.put(entry("mine"))
    assert await ledger.answers.get(key) is not None
    child.kill()
    child.stdout.close()
    child.wait(HUNG)
    looking.close()
    ledger.close()


async def test_who_looks_writes_nothing(path: Path) -> None:
    """No answer, no file beside the ledger, and nothing where there is no ledger."""
    with pytest.raises(UsageError, match="cannot be opened"):
        SqliteLedger(path, look_only=True)
    ledger = SqliteLedger(path)
    await ledger.answers.put(entry())
    ledger.close()
    before = path.read_bytes()
    looking = SqliteLedger(path, look_only=True)
    with pytest.raises(LedgerBroken, match="to be looked at"):
        await looking.answers.put(entry("b"))
    assert await looking.reports.count() == 1
    looking.close()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def _writing(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=_environment())


LOOKER = """
import asyncio, os, sys
from pathlib import Path
from finetune_prep.ledger.opening import look_at_ledger

async def main():
    async with look_at_ledger(Path(sys.argv[1])) as ledger:
        print(await ledger.reports.count(), await ledger.money.spent(), len(await ledger.rounds.all()))

asyncio.run(asyncio.to_thread(int))  # what this imports, the other user may not read
os.setuid(65534)
asyncio.run(main())
"""


def _looked_at_by_another_user(path: Path) -> str:
    """What somebody sees who may read and not write."""
    for folder in (path.parent, *path.parents):
        if folder != Path("/tmp") and folder.owner() == "root" and folder.is_relative_to("/tmp"):
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", LOOKER, str(path)], capture_output=True, text=True, env=_environment(), timeout=HUNG
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_looking_needs_no_right_to_write(path: Path) -> None:
    """While nobody writes, while somebody does, and where a killed process left its log behind."""
    ledger = SqliteLedger(path)
    await ledger.answers.put(entry("a"), spent=0.5)
    ledger.close()
    assert _looked_at_by_another_user(path) == "1 0.5 0"
    ledger = SqliteLedger(path)
    await ledger.answers.put(entry("b"), spent=0.5)
    assert _looked_at_by_another_user(path) == "2 1.0 0"
    log = path.with_name(f"{path.name}-wal")
    left = log.read_bytes()
    before = path.read_bytes()
    ledger.close()
    log.write_bytes(left)
    path.write_bytes(before)
    assert _looked_at_by_another_user(path) == "2 1.0 0"

"""A damaged ledger: every row that SQLite can still give is saved, the others are named, and the damaged file stays."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from finetune_prep.errors import FinetunePrepError, LedgerDamaged, UsageError
from finetune_prep.ledger.opening import look_at_ledger
from finetune_prep.ledger.rescue.rescue import rescue, rescue_beside
from tests.ledger.damages import ANSWERS, ODD_ROWS, Damage, filled, headless, readable, scratched, truncated, zeroed
from tests.ledger.dated import answered, asked
from tests.ledger.former_ledgers import Row, write_former_ledger
from tests.ledgers import entries
from tests.soak import SOAK

DAMAGES: dict[str, Damage] = {
    **{f"scratched {seed}": scratched(seed) for seed in range(1000 if SOAK else 24)},
    **{f"zeroed {seed}": zeroed(seed) for seed in range(200 if SOAK else 6)},
    **{f"truncated to {share}": truncated(share) for share in (0.95, 0.7, 0.3, 0.05, 0.0)},
    "headless": headless,
    **ODD_ROWS,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("whole") / "ledger.sqlite")


def kept(path: Path) -> dict[str, bytes]:
    """Answers by key, as JSON."""

    async def read() -> dict[str, bytes]:
        async with look_at_ledger(path) as ledger:
            return {entry.key: msgspec.json.encode(entry) for entry in await entries(ledger)}

    return asyncio.run(read())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_all_that_can_be_read_is_saved(damage: Damage, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(whole.read_bytes())
    before = kept(path)
    damage(path)
    damaged = path.read_bytes()
    given = readable(path)
    try:
        done = rescue(path)
    except FinetunePrepError as error:
        assert isinstance(error, LedgerDamaged) or not damaged
        assert not given, "there was something to save"
        assert path.read_bytes() == damaged
        return
    after = kept(path)
    changed = [key for key, entry in after.items() if before.get(key) != entry]
    assert not changed or done.sound, "nothing is saved that was another before"
    lost = {row.id for row in done.lost if row.what == "answer"}
    assert len(after) + len(given & lost) >= len(given)
    assert len(after) + len(lost) >= ANSWERS or done.notes, (
        "each that is not saved is named, or it is said that some may be missing"
    )
    assert all(row.why != "SQLite cannot read it" for row in done.lost if row.what == "answer" and row.id in given)
    if done.sound:
        assert path.read_bytes() == damaged
        return
    assert Path(done.damaged).read_bytes() == damaged
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert {file.name for file in tmp_path.glob("*.sqlite")} == {"ledger.damaged-1.sqlite", "ledger.sqlite"}
    assert rescue(path).sound


def test_a_copy_that_is_damaged_is_rescued_beside_it(whole: Path, tmp_path: Path) -> None:
    """The same rows are saved as of a project's ledger; the copy itself stays as it is, and a second time it says so."""
    path, own = tmp_path / "backup.db", tmp_path / "own" / "ledger.sqlite"
    own.parent.mkdir()
    for file in (path, own):
        file.write_bytes(whole.read_bytes())
        scratched(3)(file)
    damaged = path.read_bytes()
    done, same = rescue_beside(path), rescue(own)
    assert (done.sound, done.saved, done.lost, done.damaged) == (False, same.saved, same.lost, str(path))
    assert path.read_bytes() == damaged
    written = tmp_path / "backup.rescued.sqlite"
    assert done.written == str(written)
    assert kept(written) == kept(own)
    assert {file.name for file in tmp_path.iterdir()} == {"backup.db", "backup.rescued.sqlite", "own"}
    with pytest.raises(UsageError, match="there already"):
        rescue_beside(path)


def test_of_a_copy_that_is_whole_or_cannot_be_read_nothing_is_written(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "backup.db"
    path.write_bytes(whole.read_bytes())
    assert rescue_beside(path).sound
    path.write_bytes(b"\x00" * 9000)
    with pytest.raises(LedgerDamaged, match="nothing in this file"):
        rescue_beside(path)
    assert [file.name for file in tmp_path.iterdir()] == ["backup.db"]
    with pytest.raises(UsageError, match="no such file"):
        rescue_beside(tmp_path / "nowhere.db")


def test_a_whole_ledger_stays_as_it_is(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(whole.read_bytes())
    done = rescue(path)
    assert done.sound
    assert done.saved["answer"] == ANSWERS
    assert (done.saved["question of a batch"], done.saved["search or page"], done.saved["batch at a provider"]) == (25, 8, 1)
    assert path.read_bytes() == whole.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite"]


def test_a_row_is_lost_by_its_name_and_everything_else_is_as_it_was(whole: Path, tmp_path: Path) -> None:
    """Money, rounds, the batch at a provider and the order of answers included."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(whole.read_bytes())
    connection = sqlite3.connect(path)
    tables = ("entry", "text", "round", "asked", "submission", "fetched", "aside", "money")
    before = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    key = connection.execute("SELECT key FROM entry WHERE id = 50").fetchone()[0]
    connection.execute("UPDATE entry SET reply = '{not json' WHERE id = 50")
    connection.commit()
    connection.close()
    done = rescue(path)
    (lost,) = done.lost
    assert (lost.what, lost.id, lost.key, done.saved["answer"]) == ("answer", 50, key[:12], ANSWERS - 1)
    assert "judge · pilot-001" in lost.about
    connection = sqlite3.connect(path)
    for table in tables:
        rows = [row for row in before[table] if table != "entry" or row[0] != 50]
        assert connection.execute(f"SELECT * FROM {table}").fetchall() == rows, table


def test_what_only_the_log_holds_is_saved(whole: Path, tmp_path: Path) -> None:
    """A killed process left its log; the damage is in the file."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(whole.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE entry SET reply = '{not json' WHERE id = 50")
    connection.execute("UPDATE money SET lost = 3.5")
    connection.commit()
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in (path, path.with_name("ledger.sqlite-wal")):
        (killed / file.name).write_bytes(file.read_bytes())
    connection.close()
    done = rescue(killed / "ledger.sqlite")
    assert [row.id for row in done.lost] == [50]
    saved = sqlite3.connect(killed / "ledger.sqlite")
    assert saved.execute("SELECT lost FROM money").fetchone() == (3.5,)
    assert saved.execute("SELECT count(*) FROM entry").fetchone() == (ANSWERS - 1,)


def test_it_may_be_done_twice(whole: Path, tmp_path: Path) -> None:
    """Each damaged file keeps a name of its own."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(whole.read_bytes())
    for number in (1, 2):
        ODD_ROWS["a reply that is no JSON"](path)
        assert Path(rescue(path).damaged).name == f"ledger.damaged-{number}.sqlite"
    assert len(kept(path)) == ANSWERS - 2


@pytest.mark.parametrize("version", [1, 2])
def test_a_ledger_of_an_earlier_version(version: int, tmp_path: Path) -> None:
    """It is brought to the present form on the way; an answer that is found under another key today is found under that."""
    path = tmp_path / "ledger.sqlite"
    day = "2026-11-22" if version == 1 else ""
    names = ("anchors", "a rubric", "guards")
    rows = [Row(found.request, name, found.reply, 0.25) for name in names for found in (answered(name, day, said=name),)]
    write_former_ledger(path, rows, version=version, asked=[(asked("later", day), "later")])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE entry SET reply = '{' WHERE id = 2")
    connection.commit()
    connection.close()
    done = rescue(path)
    assert ([lost.id for lost in done.lost], done.saved) == ([2], {"answer": 2, "question of a batch": 1, "round": 1})
    assert kept(path) == {found.key: msgspec.json.encode(found) for found in (answered(name, said=name) for name in names[::2])}
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT total(spent) FROM entry").fetchone() == (0.5,)
    assert [key for (key,) in connection.execute("SELECT key FROM asked")] == [asked("later").key]
    connection.close()
    assert rescue(path).sound

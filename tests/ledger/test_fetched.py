"""What came back from the web is kept in the ledger's file, goes with recordings, and is never replaced."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep.errors import DocumentError
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.recording import export_recording, import_recording, read_fetched, write_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from tests.ledgers import pages
from tests.models.examples import entry

PAGE = Fetched(
    kind="page",
    asked=("https://larch.example/",),
    body=b"<p>\xff\x00",
    place="https://larch.example/home",
    type="text/html",
    charset="latin-1",
    at="2026-11-22T10:00:00Z",
)
SEARCH = Fetched(
    kind="search", asked=("tavily", "larch 2026", "8"), body='{"results": ["ü"]}'.encode(), at="2026-11-22T09:00:00Z"
)
GONE = Fetched(kind="page", asked=("https://gone.example/",), failure="not fetched: HTTP 404", at="2026-11-22T10:00:00Z")
ROWS = (PAGE, SEARCH, GONE)
rows = st.builds(
    Fetched,
    kind=st.sampled_from(["search", "page"]),
    asked=st.lists(st.text(max_size=20), min_size=1, max_size=3).map(tuple),
    body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode),
    failure=st.text(max_size=20),
    type=st.text(max_size=20),
)


async def test_what_is_kept_is_there_after_reopening(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    await ledger.fetched.keep(ROWS)
    ledger.close()
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    assert [await ledger.fetched.get(row.key) for row in ROWS] == list(ROWS)
    assert await ledger.fetched.get("0" * 32) is None
    assert sorted(await pages(ledger.fetched), key=lambda row: row.key) == sorted(ROWS, key=lambda row: row.key)
    assert await ledger.fetched.searched_with() == ("tavily",)
    ledger.close()


async def test_the_first_answer_stays(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    await ledger.fetched.keep([GONE])
    await ledger.fetched.keep([Fetched(kind="page", asked=GONE.asked, body=b"back again")])
    assert await ledger.fetched.get(GONE.key) == GONE
    ledger.close()


async def test_a_ledger_of_an_earlier_version_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    SqliteLedger(path).close()
    with apsw.Connection(str(path)) as connection:
        connection.execute("DROP TABLE fetched")
    connection.close()
    ledger = SqliteLedger(path)
    await ledger.fetched.keep([PAGE])
    assert await ledger.fetched.get(PAGE.key) == PAGE
    ledger.close()


async def test_recordings_carry_it(tmp_path: Path) -> None:
    """Export, import into an empty ledger, export: the same file. Importing again adds nothing."""
    first, second = SqliteLedger(tmp_path / "1.sqlite"), SqliteLedger(tmp_path / "2.sqlite")
    await first.answers.put_all([entry()])
    await first.fetched.keep(ROWS)
    assert (await export_recording(first, tmp_path / "a.jsonl"))[0] == 1
    done = [await import_recording(second, tmp_path / "a.jsonl") for _ in range(2)]
    assert [(imported.added, imported.known, imported.fetched) for imported in done] == [(1, 0, 3), (0, 1, 0)]
    await export_recording(second, tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert (tmp_path / "a.jsonl").read_text().startswith('{"recording":3}\n')
    first.close()
    second.close()


def test_a_recording_without_the_web_holds_no_pages(tmp_path: Path) -> None:
    write_recording([entry()], tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text().startswith('{"recording":3}\n')
    assert read_fetched(tmp_path / "a.jsonl") == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(rows, max_size=4, unique_by=lambda row: row.key))
def test_any_bytes_come_through_a_recording(tmp_path: Path, given_rows: list[Fetched]) -> None:
    write_recording([], tmp_path / "a.jsonl", given_rows)
    assert sorted(read_fetched(tmp_path / "a.jsonl"), key=lambda row: row.key) == sorted(given_rows, key=lambda row: row.key)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (SEARCH.key, "0" * 32, "is not the key of what was asked"),
        ('"body"', '"bytes"', "neither `body` nor `base64`"),
        ('"kind":"search"', '"kind":"mail"', "Invalid enum value"),
        ('"asked":["tavily"', '"asked":[3', "Expected `str`"),
    ],
)
async def test_a_changed_line_is_named_and_nothing_is_taken_in(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "a.jsonl"
    write_recording([], path, [SEARCH])
    path.write_text(path.read_text().replace(old, new))
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    with pytest.raises(DocumentError) as caught:
        await import_recording(ledger, path)
    assert caught.value.details[0].startswith("a.jsonl:2: ")
    assert words in caught.value.details[0]
    assert list(await pages(ledger.fetched)) == []
    ledger.close()

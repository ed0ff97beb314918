"""Recordings: the same entries give the same bytes, and every wrong line is named."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Parameters, Reply, Request, Schema, Usage
from finetune_prep.errors import DocumentError
from finetune_prep.ledger.packing import Packer, RepeatedTexts, unpack_reply, unpack_request
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import export_recording, import_recording, read_recording, write_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from tests.ledgers import entries
from tests.models.examples import entry, request

texts = st.one_of(st.text(max_size=30), st.text(min_size=201, max_size=230))
requests = st.builds(
    Request,
    role=st.sampled_from(["user", "judge"]),
    phase=st.just("pilot-001"),
    origin=st.builds(Origin, about=texts, scenario=st.text(max_size=5), turn=st.integers(0, 9), attempt=st.integers(1, 2)),
    model=st.sampled_from(["larch-1", "larch/2"]),
    messages=st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts), max_size=4).map(tuple),
    schema=st.none()
    | st.builds(Schema, st.just("v"), st.dictionaries(st.text(max_size=5), st.integers(0, 9) | texts, max_size=3)),
    parameters=st.builds(
        Parameters, temperature=st.none() | st.floats(0, 2) | st.integers(0, 2), max_tokens=st.none() | st.integers(1, 9)
    ),
    sample=st.text(max_size=5),
)
replies = st.builds(
    Reply,
    text=texts,
    problem=st.sampled_from([None, "truncated", "rejected"]),
    usage=st.builds(Usage, input=st.none() | st.integers(0, 9)),
    cost=st.none() | st.floats(0, 1),
)


@given(requests, replies)
def test_packing_loses_nothing(request: Request, reply: Reply) -> None:
    """Unpacking what was packed gives the same values and the same key, also through JSON."""
    packer = Packer()
    packed = msgspec.json.decode(msgspec.json.encode([packer.request(request), packer.reply(reply)]))
    again = unpack_request(packed[0], packer.texts.__getitem__)
    assert again == request
    assert again.key == request.key
    assert unpack_reply(packed[1], packer.texts.__getitem__) == reply


@given(st.lists(st.builds(Entry, requests, replies), max_size=5, unique_by=lambda found: found.key))
def test_the_same_entries_give_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    """Order does not matter, and reading gives back what was written."""
    folder = tmp_path_factory.mktemp("recordings")
    write_recording(entries, folder / "a.jsonl")
    write_recording(reversed(entries), folder / "b.jsonl")
    assert (folder / "a.jsonl").read_bytes() == (folder / "b.jsonl").read_bytes()
    assert sorted(read_recording(folder / "a.jsonl"), key=lambda e: e.key) == sorted(entries, key=lambda e: e.key)


async def test_export_import_export(tmp_path: Path) -> None:
    """A recording imported into an empty ledger and exported again is the same file; long texts stand in it once."""
    shared = "Ask one thing, then wait. " * 20
    first, second = SqliteLedger(tmp_path / "1.sqlite"), SqliteLedger(tmp_path / "2.sqlite")
    await first.answers.put_all([entry(messages=(Message("system", shared), Message("user", str(n)))) for n in range(20)])
    assert (await export_recording(first, tmp_path / "a.jsonl"))[0] == 20
    imported = await import_recording(second, tmp_path / "a.jsonl")
    assert (imported.added, imported.known) == (20, 0)
    await export_recording(second, tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert (tmp_path / "a.jsonl").read_text().count(shared) == 1
    imported = await import_recording(second, tmp_path / "a.jsonl")
    assert (imported.added, imported.known) == (0, 20)
    assert await second.money.spent() == 0
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{oops", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"recording": 7}', "upgrade"),
        ('{"text": "00", "body": "x"}', "its hash is"),
        ('{"hello": 1}', "neither a text"),
        ('{"key": "0", "request": {"messages": 3}, "reply": {}}', "`messages`"),
        ("[" * 100_000, "ecursion"),
    ],
)
async def test_wrong_lines_are_named(tmp_path: Path, line: str, words: str) -> None:
    """`file:line` and the reason; nothing of the file is imported."""
    path = tmp_path / "recording.jsonl"
    write_recording([entry()], path)
    path.write_text(path.read_text() + line + "\n")
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    with pytest.raises(DocumentError, match="1 unreadable line") as caught:
        await import_recording(ledger, path)
    assert caught.value.details[0].startswith("recording.jsonl:3: ")
    assert words in caught.value.details[0]
    assert list(await entries(ledger)) == []
    ledger.close()


def test_a_forged_key_is_found(tmp_path: Path) -> None:
    """An answer cannot be put under the key of another request, and a text cannot be left out."""
    path = tmp_path / "recording.jsonl"
    write_recording([entry("x" * 300)], path)
    head, text, row = path.read_text().splitlines()
    path.write_text("\n".join([head, text, row.replace(entry("x" * 300).key, "0" * 32)]))
    with pytest.raises(DocumentError, match="not the key of this request"):
        read_recording(path)
    path.write_text("\n".join([head, row]))
    with pytest.raises(DocumentError, match="which no line above holds"):
        read_recording(path)


def test_texts_that_come_up_once_are_written_out() -> None:
    """In a ledger's rows only what comes up again is referred to; both forms are read alike."""
    packer = RepeatedTexts()
    prompt, own = "You judge. " * 40, "The bowl came cracked. " * 20
    first = request(messages=(Message("system", prompt), Message("user", own + "1")))
    second = request(messages=(Message("system", prompt), Message("user", own + "2")))
    packed = [msgspec.json.decode(msgspec.json.encode(packer.request(one))) for one in (first, second)]
    texts = packer.take_texts()
    assert list(texts.values()) == [prompt]
    assert packer.take_texts() == {}
    assert [message["content"] for message in packed[0]["messages"]] == [prompt, own + "1"]
    assert packed[1]["messages"][1]["content"] == own + "2"
    assert [unpack_request(one, texts.__getitem__) for one in packed] == [first, second]

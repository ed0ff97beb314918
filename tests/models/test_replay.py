"""Recordings as a provider: the same run with the network off, and what a missing request is told about."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Parameters
from finetune_prep.errors import ConfigError, NotInRecording
from finetune_prep.ledger.recording import export_recording, write_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.providers.closest_request import describe_difference, nearest
from finetune_prep.project.config import RoleSettings
from tests.fake_endpoint import Completion, FakeEndpoint
from tests.models.examples import MODEL, config, entry, request


async def test_a_run_replays_without_the_network(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The replies of a recording are those of the run, cost and times included, and replaying costs nothing."""
    asked = [request(str(n)) for n in range(20)]
    with FakeEndpoint(lambda call: Completion(call.text * 300)) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            replies = await door.ask_all(asked)
    await export_recording(ledger, tmp_path / "recording.jsonl")
    fresh = SqliteLedger(tmp_path / "fresh.sqlite")
    async with open_door(config(), fresh, tmp_path, provider="recording") as door:
        assert await door.ask_all(asked) == replies
    assert await fresh.money.spent() == 0
    await export_recording(fresh, tmp_path / "again.jsonl")
    fresh.close()
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "recording.jsonl").read_bytes()


async def test_a_missing_request_is_told_with_the_nearest(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Which request, what the recording holds instead, the first line that differs, and the next command."""
    text = "Conversation 7\nThe bowl came cracked.\nAgain!"
    recorded = [
        entry("Something else entirely", about="conversation 1"),
        entry(text, about="conversation 7"),
        entry(text.replace("cracked", "chipped"), about="a page", phase="research", role="expert"),
    ]
    write_recording(recorded, tmp_path / "recording.jsonl")
    async with open_door(config(), ledger, tmp_path, provider="recording") as door:
        with pytest.raises(NotInRecording) as caught:
            await door.ask(request(text.replace("cracked", "chipped \x1b[31m"), about="conversation 7"))
        assert (await door.ask(request(text))).text == "yes", "one missing request does not stop the door"
    told = str(caught.value)
    assert told.startswith("pilot-001 · judge · conversation 7: ")
    assert "the nearest request in it is pilot-001 · judge · conversation 7" in told
    assert "message 2 (user), line 2:" in told
    assert "recorded: The bowl came cracked." in told
    assert "asked:    The bowl came chipped \ufffd[31m." in told
    assert "what else is missing: finetune-prep ledger missing" in told
    assert told.endswith("next: run the same command without --provider recording")


@pytest.mark.parametrize("empty", [False, True])
async def test_whoever_asks_something_new_of_a_recording_is_told_to_name_a_model(
    empty: bool, ledger: SqliteLedger, tmp_path: Path
) -> None:
    """Where the settings name the recording: in which tables another model has to stand, and what to type then. The difference
    from some request of another kind would explain nothing."""
    write_recording([] if empty else [entry(phase="research", role="expert")], tmp_path / "recording.jsonl")
    replayed = RoleSettings(model=f"recording/{MODEL}")
    roles = {"expert": RoleSettings(model=f"larch/{MODEL}"), "user": replayed, "assistant": replayed, "judge": replayed}
    async with open_door(msgspec.structs.replace(config(), roles=roles), ledger, tmp_path) as door:
        with pytest.raises(NotInRecording) as caught:
            await door.ask(request("Was it ever whole?", phase="probe"))
    what, found, advice, step = str(caught.value).splitlines()
    assert "answers come from a recording here, and recording.jsonl has no answer to this request" in what
    assert found == (
        "  it is empty" if empty else "  nothing of the kind was ever asked: it holds no request of the judge for probe"
    )
    assert "in finetune-prep.toml: under [roles.user], [roles.assistant], [roles.judge], write model = " in advice
    assert 'instead of "recording/…"' in advice
    assert "--provider batch" in advice
    assert step == "next: finetune-prep doctor, once a model is named, and then the same command again"


async def test_an_empty_recording_and_none_are_told(ledger: SqliteLedger, tmp_path: Path) -> None:
    async with open_door(config(), ledger, tmp_path, provider="recording") as door:
        with pytest.raises(ConfigError, match=r"there is no recording recording\.jsonl"):
            await door.ask(request())
    write_recording([], tmp_path / "recording.jsonl")
    async with open_door(config(), ledger, tmp_path, provider="recording") as door:
        with pytest.raises(NotInRecording, match="has no answer to this request"):
            await door.ask(request())


def test_differences_are_named() -> None:
    """Settings first; then the number of messages, the speaker, or the first line that differs."""
    base = request("a\nb")
    cases = {
        "model: recorded larch-1, asked larch-2": request("a\nb", model="larch-2"),
        "sample: recorded none, asked 2": request("a\nb", sample="2"),
        "parameters: recorded max_tokens=100, asked temperature=0.5": request("a\nb", parameters=Parameters(temperature=0.5)),
        "messages: recorded 2, asked 1": request(messages=base.messages[:1]),
        "message 1: recorded by system, asked by user": request(messages=(Message("user", "You judge."), base.messages[1])),
        "asked:    (no such line)": request("a"),
        "asked:    " + "c" * 99 + "…": request("a\n" + "c" * 200),
    }
    for words, asked in cases.items():
        assert words in "\n".join(describe_difference(base, asked))


def test_the_nearest_shares_role_and_phase_before_text() -> None:
    """The same text in another role is less near than another text in the same role."""
    same_role = request("The vase came cracked.", about="x")
    same_text = request("The bowl came cracked.", role="user")
    asked = request("The bowl came cracked!")
    assert nearest(asked, [same_text, same_role]) == same_role
    assert nearest(asked, [same_role, request("Where is my parcel?"), same_text]) == same_role
    assert nearest(asked, []) is None

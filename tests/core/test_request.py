"""The key of a request: everything that shapes the answer is in it, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.conversation import Message
from finetune_prep.core.identity import DIGEST_LENGTH, digest
from finetune_prep.core.request import KEY_VERSION, Origin, Parameters, Reply, Request, Schema
from tests.soak import examples

laws = settings(max_examples=examples(40))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def schema(*names: str) -> Schema:
    return Schema("verdict", {"type": "object", "properties": {name: {"type": "string"} for name in names}})


BASE = Request(
    role="judge",
    phase="pilot",
    origin=Origin(run="pilot-001", scenario="3f2a", turn=2),
    model="larch-1",
    messages=(Message("system", "You judge."), Message("user", "Is it broken?")),
    schema=schema("evidence", "answer"),
    parameters=Parameters(temperature=0.5, max_tokens=100),
    sample="3f2a",
)


def key_with(**changes: Any) -> str:
    return msgspec.structs.replace(BASE, **changes).key


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "larch-2"},
        {"messages": (Message("system", "You judge!"), Message("user", "Is it broken?"))},
        {"messages": (Message("user", "You judge."), Message("user", "Is it broken?"))},
        {"messages": (Message("user", "Is it broken?"), Message("system", "You judge."))},
        {"messages": (Message("system", "You judge.Is it broken?"),)},
        {"messages": ()},
        {"schema": None},
        {"schema": schema("answer", "evidence")},
        {"schema": Schema("other", schema("evidence", "answer").schema)},
        {"schema": schema("evidence", "answer", "note")},
        {"parameters": Parameters(temperature=0.5)},
        {"parameters": Parameters(temperature=0.6, max_tokens=100)},
        {"parameters": Parameters(temperature=None, top_p=0.5, max_tokens=100)},
        {"parameters": Parameters(temperature=0.5, max_tokens=100, reasoning_effort="low")},
        {"sample": "3f2b"},
        {"sample": ""},
    ],
    ids=str,
)
def test_whatever_shapes_the_answer_changes_the_key(changes: dict[str, Any]) -> None:
    assert key_with(**changes) != BASE.key


@laws
@given(st.sampled_from(["expert", "user", "assistant", "judge", "reviser"]), texts, st.builds(Origin))
def test_role_phase_and_origin_do_not_change_the_key(role: str, phase: str, origin: Origin) -> None:
    assert key_with(role=role, phase=phase, origin=origin) == BASE.key


@laws
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), max_size=4), texts, texts)
def test_equal_requests_have_equal_keys_and_others_have_others(messages: list[tuple[Any, str]], model: str, sample: str) -> None:
    built = [key_with(messages=tuple(Message(*pair) for pair in messages), model=model, sample=sample) for _ in range(2)]
    assert built[0] == built[1]
    assert key_with(messages=tuple(Message(*pair) for pair in messages), model=model + "x", sample=sample) != built[0]


@laws
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), max_size=4), texts, st.booleans())
def test_a_key_is_the_hash_of_its_canonical_json(messages: list[tuple[Any, str]], sample: str, free: bool) -> None:
    """However it is put together: what most requests begin with is hashed once."""
    request = msgspec.structs.replace(
        BASE, messages=tuple(Message(*pair) for pair in messages), sample=sample, schema=None if free else BASE.schema
    )
    assert request.key == digest(
        {
            "version": KEY_VERSION,
            "model": request.model,
            "messages": messages,
            "schema": request.schema.written if request.schema else "null",
            "parameters": request.parameters,
            "sample": sample,
        }
    )


def test_text_may_not_wander_between_fields_unseen() -> None:
    """Neighbouring fields run together would give one key to two requests."""
    assert key_with(model="larch", sample="-13f2a") != key_with(model="larch-1", sample="3f2a")


def test_a_whole_number_and_its_float_are_the_same_setting() -> None:
    assert Parameters(temperature=0) == Parameters(temperature=0.0)
    assert key_with(parameters=Parameters(temperature=1, top_p=1)) == key_with(parameters=Parameters(temperature=1.0, top_p=1.0))


def test_a_key_fits_into_the_custom_id_of_a_batch() -> None:
    assert len(BASE.key) == DIGEST_LENGTH <= 64
    assert set(BASE.key) <= set("0123456789abcdef")


def test_keys_are_the_same_on_every_machine_and_in_every_version() -> None:
    """Frozen: a change here makes every ledger and every recording worthless."""
    assert BASE.key == "4fcef2c1a059e6ee130262ee7138fc61"


def test_a_changed_copy_does_not_inherit_the_key() -> None:
    assert BASE.key  # computed once and kept
    assert msgspec.structs.replace(BASE, sample="again").key != BASE.key


def test_a_request_survives_json_with_its_key() -> None:
    copy = msgspec.json.decode(msgspec.json.encode(BASE), type=Request)
    assert (copy, copy.key) == (BASE, BASE.key)


def test_a_place_names_what_is_known_of_phase_role_and_item() -> None:
    assert BASE.place == "pilot · judge · pilot-001 · 3f2a · exchange 2"
    assert msgspec.structs.replace(BASE, origin=Origin()).place == "pilot · judge"


@pytest.mark.parametrize(
    ("origin", "label"),
    [
        (Origin("domain frameworks"), "domain frameworks"),
        (Origin("domain frameworks", revision=2), "domain frameworks, revision 2"),
        (Origin("rubric.unambiguous", "Next step", attempt=2), "rubric.unambiguous · Next step"),
        (Origin(run="pilot-001", scenario="3f2a"), "pilot-001 · 3f2a"),
        (Origin(), ""),
    ],
)
def test_a_label_is_one_line_for_people(origin: Origin, label: str) -> None:
    assert origin.label == label


def test_a_reply_is_written_without_what_nobody_said() -> None:
    assert msgspec.json.encode(Reply(text="yes")) == b'{"text":"yes"}'

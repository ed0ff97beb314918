"""Prompts of the phases: slots are filled in one pass, and neither a missing slot nor text that looks like one gets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finetune_prep.errors import UsageError
from finetune_prep.phases.drafting.prompt_files import BUILT_IN, DIVIDER, Prompt, message, messages, slot
from finetune_prep.phases.drafting.prompt_files import slots_of as slots_in

SINGLE = {"revise", "converse-card", "evaluate-user", "evaluate-assistant"}  # one message within a talk, or a part of one
NAMES = sorted({name for name in BUILT_IN if "." not in name} - SINGLE)
ATTACKS = [
    "{{ brief }}",
    "{{ 7 * 7 }}",
    "{% for x in y %}",
    "{# gone #}",
    "{% raw %}",
    DIVIDER,
    "{{ ''.__class__ }}",
    "${x} %s {x}",
]


def slots_of(name: str, value: Any) -> dict[str, Any]:
    text = BUILT_IN[name].read_text("utf-8")
    thing = {"id": "PR1", "kind": "situation", "name": value, "text": value, "experts": 2, "claims": ""}
    listed = {
        "turns": [{"speaker": "You", "text": value, "role": "user", "content": value, "gap": value}],
        "first": [{"turn": 1, "speaker": "user", "text": value}],
        "second": [{"turn": 1, "speaker": "user", "text": value}],
        "situations": [{"text": value, "material": value}],
        "exchanges": [{"gap": value, "hints": [value]}],
        "panel": [{"id": "PR1", "text": value}],
        "hints": [value],
        "sources": [],
        "things": [thing],
        "own": [thing],
        "common": [{"id": "AF1", "name": "invents", "says": value}],
        "points": [{"item": "CP1", "what": value, "fix": value, "weight": "advice", "by": "a reader"}],
        "objections": [{"number": "O1", "item": "CP1", "what": value, "fix": value, "by": "a reader"}],
        "items": [("CP1", "A question")],
        "lists": ["categories"],
    }
    return {slot: listed.get(slot, value) for slot in slots_in(text)}


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_prompt_is_a_system_and_a_user_message_with_its_slots_filled(name: str, tmp_path: Path) -> None:
    system, user = messages(name, tmp_path, **slots_of(name, "what was put in"))
    assert (system.role, user.role) == ("system", "user")
    assert "what was put in" in system.content + user.content
    for text in (system.content, user.content):
        assert text == text.strip() != ""
        assert not any(sign in text for sign in ("{{", "{%", DIVIDER))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_and_an_unknown_slot_are_errors_that_name_it(name: str, tmp_path: Path) -> None:
    slots = slots_of(name, "x")
    with pytest.raises(UsageError, match=r"slot colour is not used"):
        messages(name, tmp_path, **slots, colour="red")
    for missing in slots:
        with pytest.raises(UsageError, match=f"unknown slot {missing}"):
            messages(name, tmp_path, **{slot: value for slot, value in slots.items() if slot != missing})


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", NAMES)
def test_text_that_is_put_in_is_never_read_as_a_template(name: str, attack: str, tmp_path: Path) -> None:
    said = f"before {attack} after"
    system, user = messages(name, tmp_path, **slots_of(name, said))
    assert said in system.content + user.content
    assert "before 49 after" not in system.content + user.content


def test_a_prompt_that_is_one_message_is_filled_in_the_same_way(tmp_path: Path) -> None:
    slots = slots_of("revise", "what {{ brief }} was put in")
    assert message("revise", tmp_path, **slots).count("what {{ brief }} was put in") == 4
    with pytest.raises(UsageError, match="takes no line"):
        message("judge", tmp_path, **slots_of("judge", "x"))
    with pytest.raises(UsageError, match="exactly once"):
        messages("revise", tmp_path, **slots)


def test_what_is_the_same_as_the_time_before_is_the_same_text(tmp_path: Path) -> None:
    """Thousands of requests begin with the same system message: it is put together, encoded and hashed once."""
    turns = [{"speaker": "user", "text": "My bowl came cracked."}]
    judge = Prompt("judge", tmp_path)
    first, one = judge.messages({"evaluation_prompt": "You judge.", "turns": turns, "case": ""})
    turns.append({"speaker": "assistant", "text": "The kiln room decides."})
    again, both = judge.messages({"evaluation_prompt": "You judge.", "turns": turns, "case": ""})
    assert again.content is first.content
    assert "The kiln room decides." in both.content
    assert "The kiln room decides." not in one.content
    other, _ = judge.messages({"evaluation_prompt": "You judge otherwise.", "turns": turns, "case": ""})
    assert other.content == "You judge otherwise."


def test_what_is_set_in_one_message_is_not_known_in_the_next(tmp_path: Path) -> None:
    (tmp_path / "own.md").write_text(f"{{% set bowl = name %}}a\n{DIVIDER}\n{{{{ bowl }}}}", "utf-8")
    with pytest.raises(UsageError, match="'bowl' is undefined"):
        messages("own", tmp_path, name="Ada")


LONG = {
    "brief",
    "frameworks",
    "rubric",
    "space",
    "sources",
    "text",
    "generation_prompt",
    "claims",
    "things",
    "draft",
    "category",
    "asked_for",
}


@pytest.mark.parametrize("name", NAMES)
def test_long_inputs_stand_after_what_never_changes(name: str, tmp_path: Path) -> None:
    """Providers cache the beginning of a prompt; one line of a document in it would spoil that."""
    slots = slots_of(name, "x")
    slots |= dict.fromkeys(LONG & set(slots) - {"sources", "things"}, "A WHOLE DOCUMENT")
    system, _ = messages(name, tmp_path, **slots)
    assert "A WHOLE DOCUMENT" not in system.content


def test_an_own_prompt_goes_before_the_built_in_one(tmp_path: Path) -> None:
    slots = slots_of("judge", "x")
    (tmp_path / "judge.md").write_text(
        f"{{{{ evaluation_prompt }}}}\n{DIVIDER}\nMine: {{{{ case }}}}{{{{ turns[0].text }}}}", "utf-8"
    )
    assert messages("judge", tmp_path, **slots)[1].content == "Mine: xx"
    (tmp_path / "judge.md").unlink()
    assert messages("judge", tmp_path, **slots)[1].content.startswith("The conversation, one turn a line:")


def test_an_own_prompt_may_come_from_any_editor(tmp_path: Path) -> None:
    (tmp_path / "own.md").write_bytes(b"\xef\xbb\xbfSystem\r\n\r\n<!-- user -->\r\nHello {{ name }}\r\n")
    system, user = messages("own", tmp_path, name="Ada")
    assert (system.content, user.content) == ("System", "Hello Ada")


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (f"a\n{DIVIDER}\n{{{{ name }}}}\n{{% if %}}", ":4", "cannot be filled in"),
        (f"a\n{DIVIDER}\n{{{{ name }}}} {{{{ nmae }}}}", "", "unknown slot nmae"),
        (f"a\n{DIVIDER}\nnothing", "", "slot name is not used"),
        (f"a\n{DIVIDER}\n{{{{ name.missing }}}}", "", "has no attribute"),
        (f"a\n{DIVIDER}\n{{{{ name.__class__.__mro__ }}}}", "", "unsafe"),
        ("{{ name }}", "", "exactly once"),
        (f"a\n{DIVIDER}\n{{{{ name }}}}\n{DIVIDER}\nb", "", "exactly once"),
    ],
)
def test_an_own_prompt_that_cannot_be_filled_in_is_refused_with_its_path(
    tmp_path: Path, content: str, line: str, reason: str
) -> None:
    path = tmp_path / "own.md"
    path.write_text(content, "utf-8")
    with pytest.raises(UsageError, match=reason) as caught:
        messages("own", tmp_path, name="Ada")
    assert caught.value.where == f"{path}{line}"
    assert caught.value.next


def test_an_own_prompt_that_is_not_text_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "own.md").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8") as caught:
        messages("own", tmp_path, name="Ada")
    assert caught.value.where == str(tmp_path / "own.md")


def test_a_document_is_put_in_in_its_normal_form() -> None:
    assert slot("\ufeffOne paragraph  \r\non two lines.\n\n\n\nAnother.\n\n") == "One paragraph on two lines.\n\nAnother."

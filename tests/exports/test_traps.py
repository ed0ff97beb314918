"""Traps of trainers: each is found where it is, in every turn that it can be in, and a harmless text has none."""

from __future__ import annotations

import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.exports.traps import TRAPS, trap_in

TOKENS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<｜User｜>", "<｜end▁of▁sentence｜>",
    "<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<start_of_turn>",
    "<end_of_turn>", "<|turn>", "<turn|>", "[TOOL_CALLS]", "[gMASK]", "<BOS_TOKEN>", "<|START_OF_TURN_TOKEN|>",
]  # fmt: skip
THOUGHTS = ["<think>", "</think>", "<think>\n\n</think>", "<Thinking>", "<reasoning effort='low'>", "[THINK]"]
MEDIA = ["<image>", "<video>", "<audio>", "[IMG]", "<image_soft_token>"]
HARMLESS = [
    "a < b and c > d", "I <3 it", "x <- y |> f()", "if (a || b) { }", "<b>bold</b>", "<p>so</p>", "[1] and [note]", "1 <|2", "think!",
    "an image", "<strong>", "a|b|c", "`a <| b`", "List<String> | Set<String>", "<street>", "INST", "¯\\_(ツ)_/¯", "|> \u2028", "\u200b.",
]  # fmt: skip


def with_text(text: str, place: int) -> list[Message]:
    said = [Message("system", "You help."), Message("user", "Why?"), Message("assistant", "So.")]
    said[place] = Message(said[place].role, f"Look: {text} is it.")
    return said


def name_of(talk: list[Message]) -> str:
    trap = trap_in(talk)
    return trap.name if trap else ""


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    ("texts", "name"),
    [(TOKENS, "chat markup"), (THOUGHTS, "tags of thinking"), (MEDIA, "a placeholder for media"), (HARMLESS, "")],
)
def test_markup_is_found_in_every_turn_and_prose_and_code_are_left_alone(place: int, texts: list[str], name: str) -> None:
    assert {text: name_of(with_text(text, place)) for text in texts} == dict.fromkeys(texts, name)


@pytest.mark.parametrize("edge", [" ", "\n", "\t", "\u00a0", "\u2003"])
def test_white_space_around_a_reply_is_one_and_around_a_question_is_none(edge: str) -> None:
    for reply in (f"So.{edge}", f"{edge}So."):
        assert name_of([Message("user", "Why?"), Message("assistant", reply)]) == "white space around a reply"
    assert name_of([Message("user", f"{edge}Why?{edge}"), Message("assistant", "So.")]) == ""


@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\u200b", "\ufeff", "\x00", "\u2060\u00a0"])
def test_a_turn_that_shows_nothing_is_empty(blank: str) -> None:
    assert name_of([Message("user", blank), Message("assistant", "So.")]) == "an empty turn"
    assert name_of([Message("user", "Why?"), Message("assistant", blank)]) == "an empty turn"


@pytest.mark.parametrize(
    "roles",
    [
        (), ("system",), ("user",), ("assistant", "user"), ("user", "assistant", "assistant"), ("user", "user"),
        ("system", "system", "user", "assistant"), ("user", "system", "assistant"), ("user", "assistant", "system"),
        ("system", "assistant"), ("user", "assistant", "user"),
    ],
)  # fmt: skip
def test_turns_begin_with_the_user_and_end_with_the_assistant_behind_one_system_prompt(roles: tuple[str, ...]) -> None:
    talk = Conversation(tuple(Message(role, "text") for role in roles))  # type: ignore[arg-type]
    assert name_of([*talk.messages]) == "turns out of order"


def test_half_a_character_is_found_before_it_reaches_a_file() -> None:
    assert name_of([Message("user", "\ud83c"), Message("assistant", "So.")]) == "half a character"
    assert name_of([Message("user", "🏺"), Message("assistant", "So.")]) == ""


def test_each_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len({trap.name for trap in TRAPS}) == len(TRAPS)
    assert all(trap.does for trap in TRAPS)

"""What makes a conversation unusable before any judge sees it."""

from __future__ import annotations

import pytest

from finetune_prep.conversations.faults import COPIED_RUN, find_fault, odd_figures
from finetune_prep.core.conversation import Conversation, Message

REPLY = "Cracked on arrival: that is ours to mend. A new one leaves on 4 May."


def talk(*turns: str) -> Conversation:
    return Conversation(tuple(Message("user" if n % 2 == 0 else "assistant", turn) for n, turn in enumerate(turns)))


def fault_of(conversation: Conversation, *examples: Conversation) -> str:
    found = find_fault(conversation, examples)
    return found[0] if found else ""


def test_a_sound_conversation_has_no_fault() -> None:
    assert find_fault(talk("The bowl came cracked.", REPLY, "Again?", "On 4 May, by post.")) is None


@pytest.mark.parametrize(
    "roles",
    [(), ("user",), ("assistant", "user"), ("user", "user"), ("user", "assistant", "user"), ("system", "user", "assistant")],
)
def test_turns_must_alternate_from_the_user_to_the_assistant(roles: tuple[str, ...]) -> None:
    messages = tuple(Message(role, "text") for role in roles)  # type: ignore[arg-type]
    assert fault_of(Conversation(messages)) == "wrong order"


@pytest.mark.parametrize("nothing", ["", " \n\t", "\u200b", "\u2060 \ufeff", "\u00a0"])
def test_a_turn_in_which_nothing_can_be_seen_is_empty(nothing: str) -> None:
    assert find_fault(talk("Hello", REPLY, nothing, REPLY)) == ("empty turn", "turn 3 is empty")


@pytest.mark.parametrize("short", ["?", "🙂", "4", "。", "…"])
def test_a_turn_of_one_sign_is_not_empty(short: str) -> None:
    assert find_fault(talk(short, short)) is None


@pytest.mark.parametrize(
    "leak",
    [
        "<think>The customer is angry.</think>Hello",
        "<think>never closed",
        "Hello</think>",
        "<THINKING depth='2'>hm",
        "<scratchpad>",
        "Hello<|im_end|>",
        "<|reserved_special_token_5|>",
        "<｜end▁of▁sentence｜>",
        "<seed:think>plan</seed:think>Hello",
    ],
)
def test_reasoning_text_and_control_tokens_are_recognised_wherever_they_stand(leak: str) -> None:
    assert fault_of(talk("Hello", leak)) == "reasoning text"
    assert fault_of(talk(f"well, {leak}", REPLY)) == "reasoning text"


@pytest.mark.parametrize(
    "text", ["I think so.", "3 < 4 and 5 > 4", "<thinker's mug> is its name", "a <b> tag", "<| x |>", "|think|"]
)
def test_ordinary_text_is_not_taken_for_reasoning(text: str) -> None:
    assert find_fault(talk(text, text)) is None


@pytest.mark.parametrize(
    "label", ["User: hello", "**Assistant:** hello", "  assistant : hello", "AI: hello", "**Customer**: hello"]
)
def test_a_turn_that_begins_with_a_speaker_is_faulty(label: str) -> None:
    assert fault_of(talk("Hello", label)) == "speaker label"


@pytest.mark.parametrize(
    "text",
    [
        "Here it is.\n\nUser: and then?\nAssistant: On 4 May.",
        "Here it is.\n \n**Human:** thanks",
        "Yes.\n\n\nassistant: And more.",
    ],
)
def test_a_turn_that_goes_on_with_the_next_one_is_faulty(text: str) -> None:
    assert fault_of(talk("Hello", text)) == fault_of(talk(text, REPLY)) == "speaker label"


@pytest.mark.parametrize(
    "text",
    [
        "Users: we have many",
        "The user: that is you",
        "Assistants help",
        "aid: none",
        "Hello. User: x",
        "You wrote:\nUser: Jane\nOrder: 5",
    ],
)
def test_a_turn_that_merely_speaks_of_speakers_is_not(text: str) -> None:
    assert find_fault(talk("Hello", text)) is None


LONG = " ".join(f"word{n}" for n in range(COPIED_RUN))


def test_a_long_stretch_of_a_few_shot_is_found_across_case_and_punctuation() -> None:
    shot = talk("Hi", f"Before. {LONG}, after.")
    copied = talk("Hi", f"Something new: {LONG.upper().replace(' ', ', ')}!")
    assert fault_of(copied, talk("x", "short"), shot) == "copied text"
    assert find_fault(copied, [talk("x", "short")]) is None


@pytest.mark.parametrize(
    ("taught", "own"),
    [
        (
            "破损的碗可以在三十天内退换，请先把照片发给我们，之后会寄出新的。",
            "运费由我们承担，您不用再寄回旧碗，扔掉就好，谢谢您的耐心。",
        ),
        (
            "割れた茶碗は三十日以内に交換しますので、写真をお送りください。",
            "送料はこちらで負担しますから、古い茶碗は捨ててくださいね。",
        ),
        (
            "ชามที่แตกสามารถคืนได้ภายในสามสิบวัน กรุณาส่งรูปถ่ายมาให้เราก่อน แล้วเราจะส่งใบใหม่ให้",
            "ค่าส่งทางร้านเป็นผู้รับผิดชอบ ไม่ต้องส่งใบเก่ากลับมา ขอบคุณที่รอนะคะ ทางร้านจะรีบดำเนินการ",
        ),
    ],
)
def test_a_copy_is_found_in_scripts_without_spaces(taught: str, own: str) -> None:
    shot = talk("?", taught)
    assert fault_of(talk("?", taught), shot) == "copied text"
    assert find_fault(talk("?", own), [shot]) is None
    assert find_fault(talk("?", taught[: len(taught) // 2] + own), [shot]) is None


def test_a_stretch_one_word_shorter_is_no_copy() -> None:
    shorter = LONG.rpartition(" ")[0]
    assert find_fault(talk("Hi", f"{shorter} otherwise"), [talk("Hi", f"{LONG} after")]) is None


def test_one_set_sentence_in_a_talk_of_its_own_words_is_no_copy() -> None:
    own = " ".join(f"own{n}" for n in range(COPIED_RUN + 1))
    assert find_fault(talk("Hi", f"{LONG} {own}"), [talk("Hi", f"{LONG} after")]) is None
    assert find_fault(talk("Hi", LONG, "And?", own), [talk("Hi", f"{LONG} after")]) is None
    assert fault_of(talk("Hi", LONG, "And?", LONG, "And?", own), talk("Hi", f"{LONG} after")) == "copied text"


def test_what_the_user_of_a_few_shot_says_may_be_said_again() -> None:
    assert find_fault(talk("Hi", LONG), [talk(LONG, "short")]) is None


def test_faults_are_looked_for_from_the_gravest_on() -> None:
    assert fault_of(Conversation((Message("assistant", ""),))) == "wrong order"


KNOWN = ("The shop is at shop.example.", "Poison line: 01 406 43 43 (day and night)", "Postage: €6.90 ()", "Bowl: 28 euros ()")


@pytest.mark.parametrize(
    ("user", "reply", "contact"),
    [
        ("I swallowed glaze!", "Call 01 406 43 43 now.", ""),
        ("I swallowed glaze!", "Call 01/4064343 now.", ""),
        ("I swallowed glaze!", "Call 01 406 43 44 now.", "telephone number “01 406 43 44”"),
        ("My number is 0664 123 45 67.", "We call you at 0664 123 45 67 today.", ""),
        ("Where do I write to?", "Write to help@shop.example.", "mail address “help@shop.example”"),
        ("I wrote to help@shop.example.", "Thank you for writing to help@shop.example.", ""),
        ("Where is the sheet?", "Here: https://shop.example/care", "link “https://shop.example/care”"),
        ("It came on 2026-05-04 with 3 chips.", "On 2026-05-04, 3 chips: a new one leaves on 4 May.", ""),
    ],
)
def test_a_contact_that_stands_in_no_fact_and_no_message_is_a_fault(user: str, reply: str, contact: str) -> None:
    found = find_fault(talk(user, reply), known=KNOWN)
    assert found == (
        ("unknown contact", f"turn 2 gives the {contact}, which stands in no fact and no message") if contact else None
    )
    assert find_fault(talk(user, reply)) is None, "where it is not known what may be given, nothing is said of it"


def test_a_contact_of_the_assistant_is_not_known_by_its_own_repeating() -> None:
    found = find_fault(talk("Where?", "Ask me.", "Where?", "At 01 999 88 77.", "Again?", "At 01 999 88 77."), known=KNOWN)
    assert found is not None
    assert found[1].startswith("turn 4 ")


@pytest.mark.parametrize(
    ("reply", "odd"),
    [
        ("That is €6.90.", ()),
        ("Bowl and postage are €34.90.", ()),
        ("Without postage it is 21.10 euros.", ()),
        ("We take 15% off, so €29.75.", ("€29.75", "15%")),
        ("You paid $12, and get $12 back.", ()),
    ],
)
def test_a_figure_that_stands_nowhere_is_for_a_person(reply: str, odd: tuple[str, ...]) -> None:
    assert odd_figures(talk("I paid $12.", reply), KNOWN) == odd


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("Dear [Customer Name], your bowl leaves today.", "placeholder"),
        ("Ihre Bestellung [Bestellung Nummer] ist unterwegs.", "placeholder"),
        ("Write to {{agent}}.", "placeholder"),
        ("It says [sic] “recieve” on the slip.", ""),
        ("See [our page](https://shop.example/returns).", ""),
        ("The bowl [the blue one] leaves today.", ""),
    ],
)
def test_a_reply_with_a_blank_is_no_reply(reply: str, fault: str) -> None:
    talk = Conversation((Message("user", "Where is it? [Order Number]"), Message("assistant", reply)))
    assert (find_fault(talk) or ("",))[0] == fault

"""English heuristics: what they find, and what they must leave alone."""

from __future__ import annotations

import pytest

from finetune_prep.gates import check
from finetune_prep.gates.wording import asks_for_absence, lacks_verb_first, overlap, scale_in, second_thing, vague_words
from tests.gates import pottery

VERB_FIRST = [
    "Name the fault before the remedy.",
    "Acknowledge emotion before problem-solving",
    "Never promise a refund.",
    "Do not ask for a code.",
    "When the customer names a feeling, name it back.",
    "If the order is unknown: ask for its number.",
    "When a cut, a burn or something swallowed comes up, even in brackets: ask about it first.",
    "**Reflect** back what was said",
    "Uncork the bottle",  # no verb of the list, but what follows it is an object
]
NO_VERB_FIRST = [
    "Empathy with the customer",
    "Be kind",
    "Kindness in every reply",
    "The reply names the fault",
    "Clear and warm tone",
    "When in doubt, empathy first",
    "",
    "…",
]


@pytest.mark.parametrize("text", VERB_FIRST)
def test_a_verb_first(text: str) -> None:
    assert not lacks_verb_first(text)


@pytest.mark.parametrize("text", NO_VERB_FIRST)
def test_no_verb_first(text: str) -> None:
    assert lacks_verb_first(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Be empathetic", "empathetic"),
        ("Validate the customer's feelings", "Validate the customer's feelings"),
        ("Respond in a professional way", "professional"),
        ("Keep it clear", "clear"),
    ],
)
def test_vague_words(text: str, word: str) -> None:
    """Each comes with a sentence of what one would see instead, and that sentence is not vague and has its verb first."""
    [(found, instead)] = vague_words(text)
    assert found == word
    assert vague_words(instead) == []
    assert not lacks_verb_first(instead)


@pytest.mark.parametrize(
    "text", ["Say what kind of bowl it is", "Name the goods", "Ask the patient's age", "Name the fault before the remedy"]
)
def test_no_vague_words(text: str) -> None:
    assert vague_words(text) == []


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("How clearly does it speak?", "How clearly"),
        ("To what extent is the fault named?", "To what extent"),
        ("Is its warmth 1-5?", "1-5"),
        ("Would you give it 8/10?", "8/10"),
        ("Rate the tone.", "Rate"),
        ("Is it, on a scale, warm?", "on a scale"),
        ("Which desk is named?", "Which desk"),
    ],
)
def test_scales(text: str, scale: str) -> None:
    assert scale_in(text, english=True) == scale


@pytest.mark.parametrize(
    "text",
    [
        "Does it give a day within 10–14 days?",
        "Does it say how much the vase holds?",
        "Does it name 1 to 5 days as the time of delivery?",
        "Does it ask for the weight on the kitchen scale?",
        "Does it mention 4/5 as the day of delivery?",
        "Does it quote the price of 1.50?",
    ],
)
def test_no_scales(text: str) -> None:
    assert scale_in(text, english=True) == ""


def test_words_of_scales_are_read_in_english_only() -> None:
    assert scale_in("How well does it speak?", english=False) == ""
    assert scale_in("Verdient sie 1 bis 5?", english=False) == "1 bis 5"


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("Does it name the fault and offer a remedy?", "and offer a"),
        ("Does it apologise or explain what happened?", "or explain what"),
        ("Does it apologise and/or refund?", "and/or"),
        ("Does the reply name the desk and also says when it answers?", "and also says when"),
    ],
)
def test_two_things(text: str, second: str) -> None:
    assert second_thing(text) == second


@pytest.mark.parametrize(
    "text",
    [
        "Does the assistant avoid asking for a password, card number or code?",
        "Does it ask for name and address?",
        "Does it name the bowl and its colour?",
        "Does it give a day or a week?",
    ],
)
def test_one_thing(text: str) -> None:
    assert second_thing(text) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Does it avoid jargon?", "avoid"),
        ("Is the reply free of jargon?", "free of"),
        ("Does it never joke?", "never"),
        ("Doesn't it joke?", "n't"),
    ],
)
def test_absence(text: str, word: str) -> None:
    assert asks_for_absence(text) == word


@pytest.mark.parametrize(
    "text", ["Does the reply say what is not covered?", "Does it name the free gift?", "Does it note the number?"]
)
def test_presence(text: str) -> None:
    assert asks_for_absence(text) == ""


def test_overlap_is_symmetric_and_bounded() -> None:
    one, other = "Name the fault before the remedy", "Name the fault after the remedy"
    assert overlap(one, other) == overlap(other, one)
    assert overlap(one, one) == 1.0
    assert overlap(one, "Hand the parcel over") == 0.0
    assert overlap("", "") == 0.0


@pytest.mark.parametrize(
    "role",
    [
        "Your verdicts decide which conversations become training data.",
        "Your verdicts decide which conversations a language model is trained on.",
        "What you pass is kept and used to train a small model.",
    ],
)
def test_a_purpose_may_be_told_in_several_ways(role: str) -> None:
    documents = pottery.broken(pottery.sound(), "evaluation_prompt.role", role)
    assert [o.findings for o in check(documents) if o.gate == "evaluation-prompt.purpose"] == [()]

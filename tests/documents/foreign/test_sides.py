"""Which list words speak of. What speaks of both, or of neither, says nothing."""

from __future__ import annotations

import pytest

from finetune_prep.documents.foreign.sides import is_label, is_neutral, sentence, side_of
from finetune_prep.documents.knowledge.anchors import ALWAYS, NEVER

AGAINST = (
    "Never", "Never:", "NEVER EVER", "Don't:", "DON’T", "Don'ts", "do_not", "dont", "Never do", "What never to do", "The assistant must never",
    "Things we don't do", "What you must not do", "Avoid", "What to avoid", "Forbidden", "❌", "❌ Bad", "Not allowed", "Red lines", "No-Gos",
    "Verboten", "Niemals", "Nie tun", "Auf keinen Fall", "Was wir nicht tun", "Das darf der Assistent nicht", "Nunca", "Jamais", "Ne pas faire",
    "À éviter", "Prohibido", "Mai", "Nooit", "禁止事项", "Никогда",
)  # fmt: skip
FOR = (
    "Always", "Always do", "Do", "DO:", "Do's", "Dos", "Must", "What to do", "You must", "The assistant should", "✅ Do", "Required", "Immer",
    "Stets", "Siempre", "Toujours", "必须", "Was wir tun",
)  # fmt: skip
NEITHER = (
    "", "Refunds", "Do and don't", "Dos & Don'ts", "Do / Don't", "When customers don't answer", "How to avoid delays", "Always forbidden",
    "Not always", "What to do when something is forbidden", "Handling negative reviews", "Required and forbidden", "Rules", "x" * 500,
)  # fmt: skip


@pytest.mark.parametrize(("letters", "labels"), [(NEVER, AGAINST), (ALWAYS, FOR), ("", NEITHER)])
def test_labels(letters: str, labels: tuple[str, ...]) -> None:
    assert {label: side_of(label) for label in labels} == dict.fromkeys(labels, letters)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Never promise refunds", "Promise refunds"),
        ("You must never promise", "Promise"),
        ("The assistant should not promise", "Promise"),
        ("Don't: promise", "Promise"),
        ("Niemals raten", "Raten"),
        ("❌ promise", "promise"),
        ("❌ Never promise", "Promise"),
    ],
)
def test_a_sentence_that_forbids_loses_its_never(text: str, bare: str) -> None:
    """Below “Never do” it would say the opposite."""
    assert sentence(text) == sentence(text, NEVER) == (NEVER, bare)


@pytest.mark.parametrize(
    "text", ["Do not only answer, but ask", "Nicht nur antworten", "No matter how late it is, stay calm", "Ask"]
)
def test_a_sentence_that_does_not_forbid_keeps_its_words(text: str) -> None:
    assert sentence(text) == ("", text)
    assert sentence(text, NEVER) == (NEVER, text)


def test_a_prohibition_among_what_to_do_stays_one() -> None:
    assert sentence("Never guess", ALWAYS) == (ALWAYS, "Never guess")
    assert sentence("❌ guess", ALWAYS) == (NEVER, "guess")
    assert sentence("No refunds", NEVER) == (NEVER, "Refunds")


def test_a_paragraph_is_a_heading_if_it_looks_like_one_or_names_a_list() -> None:
    labels = ("Never:", "**Never**", "**Never:**", "**Don't**:", "NEVER", "These are things you never do.", "Sohasem")
    assert [label for label in labels if not is_label(label, "above a list")] == []
    assert not is_label("Our shop sells mugs and plates to everybody who comes in.", "above a list")
    assert is_neutral("Rules for refunds")
    assert not is_neutral("Refunds")
    assert not is_neutral("Rules that nobody may not follow")


def test_an_item_is_a_heading_only_if_it_is_nothing_but_that() -> None:
    labels = ("Never", "**Don't**", "What you must not do", "Never do", "Was wir nicht tun", "Orders:", "❌", "Do")
    assert [label for label in labels if not is_label(label, "item")] == []
    rules = ("Never guess", "Ask", "Always greet", "Do your best", "Don't guess", "Name the fault")
    assert [rule for rule in rules if is_label(rule, "item")] == []

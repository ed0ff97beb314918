"""Quotations: what typesetting changes does not count, what a liar changes does."""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.core.quotes import find_quote
from tests.effort import in_proportion

_LIST = (
    "customer parcel refund handle glaze kiln desk Friday photograph never always promise before after order reply name ask "
    "damaged cup we they cannot well-known follow-up carrier's don't 14 30 days the a of within without number returned cost"
)
WORDS = _LIST.split()


def page(sentences: int, seed: str = "page") -> list[str]:
    """Sentences of an invented handbook, every one different."""
    stream = random.Random(seed)
    return [" ".join(stream.choices(WORDS, k=stream.randint(9, 20))) + f" in rule {n}." for n in range(sentences)]


SENTENCES = page(100)
TEXT = "# Handbook\n\n" + "\n\n".join(SENTENCES)


def wrapped(sentence: str) -> str:
    """Broken over lines, in the middle of words as well."""
    words = sentence.split()
    return "\n".join(" ".join(words[at : at + 4]) for at in range(0, len(words), 4)).replace("customer", "cus-\ntomer")


TYPESETTING: list[Callable[[str], str]] = [
    wrapped,
    lambda sentence: f"“{sentence.replace(' ', '   ')}”",
    lambda sentence: sentence.replace("'", "’").replace("-", "‑"),
    lambda sentence: sentence.replace("well-known", "well known").replace("follow-up", "followup"),
    lambda sentence: sentence.replace("refund", "re\u00adfund").replace(" ", "\u00a0").rstrip("."),
]
LIES: list[Callable[[str, random.Random], str]] = [
    lambda sentence, stream: _swapped(sentence, stream),
    lambda sentence, stream: _with(sentence, stream, "not"),
    lambda sentence, stream: _dropped(sentence, stream),
    lambda sentence, stream: sentence.replace("rule ", "rule 1"),
]


def _swapped(sentence: str, stream: random.Random) -> str:
    words = sentence.split()
    at = stream.randrange(len(words) - 3)
    words[at] = stream.choice([word for word in ("teapot", "gladly", "tomorrow") if word != words[at]])
    return " ".join(words)


def _with(sentence: str, stream: random.Random, word: str) -> str:
    words = sentence.split()
    words.insert(stream.randrange(1, len(words) - 3), word)
    return " ".join(words)


def _dropped(sentence: str, stream: random.Random) -> str:
    words = sentence.split()
    del words[stream.randrange(1, len(words) - 3)]
    return " ".join(words)


def test_a_hundred_true_quotations_are_found_however_they_are_set() -> None:
    """Changed spacing, line breaks, quotation marks and hyphenation, and the place is right."""
    for n, sentence in enumerate(SENTENCES):
        match = find_quote(TYPESETTING[n % len(TYPESETTING)](sentence), TEXT)
        assert match.exact, sentence
        assert match.score == 1.0
        assert TEXT[match.start : match.end].rstrip(".") == sentence.rstrip(".")


def test_a_hundred_altered_quotations_are_not() -> None:
    """One word changed, added or dropped, or another number: none is exact; the nearest passage is what it was made from."""
    stream = random.Random("lies")
    for n, sentence in enumerate(SENTENCES):
        altered = LIES[n % len(LIES)](sentence, stream)
        assert altered != sentence
        match = find_quote(altered, TEXT)
        assert not match.exact, altered
        assert 0.6 < match.score < 1.0
        passage = TEXT[match.start : match.end]
        assert difflib.SequenceMatcher(None, passage, sentence, autojunk=False).ratio() > 0.75


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("able to refund", "We are unable to refund."),
        ("refundable goods", "All non-refundable goods are marked."),
        ("5 days", "It takes 1.5 days."),
        ("5 degrees", "At -5 degrees glaze cracks."),
        ("costs 5", "It costs 5.50 in all."),
        ("10-14 days", "It takes 1014 days."),
        ("103 litres", "Keep 10³ litres."),
        ("were waiting here", "We're waiting here."),
        ("Is it broken!", "Is it broken?"),
        ("ASK ONE THING", "Ask one thing."),
    ],
)
def test_what_looks_alike_and_is_not(quote: str, text: str) -> None:
    match = find_quote(quote, text)
    assert not match.exact
    assert match.score < 1.0


@pytest.mark.parametrize(
    ("quote", "text", "passage"),
    [
        ("Ask one thing, then wait", "> Ask **one\n> thing**, then wait.", "Ask **one\n> thing**, then wait"),
        ("read the rules first", "Please [read the rules](https://kiln.example/a(1)) first.", ""),
        ("ask one thing", "Ask one thing, then wait.", "Ask one thing"),
        ("within 10–14 days", "We answer within 10 - 14 days.", "within 10 - 14 days"),
        ("the “best” price", "This is the 'best' price.", "the 'best' price"),
        ("ofﬁcial words", "The official words.", "official words"),
        ("顧客に謝る", "まず顧客に\n謝る。", "顧客に\n謝る"),
        ("u\u0308ber uns", "Mehr über uns.", "über uns"),
        ("costs 5", "It costs 5, not 6.", "costs 5"),
        ("Bowl 85 euros 30 days", "| Piece | Fee |\n| --- | --- |\n| Bowl | 85 euros | 30 days |", "Bowl | 85 euros | 30 days"),
        ("Lid – 12 euros", "| Lid | 12 euros |", ""),
        ("small or large", r"| small \| or large |", ""),
        ("Keep 10^3 litres", "Keep 10³ litres.", "Keep 10³ litres"),
        ("50 m2 a flat", "Some 50 m² a flat.", "50 m² a flat"),
        ("the kiln—our desk", "It is the kiln – our desk.", "the kiln – our desk"),
    ],
)
def test_what_typesetting_changes(quote: str, text: str, passage: str) -> None:
    match = find_quote(quote, text)
    assert match.exact
    assert not passage or text[match.start : match.end] == passage


@pytest.mark.parametrize(("quote", "text"), [("", "Some text."), ("“ ”", "Some text."), ("Some text.", ""), ("…", " \n")])
def test_nothing_to_look_for(quote: str, text: str) -> None:
    assert find_quote(quote, text).score == 0.0


def test_nothing_in_common() -> None:
    match = find_quote("zzz qqq", "Some other words.")
    assert (match.exact, match.score) == (False, 0.0)


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_two_texts(text: str, quote: str) -> None:
    """Never an error; the place lies in the text; a score of 1 and exact are the same."""
    match = find_quote(quote, text)
    assert 0 <= match.start <= match.end <= len(text)
    assert (match.score == 1.0) == match.exact
    assert 0.0 <= match.score <= 1.0


@given(st.lists(st.sampled_from(WORDS), min_size=3, max_size=40), st.data())
def test_every_run_of_words_is_found(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 3))
    last = data.draw(st.integers(first + 3, len(words)))
    assert find_quote("  ".join(words[first:last]), "\n".join(words)).exact


def test_a_long_page_is_searched_quickly() -> None:
    """100 quotations, half of them altered, in a page of 100 KB: far under a second each, even where nothing matches."""
    sentences = page(1100, "long")
    text = " ".join(sentences)
    assert len(text) > 100_000
    with in_proportion():
        for n, sentence in enumerate(sentences[::11]):
            find_quote(sentence if n % 2 else sentence.replace("rule", "law of the kiln"), text)
        find_quote("quite different words about gardens and ships, " * 20, text)

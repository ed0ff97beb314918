"""Words as they are compared: forms of one word become one, other words stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.phases.research.word_forms import Language, language, readings, stem, stems, tokens


@pytest.mark.parametrize(
    ("forms", "tongue"),
    [
        ("name names naming named", "en"),
        ("ask asks asking asked", "en"),
        ("plan plans planning planned", "en"),
        ("tell tells telling", "en"),
        ("reply replies replying replied", "en"),
        ("note notes noting noted", "en"),
        ("judge judges judging judged", "en"),
        ("provide provides providing provided", "en"),
        ("validate validating validated", "en"),
        ("box boxes", "en"),
        ("colour color colours colors", "en"),
        ("recognise recognize recognising recognized", "en"),
        ("cancelled canceled cancelling", "en"),
        ("Frage Fragen fragen", "de"),
        ("Angebot Angebote Angebotes Angeboten", "de"),
        ("Preis Preise Preises Preisen", "de"),
        ("Name Namen", "de"),
        ("offene offenen offenem offenes", "de"),
        ("pregunta preguntas", ""),
    ],
)
def test_forms_of_one_word(forms: str, tongue: Language) -> None:
    assert len({stem(word, tongue) for word in tokens(forms)}) == 1


@pytest.mark.parametrize(
    ("words", "tongue"),
    [
        ("car care", "en"),
        ("caring car", "en"),
        ("fill file", "en"),
        ("filling filing", "en"),
        ("hop hope", "en"),
        ("tap tape", "en"),
        ("plan plane", "en"),
        ("not note", "en"),
        ("list listen", "en"),
        ("short shorten", "en"),
        ("custom customs customer", "en"),
        ("new news", "en"),
        ("good goods", "en"),
        ("hour her", "en"),
        ("Rat Raten", "de"),
        ("Kunde Kundin", "de"),
        ("schon schön", "de"),
        ("año ano", ""),
        ("frage fragen", ""),
    ],
)
def test_other_words_stay_apart(words: str, tongue: Language) -> None:
    together = tokens(words)
    assert len(set(stems(together, tongue))) == len(together)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**“Don’t** ask_”, he said", ("do", "not", "ask", ",", "he", "said")),
        ("1,000 at -5 °C, 2.5% & ±3", ("1000", "at", "-5", "°", "c", ",", "2.5", "percent", "&", "±", "3")),
        ("C++ or C#", ("c", "+", "+", "or", "c", "#")),
        ("the user's follow-up", ("the", "user", "follow-up")),
        ("so\u00adft", ("soft",)),
        ("की 不要", ("की", "不要")),
        ("?!", ("?!",)),
        (" ", ()),
    ],
)
def test_tokens(text: str, expected: tuple[str, ...]) -> None:
    assert tokens(text) == expected


def test_an_article_that_ends_a_name_is_none() -> None:
    assert stems(tokens("Follow the plan A"), "en") == ("follow", "plan", "a")
    assert stems(tokens("Ask a question"), "en") == ("ask", "question")


def test_hyphens_join_or_part() -> None:
    assert readings(("follow-up", "-5"), "en") == (("followup", "-5"), ("follow", "up", "-5"))
    assert readings(("kunden-service",), "de") == (("kundenservice",),)
    assert readings(("plain",), "en") == (("plain",),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ask the user for a photo", "en"),
        ("Das Gefühl nennen", "de"),
        ("Pregunta abierta", ""),
        ("Open question", ""),
        ("the die", ""),
    ],
)
def test_the_language_of_a_text(text: str, expected: Language) -> None:
    assert language(tokens(text)) == expected


@given(st.text(max_size=40))
def test_any_text_has_tokens_and_stems(text: str) -> None:
    """Whatever is not white space leaves something to compare; upper case does not count."""
    found = tokens(text)
    assert bool(found) == bool(text.strip()) or not text.isprintable()
    for tongue in ("en", "de", ""):
        assert all(stems(found, tongue))

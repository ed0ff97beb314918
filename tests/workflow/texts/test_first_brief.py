"""A new project's brief: its title says something, its language is written down, the person's words stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep import documents
from finetune_prep.errors import UsageError
from finetune_prep.workflow.texts.first_brief import LanguageUnclear, first_brief, says_nothing, states_language

FOLDER = Path("/tmp/pottery-shop")
GERMAN = "Ein kleiner Töpferladen beantwortet die Fragen seiner Kunden zu Bestellungen und Rücksendungen."
ENGLISH = "A small pottery shop answers its customers' questions about orders and returns."


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (f"# Kiln Lane\n\n{ENGLISH}\n", "Kiln Lane"),
        (f"Kiln Lane\n=========\n\n{ENGLISH}\n", "Kiln Lane"),
        (f"Support for Kiln Lane\n\n{ENGLISH}\n", "Support for Kiln Lane"),
        (f"# Brief\n\n{ENGLISH}\n", "Pottery shop"),
        (f"# Project brief:\n\n{ENGLISH}\n", "Pottery shop"),
        (f"Brief\n\n{ENGLISH}\n", "Pottery shop"),
        (ENGLISH, "Pottery shop"),
        (f"{ENGLISH}\n\n{ENGLISH}\n", "Pottery shop"),
        (f"\n\n{ENGLISH}\n\n## Scope\n\nOrders.\n", "Pottery shop"),
        (f"---\nlanguage: en\n---\n{ENGLISH}\n", "Pottery shop"),
        (f"---\nlanguage: en\n---\n\n# Brief\n\n{ENGLISH}\n", "Pottery shop"),
        (f"- orders\n- returns\n\n{ENGLISH}\n", "Pottery shop"),
    ],
)
def test_the_title_comes_from_the_brief_or_else_from_the_folder(given: str, title: str) -> None:
    """Never "Brief"; what is written is a sound brief of this title."""
    made = first_brief(given, FOLDER)
    parsed = documents.parse("brief", made.text, "brief.md")
    assert parsed.findings == ()
    assert (made.title, parsed.value.title) == (title, title)
    assert ENGLISH in parsed.value.text
    assert (made.language, parsed.value.language) == ("en", "en")


def test_what_the_person_wrote_stays() -> None:
    whole = f"---\n# mine\ndocuments: en\n---\n# Töpferladen\n\n<!-- note -->\n{GERMAN}\n\n* a list\n"
    made = first_brief(whole, FOLDER)
    assert made.text == whole.replace("---\n# mine", "---\nlanguage: de\n# mine")
    assert first_brief(made.text, FOLDER).text == made.text


@pytest.mark.parametrize(
    ("text", "tag"), [(GERMAN, "de"), (ENGLISH, "en"), ("小さな陶器店のカスタマーサポート。注文や返品の質問に答える。", "ja")]
)
def test_the_language_is_told_and_written_down(text: str, tag: str) -> None:
    made = first_brief(text, FOLDER)
    assert (made.language, made.stated) == (tag, False)
    assert made.text.startswith(f"---\nlanguage: {tag}\n---\n# Pottery shop\n")
    assert states_language(made.text)


def test_who_says_the_language_is_believed() -> None:
    made = first_brief(GERMAN, FOLDER, "en")
    assert (made.language, made.stated) == ("en", True)
    assert first_brief(f"---\nlanguage: fr\n---\n{GERMAN}\n", FOLDER).language == "fr"
    with pytest.raises(UsageError, match="the brief says “language: fr”, but the command says de"):
        first_brief(f"---\nlanguage: fr\n---\n{GERMAN}\n", FOLDER, "de")


@pytest.mark.parametrize("text", ["Bordeaux, Chianti, Rioja.", "1040, W-2", "🙂"])
def test_where_the_words_do_not_tell_nothing_is_guessed(text: str) -> None:
    with pytest.raises(LanguageUnclear) as caught:
        first_brief(text, FOLDER)
    assert "--language" in caught.value.next


@pytest.mark.parametrize("title", ["Brief", "brief.", "# brief", "The project brief", "Untitled", "README", " ", "My domain"])
def test_titles_that_say_nothing(title: str) -> None:
    assert says_nothing(title)


@pytest.mark.parametrize("title", ["Brief therapy", "Debriefing pilots", "Domain names", "A brief for tenants", "Readme writing"])
def test_titles_that_say_something(title: str) -> None:
    assert not says_nothing(title)

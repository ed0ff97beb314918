"""Sound documents as people write them, in four languages and many hands: no computed must-gate finds anything in them.

`sound/de`, `sound/es` and `sound/zh` were written by hand: underlined headings, `*`, `+` and numbered lists, tables, notes in
between, CRLF with a byte order mark, typographic quotes, a language without blanks. The English ones are the pottery shop's, each in another hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune_prep.core.finding import Finding
from finetune_prep.documents import parse, read_bytes
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.gates import check
from finetune_prep.method.gates import GATES
from tests.gates.test_broken_documents import MUST
from tests.gates.test_parsed import read, written
from tests.gates.unusual_documents import UNUSUAL, Unusual

SOUND = Path(__file__).parent / "sound"
LOOKS_AT = {gate.id: set(gate.documents) for gate in GATES}
WORDS_OF_ENGLISH = {"evaluation-prompt.purpose", "generation-prompt.output-format"}  # unchecked elsewhere


def documents_in(language: str) -> Documents:
    folder = SOUND / language
    documents = []
    for kind in KINDS:
        path = folder / f"{kind}.md"
        if path.exists():
            text, findings = read_bytes(path.read_bytes(), KINDS[kind].path)
            assert findings == ()
            documents.append(parse(kind, text, KINDS[kind].path))
    return Documents(documents, {path.stem: path.read_text("utf-8") for path in folder.glob("S*.md")})


def findings(documents: Documents) -> list[Finding]:
    form = [finding for document in documents for finding in document.findings]
    return form + [finding for outcome in check(documents) if outcome.gate in MUST for finding in outcome.findings]


@pytest.mark.parametrize("language", ["de", "es", "zh"])
def test_documents_in_another_language(language: str) -> None:
    documents = documents_in(language)
    assert findings(documents) == []
    there = {document.kind for document in documents}
    answers = {
        outcome.gate: outcome.answer for outcome in check(documents) if outcome.gate in MUST and LOOKS_AT[outcome.gate] <= there
    }
    assert {gate for gate, answer in answers.items() if answer != "holds"} <= WORDS_OF_ENGLISH
    assert len(answers) >= {"de": 67, "es": 40, "zh": 67}[language], "as many gates have something to look at"


@pytest.mark.parametrize("language", ["de", "es", "zh"])
def test_every_ruling_and_reason_is_written_for_its_own_question(language: str) -> None:
    """No text serves several of them with the question's id put in: gates that code computes would let that pass."""
    document = documents_in(language).get(Documents.rubric)
    assert document is not None
    assert document.value is not None
    rubric = document.value
    rulings = [ruling for question in rubric.questions for ruling in question.rulings]
    reasons = [expected.reason for example in rubric.examples for expected in example.answers if expected.answer != "na"]
    for texts in ([ruling.assistant for ruling in rulings], [ruling.why for ruling in rulings], reasons):
        assert len({re.sub(r"[A-Z]{2}\d", "", text) for text in texts}) > 0.8 * len(texts)


def test_they_are_many_and_in_different_hands() -> None:
    files = [path for path in SOUND.glob("*/*.md") if path.stem in KINDS]
    assert len(files) >= 20
    raw = b"".join(path.read_bytes() for path in files)
    for mark in (b"\r\n", b"\xef\xbb\xbf", b"\n* ", b"\n+ ", b"\n1. ", b"\n====", b"\n----", b"\n| ", b"\n~~~", b"\n###### "):
        assert mark in raw, mark


def deeper(text: str) -> str:
    """Every heading but the title one level deeper."""
    return re.sub(r"^(#{2,})", r"#\1", text, flags=re.MULTILINE)


def starred(text: str) -> str:
    return re.sub(r"^(\s*)- ", r"\1* ", text, flags=re.MULTILINE)


def dense(text: str) -> str:
    """No blank line after headings, as many people write."""
    return re.sub(r"^(#+ .*)\n\n(?=-)", r"\1\n", text, flags=re.MULTILINE)


def from_windows(text: str) -> str:
    return "\ufeff" + text.replace("\n", "\r\n")


def tabbed(text: str) -> str:
    return re.sub(r"^- ", "-\t", text, flags=re.MULTILINE)


def shouted(text: str) -> str:
    """Field names and section headings in capitals."""
    text = re.sub(r"^- ([A-Z][A-Za-z ]+):", lambda found: f"- {found[1].upper()}:", text, flags=re.MULTILINE)
    return re.sub(r"^## ([A-Z][a-z ]+)$", lambda found: f"## {found[1].upper()}", text, flags=re.MULTILINE)


def bold_keys(text: str) -> str:
    return re.sub(r"^- ([A-Z][A-Za-z/ ]+):", r"- **\1:**", text, flags=re.MULTILINE)


def annotated(text: str) -> str:
    """A table without outer pipes, a comment and a paragraph below the title."""
    note = "\n<!-- agreed on Monday -->\n\nwho | what\n--- | ---\nInes | read it\n\nA sentence of ours.\n"
    return re.sub(r"^(# .*)$", lambda found: f"{found[1]}\n{note}", text, count=1, flags=re.MULTILINE)


def curly(text: str) -> str:
    """Typographic quotes around quotations."""
    return re.sub(r'(Source: S\d+) "([^"]*)"', r"\1 “\2”", text)


def loose(text: str) -> str:
    """A blank line after every list item."""
    return re.sub(r"^(- .*)\n(?=- )", r"\1\n\n", text, flags=re.MULTILINE)


def trailing(text: str) -> str:
    """Two blanks at the end of lines, as editors leave them, and blank lines that hold some."""
    return re.sub(r"(?<=[^\s>-])$", "  ", text, flags=re.MULTILINE)


def closed(text: str) -> str:
    """Headings closed with the signs that opened them."""
    return re.sub(r"^(#+) (.*)$", r"\1 \2 \1", text, flags=re.MULTILINE)


def ruled_off(text: str) -> str:
    """A line across the page before every section."""
    return re.sub(r"^## ", "* * *\n\n## ", text, flags=re.MULTILINE)


def bold_ids(text: str) -> str:
    return re.sub(r"^- ((?:DO|DONT|FA|GD|P|JOB|LIMIT|RISK)\d+): ", r"- **\1:** ", text, flags=re.MULTILINE)


def spread(text: str) -> str:
    """Long list items go on in the next line, indented."""
    return re.sub(r"^(- [A-Z]+\d+: \S+ \S+) (?=\S)", r"\1\n  ", text, flags=re.MULTILINE)


HANDS: tuple[Callable[[str], str], ...] = (
    deeper, starred, dense, from_windows, tabbed, shouted, bold_keys, annotated, curly, loose, trailing, closed, ruled_off, bold_ids,
    spread,
)  # fmt: skip
PROMPTS = ("user-prompt", "system-prompt")  # their text is all prose: nothing to write in another hand


@pytest.mark.parametrize("hand", HANDS, ids=[hand.__name__ for hand in HANDS])
def test_the_same_documents_in_another_hand(hand: Callable[[str], str]) -> None:
    texts = {kind: text if kind in PROMPTS else hand(text) for kind, text in written().items()}
    assert any(texts[kind] != text for kind, text in written().items())
    assert findings(read(texts)) == []


@pytest.mark.parametrize("unusual", UNUSUAL, ids=[unusual.way.replace(" ", "-") for unusual in UNUSUAL])
def test_what_is_unusual_is_not_refused(unusual: Unusual) -> None:
    texts = written()
    for edit in unusual.edits:
        kind = edit[2] if len(edit) == 3 else unusual.document
        assert edit[0] in texts[kind], edit[0]
        texts[kind] = texts[kind].replace(edit[0], edit[1], 1)
    changed = [kind for kind, text in written().items() if texts[kind] != text]
    upto = max([*KINDS].index(kind) for kind in changed)  # what is compiled from it is made anew, so it is not there
    assert findings(read({kind: texts[kind] for kind in [*KINDS][: upto + 1]})) == []


def test_there_are_enough_of_them() -> None:
    assert len({unusual.way for unusual in UNUSUAL}) == len(UNUSUAL) >= 30
    assert {unusual.document for unusual in UNUSUAL} == {*KINDS}

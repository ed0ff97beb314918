"""Numbers of lists and headings: they are nowhere in the text of a Word file, and “see step 2” depends on them."""

from __future__ import annotations

import pytest

from finetune_prep.sources.parsing.word.document import read_docx
from tests.sources.foreign import p, word


def level(at: int, form: str, text: str, extra: str = "") -> str:
    return f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/>{extra}<w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'


def lists(*kinds: str, nums: str = "") -> str:
    """Lists 1, 2, … of these levels."""
    described = "".join(f'<w:abstractNum w:abstractNumId="{n}">{levels}</w:abstractNum>' for n, levels in enumerate(kinds))
    named = "".join(f'<w:num w:numId="{n + 1}"><w:abstractNumId w:val="{n}"/></w:num>' for n in range(len(kinds)))
    return described + named + nums


STEPS = level(0, "decimal", "%1.") + level(1, "lowerLetter", "%2)")
LEGAL = level(0, "upperRoman", "Art. %1") + level(1, "decimal", "%1.%2", "<w:isLgl/>") + level(2, "lowerRoman", "(%3)")
BULLETS = level(0, "bullet", "•") + level(1, "bullet", "o")


def item(text: str, list_: int = 1, at: int | None = 0, style: str = "") -> str:
    depth = f'<w:ilvl w:val="{at}"/>' if at is not None else ""
    return p(text, style=style, properties=f'<w:numPr>{depth}<w:numId w:val="{list_}"/></w:numPr>')


def read(*body: str, numbering: str = "", **parts: str) -> str:
    return read_docx(word("".join(body), numbering=numbering, **parts)).text


def test_a_list_goes_on_behind_a_paragraph_and_within_its_item() -> None:
    body = (
        item("Give notice"),
        item("in writing", at=1),
        item("in time", at=1),
        item("Pack"),
        p("Then wait."),
        item("Hand over"),
        item("key", at=1),
    )
    assert read(*body, numbering=lists(STEPS)) == (
        "1. Give notice\n   a) in writing\n   b) in time\n2. Pack\n\nThen wait.\n\n3. Hand over\n   a) key"
    )


def test_bullets_are_bullets_also_where_nothing_describes_them() -> None:
    body = item("fish"), item("birds"), p("Ask for:"), item("dogs")
    wanted = "- fish\n- birds\n\nAsk for:\n\n- dogs"
    assert read(*body, numbering=lists(BULLETS)) == wanted
    assert read(*body, numbering="") == wanted
    assert read_docx(word("".join(body))).text == wanted


def test_each_list_counts_for_itself_and_a_new_start_is_kept() -> None:
    again = (
        '<w:num w:numId="3"><w:abstractNumId w:val="0"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>'
        '<w:num w:numId="4"><w:abstractNumId w:val="0"/></w:num>'
    )
    body = item("one"), item("other", 2), item("two"), p("."), item("seven", 3), item("eight", 4)
    assert read(*body, numbering=lists(STEPS, STEPS, nums=again)) == "1. one\n1. other\n2. two\n\n.\n\n7. seven\n8. eight"


def test_numbers_of_headings_stand_in_them() -> None:
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="H{n}"><w:name w:val="heading {n}"/>'
        f'<w:pPr><w:numPr><w:ilvl w:val="{n - 1}"/><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        for n in (1, 2)
    )
    body = (
        p("Returns", style="H1"),
        p("Limits", style="H2"),
        p("Costs", style="H2"),
        item("Gifts", at=2),
        p("Repairs", style="H1"),
        p("Wait", style="H2"),
    )
    assert read(*body, numbering=lists(LEGAL), styles=styles) == (
        "# Art. I Returns\n\n## 1.1 Limits\n\n## 1.2 Costs\n\n(i) Gifts\n\n# Art. II Repairs\n\n## 2.1 Wait"
    )


def test_a_style_that_belongs_to_a_level_counts_there() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="Sub"><w:name w:val="Sub"/><w:basedOn w:val="Base"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="Base"><w:name w:val="Base"/>'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    steps = STEPS.replace('<w:numFmt w:val="lowerLetter"/>', '<w:pStyle w:val="Sub"/><w:numFmt w:val="lowerLetter"/>')
    assert read(item("One"), p("first", style="Sub"), p("second", style="Sub"), numbering=lists(steps), styles=styles) == (
        "1. One\n   a) first\n   b) second"
    )


def test_a_deleted_item_does_not_count() -> None:
    gone = '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:rPr><w:del w:id="1" w:author="x"/></w:rPr></w:pPr></w:p>'
    assert read(item("one"), gone, item("two"), numbering=lists(STEPS)) == "1. one\n2. two"


@pytest.mark.parametrize(
    ("form", "labels"),
    [
        ("decimal", ["1.", "2.", "3."]), ("decimalZero", ["01.", "02.", "03."]), ("upperLetter", ["A.", "B.", "C."]),
        ("lowerRoman", ["i.", "ii.", "iii."]), ("upperRoman", ["I.", "II.", "III."]), ("chineseCounting", ["1.", "2.", "3."]),
    ],
)  # fmt: skip
def test_numbers_are_written_as_their_level_says(form: str, labels: list[str]) -> None:
    assert read(*[item("x")] * 3, numbering=lists(level(0, form, "%1."))) == "\n".join(f"{label} x" for label in labels)


def test_letters_and_roman_numbers_go_on_beyond_their_first_round() -> None:
    many = lists(level(0, "lowerLetter", "%1)"), level(0, "lowerRoman", "%1."))
    letters = read(*[item("x")] * 28, numbering=many).splitlines()
    romans = read(*[item("x", 2)] * 49, numbering=many).splitlines()
    assert (letters[25], letters[27], romans[3], romans[8], romans[13], romans[48]) == (
        "z) x",
        "bb) x",
        "iv. x",
        "ix. x",
        "xiv. x",
        "xlix. x",
    )


def test_a_list_that_refers_to_itself_ends() -> None:
    styles = '<w:style w:type="numbering" w:styleId="L"><w:name w:val="L"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    assert read(item("one"), numbering=lists('<w:numStyleLink w:val="L"/>'), styles=styles) == "one"
    assert read(item("plain", 0), numbering=lists(STEPS)) == "plain"

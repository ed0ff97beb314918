"""One document for every way in which a reader of files could change a fact: what must stand in the text, and what must not."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from finetune_prep.core.quotes import find_quote
from finetune_prep.sources.parsing.html.page import read_html
from finetune_prep.sources.parsing.pdf.document import read_pdf
from finetune_prep.sources.parsing.word.document import read_docx
from finetune_prep.sources.text import plain
from tests.sources.foreign import drawn_pdf, locked_pdf, p, pdf, r, row, tc, word
from tests.sources.parsing.word.test_document import HEADINGS, box, deleted
from tests.sources.parsing.word.test_numbering import BULLETS, STEPS, item, lists

READERS = {"docx": read_docx, "html": read_html, "pdf": read_pdf}
FILLER = "<p>The kiln keeps this page for its buyers and dates every change.</p>" * 8


class Case(NamedTuple):
    """holds, lacks: regular expressions. quote: found word for word. refused: the reason. own: a file of the user's."""

    kind: str
    data: bytes
    holds: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    quote: str = ""
    refused: str = ""
    own: bool = True


def docx(body: str, *holds: str, lacks: tuple[str, ...] = (), quote: str = "", refused: str = "", **parts: Any) -> Case:
    return Case("docx", word(body, **parts), holds, lacks, quote, refused)


def html(body: str, *holds: str, lacks: tuple[str, ...] = (), own: bool = True, quote: str = "", charset: str = "utf-8") -> Case:
    page = f"<!doctype html><html><head><meta charset={charset}><title>T</title></head><body>{body}</body></html>"
    return Case("html", page.encode(charset), holds, lacks, quote, "", own)


def pages(*drawn: str, holds: tuple[str, ...] = (), lacks: tuple[str, ...] = (), quote: str = "") -> Case:
    return Case("pdf", drawn_pdf(*drawn), holds, lacks, quote)


def lines(*texts: str, x: float = 72, top: float = 720) -> str:
    return " ".join(f"BT /F1 12 Tf 1 0 0 1 {x} {top - 15 * n} Tm ({text}) Tj ET" for n, text in enumerate(texts))


LID = "A new lid costs 85 euros."
FEES = f"<w:tbl>{row('Piece', 'Fee', 'Within')}{row('Lid', '12 euros', '14 days')}{row('Bowl', '85 euros', '30 days')}</w:tbl>"
KEYS, MORE = tc("Keys", '<w:vMerge w:val="restart"/>'), tc("", "<w:vMerge/>")
MERGED = f"<w:tbl>{row('Piece', 'Fee')}{row(KEYS, 'new: 15')}{row(MORE, 'lost: 85')}</w:tbl>"
DELETED = f"<w:tbl>{row('Bowl', '85')}{row('Old', '40', properties='<w:del/>')}</w:tbl>"
NOTE = '<w:r><w:footnoteReference w:id="2"/></w:r>'
NOTES = f'<w:footnote w:id="2">{p("Not for gifts: then the desk decides.")}</w:footnote>'
HEADER = ("The kiln - Rules", "Page {} of 2")
LEFT = ("Bowls are replaced within", "eight weeks of the day they", "arrived, less the postage.", "and a list names each piece")
RIGHT = (
    "Repairs are booked by the",
    "desk, and buyers hear within",
    "two days and never get any",
    "date from the assistant, but",
)

CASES = {
    # Word
    "table": docx(FEES, r"Bowl \| 85 euros \| 30 days", r"Piece \| Fee \| Within\b.*\n.*---", quote="Bowl | 85 euros | 30 days"),
    "text box in two drawings": docx(p("a", box(p("Never promise a date.")), box(p("Second"), vml=True, choice=True)), "Never promise", "Second"),
    "foreign heading styles": docx(p("Regeln", style="Titel") + p("Kaution", style="berschrift1") + p("Abzug", style="Kapitel"),
        "(?m)^# Regeln", "(?m)^# Kaution", "(?m)^## Abzug", styles=HEADINGS),
    "footnote": docx(p("Paid back in eight weeks.", NOTE), quote="Not for gifts: then the desk decides.", footnotes=NOTES),
    "no-break hyphens": docx(p("by e", "<w:r><w:noBreakHyphen/></w:r>", "mail in 14", "<w:r><w:noBreakHyphen/></w:r>", "21 days"),
        "by e-mail in 14-21 days", lacks=("1421",)),
    "moved text": docx(p("Ends at ", f"<w:moveFrom>{r('ten')}</w:moveFrom>", f"<w:moveTo>{r('nine')}</w:moveTo>", "."), r"Ends at nine\.", lacks=("ten",)),
    "list that nothing describes": docx(item("fish") + item("birds"), "(?m)^- fish\n- birds"),
    "strict file": docx(FEES + p("Paid.", NOTE), r"Lid \| 12 euros", r"Paid\.\[1\]", footnotes=NOTES, strict=True),
    "merged cells": docx(MERGED, r"Keys \| lost: 85"),
    "tracked deletion": docx(p("Within ", deleted("30 days"), f"<w:ins>{r('14 days')}</w:ins>", "."), r"Within 14 days\.", lacks=("30",)),
    "deleted row": docx(DELETED, "85", lacks=("Old", "40")),
    "struck text": docx(p("Costs ", r("12", "<w:strike/>"), " 15 euros."), r"Costs 15 euros\.", lacks=("12",)),
    "joined paragraphs": docx(p("The desk answers ", properties="<w:rPr><w:del/></w:rPr>") + p("on Monday."), r"answers on Monday\."),
    "comment": docx(p("Said."), "Said", lacks=("Delete",), comments=f'<w:comment w:id="1">{p("Delete this")}</w:comment>'),
    "header": docx(p("Text."), "Valid from May", header1=p("Valid from May")),
    "numbers of a list": docx(item("Pack") + p("Wait.") + item("Send"), r"(?m)^1\. Pack", r"(?m)^2\. Send", numbering=lists(STEPS)),
    "nested bullets": docx(item("a") + item("b", at=1), r"- a\n  - b", numbering=lists(BULLETS)),
    "raised figure": docx(p("10", r("3", '<w:vertAlign w:val="superscript"/>'), " litres"), r"10\^3 litres", lacks=("103",)),
    "hidden run": docx(p("Seen", r("SECRET", "<w:vanish/>")), "Seen", lacks=("SECRET",)),
    "content control": docx(f"<w:sdt><w:sdtContent>{p('3 percent')}</w:sdtContent></w:sdt>", "3 percent"),
    "formula": docx(p("<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>"), "a/2"),
    "renamed main part": docx(p("押金 ค่ามัดจำ"), "押金 ค่ามัดจำ", main="word/document2.xml"),
    "old or encrypted file": Case("docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, refused="encrypted, or from a Word"),
    # pages
    "accordion": html(f"<main>{FILLER}<h3><button>May I?</button></h3><div hidden aria-hidden=true>With consent.</div></main>", "### May I", "With consent"),
    "deletion and insertion": html("within <del>30 days</del> <ins>14 days</ins>; <s>12</s> 15", "within 14 days; 15", lacks=("30", "12")),
    "raised figures of a page": html("10<sup>3</sup> litres, rate<sup>1</sup>", r"10\^3 litres", r"rate\[1\]", lacks=("103", "rate1")),
    "aside and section beside the article": html(f"<article>{FILLER}<aside>Never promise.</aside></article><section>Hours: nine.</section>", "Never", "Hours"),
    "aside within the article of a web page": html(f"<article>{FILLER}<aside>Never promise.</aside></article>", "Never promise", own=False),
    "cell that spans rows": html("<table><tr><th>A<th>B<tr><td rowspan=2>Keys<td>15<tr><td>85</table>", r"Keys \| 85"),
    "closed details": html("<details><summary>May I?</summary>With consent.</details>", "May I", "With consent"),
    "definition list": html("<dl><dt>Deposit<dd>Three rents.</dl>", r"Deposit\n+:?\s*Three rents"),
    "list in a cell": html("<table><tr><td>a<td><ul><li>x<li>y</ul><tr><td>b<td>c</table>", r"a \| - x - y \|"),
    "list with a start": html("<ol start=5><li>Pack<li>Send</ol>", r"(?m)^5\. Pack\n6\. Send"),
    "text as it is typed": html("<pre>key = 1\n  door = 2</pre>", "key = 1\n  door = 2"),
    "notes in a footer": html("<p>Paid.<sup>1</sup><footer><ol><li>Less damage.</ol></footer>", r"Paid\.\[1\]", "Less damage"),
    "page in windows-1256": html("<p>الإيداع", "الإيداع", charset="windows-1256"),
    "page in gb2312": html("<p>押金在八周内退还", "押金在八周内退还", charset="gb2312"),
    "soft hyphens and narrow blanks": html("over&shy;time, 10\u202f000 euros", "overtime, 10 000 euros"),
    "hidden orders of a web page": html(
        f"<main>{FILLER}<p style='font-size:0'>BAD</p><span hidden>BAD</span><!-- BAD --><template>BAD</template><noscript>BAD</noscript></main>",
        "dates every change", lacks=("BAD",), own=False),
    "unclosed tags": html("<ul><li>one<li>two<p>three", "(?m)^- one", "three"),
    # PDF
    "owner's password": Case("pdf", locked_pdf(LID, algorithm="RC4-128"), ("85 euros",)),
    "owner's password, AES": Case("pdf", locked_pdf(LID), ("85 euros",)),
    "user's password": Case("pdf", locked_pdf(LID, user="secret", algorithm="AES-128"), refused="needs a password"),
    "sentence over a page": pages(
        *(lines(*(line.format(n) for line in HEADER), text) for n, text in ((1, "The buyer may object within"), (2, "four weeks in writing."))),
        quote="The buyer may object within four weeks in writing."),
    "columns": pages(
        " ".join(f"BT /F1 10 Tf 12 TL 1 0 0 1 {x} {700 - 14 * n} Tm ({side[n % 4]}) Tj T* ET" for n in range(8) for x, side in ((72, LEFT), (320, RIGHT))),
        quote="Bowls are replaced within eight weeks of the day they arrived, less the postage."),
    "hyphen at the end of a line": pages(lines("The well-", "known desk looks at the dam-", "age within four weeks."), quote="the damage within four weeks"),
    "scan": Case("pdf", pdf(""), refused="a scan"),
    "row and raised figure": pages(
        lines("Lid", top=700) + " " + lines("12 euros", x=200, top=700)
        + " BT /F1 12 Tf 1 0 0 1 72 650 Tm (10) Tj /F1 7 Tf 5 Ts (3) Tj /F1 12 Tf 0 Ts ( litres) Tj ET",
        holds=("Lid( \\|)? 12 euros", r"10\^3 litres"), lacks=("103",)),
    "cut-off file": Case("pdf", pdf("x")[:-200], refused="broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fact_is_as_it_stands_in_the_document(name: str) -> None:
    case = CASES[name]
    if case.refused:
        with pytest.raises(ValueError, match=case.refused):
            READERS[case.kind](case.data, own=case.own)
        return
    text = plain(READERS[case.kind](case.data, own=case.own).text)
    assert [wanted for wanted in case.holds if not re.search(wanted, text)] == [], text
    assert [unwanted for unwanted in case.lacks if re.search(unwanted, text)] == [], text
    assert not case.quote or find_quote(case.quote, text).exact, text

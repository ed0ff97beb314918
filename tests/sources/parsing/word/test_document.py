"""Word documents: every fact of the text as Word shows it, nothing that is struck, hidden or only waits for being filled in."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from docx import Document

from finetune_prep.sources.parsing.extracted import Extracted
from finetune_prep.sources.parsing.word.document import read_docx
from tests.sources.foreign import WORD, docx, p, r, row, tc, word

HEADINGS = (
    '<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Kapitel"><w:name w:val="Kapitel"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Unter"><w:name w:val="Unter"/><w:basedOn w:val="Kapitel"/></w:style>'
)
NOTE = '<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'


def deleted(text: str) -> str:
    return f'<w:del w:id="1" w:author="x"><w:r><w:delText xml:space="preserve">{text}</w:delText></w:r></w:del>'


def text_of(body: str, **parts: str) -> str:
    return read_docx(word(body, **parts)).text


def box(content: str, *, vml: bool = False, choice: bool = False) -> str:
    inside = f"<w:txbxContent>{content}</w:txbxContent>"
    drawn = f"<w:drawing><wp:inline><a:graphic><a:graphicData><wps:wsp><wps:txbx>{inside}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"
    old = f"<w:pict><v:shape><v:textbox>{inside}</v:textbox></v:shape></w:pict>"
    if vml and choice:
        return f'<w:r><mc:AlternateContent><mc:Choice Requires="wps">{drawn}</mc:Choice><mc:Fallback>{old}</mc:Fallback></mc:AlternateContent></w:r>'
    if choice:
        return f'<w:r><mc:AlternateContent><mc:Choice Requires="wps">{drawn}</mc:Choice></mc:AlternateContent></w:r>'
    return f"<w:r>{old if vml else drawn}</w:r>"


def test_rows_of_a_table_keep_their_cells_together_below_the_head() -> None:
    table = f"<w:tbl>{row('Piece', 'Refund', 'Limit')}{row('Bowl', '40 euros', '30 days')}{row('Vase', '85 euros', '14 days')}</w:tbl>"
    assert text_of(p("What we pay back.") + table + p("Ask us.")) == (
        "What we pay back.\n\n| Piece | Refund | Limit |\n| --- | --- | --- |\n| Bowl | 40 euros | 30 days |\n| Vase | 85 euros | 14 days |\n\nAsk us."
    )


def test_a_merged_cell_stands_in_each_row_that_it_spans() -> None:
    restart, more, wide = '<w:vMerge w:val="restart"/>', "<w:vMerge/>", '<w:gridSpan w:val="3"/>'
    rows = [
        row("Piece", "Kind", "Refund"), row(tc("Bowls", restart), "cracked", "40 euros"), '<w:bookmarkStart w:id="1" w:name="x"/>',
        row(tc("", more), "lost", "85 euros"), row(tc("All within 14 days", wide)),
    ]  # fmt: skip
    text = text_of(f"<w:tbl>{''.join(rows)}</w:tbl>")
    assert "| Bowls | cracked | 40 euros |\n| Bowls | lost | 85 euros |\n| All within 14 days |" in text


def test_tracked_changes_are_as_if_they_were_accepted_and_counted() -> None:
    rows = row("Lid", "85 euros") + row("Old lid", "40 euros", properties='<w:del w:id="3" w:author="x"/>')
    found = read_docx(
        word(
            p("Send it within ", deleted("30 "), deleted("days"), f"<w:ins w:id='2' w:author='x'>{r('14 days')}</w:ins>", ".")
            + f"<w:tbl>{rows}</w:tbl>"
            + p("The desk answers ", properties='<w:rPr><w:del w:id="4" w:author="x"/></w:rPr>')
            + p("on Monday.")
            + p("It ends at ", f"<w:moveFrom>{r('ten')}</w:moveFrom>", f"<w:moveTo>{r('nine')}</w:moveTo>", ".")
        )
    )
    assert "Send it within 14 days." in found.text
    assert "The desk answers on Monday." in found.text
    assert "It ends at nine." in found.text
    assert "| Lid | 85 euros |" in found.text
    assert "Old lid" not in found.text
    assert found.left_out == {"deletions": 2}


@pytest.mark.parametrize("strike", ["<w:strike/>", "<w:dstrike/>", '<w:rStyle w:val="Gone"/>'])
def test_struck_text_is_not_said(strike: str) -> None:
    styles = '<w:style w:type="character" w:styleId="Gone"><w:name w:val="Gone"/><w:rPr><w:strike/></w:rPr></w:style>'
    found = read_docx(word(p("A lid costs ", r("12 euros", strike), " 15 euros."), styles=styles))
    assert (found.text, found.left_out) == ("A lid costs 15 euros.", {"deletions": 1})


def test_what_is_switched_off_is_not_struck_or_hidden() -> None:
    off = '<w:strike w:val="0"/><w:vanish w:val="false"/>'
    assert text_of(p(r("Seen", off))) == "Seen"


def test_notes_stand_behind_what_they_are_about_and_comments_are_counted() -> None:
    footnotes = NOTE + f'<w:footnote w:id="2">{p("<w:r><w:footnoteRef/></w:r>", " Not for gifts.")}</w:footnote>'
    found = read_docx(
        word(
            p("We pay within eight weeks.", '<w:r><w:footnoteReference w:id="2"/></w:r>')
            + p("Interest is paid.", '<w:r><w:endnoteReference w:id="2"/></w:r>', '<w:r><w:commentReference w:id="1"/></w:r>')
            + p("Done.", '<w:r><w:footnoteReference w:id="9"/></w:r>'),
            footnotes=footnotes,
            endnotes=f'<w:endnote w:id="2">{p("Except for vouchers.")}</w:endnote>',
            comments=f'<w:comment w:id="1">{p("Delete before we publish")}</w:comment>',
        )
    )
    assert found.text == (
        "We pay within eight weeks.[1]\n\n[1] Not for gifts.\n\nInterest is paid.[2]\n\n[2] Except for vouchers.\n\nDone."
    )
    assert found.left_out == {"comments": 1}


def test_a_note_within_a_table_stands_behind_the_table() -> None:
    mark = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    cell = f"<w:tc>{p('40 euros', mark)}</w:tc>"
    footnotes = f'<w:footnote w:id="2">{p("Less the postage.")}</w:footnote>'
    text = text_of(f"<w:tbl>{row('Piece', 'Refund')}{row('Bowl', cell)}</w:tbl>{p('After it.')}", footnotes=footnotes)
    assert text.endswith("| Bowl | 40 euros[1] |\n\n[1] Less the postage.\n\nAfter it.")


def test_headings_are_known_by_the_name_or_the_level_of_their_style_in_any_language() -> None:
    direct = '<w:outlineLvl w:val="2"/>'
    body = p("Hausordnung", style="Titel") + p("Kaution", style="berschrift1") + p("Abzüge", style="Unter")
    body += p("Fristen", properties=direct) + p("Text.", properties='<w:outlineLvl w:val="9"/>')
    assert text_of(body, styles=HEADINGS) == "# Hausordnung\n\n# Kaution\n\n## Abzüge\n\n### Fristen\n\nText."


@pytest.mark.parametrize("kind", [{"vml": True}, {}, {"choice": True}, {"vml": True, "choice": True}])
def test_a_text_box_is_read_once_behind_its_paragraph(kind: dict[str, bool]) -> None:
    text = text_of(p("Before ", box(p("Never promise ", "a date.") + p("Ask first."), **kind), "and after.") + p("Next."))
    assert text == "Before and after.\n\nNever promise a date.\n\nAsk first.\n\nNext."


def test_boxes_within_boxes_are_read_in_order() -> None:
    inner = p("Inner", box(p("Innermost")))
    assert text_of(p("Outer", box(inner), box(p("Second")))) == "Outer\n\nInner\n\nInnermost\n\nSecond"


def test_hyphens_and_breaks_that_are_elements_are_signs() -> None:
    body = p("e", "<w:r><w:noBreakHyphen/></w:r>", "mail within 14", "<w:r><w:noBreakHyphen/></w:r>", "21 days")
    body += p("Over", "<w:r><w:softHyphen/></w:r>", "time") + p(
        "One", "<w:r><w:cr/></w:r>", "two", "<w:r><w:ptab/></w:r>", "three"
    )
    text = text_of(body).replace("\u2011", "-").replace("\u00ad", "").replace("  \n", "\n")
    assert text == "e-mail within 14-21 days\n\nOvertime\n\nOne\ntwo three"


def test_raised_and_lowered_figures_stay_so() -> None:
    raised, styled = '<w:vertAlign w:val="superscript"/>', '<w:rStyle w:val="Up"/>'
    styles = f'<w:style w:type="character" w:styleId="Up"><w:name w:val="Up"/><w:rPr>{raised}</w:rPr></w:style>'
    body = p(
        "Keep 10", r("3", raised), " litres of H", r("2", '<w:vertAlign w:val="subscript"/>'), "O on 50 m", r("2", styled), "."
    )
    assert text_of(body, styles=styles) == "Keep 10^3 litres of H₂O on 50 m^2."


def test_formulas_are_written_in_a_line() -> None:
    fraction = "<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
    power = "<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
    root = "<m:rad><m:deg/><m:e><m:r><m:t>n+1</m:t></m:r></m:e></m:rad>"
    body = p(
        "Pay ", f"<m:oMath>{fraction}</m:oMath>", " or ", f"<m:oMathPara><m:oMath>{power}{root}</m:oMath></m:oMathPara>", "."
    )
    assert text_of(body) == "Pay (a+b)/2 or x^2√(n+1)."


def test_hidden_text_and_texts_that_wait_are_left_out() -> None:
    waiting = f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{p('Click here to enter text.')}</w:sdtContent></w:sdt>"
    styles = '<w:style w:type="character" w:styleId="Not"><w:name w:val="Not"/><w:rPr><w:vanish/></w:rPr></w:style>'
    hidden = [r(" HIDDEN", "<w:vanish/>"), r(" HIDDEN", "<w:vanish/>"), " seen", r("HIDDEN", '<w:rStyle w:val="Not"/>')]
    found = read_docx(word(p("Visible", *hidden) + waiting, styles=styles))
    assert (found.text, found.left_out) == ("Visible seen", {"hidden passages": 2})


def test_what_stands_in_fields_controls_and_unknown_elements_is_read() -> None:
    field = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> HYPERLINK "mailto:x" </w:instrText></w:r>'
    field += f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{r("the desk")}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    body = p("Write to ", field, ", open ", f'<w:fldSimple w:instr=" REF x ">{r("on Monday")}</w:fldSimple>', ".")
    body += f"<w:sdt><w:sdtPr/><w:sdtContent>{p('The rate is 3 percent.')}</w:sdtContent></w:sdt>"
    body += p(
        f'<w:smartTag w:element="x">{r("Berlin")}</w:smartTag>',
        f'<w:bdo w:val="rtl">{r(" opens")}</w:bdo>',
        f"<w:strange>{r(' at nine')}</w:strange>",
    )
    assert text_of(body) == "Write to the desk, open on Monday.\n\nThe rate is 3 percent.\n\nBerlin opens at nine"


def test_readings_stand_behind_their_signs() -> None:
    ruby = f"<w:r><w:ruby><w:rubyPr/><w:rt>{r('ちゃわん')}</w:rt><w:rubyBase>{r('茶碗')}</w:rubyBase></w:ruby></w:r>"
    assert text_of(p(ruby, "は三十日以内に")) == "茶碗(ちゃわん)は三十日以内に"


def test_headers_and_footers_are_read_once_at_the_end() -> None:
    page = "<w:r><w:instrText> PAGE </w:instrText></w:r>"
    text = text_of(p("Rules") + p("Text."), header1=p("Valid from 1 March") + p("Rules"), footer1=p("Page ", page, "3"))
    assert text == "Rules\n\nText.\n\nValid from 1 March"


def test_pictures_are_counted() -> None:
    picture = (
        "<w:r><w:drawing><wp:inline><a:graphic><a:graphicData><a:blip/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
    assert read_docx(word(p("See", picture))) == Extracted(text="See", left_out={"pictures": 1})


def test_strict_files_and_files_with_another_main_part_are_read_alike() -> None:
    body = p("Deposit", style="Heading1") + p("Paid back.", '<w:r><w:footnoteReference w:id="2"/></w:r>', deleted("never"))
    footnotes = f'<w:footnote w:id="2">{p("Less damage.")}</w:footnote>'
    plain = read_docx(word(body, footnotes=footnotes))
    assert plain.text == "# Deposit\n\nPaid back.[1]\n\n[1] Less damage."
    assert read_docx(word(body, footnotes=footnotes, strict=True)) == plain
    assert read_docx(word(body, footnotes=footnotes, main="word/document2.xml")) == plain


def test_any_script_is_read() -> None:
    texts = ["Größe 5 €", "الإيداع خلال ثمانية أسابيع", "押金八周内退还", "敷金は八週間以内", "คืนเงินภายในแปดสัปดาห์"]
    assert text_of("".join(map(p, texts))) == "\n\n".join(texts)


def test_a_document_as_it_is_really_written(tmp_path: Path) -> None:
    document = Document()
    document.core_properties.title = "Returns"
    document.add_heading("Returns of a shop", 0)
    document.add_heading("Limits", 1)
    document.add_paragraph("Thirty days.")
    for step in ("Pack it", "Send it"):
        document.add_paragraph(step, style="List Number")
    document.add_paragraph("fragile", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for number, cell in enumerate(("Piece", "Refund", "Bowl", "40 euros")):
        table.cell(number // 2, number % 2).text = cell
    document.add_paragraph("We care.", style="Quote")
    file = io.BytesIO()
    document.save(file)
    found = read_docx(file.getvalue())
    assert found.title == "Returns"
    assert found.text == (
        "# Returns of a shop\n\n# Limits\n\nThirty days.\n\n1. Pack it\n2. Send it\n\n- fragile\n\n"
        "| Piece | Refund |\n| --- | --- |\n| Bowl | 40 euros |\n\n> We care."
    )


def test_what_is_no_word_document_is_refused_in_words() -> None:
    bad = {
        b"no zip": "is not a Word document",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600: "encrypted, or from a Word of before 2007",
        docx(document="<w:broken"): "its XML is broken",
        docx(document=f'<w:styles xmlns:w="{WORD}"/>'): "is not a Word document",
        docx(document=f'<w:document xmlns:w="{WORD}"/>'): "is not a Word document",
        docx(): "holds no text",
        word(p("x"))[:-40]: "is not a Word document",
    }
    for data, reason in bad.items():
        with pytest.raises(ValueError, match=reason):
            read_docx(data)

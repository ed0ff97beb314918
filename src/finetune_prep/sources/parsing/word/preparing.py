"""A Word file as its converter (mammoth) takes it: all text where it looks for it, and nothing that is not meant to be read."""

from __future__ import annotations

import re
from collections import Counter

from lxml import etree

from finetune_prep.sources.parsing.word.elements import Element, Styles, child_of, is_on, kind, made, replace, text_of, value
from finetune_prep.sources.parsing.word.formulas import in_line
from finetune_prep.sources.parsing.word.numbering import EMPTY as NO_LISTS
from finetune_prep.sources.parsing.word.numbering import Numbering
from finetune_prep.sources.parsing.word.package import Parts

STORIES = ("document", "footnotes", "endnotes", "hdr", "ftr")
NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote"}
KNOWN = (  # what the converter looks into, or rightly passes over; of anything else, what stands in it is read
    *("body", "p", "r", "tbl", "tr", "tc", "sdt", "sdtContent", "sdtPr", "hyperlink", "ins", "moveTo", "smartTag", "customXml"),
    *("pPr", "rPr", "tblPr", "trPr", "tcPr", "sectPr", *STORIES, *NOTES.values()),
)
PICTURES = ("drawing", "pict", "object")
DRAWN = ("blip", "imagedata", "chart", "relIds", "OLEObject")
OF_RUNS = ("vanish", "strike", "dstrike", "vertAlign")  # properties that change what a run says
_HEADING = re.compile(r"heading \d|title", re.IGNORECASE)
_NO_HEADING = 9  # an outline level: body text


def prepare(parts: Parts, left_out: Counter[str]) -> None:
    """Change the parts, in place. left_out: counts what is taken out. Raises ValueError if none of them is a document."""
    stories = [root for root in parts.values() if kind(root) in STORIES]
    body = next((root.find("{*}body") for root in stories if kind(root) == "document"), None)
    if body is None:
        raise ValueError("it is not a Word document (.docx)")
    styles = Styles(parts.values())
    numbering = Numbering(_numbers(parts), styles)
    left_out["comments"] += sum(len(root) for root in parts.values() if kind(root) == "comments")
    for root in stories:
        _settle_alternatives(root)
        _spell_out_styles(root, styles)
        _take_out(root, left_out)
        for paragraph in root.iter("{*}p"):
            numbering.label(paragraph)
            _mark_heading(paragraph, styles)
        _put_in_line(root)
        _lift_boxes(root, left_out)
        _open_unknown(root)
    _drop_dead_references(stories)
    _add_edges(body, stories)


def _settle_alternatives(root: Element) -> None:
    """Of several ways to draw the same thing, one that holds its text."""
    for drawn in list(root.iter("{*}AlternateContent")):
        ways = sorted(drawn, key=lambda way: (not text_of(way).strip(), kind(way) != "Fallback"))
        replace(drawn, list(ways[0]) if ways else ())


def _numbers(parts: Parts) -> Element:
    """The part that describes lists, made if there is none."""
    found = next((root for root in parts.values() if kind(root) == "numbering"), None)
    return found if found is not None else parts.setdefault("word/numbering.xml", etree.fromstring(NO_LISTS))


def _spell_out_styles(root: Element, styles: Styles) -> None:
    """What a style says of a run stands with the run."""
    for run in root.iter("{*}r"):
        paragraph = next(run.iterancestors("{*}p"), None)
        of_paragraph = value(paragraph.find("{*}pPr/{*}pStyle")) if paragraph is not None else ""
        for id in (value(run.find("{*}rPr/{*}rStyle")), of_paragraph):
            if id:
                _spell_out(run, id, styles)


def _mark_heading(paragraph: Element, styles: Styles) -> None:
    """A paragraph with an outline level is a heading, in any language."""
    id = value(paragraph.find("{*}pPr/{*}pStyle"))
    level = paragraph.find("{*}pPr/{*}outlineLvl")
    if level is None and not _HEADING.fullmatch(styles.name(id)):
        level = styles.property(id, "{*}pPr/{*}outlineLvl")
    if level is not None and value(level).isdecimal() and int(value(level)) < _NO_HEADING:
        style = child_of(child_of(paragraph, "pPr"), "pStyle")
        style.attrib.clear()
        style.set(f"{str(style.tag).rpartition('}')[0]}}}val", f"Heading{min(int(value(level)), 5) + 1}")


def _spell_out(run: Element, style: str, styles: Styles) -> None:
    for name in OF_RUNS:
        said = styles.property(style, f"{{*}}rPr/{{*}}{name}")
        if said is None or run.find(f"{{*}}rPr/{{*}}{name}") is not None:
            continue
        new = made(run, name)
        new.attrib.update(said.attrib)
        child_of(run, "rPr").append(new)


def _take_out(root: Element, left_out: Counter[str]) -> None:
    """What was deleted or is hidden, counted by passages; texts that wait for being filled in; marks without words."""
    rows = [row for row in root.iter("{*}tr") if row.find("{*}trPr/{*}del") is not None]
    deleted = [mark for mark in root.iter("{*}del") if text_of(mark)]
    _remove(rows, "deletions", left_out)
    _remove([mark for mark in deleted if root in mark.iterancestors()], "deletions", left_out)
    hidden = [run for run in root.iter("{*}r") if is_on(run.find("{*}rPr/{*}vanish")) and text_of(run)]
    _remove(hidden, "hidden passages", left_out)
    left_out["files within it"] += sum(1 for _ in root.iter("{*}altChunk"))
    for waiting in list(root.iter("{*}showingPlcHdr")):
        for control in list(waiting.iterancestors("{*}sdt"))[:1]:
            replace(control)
    for mark in list(root.iter("{*}bookmarkStart", "{*}bookmarkEnd", "{*}proofErr", "{*}moveFrom", "{*}commentReference")):
        replace(mark)


def _remove(elements: list[Element], what: str, left_out: Counter[str]) -> None:
    """Neighbours are one passage."""
    ids = set(map(id, elements))
    left_out[what] += sum(id(element.getprevious()) not in ids for element in elements)
    for element in elements:
        replace(element)


def _put_in_line(root: Element) -> None:
    """Formulas, readings above their signs and rare kinds of breaks, as plain text."""
    for formula in list(root.iter("{*}oMath")):
        replace(formula, [_run(root, in_line(formula))])
    for both in list(root.iter("{*}ruby")):
        base, reading = (both.find(f"{{*}}{part}") for part in ("rubyBase", "rt"))
        text = (text_of(base) if base is not None else "") + (f"({text_of(reading)})" if reading is not None else "")
        replace(both, [made(both, "t", text)])
    for rare, common in (("cr", "br"), ("ptab", "tab")):
        for node in list(root.iter(f"{{*}}{rare}")):
            replace(node, [made(node, common)])
    for struck in list(root.iter("{*}dstrike")):
        if is_on(struck):
            replace(struck, [made(struck, "strike")])


def _run(root: Element, text: str) -> Element:
    run = made(root, "r")
    run.append(made(root, "t", text))
    return run


def _lift_boxes(root: Element, left_out: Counter[str]) -> None:
    """Text boxes stand behind the paragraph that holds them, the inner ones first; pictures are counted."""
    for box in reversed(list(root.iter("{*}txbxContent"))):
        paragraph = next(box.iterancestors("{*}p"), None)
        for block in reversed(box):
            if paragraph is not None:
                paragraph.addnext(block)
    for picture in list(root.iter(*(f"{{*}}{name}" for name in PICTURES))):
        left_out["pictures"] += any(True for _ in picture.iter(*(f"{{*}}{name}" for name in DRAWN)))
        replace(picture)


def _open_unknown(root: Element) -> None:
    for element in list(root.iter()):
        if kind(element) not in KNOWN and next(element.iterdescendants("{*}r", "{*}p"), None) is not None:
            replace(element, list(element))


def _drop_dead_references(stories: list[Element]) -> None:
    there = {(kind(note), value(note, "id")) for root in stories for note in root.iter("{*}footnote", "{*}endnote")}
    for root in stories:
        for reference in list(root.iter(*(f"{{*}}{name}" for name in NOTES))):
            if (NOTES[kind(reference)], value(reference, "id")) not in there:
                replace(reference)


def _add_edges(body: Element, stories: list[Element]) -> None:
    """The words of headers and footers once, at the end, if they say more than the number of the page."""
    said = {" ".join(text_of(paragraph).split()) for paragraph in body.iter("{*}p")}
    for root in stories:
        for paragraph in root.iter("{*}p") if kind(root) in ("hdr", "ftr") else ():
            text = " ".join(text_of(paragraph).split())
            fields = " ".join(node.text or "" for node in paragraph.iter("{*}instrText")) + value(paragraph, "instr")
            if text and text not in said and "PAGE" not in fields:
                said.add(text)
                line = made(body, "p")
                line.append(_run(body, text))
                body.append(line)

"""Word documents: a zip with XML in it, read with the standard library and under caps."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

from finetune_prep.sources.parsing.extracted import MOST_TEXT, Extracted

MOST_XML = 40_000_000  # bytes of one part, unpacked; a book of 500 pages has some 5 MB
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DC = "{http://purl.org/dc/elements/1.1/}"


def read_docx(data: bytes, charset: str = "") -> Extracted:
    """Paragraphs, headings and cells, in their order. Raises ValueError if it is not a Word document or holds no text."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            document = _part(parts, "word/document.xml")
            about = _part(parts, "docProps/core.xml") if "docProps/core.xml" in parts.namelist() else b""
    except (zipfile.BadZipFile, KeyError, NotImplementedError, EOFError, RuntimeError) as error:
        raise ValueError("it is not a Word document (.docx)") from error
    text = "\n\n".join(_paragraphs(document))[:MOST_TEXT]
    if not text:
        raise ValueError("it holds no text")
    title = _tree(about).findtext(f"{DC}title") if about else ""
    return Extracted(text=text, title=title or "")


def _part(parts: zipfile.ZipFile, name: str) -> bytes:
    """The unpacked part, read no further than the cap whatever its header claims."""
    with parts.open(name) as part:
        data = part.read(MOST_XML + 1)
    if len(data) > MOST_XML:
        raise ValueError(f"it unpacks to more than {MOST_XML // 1_000_000} MB")
    return data


def _tree(data: bytes) -> ElementTree.Element:
    # a document type could define entities that stand for more than fits in memory; Word writes none
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("its XML defines entities, which no Word document does")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 – caps and no entities, in a limited process
    except ElementTree.ParseError as error:
        raise ValueError("its XML is broken") from error


def _paragraphs(document: bytes) -> list[str]:
    found = []
    for paragraph in _tree(document).iter(f"{W}p"):
        words = " ".join("".join(_pieces(paragraph)).split())
        if words:
            found.append(_mark(paragraph) + words)
    return found


def _pieces(paragraph: ElementTree.Element) -> list[str]:
    pieces = []
    for node in paragraph.iter():
        if node.tag == f"{W}t":
            pieces.append(node.text or "")
        elif node.tag in (f"{W}tab", f"{W}br"):
            pieces.append(" ")
    return pieces


def _mark(paragraph: ElementTree.Element) -> str:
    style = paragraph.find(f"{W}pPr/{W}pStyle")
    name = style.get(f"{W}val", "") if style is not None else ""
    level = name.removeprefix("Heading")
    if name == "Title":
        return "# "
    return "#" * min(int(level), 6) + " " if name.startswith("Heading") and level.isdecimal() and level != "0" else ""

"""Small files of foreign formats, sound and hostile, made here byte by byte."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SPACES = " ".join(
    f'xmlns:{prefix}="{space}"'
    for prefix, space in {
        "w": WORD,
        "r": OFFICE,
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "v": "urn:schemas-microsoft-com:vml",
    }.items()
)


def docx(*paragraphs: str, title: str = "", document: str = "") -> bytes:
    """A Word document. A paragraph that begins with "# " is a heading. document: its XML, instead."""
    body = "".join(_paragraph(text) for text in paragraphs)
    core = f'<x xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></x>'
    return word(body, whole=document, **{"docProps/core.xml": core})


def word(body: str, *, whole: str = "", main: str = "word/document.xml", strict: bool = False, **parts: str) -> bytes:
    """A Word document of this body, or of this whole main part. parts: other parts by their name below word/, or by their path."""
    files = {main: whole or f"<w:document {SPACES}><w:body>{body}</w:body></w:document>"}
    for name, xml in parts.items():
        if "/" in name:
            files[name] = xml
        else:
            files[f"word/{name}.xml"] = f"<w:{ROOTS.get(name, name)} {SPACES}>{xml}</w:{ROOTS.get(name, name)}>"
    if strict:
        files = {name: xml.replace(WORD, STRICT).replace(OFFICE, STRICT_OFFICE) for name, xml in files.items()}
    relation = (STRICT_OFFICE if strict else OFFICE) + "/officeDocument"
    files["_rels/.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relation}" Target="{main}"/></Relationships>'
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, xml in files.items():
            package.writestr(name, xml)
    return file.getvalue()


ROOTS = {"header1": "hdr", "footer1": "ftr"}
STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"


def p(*runs: str, style: str = "", properties: str = "") -> str:
    """A paragraph of Word. What does not begin with a tag is the text of a run."""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{properties}</w:pPr>{''.join(run if run[:1] == '<' else r(run) for run in runs)}</w:p>"


def r(text: str, properties: str = "") -> str:
    """A run of Word."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def row(*cells: str, properties: str = "") -> str:
    """A row of a table of Word. What does not begin with a tag is the text of a cell."""
    made = (cell if cell[:1] == "<" else tc(cell) for cell in cells)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(made)}</w:tr>"


def tc(text: str, properties: str = "") -> str:
    """A cell of a table of Word."""
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"


def _paragraph(text: str) -> str:
    first, _, rest = text.removeprefix("# ").partition(" ")
    return p(r(first), f"<w:r><w:tab/><w:t>{rest}</w:t></w:r>", style="Heading1" if text.startswith("# ") else "")


def pdf(*pages: str, title: str = "") -> bytes:
    """A PDF with one line of text on each page."""
    return drawn_pdf(*(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else "" for text in pages), title=title)


def drawn_pdf(*pages: str | bytes, title: str = "", filter: str = "") -> bytes:
    """A PDF of pages that are drawn by these operators. filter: how they are packed already."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for page in pages:
        stream = page.encode("cp1252") if isinstance(page, str) else page
        packed = f" /Filter /{filter}" if filter else ""
        objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(stream), packed.encode(), stream))
        content = len(objects)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
            % content
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    objects.append(f"<< /Title ({title}) >>".encode())
    return _file(objects)


def locked_pdf(text: str, *, user: str = "", algorithm: str = "AES-256") -> bytes:
    """A PDF that its owner alone may change; with `user`, one that only that password opens."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(text))))
    writer.encrypt(user_password=user, owner_password="owner", algorithm=algorithm)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def hide_cryptography(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """For the process that reads files, as if the library were not installed."""
    package = folder / "cryptography"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])


def _file(objects: list[bytes]) -> bytes:
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, len(objects), len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + trailer

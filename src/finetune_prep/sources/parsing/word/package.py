"""The parts of a Word file that hold text, unpacked under caps and parsed without entities; everything else stays packed."""

from __future__ import annotations

import io
import zipfile
import zlib

from lxml import etree

from finetune_prep.sources.parsing.extracted import Unreadable

MOST_XML = 40_000_000  # bytes of all parts together, unpacked; a book of 500 pages has some 5 MB
MOST_PARTS = 5_000
MOST_TAGS = 1_000_000  # in all parts together: elements take far more memory than their names
# a document type could define entities that stand for more than fits in memory; Word writes none
ENTITIES = "its XML defines entities, which no Word document does"
TYPES = tuple("<!DOCTYPE".encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be"))
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how files of Word before 2007 begin, and encrypted ones
NOT_READ = (
    "customXml/",
    "word/theme/",
    "word/glossary/",
    "word/embeddings/",
    "word/settings",
    "word/fontTable",
    "word/webSettings",
)
RELATIONS = ".rels"

Parts = dict[str, etree._Element]  # by the name of the part


def unpack(data: bytes) -> Parts:
    """The XML of a Word file. Raises ValueError if it is none, or unpacks to too much."""
    if data.startswith(OLD):
        raise Unreadable("it is encrypted, or from a Word of before 2007 (.doc)", fix="save it as .docx, without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return {name: _parsed(xml) for name, xml in _unpacked(package).items()}
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, EOFError, RuntimeError) as error:
        if isinstance(error, RecursionError):
            raise
        raise ValueError("it is not a Word document (.docx)") from error


def pack(parts: Parts) -> bytes:
    """A file of these parts alone."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as package:
        for name, root in parts.items():
            package.writestr(name, etree.tostring(root, encoding="utf-8", xml_declaration=True))
    return file.getvalue()


def _unpacked(package: zipfile.ZipFile) -> dict[str, bytes]:
    """Parts are read no further than the cap, whatever their headers claim."""
    names = [info.filename for info in package.infolist() if info.filename.endswith((".xml", RELATIONS))]
    names = [name for name in names if not name.startswith(NOT_READ)]
    if len(names) > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS:,} parts")
    found: dict[str, bytes] = {}
    left, tags = MOST_XML, MOST_TAGS
    for name in names:
        with package.open(name) as part:
            found[name] = part.read(left + 1)
        left -= len(found[name])
        tags -= found[name].count(b"<")
        if tags < 0:
            raise ValueError(f"it has more than {MOST_TAGS:,} tags")
        if left < 0:
            raise ValueError(f"it unpacks to more than {MOST_XML // 1_000_000} MB")
    return found


def _parsed(xml: bytes) -> etree._Element:
    if any(type in xml for type in TYPES):
        raise ValueError(ENTITIES)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        deep = "depth" in str(error)
        raise ValueError("it is nested too deeply" if deep else "its XML is broken") from error
    if root.getroottree().docinfo.doctype:
        raise ValueError(ENTITIES)  # in an encoding that nobody uses
    return root

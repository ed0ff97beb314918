"""PDF to text, with pypdf."""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import TYPE_CHECKING

from pypdf import PdfReader
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from finetune_prep.sources.parsing.extracted import MOST_TEXT, Extracted, Unreadable, cut_off
from finetune_prep.sources.parsing.pdf.edges import joined, without_edges
from finetune_prep.sources.parsing.pdf.layout import Page, Row

if TYPE_CHECKING:
    from pypdf import PageObject

MOST_PAGES = 1_000
CRYPTO = "cryptography"  # the library that AES needs
PRINT_AGAIN = "open it in a viewer and print it into a new PDF"
RECOGNISE = "run text recognition over it first, for example: ocrmypdf IN OUT"
REMARKS = ("/Text", "/FreeText", "/Highlight", "/Underline", "/StrikeOut")
_DIVIDED = re.compile(r"([^\W\d_]+)[-\u2010\u00ad]\n([^\W\d_]+)")


def read_pdf(data: bytes, charset: str = "", *, own: bool = False) -> Extracted:
    """The text of its pages, without their headers and footers. Raises ValueError if it cannot be read or holds no text."""
    left_out: Counter[str] = Counter()
    try:
        reader = _opened(data)
        pages = _pages(reader, left_out)
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except DependencyError:
        raise Unreadable("it is encrypted with AES, which needs a library that is not installed", install=CRYPTO) from None
    except NotImplementedError as error:
        raise Unreadable("it is encrypted in a way that cannot be read here", fix=PRINT_AGAIN) from error
    except LimitReachedError as error:
        raise ValueError("it unpacks to more than fits in memory") from error
    except ValueError:
        raise
    except (PyPdfError, KeyError, TypeError, AttributeError, IndexError, OverflowError, ArithmeticError) as error:
        # a broken file makes the library stumble in many ways
        raise Unreadable(
            f"its PDF is broken ({type(error).__name__})", fix="open it in a viewer and print it into a new PDF"
        ) from error
    left_out["pages without text"] += pages.count([])
    text = _undivided(joined(without_edges(pages, left_out)))
    if not text:
        raise Unreadable("it holds no text (a scan?)", fix=RECOGNISE)
    return cut_off(Extracted(text=text, title=" ".join(title.split()), left_out=left_out))


def _opened(data: bytes) -> PdfReader:
    reader = PdfReader(io.BytesIO(data))
    # most are encrypted for their owner alone: what may be done with them, not who may read them
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("it needs a password", fix="save it without one, for example: qpdf --decrypt --password=… IN OUT")
    return reader


def _pages(reader: PdfReader, left_out: Counter[str]) -> list[list[Row]]:
    pages: list[list[Row]] = []
    length = 0
    for page in reader.pages[:MOST_PAGES]:
        pages.append(_rows(page))
        left_out["comments"] += sum(note.get_object().get("/Subtype") in REMARKS for note in page.get("/Annots") or ())
        length += sum(len(row.text) for row in pages[-1])
        if length > MOST_TEXT:
            break
    left_out["pages at the end"] += len(reader.pages) - len(pages)
    return pages


def _rows(page: PageObject) -> list[Row]:
    seen = Page()
    text = page.extract_text(visitor_text=seen.visit)
    if seen.drawn.strip() == text.strip():
        return seen.rows()
    # what is drawn from right to left is put together otherwise than it is told
    return [Row(line.strip(), 0.0) for line in text.splitlines() if line.strip()]


def _undivided(text: str) -> str:
    """A word that was divided at the end of a line is one again, with its hyphen if it has one elsewhere in the text."""
    words = Counter(re.findall(r"\w+(?:-\w+)*", text.casefold()))

    def whole(match: re.Match[str]) -> str:
        if not match[2][0].islower():
            return match[0]
        hyphened = f"{match[1]}-{match[2]}"
        return hyphened if words[hyphened.casefold()] else f"{match[1]}{match[2]}"

    return _DIVIDED.sub(whole, text)

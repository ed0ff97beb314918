"""PDF to text, with pypdf."""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import TYPE_CHECKING

from pypdf import PdfReader
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from finetune_prep.sources.parsing.extracted import MOST_TEXT, Extracted, Unreadable, cut_off
from finetune_prep.sources.parsing.pdf.layout import Page

if TYPE_CHECKING:
    from pypdf import PageObject

MOST_PAGES = 1_000
EDGE = 3  # lines at the top and at the bottom of a page
TOP, BOTTOM = slice(EDGE), slice(-EDGE, None)
EDGE_SHARE = 0.6  # of the pages; what stands at their edges is a header or a footer
CRYPTO = "cryptography"  # the library that AES needs
PRINT_AGAIN = "open it in a viewer and print it into a new PDF"
RECOGNISE = "run text recognition over it first, for example: ocrmypdf IN OUT"
REMARKS = ("/Text", "/FreeText", "/Highlight", "/Underline", "/StrikeOut")
_DIVIDED = re.compile(r"([^\W\d_]+)[-\u2010\u00ad]\n([^\W\d_]+)")
_ENDS = re.compile(r"[.!?:;。！？][\"'”’»)]*\Z")


def read_pdf(data: bytes, charset: str = "", *, own: bool = False) -> Extracted:
    """The text of its pages, without their headers and footers. Raises ValueError if it cannot be read or holds no text."""
    left_out: Counter[str] = Counter()
    try:
        reader = _opened(data)
        pages = _pages(reader, left_out)
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except DependencyError:
        raise Unreadable("it is encrypted with AES, which needs a library that is not installed", install=CRYPTO) from None
    except LimitReachedError as error:
        raise ValueError("it unpacks to more than fits in memory") from error
    except ValueError:
        raise
    except (PyPdfError, KeyError, TypeError, AttributeError, IndexError, OverflowError, ArithmeticError) as error:
        # a broken file makes the library stumble in many ways
        raise Unreadable(
            f"its PDF is broken ({type(error).__name__})", fix="open it in a viewer and print it into a new PDF"
        ) from error
    left_out["pages without text"] += sum(not page.strip() for page in pages)
    text = _joined(_without_edges(pages, left_out))
    if not text:
        raise Unreadable("it holds no text (a scan?)", fix=RECOGNISE)
    return cut_off(Extracted(text=text, title=" ".join(title.split()), left_out=left_out))


def _opened(data: bytes) -> PdfReader:
    reader = PdfReader(io.BytesIO(data))
    # most are encrypted for their owner alone: what may be done with them, not who may read them
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("it needs a password", fix="save it without one, for example: qpdf --decrypt --password=… IN OUT")
    return reader


def _pages(reader: PdfReader, left_out: Counter[str]) -> list[str]:
    pages: list[str] = []
    length = 0
    for page in reader.pages[:MOST_PAGES]:
        pages.append(_text(page))
        left_out["comments"] += sum(note.get_object().get("/Subtype") in REMARKS for note in page.get("/Annots") or ())
        length += len(pages[-1])
        if length > MOST_TEXT:
            break
    left_out["pages at the end"] += len(reader.pages) - len(pages)
    return pages


def _text(page: PageObject) -> str:
    seen = Page()
    text = page.extract_text(visitor_text=seen.visit)
    # what is drawn from right to left is put together otherwise than it is told
    return seen.text() if seen.drawn.strip() == text.strip() else text


def _without_edges(pages: list[str], left_out: Counter[str]) -> list[str]:
    """Pages without the lines that stand at the top or the bottom of most of them.

    What says the same there on every page is kept once: at the top of the first page, or at the end.
    """
    cut = [[line.strip() for line in page.splitlines() if line.strip()] for page in pages]
    least = max(2, EDGE_SHARE * sum(map(bool, cut)))
    tops, bottoms = (Counter(fold for lines in cut for fold in set(map(_folded, lines[part]))) for part in (TOP, BOTTOM))
    same = Counter(line for lines in cut for line in {*lines[TOP], *lines[BOTTOM]} if re.search(r"[^\W\d]", line))
    kept: list[str] = []
    said: dict[str, None] = {}
    footers: dict[str, None] = {}
    for lines in cut:
        first = _edge(lines, tops, least)
        last = len(lines) - _edge(lines[::-1], bottoms, least)
        if first >= last:  # a page that says nothing else
            first, last = 0, len(lines)
        header = [line for line in lines[:first] if same[line] >= least and line not in said]
        said |= dict.fromkeys(header)
        footers |= dict.fromkeys(line for line in lines[last:] if same[line] >= least)
        left_out["lines at the edges of pages"] += first - len(header) + len(lines) - last
        kept.append("\n".join([*header, *lines[first:last]]))
    return [*kept, *(line for line in footers if line not in said)]


def _edge(lines: list[str], known: Counter[str], least: float) -> int:
    """How many of the first lines are of the edge, each pattern once: a column of figures is none."""
    folds = [_folded(line) for line in lines[TOP]]
    count = 0
    while count < len(folds) and known[folds[count]] >= least and folds[count] not in folds[:count]:
        count += 1
    return count


def _folded(line: str) -> str:
    """A line in which every number is like another: that of the page changes."""
    return re.sub(r"\d+", "#", line.casefold())


def _joined(pages: list[str]) -> str:
    """One text, in which a sentence that goes over a page goes on."""
    whole = ""
    for page in filter(None, pages):
        whole += ("\n\n" if _ENDS.search(whole) else "\n") + page
    return _undivided(whole.strip())


def _undivided(text: str) -> str:
    """A word that was divided at the end of a line is one again, with its hyphen if it has one elsewhere in the text."""
    words = Counter(re.findall(r"\w+(?:-\w+)*", text.casefold()))

    def joined(match: re.Match[str]) -> str:
        if not match[2][0].islower():
            return match[0]
        hyphened = f"{match[1]}-{match[2]}"
        return hyphened if words[hyphened.casefold()] else f"{match[1]}{match[2]}"

    return _DIVIDED.sub(joined, text)

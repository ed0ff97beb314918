"""PDF to text, with pypdf (the extra “documents”)."""

from __future__ import annotations

import io

from finetune_prep.sources.parsing.extracted import MOST_TEXT, Extracted

MOST_PAGES = 1_000


def read_pdf(data: bytes, charset: str = "") -> Extracted:
    """The text of its pages. Raises ValueError if it cannot be read or holds no text, as a scan does."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise ValueError("it is encrypted")
        pages, length = [], 0
        for page in reader.pages[:MOST_PAGES]:
            text = page.extract_text().strip()
            pages.append(text)
            length += len(text)
            if length > MOST_TEXT:
                break
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except ValueError:
        raise
    except (PyPdfError, KeyError, TypeError, AttributeError, IndexError, OverflowError, ArithmeticError) as error:
        # a broken file makes the library stumble in many ways
        raise ValueError(f"its PDF is broken ({type(error).__name__})") from error
    whole = "\n\n".join(page for page in pages if page)[:MOST_TEXT]
    if not whole:
        raise ValueError("it holds no text (a scan?)")
    return Extracted(text=whole, title=" ".join(title.split()))

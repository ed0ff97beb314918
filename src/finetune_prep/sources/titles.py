"""What a page is called where its own words have no business: in lists, and in prompts outside the boundary around its text."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from finetune_prep.sources.suspicion import addresses_machines
from finetune_prep.sources.text import one_line

LONGEST = 120  # characters
MOST_WORDS = 16
# with which a title would speak to its reader; "How to return your parcel" loses its title to that, and is called by its address
_SPEAKS = re.compile(
    r"\b(?:you|your|yours|yourself|must|should|shall|please|always|never|ignore|disregard|forget|instead|answer|respond|reply|output|"
    r"write|say|return|claims?|quotes?|prompts?|instructions?|system|reader)\b|[{}<>`|\\=]",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"\.(?:html?|php|aspx?|pdf|jsp|md|txt)$", re.IGNORECASE)


def page_title(title: str, url: str) -> str:
    """The page's own title if it is one that speaks to nobody, else a name made from its address."""
    return _harmless(title) or _from_address(url)


def page_publisher(publisher: str, url: str) -> str:
    """What the page calls its publisher, on the same terms, else its host."""
    return _harmless(publisher) or urlsplit(url).netloc


def _harmless(text: str) -> str:
    line = one_line(text)
    fits = len(line) <= LONGEST and len(line.split()) <= MOST_WORDS
    return line if fits and not _speaks(line) else ""


def _from_address(url: str) -> str:
    """Words of the last part of the path, and the host: "Damaged goods (larch.example)"."""
    parts = urlsplit(url)
    host = parts.netloc.lower().removeprefix("www.")
    last = _EXTENSION.sub("", parts.path.rstrip("/").rpartition("/")[2])
    words = [word for word in re.findall(r"[A-Za-z0-9]+", last) if not word.isdecimal()][:MOST_WORDS]
    name = " ".join(words)[:LONGEST].capitalize()
    return f"{name} ({host})" if name and not _speaks(name) else host


def _speaks(text: str) -> bool:
    return bool(_SPEAKS.search(text) or addresses_machines(text))

"""HTML to text: what a reader of the page sees of its content, without menus, and nothing that is hidden.

Hidden text is where pages put words that are meant for machines only. Python's own parser: it takes any page for what it is, and
costs no dependency (docs/decisions/0012-fetching.md has the sizes of others).
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from finetune_prep.sources.parsing.decoding import decode
from finetune_prep.sources.parsing.extracted import MOST_TEXT, Extracted


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


VOID = _names("area base br col embed hr img input link meta param source track wbr")
NEVER_READ = _names("script style noscript template title svg math iframe object canvas select button audio video dialog")
AROUND = _names("nav footer aside menu")  # left out unless nothing else is there
BLOCKS = _names(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hgroup hr li main menu nav ol p pre section summary table tbody tfoot thead tr ul"
)
BREAK = "\x1e"  # stands for <br>, as a line end of the page's source means nothing
HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
# an element that ends when one of these begins, though nobody wrote its end
ENDED_BY = {
    "p": BLOCKS,
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "tr": {"tr"},
    "td": {"td", "th", "tr"},
    "th": {"td", "th", "tr"},
}
MAIN = {"main", "article"}
LEAST_MAIN = 400  # characters in <main> or <article> that make it the whole text
LEAST_TEXT = 100  # characters; with fewer, a broken page may have left its menu open, and the menus are read, too
HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d]*[1-9])|text-indent\s*:\s*-\d{3}",
    re.IGNORECASE,
)
TITLES = ("og:title", "twitter:title", "citation_title", "dc.title")
PUBLISHERS = ("og:site_name", "citation_publisher", "dc.publisher", "publisher")
DATES = (
    "article:published_time",
    "datepublished",
    "citation_publication_date",
    "dc.date",
    "dc.date.issued",
    "date",
    "article:modified_time",
)
_LINKED_DATE = re.compile(r"\"datePublished\"\s*:\s*\"([^\"]{4,40})\"")

Attributes = list[tuple[str, str | None]]


def read_html(data: bytes, charset: str = "") -> Extracted:
    """The text of a page and what it says of itself. Raises ValueError if there is no text."""
    page = decode(data, charset)
    reader = _parsed(page, AROUND)
    text = reader.text
    if len(text) < LEAST_TEXT:
        text = max(text, _parsed(page, frozenset()).text, key=len)
    if not text:
        raise ValueError("it holds no text (a page that is drawn by a program?)")
    meta = reader.meta
    return Extracted(
        text=text[:MOST_TEXT],
        title=_first(meta, TITLES) or reader.title,
        publisher=_first(meta, PUBLISHERS),
        published=_first(meta, DATES) or reader.day,
    )


def _parsed(page: str, left_out: frozenset[str]) -> _Reader:
    reader = _Reader(left_out)
    reader.feed(page)
    reader.close()
    reader.flush()
    return reader


def _first(meta: dict[str, str], names: tuple[str, ...]) -> str:
    return next((meta[name] for name in names if meta.get(name)), "")


class _Reader(HTMLParser):
    """meta: what <meta> says, by name. title: of <title>. day: of the first <time>, or of linked data."""

    def __init__(self, left_out: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._left_out = left_out
        self._open: list[str] = []
        self._unread: int | None = None  # depth at which an element began that is not read
        self._main = 0  # open <main> and <article>
        self._words: list[str] = []
        self._blocks: list[tuple[bool, str]] = []  # whether in the main part, text
        self._title: list[str] = []
        self._day = self._linked_day = ""
        self.meta: dict[str, str] = {}

    @property
    def text(self) -> str:
        main = "\n\n".join(text for is_main, text in self._blocks if is_main)
        return main if len(main) >= LEAST_MAIN else "\n\n".join(text for _, text in self._blocks)

    @property
    def title(self) -> str:
        return " ".join("".join(self._title).split())

    @property
    def day(self) -> str:
        return self._linked_day or self._day

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._end_what_ends(tag)
        if tag in BLOCKS:
            self.flush()
        if tag == "meta":
            self._note(dict(attrs))
        if tag == "time" and not self._day:
            self._day = (dict(attrs).get("datetime") or "")[:40]
        if tag == "br":
            self._words.append(BREAK)
        if tag in ("td", "th") and "".join(self._words).strip():
            self._words.append(" | ")
        if tag in VOID:
            return
        self._open.append(tag)
        if self._unread is None and (tag in NEVER_READ or tag in self._left_out or _hidden(attrs)):
            self._unread = len(self._open)
        self._main += tag in MAIN

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)  # in HTML, <p/> does not end a paragraph

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._close() != tag:
                pass

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "title" and "svg" not in self._open:
            self._title.append(data[:500])
        elif inside == "script" and not self._linked_day and (match := _LINKED_DATE.search(data)):
            self._linked_day = match[1]
        if self._unread is None:
            self._words.append(data)

    def _close(self) -> str:
        tag = self._open[-1]
        if tag in BLOCKS:
            self.flush()
        self._open.pop()
        if self._unread is not None and len(self._open) < self._unread:
            self._unread = None
        self._main -= tag in MAIN
        return tag

    def _end_what_ends(self, tag: str) -> None:
        while self._open and tag in ENDED_BY.get(self._open[-1], ()):
            self._close()

    def flush(self) -> None:
        """End the present block."""
        if not self._words:
            return
        words, self._words = "".join(self._words), []
        if "pre" in self._open[-3:]:
            text = words.replace(BREAK, "\n").strip("\n").rstrip()
        else:
            lines = (" ".join(line.split()) for line in words.split(BREAK))
            text = "\n".join(line for line in lines if line)
        if text.strip():
            inside = self._open[-1] if self._open else ""
            mark = HEADINGS.get(inside) or ("- " if "li" in self._open[-2:] else "")
            self._blocks.append((self._main > 0, mark + text))

    def _note(self, attributes: dict[str, str | None]) -> None:
        name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").lower()
        content = " ".join((attributes.get("content") or "")[:500].split())
        if name and content:
            self.meta.setdefault(name, content)


def _hidden(attributes: Attributes) -> bool:
    for name, value in attributes:
        if name == "hidden" or (name == "aria-hidden" and value == "true"):
            return True
        if name == "style" and value and HIDING.search(value):
            return True
    return False

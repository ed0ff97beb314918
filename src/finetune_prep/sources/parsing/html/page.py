"""HTML to text: what a reader of the page sees of its content.

On the web, hidden text is where pages put words that are meant for machines only, so it is left out. In a file of the user's own,
it is the answers of a saved FAQ: it is read, unless it speaks to machines.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter

from bs4 import BeautifulSoup, Tag

from finetune_prep.sources.injection import addresses_machines
from finetune_prep.sources.parsing.decoding import decode
from finetune_prep.sources.parsing.extracted import Extracted, Unreadable, cut_off
from finetune_prep.sources.parsing.html.markdown import to_markdown
from finetune_prep.sources.parsing.html.tree import Tree, within

NEVER_READ = ("script", "style", "noscript", "template", "title", "svg", "iframe", "object", "canvas", "audio", "video")
MENUS = ("nav", "menu")
AROUND = ("footer", "aside")  # on the web no content, unless it stands in the main part
MAIN = ("main", "article")
SAVE = "save the page from a browser, as it is shown there, or copy its text into a .md file"
LEAST_MAIN = 400  # characters in <main> or <article> that make it the whole text of a web page
LEAST_TEXT = 100  # characters; with fewer, a broken page may have left its menu open, and the menus are read, too
HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d]*[1-9])"
    r"|(?:text-indent|(?<![\w-])(?:left|top))\s*:\s*-\d{3}",
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


def read_html(data: bytes, charset: str = "", *, own: bool = False) -> Extracted:
    """The text of a page and what it says of itself. own: a file of the user's. Raises ValueError if there is no text."""
    page = decode(data, charset).replace("\0", "")
    tree = _parsed(page)
    about = _about(tree)
    text, left_out = _content(tree, own=own, menus=False)
    if len(text) < LEAST_TEXT:
        text, left_out = max((text, left_out), _content(_parsed(page), own=own, menus=True), key=lambda found: len(found[0]))
    if not text:
        raise Unreadable("it holds no text (a page that is drawn by a program?)", fix=SAVE)
    return cut_off(Extracted(text=text, left_out=left_out, **about))


def _parsed(page: str) -> Tree:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wonders about pages that look like an address, or like XML
        return Tree(BeautifulSoup(page, "lxml"))


def _content(tree: Tree, *, own: bool, menus: bool) -> tuple[str, Counter[str]]:
    """The text of a tree, which is used up, and what is left out of it."""
    left_out: Counter[str] = Counter()
    for tag in tree.named(*NEVER_READ):
        tree.empty(tag)
    if not menus:
        left_out["menus"] += sum(map(tree.empty, tree.named(*MENUS)))
    hidden = (tag for tag in tree if _is_hidden(tag) and not (own and not addresses_machines(tag.get_text(" "))))
    left_out["hidden passages"] += sum(map(tree.empty, hidden))
    if not own:
        around = (tag for tag in tree.named(*AROUND) if within(tag, MAIN) is None)
        left_out["notes around the page"] += sum(map(tree.empty, around))
        left_out["characters beside the main part"] += _keep_main_part(tree)
    return to_markdown(tree, left_out), left_out


def _is_hidden(tag: Tag) -> bool:
    attributes = tag.attrs
    return (
        bool(attributes)
        and (
            "hidden" in attributes
            or attributes.get("aria-hidden") == "true"
            or HIDING.search(str(attributes.get("style", ""))) is not None
        )
    ) or (tag.name == "dialog" and "open" not in attributes)


def _keep_main_part(tree: Tree) -> int:
    """Only what stands in <main> and <article>, if that is a page's worth of text; gives the number of characters beside it."""
    mains = [tag for tag in tree.named(*MAIN) if within(tag, MAIN) is None]
    inside = sum(len(tag.get_text(strip=True)) for tag in mains)
    if inside < LEAST_MAIN:
        return 0
    beside = len(tree.soup.get_text(strip=True)) - inside
    tree.keep(mains)
    return beside


def _about(tree: Tree) -> dict[str, str]:
    """Title, publisher and day as the page says them."""
    meta: dict[str, str] = {}
    for tag in tree.named("meta"):
        name = str(tag.get("property") or tag.get("name") or tag.get("itemprop") or "").lower()
        content = " ".join(str(tag.get("content") or "")[:500].split())
        if name and content:
            meta.setdefault(name, content)
    title = next(tree.named("title"), None)
    named = " ".join(title.get_text()[:500].split()) if title is not None and within(title, ["svg"]) is None else ""
    linked = (_LINKED_DATE.search(script.get_text()) for script in tree.named("script"))
    times = (str(time.get("datetime") or "")[:40] for time in tree.named("time"))
    day = next((match[1] for match in linked if match), "") or next(filter(None, times), "")
    return {
        "title": _first(meta, TITLES) or named,
        "publisher": _first(meta, PUBLISHERS),
        "published": _first(meta, DATES) or day,
    }


def _first(meta: dict[str, str], names: tuple[str, ...]) -> str:
    return next((meta[name] for name in names if meta.get(name)), "")

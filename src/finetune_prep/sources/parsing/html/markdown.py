"""An HTML tree as Markdown that keeps its facts: what is struck is not said, raised figures stay raised, rows stay whole."""

from __future__ import annotations

import re
from collections import Counter

from bs4 import Tag
from bs4.element import NavigableString, PreformattedString
from markdownify import MarkdownConverter

from finetune_prep.sources.parsing.figures import lowered, raised
from finetune_prep.sources.parsing.html.tables import level_tables
from finetune_prep.sources.parsing.html.tree import HEADINGS, Tree, within

BLOCKS = (  # that Markdown has no form for
    *("address", "aside", "body", "button", "center", "details", "dialog", "fieldset", "figure", "footer", "form", "header"),
    *("hgroup", "legend", "main", "optgroup", "search", "textarea"),
)
RENAMED = {**dict.fromkeys(BLOCKS, "div"), "summary": "p", "select": "ul", "option": "li"}
INLINE = (*HEADINGS, "p", "li", "td", "th", "dt", "summary")  # where a button is a part of the line
STRUCK = ("del", "s", "strike")
NOT_SAID = ("rp", "annotation", "annotation-xml", "hr")
FORMULA = {"mfrac": "/", "msup": "^", "msub": "_"}
LABEL = "label of an item"  # an attribute of ours: no page can have one with blanks in its name
WRITTEN_OUT = ("sup", "sub", "rt", *FORMULA, *NOT_SAID)
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")


def to_markdown(tree: Tree, left_out: Counter[str]) -> str:
    """The text of a tree, which is used up. left_out: counts what is not in it."""
    left_out["pictures"] += sum(picture.get("alt") != "" for picture in tree.named("img"))
    left_out["deletions"] += sum(map(tree.empty, tree.named(*STRUCK)))
    _write_out(tree)
    _rename(tree)
    level_tables(tree)
    text = _Converter(
        heading_style="ATX", strip=["a", "img"], escape_asterisks=False, escape_underscores=False, table_infer_header=True,
        wrap=True, wrap_width=None,  # line ends of the page's source mean nothing
    ).convert_soup(tree.soup)  # fmt: skip
    parts = _FENCED.split(text)
    return "".join(part if number % 2 else _GAP.sub(" ", part) for number, part in enumerate(parts)).strip()


def _write_out(tree: Tree) -> None:
    """What is above, below or beside its line, in the line; the innermost first."""
    for tag in reversed(list(tree.named(*WRITTEN_OUT))):
        text = " ".join(tag.get_text().split())
        if tag.name == "sup":
            text = raised(text, _before(tag), link=any(isinstance(part, Tag) and part.name == "a" for part in tag.descendants))
        elif tag.name == "sub":
            text = lowered(text)
        elif tag.name == "rt":
            text = f"({text})"
        elif tag.name in FORMULA:
            parts = [" ".join(part.get_text().split()) for part in tag.contents if isinstance(part, Tag)]
            text = FORMULA[tag.name].join(part if re.fullmatch(r"\w*", part) else f"({part})" for part in parts)
        else:
            text = ""
        tree.replace(tag, text)


def _before(tag: Tag) -> str:
    """The end of the text before a tag."""
    node = tag.previous_element
    while node is not None and not isinstance(node, NavigableString):
        node = node.previous_element
    return str(node or "")[-20:]


def _rename(tree: Tree) -> None:
    """Blocks that Markdown has no form for become one that it has, and items get their numbers."""
    for number, item in _numbers(tree):
        item[LABEL] = item.get(LABEL) or f"{number}."
    for tag in list(tree.named(*RENAMED)):
        if tag.name != "button" or within(tag, INLINE) is None:
            tag.name = RENAMED[tag.name]


def _numbers(tree: Tree) -> list[tuple[int, Tag]]:
    """The numbers of items as a browser counts them."""
    found = []
    for ordered in tree.named("ol"):
        items = [item for item in ordered.contents if isinstance(item, Tag) and item.name == "li"]
        step = -1 if "reversed" in ordered.attrs else 1
        number = _integer(ordered.get("start"), len(items) if step < 0 else 1)
        for item in items:
            number = _integer(item.get("value"), number)
            found.append((number, item))
            number += step
    return found


def _integer(value: object, default: int) -> int:
    return int(str(value)) if re.fullmatch(r"-?\d{1,9}", str(value or "")) else default


class _Converter(MarkdownConverter):
    """Of emphasis, only that of whole lines is kept: it stands for headings. Within a line it hides words from a search."""

    def convert_b(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        around = (el.previous_sibling, el.next_sibling)
        alone = el.parent is not None and el.parent.name in ("p", "div") and not any(str(one or "").strip() for one in around)
        return f"**{text.strip()}**" if alone and text.strip() and "_inline" not in parent_tags else text

    convert_strong = convert_b

    def convert_em(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return text

    convert_i = convert_em

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        lines = text.strip().split("\n")
        if all(part.name in ("ul", "ol") if isinstance(part, Tag) else not str(part).strip() for part in el.contents):
            return "\n".join(lines) + "\n"  # it only holds a deeper list
        bullet = f"{el.get(LABEL) or '-'} "
        before = el.previous_sibling
        apart = "\n" if before is not None and str(before).strip() and getattr(before, "name", None) != "li" else ""
        rest = (" " * len(bullet) + line if line else "" for line in lines[1:])
        return apart + bullet + "\n".join([lines[0], *rest]) + "\n" if lines[0] else "\n"

    def process_text(self, el: NavigableString, parent_tags: set[str] | None = None) -> str:
        if isinstance(el, PreformattedString):
            return ""  # comments, and instructions to programs
        text = str(super().process_text(el, parent_tags))  # type: ignore[misc] # its stubs leave it out
        return text.replace("|", "\\|") if parent_tags and parent_tags & {"td", "th"} else text

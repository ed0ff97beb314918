"""Word documents, read with mammoth: our own preparation before it, the reader of web pages behind it."""

from __future__ import annotations

import io
import re
from collections import Counter

import mammoth
from bs4 import BeautifulSoup, Tag

from finetune_prep.sources.parsing.extracted import Extracted, cut_off
from finetune_prep.sources.parsing.html.markdown import LABEL, to_markdown
from finetune_prep.sources.parsing.html.tree import Tree
from finetune_prep.sources.parsing.word.numbering import NUMBER
from finetune_prep.sources.parsing.word.package import Parts, pack, unpack
from finetune_prep.sources.parsing.word.preparing import prepare

STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
strike => s
"""
_NOTE = re.compile(r"#?((?:foot|end)note-)(ref-)?")


def read_docx(data: bytes, charset: str = "", *, own: bool = False) -> Extracted:
    """Headings, paragraphs, lists, tables, notes and boxes. Raises ValueError if it is no Word document or holds no text."""
    left_out: Counter[str] = Counter()
    parts = unpack(data)
    prepare(parts, left_out)
    converted = mammoth.convert_to_html(
        io.BytesIO(pack(parts)),
        style_map=STYLES,
        include_embedded_style_map=False,
        convert_image=lambda image: [],
        external_file_access=False,
    )
    left_out["symbols"] += sum("w:sym" in message.message for message in converted.messages)
    tree = Tree(BeautifulSoup(converted.value, "lxml"))
    _place_numbers(tree)
    _place_notes(tree)
    text = to_markdown(tree, left_out)
    if not text:
        raise ValueError("it holds no text")
    return cut_off(Extracted(text=text, title=_title(parts), left_out=left_out))


def _title(parts: Parts) -> str:
    core = parts.get("docProps/core.xml")
    return (core.findtext("{*}title") or "") if core is not None else ""


def _place_numbers(tree: Tree) -> None:
    """The number of an item is its mark; that of a heading or another paragraph stands before its text."""
    for text in tree.soup.find_all(string=NUMBER):
        item = text.find_parent("li")
        label = NUMBER.search(text)
        if item is not None and label is not None:
            item[LABEL] = label[1]
        text.replace_with(NUMBER.sub("" if item is not None else r"\1 ", text))


def _place_notes(tree: Tree) -> None:
    """Each note behind the block that refers to it: an exception stands beside its rule, and is found with it."""
    links = {str(link.get("href")): link for link in tree.named("a") if _NOTE.match(str(link.get("href") or ""))}
    last: dict[int, Tag] = {}  # block → what stands last behind it
    for note in list(tree.named("li")):
        reference = links.get(f"#{note.get('id')}")
        block = _block(tree, reference) if reference is not None else None
        if reference is None or block is None:
            continue
        back = links.get(f"#{note.get('id')}".replace("note-", "note-ref-", 1))
        if back is not None:
            tree.empty(back)
        note.name = "div"
        first = next((part for part in note.contents if isinstance(part, Tag)), note)
        first.insert(0, f"{reference.get_text()} ")
        behind = last.get(id(block), block)
        behind.insert_after(note.extract())
        last[id(block)] = note


def _block(tree: Tree, tag: Tag) -> Tag | None:
    """The block of the body in which a tag stands."""
    body = tree.soup.body
    while tag.parent is not None and tag.parent is not body:
        tag = tag.parent
    return tag if tag.parent is not None else None

"""Markdown ⇄ core values: one module per kind of document, over one section tree."""

from __future__ import annotations

from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents, Kind, parse, render, template
from finetune_prep.documents.readings.items import item_texts, undated
from finetune_prep.documents.splice import (
    add_item,
    following_section,
    item,
    remove_item,
    remove_section,
    replace_heading,
    replace_item,
    replace_section,
    section,
)
from finetune_prep.markdown import body as markdown_body
from finetune_prep.markdown.decoding import read_bytes

__all__ = [
    "KINDS",
    "Document",
    "Documents",
    "Kind",
    "add_item",
    "body",
    "following_section",
    "item",
    "item_texts",
    "parse",
    "read_bytes",
    "remove_item",
    "remove_section",
    "render",
    "replace_heading",
    "replace_item",
    "replace_section",
    "section",
    "template",
    "undated",
]


def body(text: str) -> str:
    """The text as it is sent to a model: without front matter, title and comments (see `markdown.body`), and undated."""
    return undated(markdown_body.body(text))

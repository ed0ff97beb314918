"""Writing Markdown: a page is a list of blocks, parted by blank lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from finetune_prep.markdown.inline import guard, written


def heading(level: int, text: str) -> str:
    """A text that itself ends like a closed heading ("## C ##") is closed once more, so that its end is not taken for that."""
    marks = "#" * level
    closing = f" {marks}" if text.endswith((f" {marks}", f"\t{marks}")) else ""
    return f"{marks} {text}{closing}".rstrip()


def item_heading(level: int, id: str, text: str, attributes: str = "") -> str:
    """`### CP1. Text (attributes)`; the text as `inline.written` gives it."""
    name = f"{id}. {text}".rstrip()
    return heading(level, f"{name} ({attributes})" if attributes else name)


def bullets(lines: Iterable[str]) -> list[str]:
    """One block with a list; no block if there is nothing to list."""
    block = "\n".join(f"- {line}" for line in lines)
    return [block] if block else []


def fields(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """`- Key: value` for each pair with a value, as one block."""
    return bullets(f"{key}: {written(value)}" for key, value in pairs if written(value))


def id_list(ids: Sequence[str]) -> str:
    return ", ".join(ids)


_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")


def tails(text: str, pairs: Sequence[tuple[str, str, re.Pattern[str] | None]]) -> str:
    """`Text. Key: value. Key: value` as long as each part ends like a sentence, the rest as nested fields; empty values left out.

    pairs: key, value, and what the value must be guarded against on a line where another tail follows, None for nothing.
    """
    written, nested = [text], False
    for key, value, structure in pairs:
        if not value:
            continue
        nested = nested or not written[-1].endswith(_SENTENCE_ENDS)
        separator = "\n  - " if nested else " "
        shown = value if nested or structure is None else guard(value, structure)
        written.append(f"{separator}{key}: {shown}")
    return "".join(written)


def tail(text: str, key: str, value: str) -> str:
    """`Text. Key: value` – or, where the text does not end like a sentence, the same as a nested field."""
    return tails(text, [(key, value, None)])


def front_matter(values: Mapping[str, str]) -> list[str]:
    if not values:
        return []
    return ["\n".join(["---", *(f"{key}: {value}" for key, value in values.items()), "---"])]


def page(blocks: Iterable[str]) -> str:
    """The text of a document: its blocks, parted by blank lines, with one newline at the end."""
    return "\n\n".join(block for block in blocks if block) + "\n"

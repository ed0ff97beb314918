"""Writing Markdown: a page is a list of blocks, parted by blank lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from finetune_prep.markdown.inline import written


def heading(level: int, text: str) -> str:
    return f"{'#' * level} {text}".rstrip()


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


def tail(text: str, key: str, value: str) -> str:
    """`Text. Key: value` – or, where the text does not end like a sentence, the same as a nested field."""
    if not value:
        return text
    if text.endswith((".", "!", "?", "…", "。", "！", "？")):
        return f"{text} {key}: {value}"
    return f"{text}\n  - {key}: {value}"


def front_matter(values: Mapping[str, str]) -> list[str]:
    if not values:
        return []
    return ["\n".join(["---", *(f"{key}: {value}" for key, value in values.items()), "---"])]


def page(blocks: Iterable[str]) -> str:
    """The text of a document: its blocks, parted by blank lines, with one newline at the end."""
    return "\n\n".join(block for block in blocks if block) + "\n"

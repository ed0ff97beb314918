"""Documents that are a title and free text: brief.md, user-prompt.md and system-prompt.md."""

from __future__ import annotations

import re

from finetune_prep.core.prompts import SPANS, Brief, PlainPrompt, Spans
from finetune_prep.documents.document import Form
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.inline import one_line, written
from finetune_prep.markdown.page import front_matter, heading, page
from finetune_prep.markdown.prose import write_prose
from finetune_prep.markdown.reader import Reader

SCHEMA = Schema(sections={})
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def read_brief(reader: Reader) -> Brief:
    values = reader.front(("language", "documents", "spans"))
    tags = {"language": values.get("language") or "en", "documents": values.get("documents") or ""}
    for key, tag in tags.items():
        if tag and not _LANGUAGE.fullmatch(tag):
            reader.add(reader.front_line(key), f"“{tag[:60]}” is not a language", "write a tag such as en, de or pt-BR")
    spans: Spans = "days" if values.get("spans", "").casefold() == "days" else "sitting"
    if values.get("spans", spans).casefold() not in SPANS:
        fix = "write “sitting”, or “days” if people come back to the same conversation on other days"
        reader.add(reader.front_line("spans"), f"spans is “{values['spans'][:60]}”", fix)
    title, text = _title_and_text(reader)
    return Brief(title=title, text=text, spans=spans, **tags)


def read_plain_prompt(reader: Reader) -> PlainPrompt:
    reader.front(())
    title, text = _title_and_text(reader)
    return PlainPrompt(title=title, text=text)


def _title_and_text(reader: Reader) -> tuple[str, str]:
    """The `#` heading that the text begins with, and everything after it."""
    for node in reader.tree.sections:
        reader.note(node.text, node)
    preamble = reader.prose([reader.tree.preamble])
    sections = reader.tree.sections
    if preamble or not sections or sections[0].level != 1:
        first = reader.tree.preamble.line if preamble or not sections else sections[0].line
        reader.add(
            first, "the document does not begin with a title", "write `# Title` as its first line (below the front matter)"
        )
        return "", reader.prose(reader.tree.nodes)
    text = reader.prose(sections)
    if not text:
        reader.add(sections[0].line, "there is no text below the title", "write at least one paragraph")
    return sections[0].text, text


def render_brief(value: Brief) -> str:
    keys = {"language": one_line(value.language)}
    if value.documents:
        keys["documents"] = one_line(value.documents)
    if value.spans != "sitting":
        keys["spans"] = value.spans
    return page([*front_matter(keys), *_render(value.title, value.text)])


def render_plain_prompt(value: PlainPrompt) -> str:
    return page(_render(value.title, value.text))


def _render(title: str, text: str) -> list[str]:
    return [heading(1, written(title)), write_prose(text, lambda kind, line: line)]


BRIEF = Form(SCHEMA, read_brief, render_brief, Brief)
PROMPT = Form(SCHEMA, read_plain_prompt, render_plain_prompt, PlainPrompt)

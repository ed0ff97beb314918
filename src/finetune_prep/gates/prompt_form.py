"""What the two long prompts have in common: parts in a fixed order, and everything said where it is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from finetune_prep.core.finding import Finding
from finetune_prep.documents.document import Document

_OUTSIDE = (
    (re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.I), "a link"),
    (re.compile(r"\]\((?!#)[^)]*\)"), "a link"),
    (re.compile(r"(?<![\w@.])[\w\-./]*\w\.(?:md|txt|pdf|docx|html?|toml|ya?ml|jsonl?)\b", re.I), "a file"),
)
_POINTER = re.compile(
    r"\b(?:see|refer to|consult|as (?:described|defined|listed|explained|given) in|according to)\s+"
    r"(?:also\s+|the\s+|our\s+|your\s+|section\s+)*"
    r"(?:rubric|document\w*|handbook|manual|guide\w*|domain[- ]frameworks?|frameworks? (?:document|file)|file|appendix"
    r"|reference\w*|policy|[A-Z]{1,4}\d+(?:\.\d+)?)\b",
    re.I,
)
_ID = re.compile(r"[A-Z]{1,4}\d+(?:\.\d+)?$")


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space: reflowing a paragraph changes nothing."""
    return one.split() == other.split()


def parts_in_order(document: Document[Any], parts: Sequence[str]) -> Iterator[Finding]:
    """A finding for each part that is missing, and one for the first that stands before its predecessor."""
    present = [part for part in parts if part.lower() in document.lines]
    for part in parts:
        if part not in present:
            yield document.finding(f"there is no section “{part}”", f"add “## {part}”; the order is {' → '.join(parts)}")
    lines = [document.lines[part.lower()] for part in present]
    for before, after, line, next_line in zip(present, present[1:], lines, lines[1:], strict=False):
        if next_line < line:
            yield document.finding(
                f"“{after}” stands before “{before}”", f"move it: the order is {' → '.join(parts)}", after.lower()
            )
            return


def leans_outside(document: Document[Any]) -> Iterator[Finding]:
    """Links and file names outside conversations: whoever reads the prompt has nothing but the prompt."""
    for number, line in _own_lines(document):
        for pattern, noun in _OUTSIDE:
            if found := pattern.search(line):
                yield Finding(
                    path=document.path,
                    line=number,
                    what=f"{noun} in a prompt that must stand alone: “{found[0].strip()}”",
                    fix="say here what it says",
                )
                break


def points_elsewhere(document: Document[Any]) -> Iterator[Finding]:
    """English phrases that send the reader somewhere else ("see the handbook"); an id that stands in the prompt is fine."""
    for number, line in _own_lines(document):
        for found in _POINTER.finditer(line):
            target = found[0].split()[-1]
            if not (_ID.match(target) and target in document.lines):
                yield Finding(
                    path=document.path,
                    line=number,
                    what=f"“{found[0]}” sends the reader elsewhere",
                    fix="say here what stands there",
                )


def _own_lines(document: Document[Any]) -> Iterator[tuple[int, str]]:
    """Numbered lines of the text but for conversations: what people say in an example may well hold a link."""
    for number, line in enumerate(document.text.splitlines(), start=1):
        if not line.lstrip().startswith(">"):
            yield number, line

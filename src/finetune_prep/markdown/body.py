"""What a model gets to see of a document."""

from __future__ import annotations

from finetune_prep.markdown.inline import unguard_comments
from finetune_prep.markdown.lines import Line, front_matter_length, lines_of, scan
from finetune_prep.markdown.normal import normal_lines


def body(text: str) -> str:
    """The text as it is sent to a model: without front matter, the `# Title` line and comments, normalised.

    Only a title that the text begins with is dropped; a later heading of the same level stays. "" if nothing is left.
    """
    lines = lines_of(text)
    scanned = scan(lines[front_matter_length(lines) :])
    first = next((number for number, line in enumerate(scanned) if line.kind not in ("blank", "comment")), len(scanned))
    start = _after_title(scanned, first)
    kept = normal_lines([line.visible for line in scanned[start:] if line.kind != "comment"], comments=False)
    if kept and not kept[0].strip():
        kept = kept[1:]
    shown = scan(kept, comments=False)
    return "".join(f"{raw if line.literal else unguard_comments(raw)}\n" for raw, line in zip(kept, shown, strict=True))


def _after_title(scanned: list[Line], first: int) -> int:
    """Where the text goes on after the title; an underlined title takes two lines."""
    if first == len(scanned) or scanned[first].kind != "heading" or scanned[first].level != 1:
        return first
    underlined = not scanned[first].visible.lstrip().startswith("#")
    return first + (2 if underlined else 1)

"""What was looked at and not taken up, one a line: `- AF6: lectures – the assistant gives no advice on conduct`."""

from __future__ import annotations

import re

from finetune_prep.core.knowledge import SetAside
from finetune_prep.markdown.inline import written
from finetune_prep.markdown.reader import Part, Reader

SECTION = "Set aside"
_DASH = re.compile(r"(?<=\s)(?P<guards>\\*)(?=[–—-](?:\s|$))")
_GUARDED = re.compile(r"(?<=\s)\\(?P<guards>\\*)(?=[–—-](?:\s|$))")
_PARTING = re.compile(r"(?<=\s)[–—-](?=\s|$)")


def read_set_aside(reader: Reader, part: Part) -> SetAside:
    """`ID: what it was – why it is not taken up`; without a dash all of it is the reason."""
    parting = _PARTING.search(part.name)
    text, because = (part.name[: parting.start()], part.name[parting.end() :]) if parting else ("", part.name)
    if not because.strip():
        reader.add(part.node.line, f"{part.id} is set aside without a reason", f"say why: - {part.id}: … – because …", part.id)
    return SetAside(id=part.id, text=_unguard(text), because=_unguard(because))


def render_set_aside(item: SetAside) -> str:
    """The line of the list, without its bullet."""
    text, because = (_guard(written(part)) for part in (item.text, item.because))
    return f"{item.id}: {text} – {because}" if text else f"{item.id}: {because}"


def _guard(text: str) -> str:
    """With a backslash before each dash that would part the line."""
    return _DASH.sub(r"\\\g<guards>", text)


def _unguard(text: str) -> str:
    return _GUARDED.sub(r"\g<guards>", text).strip()

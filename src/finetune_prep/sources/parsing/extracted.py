"""What a reader of a foreign format gives."""

from __future__ import annotations

import msgspec

MOST_TEXT = 2_000_000  # characters that are taken from one file


class Extracted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """text: paragraphs with a blank line between them, headings and lists as in Markdown. The rest is what it says of itself.

    published: as it is written there. failure: why there is no text.
    """

    text: str = ""
    title: str = ""
    publisher: str = ""
    published: str = ""
    failure: str = ""

"""What somebody meant to write and did not: "[Customer Name]", "{{date}}", "TBD"."""

from __future__ import annotations

import re

# what such brackets ask for, in English, German and Spanish; other languages' templates are mostly English inside
_ASKED_FOR = (
    "name|names|number|date|time|address|link|url|amount|price|company|title|phone|e-?mail|signature"
    "|vorname|nachname|nummer|datum|uhrzeit|adresse|betrag|firma|nombre|número|fecha|dirección|importe"
)
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{0,60}\}\}|\blorem ipsum\b"
    r"|\[(?:insert|your|todo|tbd|name|link|date|number)\b[^\]\n]{0,40}\](?!\()"
    rf"|\[(?:[^\W\d_][\w’'.-]*[ _]){{0,3}}(?:{_ASKED_FOR})\](?!\()"
    r"|(?:(?<=:)|^)\s*(?:TBD|(?-i:TODO)|FIXME|(?-i:XXX))\b(?=\s*(?:\.?\s*$|:))",  # all there is of a field; “todo” is Spanish
    re.IGNORECASE,
)
# one of these stands in every placeholder, and is found far sooner
_SIGNS = ("[", "{{", "lorem", "tbd", "todo", "fixme", "xxx")


def unwritten(text: str) -> str:
    """The first placeholder of a text, "" if there is none. A link such as [name](address) is none."""
    folded = text.casefold()
    if not any(sign in folded for sign in _SIGNS):  # as in most replies
        return ""
    found = _PLACEHOLDER.search(text)
    return found[0].strip() if found else ""

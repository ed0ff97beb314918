"""What a language is called by people who read English."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError


def in_english(tag: str) -> str:
    """The English name of a language: "German" for "de"; the tag itself where Unicode's locale data have no name for it."""
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag

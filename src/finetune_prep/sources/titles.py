"""What a page is called outside the boundary around its text: in prompts and documents, where its own words have no business.

A title can be an order ("Report that every refund is granted"), and no list of words tells the two apart. So a page goes by its
address; its own headline stands at the beginning of its text and in its snapshot, for people.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from finetune_prep.sources.text import one_line

LONGEST = 80  # characters of an address
LONGEST_NAME = 40  # characters of a publisher
MOST_WORDS = 4


def address_name(url: str) -> str:
    """An address as people write it down: without scheme, query and what is beyond a line."""
    parts = urlsplit(url)
    path = re.sub(r"[^A-Za-z0-9/._~%-]", "", parts.path).rstrip("/")
    name = parts.netloc.lower().removeprefix("www.") + path
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def publisher_name(publisher: str, url: str) -> str:
    """What a page calls its publisher, if that is a name: a few words with capitals. Else its host."""
    line = one_line(publisher)
    words = line.split()
    is_name = (
        0 < len(words) <= MOST_WORDS and len(line) <= LONGEST_NAME and all(re.fullmatch(r"[\w&.,'’+-]+", word) for word in words)
    )
    return line if is_name and any(word[0].isupper() for word in words) else urlsplit(url).netloc

"""Full-text search over sources: an FTS5 index in memory, made anew each time. A thousand pages (10 MB) take 1.2 s."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

import apsw
import msgspec

from finetune_prep.sources.files import SourceText
from finetune_prep.sources.passages import passages, table_head
from finetune_prep.words import SIGNS, THAI, UNSPACED, UNSPACED_RUN, split_words

# marks belong to words: without them, words in Hindi or Arabic would fall to pieces
INDEX = """
CREATE VIRTUAL TABLE passage USING fts5
(body, number UNINDEXED, tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'")
"""
FIND = "SELECT number FROM passage WHERE passage MATCH ? ORDER BY rank, number LIMIT ?"
_WHOLE = 4  # signs of Chinese or Japanese that are looked up as one; a longer run is a sentence, and looked up by its parts
_HANGUL_END = re.compile("[\uac00-\ud7a3]\\Z")


class Passage(msgspec.Struct, frozen=True):
    """A piece of a source."""

    source_id: str
    text: str
    """Just as it stands there."""
    start: int
    """Its offset in the source's text, in characters."""
    table: str = ""
    """The head of the table of which it is a later piece."""


class Library:
    """Sources cut into passages that can be searched by their words."""

    def __init__(self, texts: Iterable[SourceText]) -> None:
        self._passages = [
            Passage(text.source.id, piece, start, table_head(text.text, start))
            for text in texts
            for start, piece in passages(text.text)
        ]
        self._index = apsw.Connection(":memory:")
        self._index.execute(INDEX)
        rows = ((_indexed(f"{passage.table}\n{passage.text}"), number) for number, passage in enumerate(self._passages))
        self._index.executemany("INSERT INTO passage (body, number) VALUES (?, ?)", rows)

    def find(self, query: str, count: int) -> tuple[Passage, ...]:
        """At most `count` passages, the best first: those with most of the query's words, rare words counting more (BM25).

        Whatever the query holds – quotes, operators, wildcards – its words are looked up and nothing else. No words: no passages.
        In scripts without spaces, and in Korean, parts of what stands there are found, too.
        """
        wanted = dict.fromkeys(_wanted(query))
        if not wanted or count < 1:
            return ()
        return tuple(self._passages[int(number)] for (number,) in self._index.execute(FIND, (" OR ".join(wanted), count)))


def _indexed(text: str) -> str:
    """A text as the index gets it: letters of scripts without spaces stand alone, so that any part of a run is a phrase."""
    return text if text.isascii() else UNSPACED.sub(r" \g<0> ", unicodedata.normalize("NFKC", text))


def _wanted(query: str) -> Iterator[str]:
    """What is looked up, as FTS5 writes it."""
    for number, run in enumerate(UNSPACED_RUN.split(unicodedata.normalize("NFKC", query.lower()))):
        if number % 2:
            yield from (f'"{_indexed(part).strip()}"' for part in _parts(run))
        else:
            words = (part for word in split_words(run) for part in re.split(r"['’-]", word))
            # Korean particles stand at the end of words
            yield from (f'"{word}"*' if _HANGUL_END.search(word) else f'"{word}"' for word in words)


def _parts(run: str) -> Iterator[str]:
    """What is looked up of a run in a script without spaces: the run, and where it is long all that can be a word in it."""
    yield run
    words = split_words(run)
    if re.match(f"[{SIGNS}]", run):
        pieces = words if len(words) > _WHOLE else []
        yield from (f"{one}{other}" for one, other in pairwise(pieces))
    elif re.match(f"[{THAI}]", run):
        yield from words if len(words) > 2 else []
    else:
        yield from ("".join(words[at : at + _WHOLE]) for at in range(len(words) - _WHOLE))

"""Where a quotation stands in a text: exactly, or where its nearest match is.

Exact means: the same letters, digits and punctuation in the same order. What typesetting changes does not count – white space and
line breaks, kinds of quotation marks and dashes, hyphens within and between words, Markdown emphasis, links and cells, ligatures
– and neither does the case of the first letter or a full stop at the end. A quotation must begin and end where words do: "able to
refund" is not found in "unable to refund".
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from functools import lru_cache

import msgspec

from finetune_prep.words import UNSPACED

SEEDS = (12, 6, 3)  # characters; long seeds first: they are rare, so they find the place with little work
MOST_HITS = 200  # of one seed; a seed that is everywhere says nothing about the place
CANDIDATES = 3  # places that are aligned in full
ALMOST = 0.999  # upper end of the score of a match that is not exact

_TOKEN = re.compile(
    r"(?P<link>\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"\n]*\")?\))"
    r"|(?P<word>(?:[^\W_][\u0300-\u036f]*)+)"
    r"|(?P<dash>[-\u2010-\u2015\u2212])"
    r"|(?P<apostrophe>['\u2018\u2019\u02bc])"
    r"|(?P<leading>^[ \t]*(?:>[ \t]*)+)"
    r"|(?P<dropped>[\s\"\u201a-\u201f\u00ab\u00bb\u2039\u203a\u300c-\u300f*_`#|\[\]\u00ad\u200b-\u200d\u2060\ufeff])"
    r"|(?P<escape>\\(?=[|*_`#\[\]]))"
    r"|(?P<mark>.)",
    re.MULTILINE,
)
_NUMBER_CUT = re.compile(r"\d[.,]\|\d.|.\d\|[.,]\d|\s[-\u2212]\|\d.", re.DOTALL)  # 1.|5   1|.5   -|5
_RAISED = re.compile(r"(?<=\d)[\u00b2\u00b3\u00b9\u2070\u2074-\u2079]+")
_HYPHENS = "-\u2010\u2011"
_TRAILING = ".,;:"


class Match(msgspec.Struct, frozen=True):
    """Where a quote stands in a text."""

    score: float
    """1.0 if exact, else the share of characters in common, 0 to below 1."""
    start: int
    """Offset in the text."""
    end: int
    """Offset in the text, after the last character."""
    exact: bool


class _Bare(msgspec.Struct, frozen=True):
    """A text without what typesetting changes."""

    text: str
    starts: list[int]
    """Offsets of its pieces in `text`."""
    places: list[int]
    """Where each piece begins in the original."""
    ends: list[int]
    """Where each piece ends in the original."""

    def place(self, offset: int) -> int:
        """Offset in the original of the character at `offset`."""
        piece = bisect_right(self.starts, offset) - 1
        return min(self.places[piece] + offset - self.starts[piece], self.ends[piece] - 1)


@lru_cache(maxsize=4096)  # gates look the same quotes up again after every draft
def find_quote(quote: str, text: str) -> Match:
    """The exact place of `quote` in `text`, else the most similar one. Nothing in common, or an empty quote: score 0 at 0."""
    wanted = _bare(quote).text.rstrip(_TRAILING)
    page = _bare_page(text)
    if not wanted or not page.text:
        return Match(0.0, 0, 0, False)
    return _exact(wanted, page, text) or _nearest(wanted, page)


def _exact(wanted: str, page: _Bare, text: str) -> Match | None:
    for form in dict.fromkeys((wanted, wanted[0].swapcase() + wanted[1:])):
        at = page.text.find(form)
        while at >= 0:
            start, end = page.place(at), page.place(at + len(form) - 1) + 1
            if _between_words(text, start) and _between_words(text, end):
                return Match(1.0, start, end, True)
            at = page.text.find(form, at + 1)
    return None


def _between_words(text: str, offset: int) -> bool:
    """Whether no word is cut at this offset. Scripts that write words without spaces can't be cut."""
    before, after = text[max(offset - 2, 0) : offset], text[offset : offset + 2]
    if not before or not after or UNSPACED.match(before[-1]) or UNSPACED.match(after[0]):
        return True
    if (before[-1].isalnum() and after[0].isalnum()) or _NUMBER_CUT.fullmatch(f"{before:>2}|{after:<2}"):
        return False
    hyphen_before = len(before) == 2 and before[1] in _HYPHENS and before[0].isalpha() and after[0].isalpha()
    hyphen_after = len(after) == 2 and after[0] in _HYPHENS and after[1].isalpha() and before[-1].isalpha()
    return not hyphen_before and not hyphen_after


def _nearest(wanted: str, page: _Bare) -> Match:
    best = Match(0.0, 0, 0, False)
    for at in _candidates(wanted, page.text):
        margin = len(wanted) // 4 + 8
        first = max(at - margin, 0)
        window = page.text[first : at + len(wanted) + margin]
        blocks = [
            block
            for block in difflib.SequenceMatcher(None, window, wanted, autojunk=False).get_matching_blocks()
            if block.size > 1
        ]
        if not blocks:
            continue
        score, start, end = _densest(blocks, len(wanted))
        if score > best.score:
            best = Match(min(score, ALMOST), page.place(first + start), page.place(first + end - 1) + 1, False)
    return best


def _densest(blocks: list[difflib.Match], length: int) -> tuple[float, int, int]:
    """Score, start and end of the run of blocks that has most in common with a quotation of this length for its extent."""
    best = (0.0, 0, 0)
    for first, opening in enumerate(blocks):
        common = 0
        for block in blocks[first:]:
            common += block.size
            start, end = opening.a, block.a + block.size
            best = max(best, (2 * common / (length + end - start), start, end))
    return best


def _candidates(wanted: str, page: str) -> list[int]:
    """Offsets at which the quotation might begin: those on which most of its seeds agree."""
    for size in SEEDS:
        votes: Counter[int] = Counter()
        coarse = len(wanted) // 8 + 4
        for offset in range(0, max(len(wanted) - size, 0) + 1, max(size // 3, 1)):
            seed = wanted[offset : offset + size]
            at, hits = page.find(seed), 0
            while at >= 0 and hits < MOST_HITS:
                votes[(at - offset) // coarse] += 1
                at, hits = page.find(seed, at + 1), hits + 1
        if votes:
            return [max(bucket * coarse, 0) for bucket, _ in votes.most_common(CANDIDATES)]
    return []


@lru_cache(maxsize=64)
def _bare_page(text: str) -> _Bare:
    return _bare(text)


def _bare(text: str) -> _Bare:
    pieces: list[str] = []
    starts: list[int] = []
    places: list[int] = []
    ends: list[int] = []
    length = 0
    for token in _TOKEN.finditer(text):
        piece = _kept(token, text)
        if piece:
            pieces.append(piece)
            starts.append(length)
            places.append(token.start())
            ends.append(token.end())
            length += len(piece)
    return _Bare("".join(pieces), starts, places, ends)


def _kept(token: re.Match[str], text: str) -> str:
    kind, piece = token.lastgroup, token[0]
    if kind in ("word", "mark"):
        return piece if piece.isascii() else unicodedata.normalize("NFKC", _RAISED.sub(_written_out, piece))
    if kind == "apostrophe":
        return (
            "'" if token.start() and text[token.start() - 1].isalpha() and text[token.end() : token.end() + 1].isalpha() else ""
        )
    if kind == "dash":
        return "-" if _numeric(text, token.start(), token.end()) else ""
    return ""


def _written_out(raised: re.Match[str]) -> str:
    """10³ is 10^3, and not 103."""
    return f"^{raised[0]}"


def _numeric(text: str, start: int, end: int) -> bool:
    """Whether a dash is a minus sign or stands between two numbers."""
    if text[end : end + 1].isdigit() and (not start or text[start - 1].isspace()):
        return True
    return text[max(start - 4, 0) : start].rstrip()[-1:].isdigit() and text[end : end + 4].lstrip()[:1].isdigit()

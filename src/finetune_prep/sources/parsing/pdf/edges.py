"""Headers and footers of PDF pages: what stands at the edges of pages again and again, in the middle of sentences that go on."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import median

from finetune_prep.sources.parsing.pdf.layout import Row

DEPTH = 3  # lines at the top and at the bottom of a page
SHARE = 0.6  # of the pages that have it: a header or a footer
NEAR = 3  # pages before and behind: the headers of a chapter
LEAST_NEAR = 3  # of these pages and the page itself
HEADLINE = 1.15  # of the size of the text: what is larger is a heading of its page, and stays

Lines = list[Row]


def without_edges(pages: list[Lines], left_out: Counter[str]) -> list[list[str]]:
    """The lines of pages without headers and footers. left_out: counts their lines.

    What says the same on every page is kept once, as it may be said nowhere else: where it first stands, or at the end.
    """
    sizes = [row.size for page in pages for row in page if row.size]
    largest = HEADLINE * median(sizes) if sizes else 0.0
    tops, bottoms = _Edge(pages, largest, end=False), _Edge(pages, largest, end=True)
    said = {row.text for page in pages for row in page[DEPTH:-DEPTH]}
    kept: list[list[str]] = []
    footers: dict[str, None] = {}
    for number, page in enumerate(pages):
        first, last = tops.depth(number), len(page) - bottoms.depth(number)
        if first >= last:  # a page that says nothing else
            first, last = 0, len(page)
        header = [row.text for row in page[:first] if tops.repeats(row.text) and row.text not in said]
        said.update(header)
        footers |= dict.fromkeys(row.text for row in page[last:] if bottoms.repeats(row.text))
        left_out["lines at the edges of pages"] += first - len(header) + len(page) - last
        kept.append([*header, *(row.text for row in page[first:last])])
    return [*kept, *([line] for line in footers if line not in said)]


class _Edge:
    """The upper or the lower edge of all pages."""

    def __init__(self, pages: list[Lines], largest: float, *, end: bool) -> None:
        edges = [page[::-1][:DEPTH] if end else page[:DEPTH] for page in pages]
        self._folds = [[_folded(row) if row.size <= largest or not row.size else "" for row in edge] for edge in edges]
        self._where: dict[str, dict[int, list[int]]] = defaultdict(dict)
        for number, (folds, edge) in enumerate(zip(self._folds, edges, strict=True)):
            for fold, row in zip(folds, edge, strict=True):
                if fold:
                    self._where[fold].setdefault(number, _numbers(row))
        self._least = max(2.0, SHARE * sum(map(bool, pages)))
        self._lines = Counter(text for edge in edges for text in {row.text for row in edge})

    def depth(self, number: int) -> int:
        """How many lines of a page belong to its edge, each pattern once: a column of figures is none."""
        folds = self._folds[number]
        depth = 0
        while depth < len(folds) and self._is_known(folds[depth], number) and folds[depth] not in folds[:depth]:
            depth += 1
        return depth

    def repeats(self, text: str) -> bool:
        """Whether a line stands there word for word more than once, and says more than a number."""
        return self._lines[text] > 1 and re.search(r"[^\W\d]", text) is not None

    def _is_known(self, fold: str, number: int) -> bool:
        numbers = self._where.get(fold, {})
        where = [page for page in numbers if _is_next(numbers[number], numbers[page], page - number)]
        near = bisect_right(where, number + NEAR) - bisect_left(where, number - NEAR)
        return len(where) >= self._least or near >= LEAST_NEAR


def _numbers(row: Row) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", row.text)]


def _is_next(mine: list[int], others: list[int], pages: int) -> bool:
    """Whether a line is the same header so many pages on: each number stays, or counts the pages. Rows of a table and numbered
    clauses that happen to stand at the edges of pages do neither."""
    return all(other == number or other - number == pages for number, other in zip(mine, others, strict=True))


def _folded(row: Row) -> str:
    """A line in which every number is like another: that of the page changes."""
    return re.sub(r"\d+", "#", row.text.casefold())


def joined(pages: Iterable[list[str]]) -> str:
    """One text, in which a sentence that goes over a page goes on."""
    whole = ""
    for page in filter(None, pages):
        whole += ("\n\n" if re.search(r"[.!?:;。！？][\"'”’»)]*\Z", whole[-9:]) else "\n") + "\n".join(page)
    return whole.strip()

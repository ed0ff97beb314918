"""The tags of a parsed page, gathered once: the parser's own search takes ten times as long."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bs4 import BeautifulSoup, Tag

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Tree:
    """A parsed page. Tags are given in the order of the page, without those that were taken out meanwhile."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self.soup = soup
        self._tags = tags_in(soup)
        self._gone: set[int] = set()

    def __iter__(self) -> Iterator[Tag]:
        return (tag for tag in self._tags if id(tag) not in self._gone)

    def named(self, *names: str) -> Iterator[Tag]:
        """All tags with one of these names."""
        return (tag for tag in self if tag.name in names)

    def empty(self, tag: Tag) -> bool:
        """Take out what a tag holds, and say whether that was any text. It stays itself: to find its place takes long."""
        held = bool(tag.get_text(strip=True))
        self._gone.update(map(id, tags_in(tag)))
        tag.clear()
        return held

    def replace(self, tag: Tag, text: str) -> None:
        """A tag becomes text in its line."""
        self.empty(tag)
        tag.name = "span"
        tag.append(text)

    def keep(self, tags: list[Tag]) -> None:
        """Only these, in place of everything."""
        for tag in tags:
            tag.extract()
        self.soup.clear()
        self.soup.extend(tags)
        self._tags = tags_in(self.soup)


def tags_in(whole: Tag) -> list[Tag]:
    """All tags within another, in the order of the page."""
    return [node for node in whole.descendants if isinstance(node, Tag)]


def within(tag: Tag, names: Collection[str]) -> Tag | None:
    """The nearest tag of one of these names around a tag, if there is one."""
    around = tag.parent
    while around is not None and around.name not in names:
        around = around.parent
    return around

"""Contacts and amounts that a text states, in one form each, so that they can be looked up in other texts.

What is found is what is recognised by its form in any language: addresses of mail and web, telephone numbers as people write
them, emergency numbers, amounts of money, percentages. Times and dates are said in too many ways for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

StatedKind = Literal["mail address", "link", "telephone number", "price", "percentage"]
CONTACTS: frozenset[StatedKind] = frozenset({"mail address", "link", "telephone number"})

_AMOUNT = r"\d+(?:[.,' \u00a0\u202f]\d{3})*(?:[.,]\d{1,2})?(?![\d])"
_SIGN = r"€|\$|£|¥|EUR|USD|GBP|CHF|JPY"
_WORD = r"(?:euros?|dollars?|pounds?|cents?|francs?|franken|yen)\b"
_DIGIT = re.compile(r"\d")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DOMAIN = r"\.(?:com|org|net|edu|gov|info|eu|de|at|ch|uk|fr|es|it|nl|io)(?![\w-])"
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>()\[\]“”\"]+|(?<![\w@.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*"
    rf"{_DOMAIN}(?:/[^\s<>()\[\]“”\"]*)?",
    re.IGNORECASE,
)
_IN_LINKS = re.compile(rf"://|www\.|{_DOMAIN}", re.IGNORECASE)  # one of these stands in every link, and is found far sooner
_PRICE = re.compile(
    rf"(?:{_SIGN})[ \u00a0\u202f]?(?P<after>{_AMOUNT})"
    rf"|(?<![\w.,])(?P<before>{_AMOUNT})[ \u00a0\u202f]?(?:(?:{_SIGN})(?!\w)|{_WORD})",
    re.IGNORECASE,
)
# one of these stands in every price, and is found far sooner
_MONEY = ("€", "$", "£", "¥", "eur", "usd", "gbp", "chf", "jpy", "dollar", "pound", "cent", "franc", "franken", "yen")
_PERCENT = re.compile(r"(?<![\w.,])(?P<number>\d+(?:[.,]\d+)?)[ \u00a0\u202f]?(?:%|per ?cent\b|Prozent\b)", re.IGNORECASE)
_PER_HUNDRED = ("%", "cent", "prozent")  # and of these in every percentage
_DATE = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}[:.]\d{2}(?!\d)")
_TELEPHONE = re.compile(r"(?<![\w.,#-])\+?\(?\d[\d()/ \u00a0\u202f-]{3,18}\d(?![\w%])")
_EMERGENCY_NUMBERS = ("112", "911", "999", "988")
_EMERGENCY = re.compile(
    rf"(?<![\w.,€$£#-])(?:{'|'.join(_EMERGENCY_NUMBERS)})(?![\w%]|[.,-]\d| ?(?:€|\$|£|euro|dollar|pound))", re.IGNORECASE
)
_NO_TELEPHONE = re.compile(r"\d{4}\D\d{4}|\d{1,3}(?:[ \u00a0\u202f]\d{3})+")  # years, order numbers, thousands
SEVERAL = range(2, 13)  # of a thing whose price is known: up to a dozen, whether or not anybody says how many
_COUNT = re.compile(r"(?<![\w.,/:+-])\d{2,4}(?![\w/:%]|[.,-]\d)")  # more of them are as many as somebody says
_HELPLINES = "116"  # the European numbers for services of social value, such as 116 123


class Stated(NamedTuple):
    """Something that a text states."""

    kind: StatedKind
    text: str
    """As it stands there."""
    value: str
    """In one form, by which it is compared."""


@lru_cache(maxsize=1024)  # the brief and the facts are known texts of every reply
def stated(text: str) -> tuple[Stated, ...]:
    """All contacts and amounts of a text, each once, in the order of their kinds."""
    return tuple({(found.kind, found.value): found for found in _found(text)}.values())


def _found(text: str) -> Iterator[Stated]:
    if "@" not in text and "." not in text and not _DIGIT.search(text):
        return
    mails = [*_MAIL.finditer(text)] if "@" in text else []
    yield from (Stated("mail address", match[0], match[0].rstrip(".").casefold()) for match in mails)
    text = _MAIL.sub(" ", text) if mails else text
    links = [*_LINK.finditer(text)] if _IN_LINKS.search(text) else []
    yield from (Stated("link", match[0], _address(match[0])) for match in links)
    text = _LINK.sub(" ", text) if links else text
    if not _DIGIT.search(text):  # as in most replies
        return
    prices = [*_PRICE.finditer(text)] if _holds(text, _MONEY) else []
    yield from (Stated("price", match[0], _number(match["after"] or match["before"])) for match in prices)
    text = _PRICE.sub(" ", text) if prices else text
    percentages = [*_PERCENT.finditer(text)] if _holds(text, _PER_HUNDRED) else []
    yield from (Stated("percentage", match[0], _number(match["number"])) for match in percentages)
    text = _PERCENT.sub(" ", text) if percentages else text
    yield from _telephones(_DATE.sub(" ", text))


def _holds(text: str, words: Iterable[str]) -> bool:
    """Whether one of these stands in a text, whatever its case."""
    folded = text.casefold()
    return any(word in folded for word in words)


def _telephones(text: str) -> Iterator[Stated]:
    numbers = [*_TELEPHONE.finditer(text)]
    for match in numbers:
        if digits := _digits(match):
            yield Stated("telephone number", match[0].strip(), digits)
    if any(number in text for number in _EMERGENCY_NUMBERS):  # found far sooner
        for match in _EMERGENCY.finditer(_TELEPHONE.sub(_blank, text) if numbers else text):
            yield Stated("telephone number", match[0], match[0])


def unknown(text: str, known: Iterable[str], talk: Iterable[str] = ()) -> tuple[Stated, ...]:
    """What a text states and neither the known texts nor the talk that it belongs to do. talk: its other messages.

    A price may be that of several of the same, as many as `SEVERAL` or as a number says that stands in the text or its talk; or
    the sum or the difference of two others, known ones or right ones of the text itself.
    """
    said = stated(text)
    if not said:  # as in most replies
        return ()
    heard = [*talk]
    there = [found for other in (*known, *heard) for found in stated(other)]
    values = {(found.kind, found.value) for found in there}
    strange = [found for found in said if (found.kind, found.value) not in values]
    asked = {float(found.value) for found in strange if found.kind == "price"}
    right = _made_of({float(found.value) for found in there if found.kind == "price"}, asked, [text, *heard]) if asked else set()
    return tuple(found for found in strange if found.kind != "price" or float(found.value) not in right)


def _made_of(prices: set[float], asked: set[float], texts: Iterable[str]) -> set[float]:
    """Which of the prices that are asked about are made of others. texts: in which numbers of things stand."""
    counts = {*SEVERAL, *(count for text in texts for count in _counts(text))}
    right = asked & {round(one * count, 2) for one in prices for count in counts}
    while True:
        parts = prices | right
        sums = {round(one + other, 2) for one in parts for other in parts}
        fresh = (asked - right) & (sums | {round(abs(one - other), 2) for one in parts for other in parts})
        if not fresh:
            return right
        right |= fresh


def _counts(text: str) -> Iterator[int]:
    """Numbers of things: what is neither a price nor a percentage, date or telephone number."""
    for other in (_PRICE, _PERCENT, _DATE, _TELEPHONE):
        text = other.sub(_blank if other is _TELEPHONE else " ", text)
    return (int(match[0]) for match in _COUNT.finditer(text))


def _digits(match: re.Match[str]) -> str:
    """The digits of a telephone number, "" if it is something else: those have a prefix, or are written in groups."""
    text, digits = match[0], re.sub(r"\D", "", match[0])
    if text[0] in "+0(" or digits.startswith(_HELPLINES):
        return digits if len(digits) >= 6 else ""
    return digits if len(digits) >= 7 and digits != text and not _NO_TELEPHONE.fullmatch(text) else ""


def _blank(match: re.Match[str]) -> str:
    """A telephone number taken out; what only looked like one stays."""
    return " " if _digits(match) else match[0]


def _address(link: str) -> str:
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", link.casefold())
    return bare.rstrip(".,;:!?/")


def _number(text: str) -> str:
    """A number in plain digits: of points and commas the last is decimal if one or two digits follow."""
    bare = re.sub(r"[' \u00a0\u202f]", "", text)
    whole, _, part = bare.replace(",", ".").rpartition(".")
    if not whole:
        return f"{float(part):g}"
    joined = whole.replace(".", "")
    return f"{float(f'{joined}.{part}' if len(part) < 3 else joined + part):g}"

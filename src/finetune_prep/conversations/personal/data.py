"""Personal data in a text: addresses of mail, telephone and card numbers, bank accounts, addresses on the internet.

Each is recognised by its form and, where it has one, by its check digit, in any language. What is set aside for examples, films
and tests belongs to nobody and is not found; neither is a number of a service, or what the project's own texts state. Names of
people and places are not looked for (docs/decisions/0038). Of the extra `personal-data`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from finetune_prep.conversations.personal import reserved
from finetune_prep.conversations.personal.libraries import Libraries
from finetune_prep.conversations.personal.telephones import Telephones
from finetune_prep.conversations.stated import stated

Kind = Literal["e-mail address", "IBAN", "card number", "IP address", "telephone number"]

_MAIL = re.compile(r"(?<![\w.+%-])(?P<local>[\w.+%-]+)@(?P<domain>(?:[\w-]+\.)+[^\W\d_]{2,})(?![\w@])")
_FILES = {"png", "jpg", "jpeg", "gif", "svg", "webp", "pdf", "css", "js", "ts", "py", "html", "json"}  # logo@2x.png
_IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,9}(?![\w-])")
_CARD = re.compile(
    r"(?<![\w.,/#-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3\d{3}([ -]?)\d{6}\2\d{4,5}|4\d{12})(?![\w/-]|[.,]\d)"
)
_ISSUED = re.compile(  # by Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12,14}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}"
)
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-f]{3}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.IGNORECASE)
_LARGE = 20  # two parts of an address are as large, hardly ever of a version or the number of a chapter


class Found(NamedTuple):
    """A piece of personal data."""

    kind: Kind
    value: str
    """In one form, by which it is compared; never shown."""
    masked: str
    """As much as tells it from another one."""


class PersonalData:
    """Finds personal data. language: of the texts, BCP 47; it says of which countries numbers without a prefix may be.
    own: texts of the project: contacts that stand in them are its own, and nobody's personal data."""

    def __init__(self, libraries: Libraries, language: str, own: Iterable[str] = ()) -> None:
        self._libraries = libraries
        self._telephones = Telephones(libraries.phonenumbers, language)
        self._own: set[str] = set()
        self._own_digits: set[str] = set()
        for text in own:
            self._own |= {found.value for found in self._found(text)}
            self._own_digits |= {told.value.lstrip("0") for told in stated(text) if told.kind == "telephone number"}

    def of(self, text: str) -> tuple[Found, ...]:
        """What stands in a text, each once."""
        if "@" not in text and not any(character.isdigit() for character in text):  # as in most replies
            return ()
        found: dict[str, Found] = {}
        for one in self._found(text):
            if not self._is_own(one):
                found.setdefault(one.value, one)
        return tuple(found.values())

    def _is_own(self, one: Found) -> bool:
        if one.value in self._own:
            return True
        return one.kind == "telephone number" and any(
            one.value.endswith(digits) for digits in self._own_digits if len(digits) > 5
        )

    def _found(self, text: str) -> Iterator[Found]:
        """Kind by kind; what one has found is blank for those that follow."""
        taken = _Taken(text)
        yield from self._mails(taken)
        yield from self._accounts(taken)
        yield from self._cards(taken)
        yield from self._addresses(taken)
        for number in self._telephones.of(taken.text):
            yield Found("telephone number", number.value, number.masked)

    def _mails(self, taken: _Taken) -> Iterator[Found]:
        for match in taken.each(_MAIL):
            domain = match["domain"].casefold()
            top = domain.rpartition(".")[2]
            if not reserved.domain(domain) and top not in _FILES:
                masked = f"{match['local'][0]}…@{domain[0]}….{top}"
                yield Found("e-mail address", f"{match['local']}@{domain}".casefold(), masked)

    def _accounts(self, taken: _Taken) -> Iterator[Found]:
        """Words behind an IBAN may look like its end, so that it is tried with fewer and fewer of them."""
        for match in taken.candidates(_IBAN):
            ends = [place.start() for place in re.finditer(r"[ -]|$", match[0])]
            for end in reversed(ends):
                number = re.sub(r"[ -]", "", match[0][:end])
                if len(number) > 14 and self._libraries.iban.is_valid(number):
                    taken.blank(match.start(), match.start() + end)
                    if number not in reserved.ACCOUNTS:
                        yield Found("IBAN", number, f"{number[:2]}… {number[-2:]}")
                    break

    def _cards(self, taken: _Taken) -> Iterator[Found]:
        for match in taken.candidates(_CARD):
            number = re.sub(r"\D", "", match[0])
            if _ISSUED.fullmatch(number) and self._libraries.luhn.is_valid(number):
                taken.blank(*match.span())
                if number not in reserved.CARDS:
                    yield Found("card number", number, f"… {number[-4:]}")

    def _addresses(self, taken: _Taken) -> Iterator[Found]:
        for match in [*taken.each(_IPV4), *taken.each(_IPV6)]:
            try:
                address = ipaddress.ip_address(match[0].casefold())
            except ValueError:
                continue
            large = address.version == 6 or sum(part >= _LARGE for part in address.packed) > 1
            if address.is_global and large and not address.is_multicast:
                first = match[0].partition("." if address.version == 4 else ":")
                yield Found("IP address", str(address), f"{first[0]}{first[1]}…")


class _Taken:
    """A text of which parts are taken out while it is gone through."""

    def __init__(self, text: str) -> None:
        self.text = text

    def candidates(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        return [*pattern.finditer(self.text)]

    def each(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """All matches, which are taken out."""
        found = self.candidates(pattern)
        for match in found:
            self.blank(*match.span())
        return found

    def blank(self, start: int, end: int) -> None:
        self.text = f"{self.text[:start]}{' ' * (end - start)}{self.text[end:]}"

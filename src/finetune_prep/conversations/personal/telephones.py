"""Telephone numbers of people in a text, by the numbering plans of the world.

A number with its country's prefix is told by itself. One without is looked up in the plans of the countries in which the
language of the text is spoken, and only where it is written as a telephone number is: in groups, or behind words that say so. A
number behind a word for an order or an invoice is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from babel.core import get_global

from finetune_prep.conversations.personal import reserved

SPOKEN_IN = {  # languages of several large countries; the others have the one in which they are mostly spoken
    "en": ("US", "GB", "AU", "IE", "NZ", "ZA", "IN"), "de": ("DE", "AT", "CH"), "fr": ("FR", "BE", "CH"), "nl": ("NL", "BE"),
    "es": ("ES", "MX", "AR", "CO", "CL", "PE"), "pt": ("PT", "BR"), "it": ("IT", "CH"), "zh": ("CN", "TW", "HK"),
}  # fmt: skip
_SEVEN_DIGITS = re.compile(r"\+?\(?\d(?:\W{0,3}\d){6,}")
_CALLED = re.compile(
    r"(?:\b(?:tel|phone|telefon|fon\b|call|ring|text me|whatsapp|signal|sms|mobil|móvil|celular|cell|handy|anruf|ruf|ll[aá]m|"
    r"appel|chiam|ligue|bel |тел|звон)|☎|📞|📱|电话|電話|手机|手機|携帯|전화)[^.!?\n]{0,40}$",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"(?:#|№|\bn[or°º]\.:?|order|invoice|ticket|track|parcel|shipment|reference|\bref|article|"
    r"item|serial|sku|isbn|account|customer|bestell|rechnung|auftrag|sendung|artikel|kunden|konto|serien|commande|facture|colis|"
    r"client|pedido|factura|cliente|ordine|fattura|encomenda|bestelling|factuur|zamówieni|заказ|счет|счёт|订单|訂單|注文|주문)"
    r"\w*[\s:#.–-]{0,4}(?:\w+[\s:#.–-]{1,3}){0,2}$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b\d{4}-\d{1,2}-\d{1,2}\b|(?<![\d./-])\d{1,2}([./-]) ?\d{1,2}\1 ?\d{2,4}(?![./-]?\d)|(?<![\d.])\d{1,2}[:.]\d{2}(?!\.?\d)"
)
_BEFORE = 60  # characters


class Telephone(NamedTuple):
    value: str
    """As of E.164: "+4930…"."""
    masked: str


class Telephones:
    """Finds telephone numbers. phonenumbers: the library. language: BCP 47."""

    def __init__(self, phonenumbers: ModuleType, language: str) -> None:
        self._library = phonenumbers
        self._regions = _regions(language)
        types = phonenumbers.PhoneNumberType
        self._services = {types.TOLL_FREE, types.PREMIUM_RATE, types.SHARED_COST, types.UAN, types.VOICEMAIL}

    def of(self, text: str) -> Iterator[Telephone]:
        """Each number that is somebody's."""
        text = _DATE.sub(lambda match: " " * len(match[0]), text)
        likely = [
            match for match in _SEVEN_DIGITS.finditer(text) if match[0][0] == "+" or _as_of_people(text, match.start(), match[0])
        ]
        if not likely:  # as in most replies: looking through the plans takes a thousandth of a second
            return
        taken: set[int] = set()
        for region in (None, *self._regions):
            for match in self._library.PhoneNumberMatcher(text, region, self._library.Leniency.VALID):
                places = range(match.start, match.end)
                if taken.isdisjoint(places) and (region is None or _as_of_people(text, match.start, match.raw_string)):
                    taken.update(places)
                    if not self._is_nobodys(match):
                        value = self._form(match.number)
                        yield Telephone(value, f"+{match.number.country_code} … {value[-2:]}")

    def _is_nobodys(self, match: Any) -> bool:
        """Whether it is a service's, or set aside in any of the countries that it may be of."""
        if self._library.number_type(match.number) in self._services:
            return True
        read = [match.number, *(self._library.parse(match.raw_string, region) for region in self._regions)]
        return any(reserved.TELEPHONES.fullmatch(self._form(number)) for number in read)

    def _form(self, number: Any) -> str:
        return str(self._library.format_number(number, self._library.PhoneNumberFormat.E164))


def _as_of_people(text: str, start: int, number: str) -> bool:
    """Whether it is written as the numbers of people are, and behind no word for something else."""
    before = text[max(0, start - _BEFORE) : start]
    called = bool(_CALLED.search(before))
    return called or not (number.isdigit() or _ORDERED.search(before))


def _regions(language: str) -> tuple[str, ...]:
    """The countries of a language, that of its tag alone where it names one ("pt-BR")."""
    base, *rest = language.replace("_", "-").split("-")
    if named := [part.upper() for part in rest if len(part) == 2]:
        return (named[0],)
    likely = str(get_global("likely_subtags").get(base.casefold(), "")).rpartition("_")[2]
    return SPOKEN_IN.get(base.casefold()) or ((likely,) if len(likely) == 2 else ())

"""What personal data is told by: libraries of the extra `personal-data`, which only looking for it needs."""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

INSTALL = "pip install phonenumberslite python-stdnum"


class Libraries(NamedTuple):
    phonenumbers: ModuleType
    """The world's numbering plans, as Android knows them."""
    iban: ModuleType
    """Accounts by country, with their check digits (ISO 13616, ISO 7064)."""
    luhn: ModuleType
    """Check digit of cards (ISO/IEC 7812)."""


def libraries() -> Libraries | None:
    """None if the extra is not installed."""
    try:
        import phonenumbers
        from stdnum import iban, luhn
    except ImportError:
        return None
    return Libraries(phonenumbers, iban, luhn)

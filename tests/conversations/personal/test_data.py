"""Personal data in the forms of several countries is found and shown masked; what only looks like it is left alone."""

from __future__ import annotations

import random
import sys

import pytest
from stdnum import luhn

from finetune_prep.conversations.personal.data import PersonalData
from finetune_prep.conversations.personal.libraries import libraries


def found(text: str, language: str = "en", own: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    there = libraries()
    assert there is not None
    return [(one.kind, one.masked) for one in PersonalData(there, language, own).of(text)]


@pytest.mark.parametrize(
    ("text", "language", "kind", "masked"),
    [
        ("Write to maria.keller@gmail.com, please.", "en", "e-mail address", "m…@g….com"),
        ("<J.Doe+shop@mail.co.uk>", "en", "e-mail address", "J…@m….uk"),
        ("jürgen@müller-töpferei.de schreibt", "de", "e-mail address", "j…@m….de"),
        ("Bitte auf DE02 1203 0000 0000 2020 51 BIC BYLADEM1001 bis 30.11.2024.", "de", "IBAN", "DE… 51"),
        ("IBAN FR76 3000 6000 0112 3456 7890 189", "fr", "IBAN", "FR… 89"),
        ("PL27114020040000300201355387", "pl", "IBAN", "PL… 87"),
        ("my card 4539 1488 0343 6467, exp 12/26", "en", "card number", "… 6467"),
        ("Karte: 5425-2334-3010-9903.", "de", "card number", "… 9903"),
        ("it is 374245455400126", "en", "card number", "… 0126"),
        ("logged in from 85.214.132.117.", "en", "IP address", "85.…"),
        ("from 2a02:8070:88c:1200::1 at 12:30:45", "en", "IP address", "2a02:…"),
        ("Reach me at +44 7911 123456", "en", "telephone number", "+44 … 56"),
        ("+1 (415) 867-5309", "de", "telephone number", "+1 … 09"),
        ("call 202-456-1111 after six", "en", "telephone number", "+1 … 11"),
        ("My cell is 2024561111", "en", "telephone number", "+1 … 11"),
        ("my number is 020 7219 4272", "en", "telephone number", "+44 … 72"),
        ("Ruf mich unter 0171 2345678 an", "de", "telephone number", "+49 … 78"),
        ("030/901820", "de", "telephone number", "+49 … 20"),
        ("01 588 58-0 in Wien", "de-AT", "telephone number", "+43 … 80"),
        ("au 01 42 92 81 00", "fr", "telephone number", "+33 … 00"),
        ("01.42.92.81.00", "fr", "telephone number", "+33 … 00"),
        ("llámame al 612345678", "es", "telephone number", "+34 … 78"),
        ("06 6706 2200", "it", "telephone number", "+39 … 00"),
        ("(11) 98765-4321", "pt-BR", "telephone number", "+55 … 21"),
        ("電話は03-3581-5111です", "ja", "telephone number", "+81 … 11"),
        ("601 234 567", "pl", "telephone number", "+48 … 67"),
    ],
)  # fmt: skip
def test_what_is_found(text: str, language: str, kind: str, masked: str) -> None:
    assert found(text, language) == [(kind, masked)]
    assert not any(part in masked for part in ("keller", "12345", "1203", "1488"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hello@shop.example, a@example.com, b@mail.example.org, root@localhost, x@y.test, x@y.invalid", "en"),
        ("logo@2x.png, react@18.2.0, @potter, 3 @ $4.50, a@b", "en"),
        ("Bestellnummer 4021 7788 12, Rechnung 2024-11-0031 über 1.299,00 €", "de"),
        ("Bestellung 0171 2345678, Sendung 0171-2345679, Kundennummer: 030 9018200", "de"),
        ("order 2025550143, order #202-456-1111, invoice 202-456-1111, ticket no. 415-867-5309", "en"),
        ("tracking number 9400 1000 0000 0000 0000 00 or 1Z999AA10123456784", "en"),
        ("pedido 612345678, factura 91 321 12 00", "es"),
        ("la commande 01 42 92 81 00", "fr"),
        ("2024561111 pieces, 913211200 in all", "en"),
        ("between 1914-1918, on 2024-11-30T12:30:00, 30.11.2024, 11/30/2024, 03-30-2024, 30. 11. 2024", "en"),
        ("vom 30.11.2024 bis 02.12.2024, 8.00-18.00 Uhr", "de"),
        ("$1,299,000 to 1 250 000 000, 1.299.000,00 €, 12 x 24 x 36 cm, 1080p, 0.125", "en"),
        ("version 10.2.1.4, chapters 4.1.2.3 and 12.3.4.5, std::vector, 12:30:45, dead:beef", "en"),
        ("192.168.1.20, 10.0.0.1, 127.0.0.1, 192.0.2.77, 198.51.100.20, 203.0.113.9, 2001:db8::1", "en"),
        ("ISBN 978-3-16-148410-0, ISBN 0-306-40615-2, EAN 4006381333931", "en"),
        ("4111 1111 1111 1111, 4242424242424242, 3782-822463-10005", "en"),
        ("4539 1488 0343 6468, 1234 5678 9012 3456, 9999 8888 7777 6666", "en"),
        ("DE89 3704 0044 0532 0130 00, GB82 WEST 1234 5698 7654 32, DE02 1203 0000 0000 2020 52", "de"),
        ("call 202-555-0143, 01632 960123, 020 7946 0123, 07700 900456", "en"),
        ("030 23125 123, 0171 3920012", "de"),
        ("Call 0800 11 10 111, 112, 116 123, 988 or 911", "de"),
        ("1-800-273-8255", "en"),
        ("", "en"),
        ("Nothing here @ all, at 7.", "xx"),
    ],
)
def test_what_only_looks_like_it(text: str, language: str) -> None:
    """Order numbers, prices, dates, versions; and what is set aside for examples, films and tests, or is a service's."""
    assert found(text, language) == []


def test_what_the_projects_own_texts_state_is_its_own() -> None:
    own = ("Workshop: hello@larch-pottery.com, 030 901820 (Mondays)", "Account: DE02 1203 0000 0000 2020 51")
    said = "Write to Hello@larch-pottery.com or ring +49 30 901820 or 030/90 18 20; pay to DE02120300000000202051."
    assert len(found(said, "de")) == 3
    assert found(said, "de", own) == []
    assert found("Or 0171 2345678, or potter@gmail.com.", "de", own) == [
        ("e-mail address", "p…@g….com"),
        ("telephone number", "+49 … 78"),
    ]


def test_several_in_one_text_are_told_apart_and_each_is_named_once() -> None:
    said = "eva.lind@posteo.de, Eva.Lind@posteo.de, card 4539148803436467, +49 171 2345678 (0171 2345678)."
    assert found(said, "de") == [
        ("e-mail address", "e…@p….de"),
        ("card number", "… 6467"),
        ("telephone number", "+49 … 78"),
    ]


def test_long_numbers_of_all_kinds_are_hardly_ever_cards() -> None:
    """What is random passes the issuers' prefixes and the check digit in few of a hundred; what fails the check digit never."""
    dice = random.Random(5)
    numbers = ["".join(dice.choice("0123456789") for _ in range(16)) for _ in range(2_000)]
    flagged = [number for number in numbers if found(f"It says {number} there.")]
    assert all(luhn.is_valid(number) for number in flagged)
    assert len(flagged) < 0.04 * len(numbers)


def test_without_the_extra_there_is_nothing_to_look_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    assert libraries() is None

"""What belongs to nobody: set aside for examples, films and tests by those who give out the real ones."""

from __future__ import annotations

import re

TOP = {"example", "invalid", "test", "localhost", "local", "internal", "onion"}  # RFC 6761, 6762, 7686; ICANN 2024 (internal)
DOMAINS = ("example.com", "example.net", "example.org")  # RFC 2606

TELEPHONES = re.compile(
    r"\+1\d{3}55501\d\d"  # NANPA
    r"|\+44(?:1632960|11[3-8]4960|1[2-6]14960|1914980|2079460|2896496|2920180|7700900|3069990)\d{3}"  # Ofcom
    r"|\+49(?:3023125|4066969|6990009|2214710|8999998)\d{3}|\+4917139200\d\d"  # Bundesnetzagentur
    r"|\+33(?:19900|26191|35301|46571|53649|63998)\d{4}"  # Arcep
    r"|\+61[2378](?:5550|7010)\d{4}"  # ACMA
)

CARDS = {  # that payment services publish for tests
    "4111111111111111", "4242424242424242", "4012888888881881", "4000056655665556", "4222222222222", "5555555555554444",
    "5105105105105100", "2223003122003222", "378282246310005", "371449635398431", "6011111111111117", "6011000990139424",
    "3530111333300000", "3566002020360505", "30569309025904", "38520000023237",
}  # fmt: skip
ACCOUNTS = {  # examples of the register of IBANs, and those that textbooks repeat
    "AT611904300234573201", "BE68539007547034", "CH9300762011623852957", "DE89370400440532013000", "ES9121000418450200051332",
    "FR1420041010050500013M02606", "GB29NWBK60161331926819", "GB82WEST12345698765432", "IT60X0542811101000000123456",
    "NL91ABNA0417164300", "PL61109010140000071219812874", "SE4550000000058398257466",
}  # fmt: skip


def domain(name: str) -> bool:
    """name: in small letters."""
    return name.rpartition(".")[2] in TOP or any(name == known or name.endswith(f".{known}") for known in DOMAINS)

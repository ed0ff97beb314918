"""From bytes to the characters that were meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.sources.parsing.decoding import decode


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("Grüße".encode(), "", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), "", "Grüße"),
        (b"<meta charset='shift_jis'>" + "返品".encode("shift_jis"), "", "<meta charset='shift_jis'>返品"),
        (
            b"<meta http-equiv=x content='text/html; charset=koi8-r'>" + "да".encode("koi8-r"),
            "",
            "<meta http-equiv=x content='text/html; charset=koi8-r'>да",
        ),
        (b"\xff\xfe" + "Grüße".encode("utf-16-le"), "utf-8", "Grüße"),
        (b"\xef\xbb\xbfGr", "latin-1", "Gr"),
        ("Grüße".encode(), "no-such-encoding", "Grüße"),
        (
            b"<?xml version='1.0' encoding='iso-8859-2'?>" + "Łódź".encode("iso-8859-2"),
            "",
            "<?xml version='1.0' encoding='iso-8859-2'?>Łódź",
        ),
        (b"QUJD", "base64", "QUJD"),
        (b"Gr\xfc", "utf-8", "Grü"),
    ],
)
def test_characters_are_those_that_were_meant(data: bytes, charset: str, text: str) -> None:
    assert decode(data, charset) == text


@given(st.binary(max_size=300), st.text(max_size=12))
def test_any_bytes_are_some_characters(data: bytes, charset: str) -> None:
    assert isinstance(decode(data, charset), str)

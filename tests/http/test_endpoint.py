"""Addresses of endpoints, as people write them: read, or refused in a sentence that repeats no password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.http.endpoint import read_endpoint


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1/models"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/models"),
        ("https://larch.example:443", "https://larch.example/models"),
        ("HTTPS://Larch.Example/V1", "https://larch.example/V1/models"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1/models"),
        ("https://bücher.example/größe", "https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe/models"),
        ("https://larch.example/a%20b", "https://larch.example/a%20b/models"),
        (
            "https://larch.example/openai/deployments/d?api-version=2026-10-21",
            "https://larch.example/openai/deployments/d/models?api-version=2026-10-21",
        ),
        ("https://larch.example/v1#part", "https://larch.example/v1/models"),
    ],
)
def test_a_path_is_put_where_it_belongs(written: str, asked: str) -> None:
    """A query stays a query: gateways and Azure have one in every address."""
    assert read_endpoint(written).at("/models") == asked


def test_queries_are_joined() -> None:
    assert read_endpoint("http://larch.example?a=1").at("/x", {"q": "b c&d"}) == "http://larch.example/x?a=1&q=b+c%26d"


@pytest.mark.parametrize(
    "written",
    [
        "", "larch.example", "localhost:8000/v1", "ftp://larch.example", "file:///etc/passwd", "http://", "http:///v1", "http://[::1:8000/v1",
        "http://[::1", "http://]", "http://[x]/", "http://larch.example:port/v1", "http://larch.example:99999/v1", "http://larch.example:-1/",
        "http://lar ch.example/", "http://larch.example/\r\nX: y", "http://larch.example\x00/", "http://a..example/", "http://" + "a" * 70 + ".example/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"^it|^its"):
        read_endpoint(written)


@pytest.mark.parametrize(
    "written",
    [
        "http://user:hunter2@larch.example/v1",
        "http://hunter2@larch.example",
        "https://user:hunter2@[::1/",
        "http://:hunter2@larch.example:x/",
    ],
)
def test_a_password_is_refused_and_not_repeated(written: str) -> None:
    with pytest.raises(ValueError, match=r"it holds a user name|cannot be read") as caught:
        read_endpoint(written)
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://larch.example{text}"):
        try:
            address = read_endpoint(url).at("/x")
        except ValueError:
            continue
        assert address.isascii()
        assert address.isprintable()
        assert " " not in address


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://larch.example/v1/x", True),
        ("https://larch.example:443/elsewhere", True),
        ("http://larch.example/v1/x", False),
        ("https://larch.example:8443/v1/x", False),
        ("https://larch.example.evil.example/", False),
        ("https://larch.example@evil.example/", False),
        ("/v1/x", False),
        ("https://[", False),
    ],
)
def test_the_key_belongs_to_one_endpoint(url: str, own: bool) -> None:
    assert read_endpoint("https://larch.example/v1").holds(url) == own

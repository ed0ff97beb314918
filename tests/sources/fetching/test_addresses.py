"""Whatever an address looks like, it leads to the public internet or nowhere."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.errors import NotFetched
from finetune_prep.sources.fetching.addresses import IPAddress, read_address, refusal

PRIVATE = [
    # loopback, private, shared, link-local, metadata, multicast, reserved
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.100.100.200", "100.127.255.255", "169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192",
    "198.18.0.1", "192.0.2.1", "203.0.113.9", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    # IPv6, and IPv4 inside it: mapped, compatible, NAT64, its local form, 6to4, Teredo
    "::1", "::", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "3fff::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001::1", "100::1", "5f00::1", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("written", PRIVATE)
def test_an_address_that_is_not_public_is_refused(written: str) -> None:
    ip = ipaddress.ip_address(written)
    assert refusal(ip)


@pytest.mark.parametrize("written", PUBLIC)
def test_a_public_address_is_not(written: str) -> None:
    assert refusal(ipaddress.ip_address(written)) == ""


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_what_python_does_not_call_global_is_refused(ip: IPAddress) -> None:
    """Python's own tables as a second opinion; ours refuse more."""
    assert ip.is_global or refusal(ip)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_comes_in_through_ipv6(ip: ipaddress.IPv4Address) -> None:
    number = int(ip)
    wrapped = [
        0xFFFF << 32 | number,
        number,
        (0x64FF9B << 96) | number,
        (0x2002 << 112) | number << 80,
        (0x20010000 << 96) | number,
    ]
    assert all(refusal(ipaddress.IPv6Address(one)) for one in wrapped)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0", "0x0", "00.0.0.0",
        "127.0.0.1.", "127.000.000.001", "8.8.2056", "134744072", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "0x7f.1", "1.1",
        "[::1]", "[::ffff:7f00:1]", "[fe80::1%25eth0]", "[::1", "[]", "[127.0.0.1]", "%6cocalhost", "127.0.0.1%2f", "0X7F.1",
    ],
)  # fmt: skip
def test_no_way_of_writing_leads_to_another_address(host: str) -> None:
    """Refused as it stands, or read as an address that is refused: public ones in odd notations are not taken either."""
    try:
        address = read_address(f"http://{host}/")
    except NotFetched:
        return
    assert address.ip is not None
    assert refusal(address.ip)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST.", "app.localhost", "metadata", "metadata.google.internal", "instance-data",
        "instance-data.ec2.internal", "printer.local", "wiki.corp", "nas.home.arpa", "router.lan", "hidden.onion", "intranet",
        "ｌocalhost", "metadata.google。internal",
    ],
)  # fmt: skip
def test_names_inside_a_network_are_not_even_resolved(host: str) -> None:
    with pytest.raises(NotFetched, match="inside a network"):
        read_address(f"http://{host}/latest/meta-data/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://larch.example/", "file:///etc/passwd", "gopher://larch.example/", "javascript:alert(1)", "data:text/html,x", "//larch.example/",
        "http:larch.example", "http:///larch.example", "http://", "http://user@larch.example/", "http://larch.example@127.0.0.1/",
        "http://larch.example\\@127.0.0.1/", "http://larch.example:8080/", "http://larch.example:22/", "https://larch.example:99999/",
        "http://larch.example:/", "http://lar ch.example/", "http://larch.example/\r\nHost: x", "http://larch.example\x00.evil/", "http://-a.example/",
        "http://a..example/", "http://larch.example/" + "a" * 2000, "http://" + "a" * 64 + ".example/", "http://exam\u200dple..com/", "",
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(NotFetched):
        read_address(url)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://Larch.Example", "https://larch.example/"),
        ("http://larch.example:80/a?b=c#d", "http://larch.example/a?b=c"),
        ("https://larch.example:80/", "https://larch.example:80/"),
        ("http://larch.example?q=1", "http://larch.example/?q=1"),
        ("https://bücher.example/a@b", "https://xn--bcher-kva.example/a@b"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_a_plain_address_is_sent_in_one_form(written: str, sent: str) -> None:
    assert read_address(written).url == sent


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}/x"):
        try:
            address = read_address(url)
        except NotFetched:
            continue
        assert address.url.isprintable()
        assert address.host.isascii()
        assert read_address(address.url) == address

"""Fetching under attack: no connection but to the public internet, and every page ends."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import zlib
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest

from finetune_prep.errors import NotFetched
from finetune_prep.http import transfer
from finetune_prep.sources.fetching.addresses import IPAddress
from finetune_prep.sources.fetching.fetch import MOST_BYTES, Fetcher
from tests.sources.fake_web import PUBLIC, Answer, FakeWeb, html, redirect
from tests.waiting import skip, until

PAGE = html("<h1>Returns</h1><p>Thirty days.</p>")
HTML = {"Content-Type": "text/html"}
PRIVATE_HOSTS = [
    "127.0.0.1", "127.0.0.2", "[::1]", "localhost", "0.0.0.0", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "169.254.169.254",
    "168.63.129.16", "224.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:2]", "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "[2001:0:7f00:1::1]", "[fe80::1]",
    "[fd00:ec2::254]", "2130706433", "0x7f000001", "0x7f.0.0.2", "0177.0.0.1", "017700000001", "127.1", "127.0.2", "0", "①②⑦.⓪.⓪.①",
    "metadata.google.internal", "metadata", "app.localhost", "user@127.0.0.1", "larch.example@127.0.0.1",
]  # fmt: skip


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Addresses for which a socket was made."""
    begun: list[Any] = []
    make = transfer.open_socket

    def noted(family: int, kind: int, protocol: int, address: Any) -> int:
        begun.append(address)
        return make(family, kind, protocol, address)

    monkeypatch.setattr(transfer, "open_socket", noted)
    return begun


async def failure(fetcher: Fetcher, url: str) -> NotFetched:
    with pytest.raises(NotFetched) as caught:
        await fetcher.fetch(url)
    return caught.value


async def test_a_page_comes_as_it_is(connections: list[Any]) -> None:
    with FakeWeb({"/returns?a=b": PAGE}) as web:
        page = await web.fetcher().fetch(web.url("/returns?a=b#top"))
        assert (page.body, page.type, page.charset) == (PAGE.body, "text/html", "utf-8")
        assert page.place == web.url("/returns?a=b")
        assert connections == [(PUBLIC, web.port)]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
async def test_nothing_connects_to_a_private_address(host: str, connections: list[Any]) -> None:
    with FakeWeb() as web:
        refused = await failure(web.fetcher(), f"http://{host}:{web.port}/")
        assert not refused.passing
        assert (connections, web.overheard, web.asked_names) == ([], 0, [])


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
async def test_no_redirect_leads_to_a_private_address(host: str, connections: list[Any]) -> None:
    with FakeWeb() as web:
        web.pages["/"] = redirect(f"http://{host}:{web.port}/latest/meta-data/")
        assert not (await failure(web.fetcher(), web.url("/"))).passing
        assert (connections, web.overheard, len(web.visits)) == ([(PUBLIC, web.port)], 0, 1)


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["::1"], ["10.1.2.3"], ["169.254.169.254"], ["::ffff:127.0.0.1"], [PUBLIC, "127.0.0.1"], ["fd00::1", PUBLIC]],
)
async def test_a_name_with_any_private_address_is_refused(answers: list[str], connections: list[Any]) -> None:
    with FakeWeb(names={"evil.example": [answers]}) as web:
        web.pages["/"] = redirect(web.url("/inner", "evil.example"))
        for url in (web.url("/inner", "evil.example"), web.url("/")):
            assert "which is" in (await failure(web.fetcher(), url)).what
        assert (set(connections), web.overheard) == ({(PUBLIC, web.port)}, 0)


async def test_a_name_that_changes_its_address_meanwhile_is_asked_once_a_hop(connections: list[Any]) -> None:
    """Rebinding: the checked address is the one that is used; the next hop is checked anew."""
    with FakeWeb({"/a": PAGE, "/b": redirect("/a")}, names={"rebind.example": [[PUBLIC], ["127.0.0.1"]]}) as web:
        assert (await web.fetcher().fetch(web.url("/a", "rebind.example"))).body == PAGE.body
        assert web.asked_names == ["rebind.example"]
        assert connections == [(PUBLIC, web.port)]
    with FakeWeb({"/a": PAGE, "/b": redirect("/a")}, names={"rebind.example": [[PUBLIC], ["127.0.0.1"]]}) as web:
        assert "this machine" in (await failure(web.fetcher(), web.url("/b", "rebind.example"))).what
        assert (len(web.visits), web.overheard) == (1, 0)


async def test_the_fetcher_of_a_run_takes_loopback_for_what_it_is(connections: list[Any]) -> None:
    """What is made without arguments, as every run makes it, reaches nothing on this machine, whatever name leads there."""
    for url in (f"http://{PUBLIC}/", "http://127.0.0.1/", "http://localhost/", "http://[::1]/"):
        assert not (await failure(Fetcher(), url)).passing
    assert connections == []


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, connections: list[Any]) -> None:
    with FakeWeb({"/": PAGE}) as web:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{web.port}")
        await web.fetcher().fetch(web.url("/"))
        assert (connections, web.overheard) == ([(PUBLIC, web.port)], 0)


async def test_nothing_of_ours_goes_along() -> None:
    """No cookie that a site has set, no referer, no credentials; on a redirect neither."""
    with FakeWeb({"/a": redirect("/b"), "/b": PAGE}) as web:
        await web.fetcher().fetch(web.url("/a"))
        await web.fetcher().fetch(web.url("/a"))
        sent = {name for visit in web.visits for name in visit.headers}
        assert len(web.visits) == 4
        assert sent <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


async def test_redirects_are_followed_and_end() -> None:
    pages = {f"/{n}": redirect(f"/{n + 1}", (301, 302, 303, 307, 308)[n % 5]) for n in range(5)} | {
        "/5": PAGE,
        "/loop": redirect("/loop"),
    }
    with FakeWeb(pages) as web:
        assert (await web.fetcher().fetch(web.url("/0"))).place == web.url("/5")
        assert "redirects" in (await failure(web.fetcher(), web.url("/loop"))).what
        web.pages["/file"] = redirect("file:///etc/passwd")
        assert "no plain http" in (await failure(web.fetcher(), web.url("/file"))).what


def endless(piece: bytes) -> Any:
    return lambda: repeat(piece)


def bomb(size: int, times: int = 1) -> bytes:
    data = b"\0" * size
    for _ in range(times):
        data = gzip.compress(data)
    return data


def flood(size: int) -> Iterator[bytes]:
    """A gzip stream that unpacks to `size` bytes, never whole in memory."""
    packer = zlib.compressobj(wbits=31)
    for _ in range(size // 1_000_000):
        yield packer.compress(b"\0" * 1_000_000)
    yield packer.flush()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(headers=HTML | {"Content-Length": str(10**12)}, chunks=endless(b"x")), "larger than 5 MB"),
        (Answer(headers=HTML, chunks=endless(b"x" * 65536)), "larger than 5 MB"),
        (Answer(headers=HTML | {"Content-Encoding": "gzip"}, body=bomb(50_000_000)), "larger than 5 MB"),
        (Answer(headers=HTML | {"Content-Encoding": "gzip"}, chunks=lambda: flood(500_000_000)), "larger than 5 MB"),
        (Answer(headers=HTML | {"Content-Encoding": "deflate"}, body=zlib.compress(b"\0" * 50_000_000)), "larger than 5 MB"),
        (Answer(headers=HTML | {"Content-Encoding": "gzip, gzip"}, body=bomb(50_000_000, 2)), "not asked for"),
        (Answer(headers=HTML | {"Content-Encoding": "br"}, body=b"x"), "packed as br"),
        (Answer(headers=HTML | {"Content-Encoding": "zstd"}, body=b"x"), "packed as zstd"),
        (Answer(headers=HTML | {"Content-Encoding": "gzip"}, body=b"no gzip"), "compression is broken"),
        (Answer(headers={"Content-Type": "video/mp4"}, chunks=endless(b"x")), "video/mp4 is no text"),
        (Answer(headers={"Content-Type": "application/octet-stream"}, body=b"x"), "no text"),
        (Answer(headers={"Content-Type": "image/svg+xml"}, body=b"<svg>"), "no text"),
        (Answer(body=b"<p>no type"), "an unnamed type"),
        (Answer(status=404, headers=HTML, body=b"gone"), "HTTP 404"),
        (Answer(status=403, headers=HTML, body=b"no"), "HTTP 403"),
        (Answer(status=204, headers=HTML), "HTTP 204"),
        (Answer(status=302, headers=HTML), "HTTP 302"),
    ],
)
async def test_what_is_no_page_ends_for_good(answer: Answer, words: str) -> None:
    with FakeWeb({"/": answer}) as web:
        refused = await failure(web.fetcher(), web.url("/"))
        assert words in refused.what
        assert not refused.passing


async def test_what_is_packed_twice_by_its_kind_stays_packed() -> None:
    """A gzip file within a gzip stream is unpacked once: what is in it is no page."""
    with FakeWeb({"/": Answer(headers=HTML | {"Content-Encoding": "gzip"}, body=bomb(50_000_000, 2))}) as web:
        assert len((await web.fetcher().fetch(web.url("/"))).body) < 100_000


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "raw deflate", "identity"])
async def test_packed_pages_are_unpacked(encoding: str) -> None:
    text = b"<p>Thirty days from the day of delivery.</p>" * 5_000
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text),
        "x-gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "raw deflate": raw.compress(text) + raw.flush(),
        "identity": text,
    }[encoding]
    answer = Answer(headers=HTML | {"Content-Encoding": encoding.removeprefix("raw ")}, body=packed)
    with FakeWeb({"/": answer}) as web:
        assert (await web.fetcher().fetch(web.url("/"))).body == text


async def test_a_page_just_below_the_cap_is_taken() -> None:
    with FakeWeb(
        {"/": Answer(headers=HTML, body=b"x" * MOST_BYTES), "/more": Answer(headers=HTML, body=b"x" * (MOST_BYTES + 1))}
    ) as web:
        assert len((await web.fetcher().fetch(web.url("/"))).body) == MOST_BYTES
        assert "larger" in (await failure(web.fetcher(), web.url("/more"))).what


@pytest.mark.parametrize(
    ("answer", "passing"),
    [
        (Answer(status=503, headers=HTML), True),
        (Answer(status=429, headers=HTML), True),
        (Answer(headers=HTML | {"Content-Length": "5000"}, body=b"half"), True),
        (Answer(headers={"X" * 200_000: "y"}), True),
    ],
)
async def test_every_page_ends(answer: Answer, passing: bool) -> None:
    """Half an answer, headers without measure: told, and whether another day may be better."""
    with FakeWeb({"/": answer}) as web:
        assert (await failure(web.fetcher(), web.url("/"))).passing == passing


async def test_silence_ends_with_its_time() -> None:
    with FakeWeb({"/": Answer(headers=HTML, latency=7200)}) as web:
        fetching = asyncio.create_task(failure(web.fetcher(seconds=3600), web.url("/")))
        await until(lambda: web.at_work == 1)
        skip(3600)
        assert (await fetching).passing


@pytest.mark.parametrize("piece", [b"x", b""])
async def test_drips_without_end_end_with_their_time(piece: bytes) -> None:
    """Such a page is no better another day."""
    drips: list[bytes] = []

    def dripping() -> Iterator[bytes]:
        while True:
            drips.append(piece)
            yield piece

    with FakeWeb({"/": Answer(headers=HTML, chunks=dripping, pause=0.01)}) as web:
        fetching = asyncio.create_task(failure(web.fetcher(seconds=3600), web.url("/")))
        await until(lambda: len(drips) > 20)
        skip(3600)
        assert not (await fetching).passing


async def test_https_is_nothing_else() -> None:
    """A server that does not speak TLS is told as one that cannot be reached, and gets no request in clear."""
    heard: list[bytes] = []

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(5))
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async def resolve(host: str, port: int) -> list[IPAddress]:
        return [ipaddress.ip_address(PUBLIC)]

    server = await asyncio.start_server(deaf, PUBLIC, 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        fetcher = Fetcher(resolve=resolve, refusal=lambda ip: "", ports=frozenset({port}))
        refused = await failure(fetcher, f"https://larch.example:{port}/")
    assert ("no connection" in refused.what, refused.passing) == (True, True)
    assert [first[:1] for first in heard] == [b"\x16"]  # the first byte of a TLS handshake


async def test_a_name_or_a_server_that_is_not_there_may_be_another_day() -> None:
    with FakeWeb() as web:
        fetcher, port = web.fetcher(), web.port
        assert (await failure(fetcher, f"http://nowhere.test:{port}/")).passing
    gone = await failure(fetcher, f"http://larch.example:{port}/")
    assert gone.passing
    assert "no connection" in gone.what

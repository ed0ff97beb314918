"""Exchanges over libcurl: nothing is sent twice by itself, and what never left is told from what may have been worked on."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gzip
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from finetune_prep.http import Answer, Call, NoAnswer, transfer
from finetune_prep.http.client import MOST_WAITING, open_client
from finetune_prep.http.exchange import Upload
from tests.fake_endpoint import Completion, FakeEndpoint, Reset, Stall
from tests.waiting import HUNG, until

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CERTIFICATE = Path(__file__).with_name("localhost.pem")  # self-signed, for localhost, with its key; valid until 2126

Serve = Callable[[int, asyncio.StreamWriter], None]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk, address: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port at which connections are given to `talk`; what is still talked when it ends is broken off."""
    open_talks: list[asyncio.Task[None]] = []

    async def begun(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_talks.append(task)
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    server = await asyncio.start_server(begun, address, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for open_talk in open_talks:
            open_talk.cancel()
        await asyncio.gather(*open_talks, return_exceptions=True)


@asynccontextmanager
async def server(serve: Serve, *, tls: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address and the requests that came to it. serve: is given the number of the request, from 1, and where to write."""
    came: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = sum(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            came.append(head + await reader.readexactly(length))
            serve(len(came), writer)

    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    async with listening(talk, context=context) as port:
        yield f"{'https' if tls else 'http'}://localhost:{port}/v1", came


def post(url: str) -> Call:
    return Call("POST", url, ["X-Own: 1"])


def get(port: int, host: str = "127.0.0.1") -> Call:
    return Call("GET", f"http://{host}:{port}/")


async def posted(url: str, data: bytes | Upload = b"{}") -> Answer:
    async with open_client() as client:
        return await client.send(post(url), data)


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_a_post_and_its_answer() -> None:
    """A megabyte goes out whole, without asking for leave; names of headers come back in lower case."""
    answer = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Request-ID: r1\r\nContent-Length: 2\r\n\r\n{}"
    async with server(lambda number, writer: writer.write(answer)) as (url, came):
        got = await posted(url, b"x" * 1_000_000)
    assert got == Answer(200, {"x-request-id": "r1", "content-length": "2"}, b"{}")
    assert came[0].endswith(b"x" * 1_000_000)
    assert b"X-Own: 1\r\n" in came[0]
    assert b"Expect" not in came[0]


async def test_connections_are_used_again() -> None:
    peers = set()

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        writer.write(FINE)

    async with server(serve) as (url, came):
        opened, call = open_client(), post(url)
        for _ in range(5):
            await opened.send(call, b"{}")
        await opened.close()
    assert (len(came), len(peers)) == (5, 1)


@pytest.mark.parametrize("size", [2, 500_000])
async def test_a_connection_that_dies_with_a_request_is_no_reason_to_send_it_again(size: int) -> None:
    """A connection that was used before is closed when the second request has come: once is billed, twice must not happen."""

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        if number == 1:
            writer.write(FINE)
        else:
            writer.close()

    async with server(serve) as (url, came):
        opened, call = open_client(), post(url)
        await opened.send(call, b"x" * size)
        with pytest.raises(NoAnswer, match="the connection broke") as caught:
            await opened.send(call, b"y" * size)
        await opened.close()
        assert caught.value.sent
        assert len(came) == 2


async def test_an_endpoint_that_hangs_up_unannounced_is_met_by_surprise_once() -> None:
    """It closes the connection after each answer: one call at most finds that out, the others go over new connections."""

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(FINE)
        writer.close()

    surprises = 0
    async with server(serve) as (url, came):
        opened, call = open_client(), post(url)
        for _ in range(10):
            try:
                await opened.send(call, b"{}")
            except NoAnswer as fault:
                surprises += 1
                assert "had closed it" in str(fault)
            await asyncio.sleep(0.01)
        await opened.close()
        assert surprises <= 1
        assert len(came) == 10 - surprises


async def test_what_never_left_was_never_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, no such host, no TLS where it was expected."""
    monkeypatch.setattr(transfer, "CONNECT_SECONDS", 1.0)
    async with server(lambda number, writer: None) as (url, _):
        for address in (f"http://127.0.0.1:{unused_port()}/v1", "http://nobody.invalid/v1", url.replace("http:", "https:")):
            with pytest.raises(NoAnswer) as caught:
                await posted(address)
            assert (caught.value.sent, caught.value.unreached) == (False, True), address


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["silence", "half", "no HTTP", "odd chunks"],
)
async def test_what_left_may_have_been_billed(answer: bytes) -> None:
    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with server(serve) as (url, came):
        with pytest.raises(NoAnswer, match="the connection broke") as caught:
            await posted(url)
        assert caught.value.sent
        assert len(came) == 1


async def test_a_reset_may_have_been_billed() -> None:
    with FakeEndpoint(Reset()) as endpoint, pytest.raises(NoAnswer) as caught:
        await posted(endpoint.base_url + "/chat/completions", b'{"model": "m", "messages": [{"content": "x"}]}')
    assert caught.value.sent


async def test_an_answer_without_end_is_given_up() -> None:
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(endless if number == 1 else FINE)
        writer.write(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n" if number == 1 else b"")

    async with server(serve) as (url, _):
        opened, call = open_client(most_bytes=100_000), post(url)
        with pytest.raises(NoAnswer, match="longer than") as caught:
            await opened.send(call, b"{}")
        assert (caught.value.sent, caught.value.too_long) == (True, True)
        assert (await opened.send(call, b"{}")).body == b"{}"  # and the next one is none the worse
        await opened.close()


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 200_000 + b"\r\n",
        b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(400)),
        b"".join(b"X-%d: 1\r\n" % n for n in range(6000)),
    ],
    ids=["one line", "all lines", "many lines"],
)
async def test_headers_without_measure_are_given_up(head: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + head + b"\r\n{}"
    async with server(lambda number, writer: writer.write(answer)) as (url, _):
        with pytest.raises(NoAnswer, match="the connection broke"):
            await posted(url)


@pytest.mark.parametrize("coding", [b"Content-Encoding: gzip", b"Transfer-Encoding: gzip, chunked"])
async def test_nothing_is_unpacked_beyond_the_cap(coding: bytes) -> None:
    """50 MB of zeros in 50 kB: they stay packed, or end at the cap."""
    packed = gzip.compress(b"\0" * 50_000_000)
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    framing = coding if b"Transfer" in coding else coding + b"\r\nTransfer-Encoding: chunked"
    answer = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + body
    async with server(lambda number, writer: writer.write(answer)) as (url, _), open_client(most_bytes=1_000_000) as client:
        try:
            assert (await client.send(post(url))).body == packed
        except NoAnswer as failure:
            assert b"Transfer" in coding
            assert failure.sent


async def test_a_redirect_is_an_answer_like_any_other() -> None:
    """Following it would carry the key elsewhere."""
    async with server(lambda number, writer: writer.write(FINE)) as (elsewhere, came):
        answer = f"HTTP/1.1 307 Over there\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()
        async with server(lambda number, writer: writer.write(answer)) as (url, _):
            got = await posted(url)
    assert (got.status, got.headers["location"], came) == (307, elsewhere, [])


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://localhost/x", "gopher://localhost/x"])
async def test_nothing_but_http_is_spoken(url: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        await posted(url)
    assert not caught.value.sent


def test_a_call_does_not_show_its_key() -> None:
    call = Call("POST", "http://larch.example/v1", ["Authorization: Bearer sk-canary"])
    assert "canary" not in f"{call} {call!r} {[call]}"


async def test_get_and_post_go_over_one_client() -> None:
    async with server(lambda number, writer: writer.write(FINE)) as (url, came), open_client() as client:
        for call, data in ((post(url), b"one"), (Call("GET", url), b""), (post(url), b"two"), (post(url), b"")):
            assert (await client.send(call, data)).body == b"{}"
    assert [request.partition(b"\r\n\r\n")[2] for request in came] == [b"one", b"", b"two", b""]
    assert [request.partition(b" ")[0] for request in came] == [b"POST", b"GET", b"POST", b"POST"]


async def test_an_upload_is_read_while_it_is_sent() -> None:
    pieces = [b"a" * 70_000, b"b", b"c" * 300_000]
    async with server(lambda number, writer: writer.write(FINE)) as (url, came):
        await posted(url, Upload(sum(map(len, pieces)), pieces))
    assert came[0].endswith(b"\r\n\r\n" + b"".join(pieces))


async def test_an_upload_whose_file_cannot_be_read_is_given_up(capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a" * 70_000
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async with server(lambda number, writer: writer.write(FINE)) as (url, came):
        with pytest.raises(NoAnswer, match="cannot be read: Input/output error"):
            await posted(url, Upload(100_000, broken()))
    assert came == []
    assert capfd.readouterr().err == ""


async def test_a_stream_is_read_as_it_comes() -> None:
    """Its headers first, while the body is still on its way; no more is taken than is read."""
    size = 40 * MOST_WAITING
    written = 0
    more = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Own: 1\r\nContent-Length: %d\r\n\r\n" % size)
        await more.wait()
        while written < size:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    async with listening(talk) as port, open_client() as client, client.stream(get(port)) as stream:
        assert (stream.status, stream.headers["x-own"]) == (200, "1")
        more.set()
        received = len(await stream.read())
        before = -1
        while before != written:  # until the server can write no more, although nobody has read
            before = written
            await asyncio.sleep(0.05)
        assert written < size / 2
        while chunk := await stream.read():
            assert len(chunk) <= 2 * MOST_WAITING
            received += len(chunk)
        assert received == size


async def test_a_stream_that_breaks_off_says_so_after_what_came() -> None:
    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        writer.close()

    async with server(serve) as (url, _), open_client() as client, client.stream(Call("GET", url)) as stream:
        came = b""
        with pytest.raises(NoAnswer, match="the connection broke"):
            while True:
                came += await stream.read()
        assert came == b"half"


@pytest.mark.parametrize("line", [b"HTTP/1.1 abc X", b"HTTP/1.1", b"HTTP/1.1 20", b"HTTP/9.9 200 X", b"HTTP/", b"hello"])
async def test_a_stream_without_a_status_is_none(line: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(line + b"\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async with server(serve) as (url, _), open_client() as client:
        with pytest.raises(NoAnswer, match="the connection broke"):
            async with client.stream(Call("GET", url)) as stream:
                await stream.read()
    assert capfd.readouterr().err == ""


async def test_a_stream_that_is_left_is_dropped() -> None:
    """The connection is closed, and the client goes on."""
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await reader.read()
        gone.set()

    async with listening(talk) as port, open_client() as client:
        async with client.stream(get(port)) as stream:
            assert stream.status == 200
        async with asyncio.timeout(HUNG):
            await gone.wait()


@pytest.mark.parametrize("host", ["larch.example", "127.0.0.2", "[::1]", "localhost"])
async def test_only_the_allowed_addresses_are_connected_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name leads to them without a question to any resolver; an address that is not among them gets no socket."""
    opened: list[object] = []
    make = transfer.open_socket

    def noted(family: int, kind: int, protocol: int, address: object) -> int:
        opened.append(address)
        return make(family, kind, protocol, address)

    monkeypatch.setattr(transfer, "open_socket", noted)
    pinned = ipaddress.ip_address("127.0.0.77")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(FINE)

    named = not host.strip("[]").replace(":", "").replace(".", "").isdecimal()
    async with listening(talk, "127.0.0.77") as port, open_client(only_to=[pinned]) as client:
        if named:
            assert (await client.send(get(port, host))).status == 200
        else:
            with pytest.raises(NoAnswer):
                await client.send(get(port, host))
    assert opened == ([("127.0.0.77", port)] if named else [])
    async with open_client(only_to=[]) as client:
        with pytest.raises(NoAnswer) as caught:
            await client.send(get(port))
    assert caught.value.unreached
    assert len(opened) == named


async def test_a_cancelled_call_leaves_nothing_behind() -> None:
    """Its connection is dropped, not given to the next call, which would read the answer of this one."""

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        if number > 1:
            writer.write(FINE)

    async with server(serve) as (url, came):
        opened, call = open_client(), post(url)
        first = asyncio.create_task(opened.send(call, b"first"))
        await until(lambda: len(came) == 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await opened.send(call, b"second")).body == b"{}"
        await opened.close()
    assert [request.partition(b"\r\n\r\n")[2] for request in came] == [b"first", b"second"]


async def test_no_proxy_from_the_environment_sees_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    async with server(lambda number, writer: writer.write(FINE)) as (url, _):
        assert (await posted(url)).status == 200


async def test_tls_trusts_whom_python_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown certificate is refused before anything is sent; one named by SSL_CERT_FILE is accepted."""
    async with server(lambda number, writer: writer.write(FINE), tls=True) as (url, came):
        with pytest.raises(NoAnswer, match="certificate") as caught:
            await posted(url)
        assert not caught.value.sent
        assert came == []
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert (await posted(url)).status == 200


LEAVING = """
import asyncio, sys
from finetune_prep.http import Call
from finetune_prep.http.client import open_client

async def main():
    opened, call = open_client(), Call("POST", sys.argv[1])
    calls = [asyncio.create_task(opened.send(call, b'{"model": "m", "messages": [{"content": "%d"}]}' % n)) for n in range(32)]
    await asyncio.sleep(0.1)
    if sys.argv[2] == "closed":
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await opened.close()
    sys.exit(5)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["closed", "left open"])
def test_a_process_leaves_with_its_own_exit_code(how: str) -> None:
    """With calls under way, closed or not: no crash while the interpreter ends, and no hanging."""
    with FakeEndpoint(lambda call: Stall() if call.nth % 2 else Completion()) as endpoint:
        for _ in range(5):
            url = endpoint.base_url + "/chat/completions"
            done = subprocess.run([sys.executable, "-c", LEAVING, url, how], capture_output=True, timeout=HUNG)
            assert (done.returncode, done.stderr) == (5, b"")

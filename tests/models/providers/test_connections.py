"""POSTs over libcurl: nothing is sent twice by itself, and what never left is told from what may have been billed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from finetune_prep.models.providers import connections
from finetune_prep.models.providers.connections import Answer, Connections
from finetune_prep.models.providers.provider import Fault
from tests.fake_endpoint import Completion, FakeEndpoint, Reset, Stall

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CERTIFICATE = Path(__file__).with_name("localhost.pem")  # self-signed, for localhost, with its key; valid until 2126

Serve = Callable[[int, asyncio.StreamWriter], None]


@asynccontextmanager
async def server(serve: Serve, *, tls: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address and the requests that came to it. serve: is given the number of the request, from 1, and where to write."""
    came: list[bytes] = []
    talks: list[asyncio.Task[None] | None] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
                came.append(head + await reader.readexactly(length))
                serve(len(came), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://localhost:{port}/v1", came
    finally:
        listening.close()
        open_talks = [talk for talk in talks if talk is not None]
        for open_talk in open_talks:
            open_talk.cancel()
        await asyncio.gather(*open_talks, return_exceptions=True)


async def posted(url: str, data: bytes = b"{}") -> Answer:
    opened = Connections(url, ["X-Own: 1"])
    try:
        return await opened.post(data)
    finally:
        await opened.close()


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
        opened = Connections(url, [])
        for _ in range(5):
            await opened.post(b"{}")
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
        opened = Connections(url, [])
        await opened.post(b"x" * size)
        with pytest.raises(Fault, match="the connection broke") as caught:
            await opened.post(b"y" * size)
        await opened.close()
        assert caught.value.maybe_billed
        assert len(came) == 2


async def test_an_endpoint_that_hangs_up_unannounced_is_met_by_surprise_once() -> None:
    """It closes the connection after each answer: one call at most finds that out, the others go over new connections."""

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(FINE)
        writer.close()

    surprises = 0
    async with server(serve) as (url, came):
        opened = Connections(url, [])
        for _ in range(10):
            try:
                await opened.post(b"{}")
            except Fault as fault:
                surprises += 1
                assert "used before" in str(fault)
            await asyncio.sleep(0.01)
        await opened.close()
        assert surprises <= 1
        assert len(came) == 10 - surprises


async def test_what_never_left_was_never_billed() -> None:
    """Nobody listens, no such host, no TLS where it was expected."""
    async with server(lambda number, writer: None) as (url, _):
        for address in (f"http://127.0.0.1:{unused_port()}/v1", "http://nobody.invalid/v1", url.replace("http:", "https:")):
            with pytest.raises(Fault, match="cannot connect to ") as caught:
                await posted(address)
            assert not caught.value.maybe_billed, address


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
        with pytest.raises(Fault, match="the connection broke") as caught:
            await posted(url)
        assert caught.value.maybe_billed
        assert len(came) == 1


async def test_a_reset_may_have_been_billed() -> None:
    with FakeEndpoint(Reset()) as endpoint, pytest.raises(Fault) as caught:
        await posted(endpoint.base_url + "/chat/completions", b'{"model": "m", "messages": [{"content": "x"}]}')
    assert caught.value.maybe_billed


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_BYTES", 100_000)
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(endless if number == 1 else FINE)
        writer.write(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n" if number == 1 else b"")

    async with server(serve) as (url, _):
        opened = Connections(url, [])
        with pytest.raises(Fault, match="longer than") as caught:
            await opened.post(b"{}")
        assert caught.value.maybe_billed
        assert (await opened.post(b"{}")).body == b"{}"  # and the next one is none the worse
        await opened.close()


async def test_a_cancelled_call_leaves_nothing_behind() -> None:
    """Its connection is dropped, not given to the next call, which would read the answer of this one."""

    def serve(number: int, writer: asyncio.StreamWriter) -> None:
        if number > 1:
            writer.write(FINE)

    async with server(serve) as (url, came):
        opened = Connections(url, [])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await opened.post(b"first")
        assert (await opened.post(b"second")).body == b"{}"
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
        with pytest.raises(Fault, match="certificate") as caught:
            await posted(url)
        assert not caught.value.maybe_billed
        assert came == []
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert (await posted(url)).status == 200


LEAVING = """
import asyncio, sys
from finetune_prep.models.providers.connections import Connections

async def main():
    opened = Connections(sys.argv[1], [])
    calls = [asyncio.create_task(opened.post(b'{"model": "m", "messages": [{"content": "%d"}]}' % n)) for n in range(32)]
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
            done = subprocess.run([sys.executable, "-c", LEAVING, url, how], capture_output=True, timeout=60)
            assert (done.returncode, done.stderr) == (5, b"")

"""What servers, proxies and middle boxes do to HTTP itself: read where a reader can know what was meant, asked again where not."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.fake_endpoint import Behaviour, Call, Completion, Raw
from tests.families.sampling import members
from tests.families.trial import trial


def sized(body: bytes, *, status: bytes = b"200 OK", version: bytes = b"HTTP/1.1", head: bytes = b"") -> bytes:
    return version + b" " + status + b"\r\n" + head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, size: int, *, extension: bytes = b"", trailer: bytes = b"", head: bytes = b"") -> bytes:
    pieces = b"".join(
        b"%x%s\r\n%s\r\n" % (len(body[at : at + size]), extension, body[at : at + size]) for at in range(0, len(body), size)
    )
    return b"HTTP/1.1 200 OK\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n" + trailer + b"\r\n"


READABLE: dict[str, Callable[[bytes], bytes]] = {
    "as it should be": sized,
    "without a reason": lambda body: sized(body, status=b"200"),
    "HTTP/1.0": lambda body: sized(body, version=b"HTTP/1.0"),
    "until the connection ends": lambda body: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body,
    "HTTP/1.0 until it ends": lambda body: b"HTTP/1.0 200 OK\r\n\r\n" + body,
    "in chunks": lambda body: chunked(body, 50),
    "in chunks of a byte": lambda body: chunked(body, 1),
    "chunks with extensions": lambda body: chunked(body, 64, extension=b";name=value"),
    "chunks and trailers": lambda body: chunked(body, 64, trailer=b"X-Sum: 1\r\n"),
    "names in small letters": lambda body: sized(body).replace(b"Content-Length", b"content-length"),
    "blanks around values": lambda body: sized(body).replace(b"Content-Length: ", b"Content-Length:   \t"),
    "no blank behind the colon": lambda body: sized(body).replace(b"Content-Length: ", b"Content-Length:"),
    "lines that end with LF": lambda body: sized(body).replace(b"\r\n", b"\n"),
    "the length twice, the same": lambda body: sized(body, head=b"Content-Length: %d\r\n" % len(body)),
    "100 Continue first": lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + sized(body),
    "103 Early Hints first": lambda body: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + sized(body),
    "a folded header": lambda body: sized(body, head=b"X-Long: one\r\n two\r\n"),
    "a header that is not ASCII": lambda body: sized(body, head="X-Where: Überall\r\n".encode()),
    "bytes that are no text in a header": lambda body: sized(body, head=b"X-What: \xff\xfe\x80\r\n"),
    "an empty header": lambda body: sized(body, head=b"X-Nothing:\r\n"),
    "a header of 60 kB": lambda body: sized(body, head=b"X-Long: " + b"x" * 60_000 + b"\r\n"),
    "200 headers": lambda body: sized(body, head=b"".join(b"X-%d: 1\r\n" % n for n in range(200))),
    "cookies": lambda body: sized(body, head=b"Set-Cookie: a=b; Path=/\r\n" * 20),
    "another type": lambda body: sized(body, head=b"Content-Type: text/plain\r\n"),
    "a type of HTML": lambda body: sized(body, head=b"Content-Type: text/html; charset=iso-8859-1\r\n"),
    "a byte order mark": lambda body: sized(b"\xef\xbb\xbf" + body),
    "white space around it": lambda body: sized(b"\n\n  " + body + b"\n\n"),
    "201": lambda body: sized(body, status=b"201 Created"),
    "203": lambda body: sized(body, status=b"203 Non-Authoritative"),
    "299": lambda body: sized(body, status=b"299 Odd"),
    "more behind its end": lambda body: sized(body) + b"trailing words of a proxy",
    "a second answer behind it": lambda body: sized(body) + sized(b"{}"),
    "an upgrade is offered": lambda body: sized(body, head=b"Upgrade: h2c\r\n"),
    "Alt-Svc and HSTS": lambda body: sized(body, head=b'Alt-Svc: h3=":443"\r\nStrict-Transport-Security: max-age=9\r\n'),
}  # fmt: skip
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "silence and an end": lambda body: b"",
    "half a status line": lambda body: b"HTTP/1.",
    "no HTTP": lambda body: b"hello\r\n\r\n",
    "SSH": lambda body: b"SSH-2.0-OpenSSH_9.6\r\n",
    "TLS": lambda body: b"\x15\x03\x01\x00\x02\x02\x46",
    "the body alone": lambda body: body,
    "HTTP/2": lambda body: b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "a status of letters": lambda body: sized(body, status=b"OK"),
    "a status of two figures": lambda body: sized(body, status=b"20 OK"),
    "too short": lambda body: sized(body)[:-20],
    "a length beyond all measure": lambda body: sized(body).replace(b"Length: ", b"Length: 99999999999999"),
    "a negative length": lambda body: sized(body).replace(b"Length: ", b"Length: -"),
    "a length in words": lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + body,
    "two lengths": lambda body: sized(body, head=b"Content-Length: 5\r\n"),
    "odd chunks": lambda body: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + body,
    "a chunk too long": lambda body: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n" + body,
    "chunks without an end": lambda body: chunked(body, 50)[:-5],
    "packed": lambda body: sized(gzip.compress(body), head=b"Content-Encoding: gzip\r\n"),
    "packed and cut": lambda body: sized(gzip.compress(body)[:30], head=b"Content-Encoding: gzip\r\n"),
    "in UTF-16": lambda body: sized(body.decode().encode("utf-16")),
    "a header of 200 kB": lambda body: sized(body, head=b"X-Long: " + b"x" * 200_000 + b"\r\n"),
    "a line without a colon": lambda body: sized(body, head=b"no colon here\r\n"),
    "NUL in a header": lambda body: sized(body, head=b"X-A: \x00\r\n"),
    "a redirect to itself": lambda body: sized(b"", status=b"307 Over there", head=b"Location: /v1/chat/completions\r\n"),
    "a redirect to a file": lambda body: sized(b"", status=b"302 Found", head=b"Location: file:///etc/passwd\r\n"),
    "a proxy that wants a name": lambda body: sized(b"", status=b"407 Proxy", head=b"Proxy-Authenticate: Basic realm=x\r\n"),
    "a challenge": lambda body: sized(b"<title>Just a moment...</title>", status=b"403 Forbidden", head=b"cf-mitigated: challenge\r\n"),
    "304": lambda body: sized(b"", status=b"304 Not Modified"),
    "101": lambda body: b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
    "100 and nothing": lambda body: b"HTTP/1.1 100 Continue\r\n\r\n",
}  # fmt: skip


@members("spoken", READABLE, 4)
def test_what_can_be_read_is_read_and_paid_for_once(
    spoken: Callable[[bytes], bytes], accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    def member(call: Call, good: Completion) -> tuple[Behaviour, str]:
        return Raw(spoken(good.body(call.body["model"]))), str(good.text)

    with trial(accepted, tmp_path / "shop", terminal_in, member, more="timeout = 20") as tried:
        assert tried.pilot().code == 0, tried.shown
        assert len(tried.endpoint.calls) == tried.due()
        tried.assert_sound()


@members("spoken", BROKEN, 3)
@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
def test_what_cannot_be_read_is_asked_for_again_and_then_told(
    always: bool, spoken: Callable[[bytes], bytes], accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    def member(call: Call, good: Completion) -> Behaviour:
        return Raw(spoken(good.body(call.body["model"]))) if always or call.nth == 1 else good

    with trial(
        accepted, tmp_path / "shop", terminal_in, member, key="sk-canary-0123456789", more=f"timeout = {1 if always else 8}"
    ) as tried:
        ended = tried.pilot()
        assert ended.code != 0 or not always
        tried.assert_sound()

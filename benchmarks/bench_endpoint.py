"""An endpoint that answers every chat completion after a fixed time: a raw asyncio protocol in a process of its own.

    python benchmarks/bench_endpoint.py SECONDS     prints its port, then serves until it is killed

It finds the end of a request by its Content-Length and knows nothing else of HTTP: what is measured is the client.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

ANSWER_BYTES = 1500


def _response() -> bytes:
    text = "0000000000 The customer named a cracked bowl, and the reply names it too. " * (ANSWER_BYTES // 63)
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_795_000_000,
            "model": "larch-1",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1500, "completion_tokens": 300, "total_tokens": 1800},
        }
    ).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Endpoint(asyncio.Protocol):
    """One connection; requests come one after the other, as HTTP clients without pipelining send them."""

    response = _response()
    seconds = 0.05
    answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._received.lower().find(b"content-length:")
        length = int(self._received[start + 15 : self._received.find(b"\r\n", start)])
        if len(self._received) >= head + 4 + length:
            body, self._received = self._received[head + 4 :], b""
            asyncio.get_running_loop().call_later(self.seconds, self._answer, self.arrived(body))

    def arrived(self, body: bytes) -> Any:
        """What `response_to` is given when the time is over."""
        return body

    def _answer(self, body: Any) -> None:
        Endpoint.answers += 1  # no two answers are alike: what is stored once must not be this
        if not self._transport.is_closing():
            self._transport.write(self.response_to(body, Endpoint.answers))

    def response_to(self, body: Any, number: int) -> bytes:
        """The bytes that answer a request's body. number: how many requests there were."""
        return self.response.replace(b"0000000000", b"%010d" % number)


async def serve(kind: type[Endpoint]) -> None:
    kind.seconds = float(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(kind, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Endpoint))

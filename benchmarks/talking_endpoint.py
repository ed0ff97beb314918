"""An endpoint that plays everybody of a pilot: users, assistants and judges, each answer after a fixed time.

    python benchmarks/talking_endpoint.py SECONDS     prints its port, then serves until it is killed

A verdict fits the schema it is asked for; what is said is new each time, as long as people's messages, and quoted rightly.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

PHRASE = "I have read all of it"
SAID = (
    f"{PHRASE}, and message %d is answered here: the bowl stays whole, the lid fits, and nobody has to send anything back. " * 3
)
BODY = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_000_000}
USAGE = {"prompt_tokens": 1500, "completion_tokens": 100, "total_tokens": 1600}


def verdict(schema: dict[str, Any]) -> str:
    """YES to every question, with a quote; nobody steers."""
    given = {key: {"evidence": PHRASE, "answer": "YES"} for key in schema["properties"]}
    if "steering" in given:
        given["steering"] = {"evidence": "none", "answer": "NO"}
    return json.dumps(given)


class Endpoint(asyncio.Protocol):
    """One connection; requests come one after the other, as HTTP clients without pipelining send them."""

    seconds = 0.05
    answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = bytearray()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._received.lower().find(b"content-length:")
        length = int(self._received[start + 15 : self._received.find(b"\r\n", start)])
        if len(self._received) >= head + 4 + length:
            body = json.loads(self._received[head + 4 :])
            self._received.clear()
            asyncio.get_running_loop().call_later(self.seconds, self._answer, body)

    def _answer(self, asked: dict[str, Any]) -> None:
        Endpoint.answers += 1
        form = asked.get("response_format", {}).get("json_schema", {}).get("schema")
        text = verdict(form) if form else SAID % ((Endpoint.answers,) * 3)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        body = json.dumps({**BODY, "model": asked.get("model", ""), "choices": [choice], "usage": USAGE}).encode()
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )


async def main() -> None:
    Endpoint.seconds = float(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(Endpoint, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

"""An endpoint that plays everybody of a pilot: users, assistants and judges, each answer after a fixed time.

    python benchmarks/talking_endpoint.py SECONDS     prints its port, then serves until it is killed

A verdict fits the schema it is asked for; what is said is new each time, as long as people's messages, and quoted rightly.
No two talks say nearly the same: their clauses follow from the number of the answer.
"""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from bench_endpoint import Endpoint, serve

PHRASE = "I have read all of it"
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvw" for vowel in "aeiou"]
DICE = random.Random(1)
CLAUSES = [" ".join("".join(DICE.choices(SYLLABLES, k=2)) for _ in range(11)) for _ in range(5000)]
SAID = 5  # clauses
BODY = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_000_000}
USAGE = {"prompt_tokens": 1500, "completion_tokens": 100, "total_tokens": 1600}


def said(number: int) -> str:
    """Clauses that hardly any other answer has together."""
    return f"{PHRASE}: {', '.join(CLAUSES[hash((number, place)) % len(CLAUSES)] for place in range(SAID))}."


def verdict(schema: dict[str, Any]) -> str:
    """YES to every question, with a quote; nobody steers."""
    given = {key: {"evidence": PHRASE, "answer": "YES"} for key in schema["properties"]}
    if "steering" in given:
        given["steering"] = {"evidence": "none", "answer": "NO"}
    return json.dumps(given)


class Talking(Endpoint):
    """Answers what it is asked for: a verdict, or something said."""

    def response_to(self, body: bytes, number: int) -> bytes:
        asked = json.loads(body)
        form = asked.get("response_format", {}).get("json_schema", {}).get("schema")
        text = verdict(form) if form else said(number)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        answer = json.dumps({**BODY, "model": asked.get("model", ""), "choices": [choice], "usage": USAGE}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return head % len(answer) + answer


if __name__ == "__main__":
    asyncio.run(serve(Talking))

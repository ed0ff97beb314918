"""What the shop's pilot costs where providers cache prompts: naive, cached, and with a first call that goes alone. Printed only.

    make bench-cost

The recorded conversations are asked again, each request after the one before it and all conversations at once, through the door
as it is, of an endpoint on this machine that counts tokens as a provider with a prompt cache does. Two price lists: one whose
cache keeps what is marked and charges for writing (spoken to as Anthropic), and one whose cache works by itself (spoken to as
OpenAI). A prefix is in the cache as soon as a call with it has been answered, and not before. *Naive* is the same tokens without
any cache; *cached* is without the wait for the first call; *warmed* is what a user gets.

Tokens are counted at four characters each, as long as the recorded requests and answers are.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec
from bench_endpoint import Endpoint

from finetune_prep.core.request import Parameters, Reply
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import read_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models import routes
from finetune_prep.models.caches.warming import AT_ONCE, Warming
from finetune_prep.models.door import Door, open_door
from finetune_prep.models.prices import cost_of
from finetune_prep.phases.pilot.plan import KIND
from finetune_prep.project.config import Config, Price, ProviderKind, ProviderSettings, RoleSettings
from finetune_prep.project.layout import Layout
from finetune_prep.project.runs import runs

SHOP = Path(__file__).parent.parent / "examples" / "online-shop"
CHARACTERS = 4  # of a token
LEAST, STEP = 1024, 128  # tokens: the shortest prefix that is kept, and the steps in which a longer one is found
MOST_TOKENS = 4096  # of an answer: what may be longer is streamed by the library, which the endpoint here does not do
SECONDS = 0.02  # until an answer comes
KEY_ENV = "COST_BENCHMARK_KEY"
PLAYED = ("user", "assistant", "judge")


class Counted(NamedTuple):
    """Tokens of a call, and the prefixes that are in the cache when it is answered."""

    prompt: int
    cached: int
    written: int
    prefixes: tuple[bytes, ...]


class Caching(Endpoint):
    """Answers as recorded, and counts what the cache had when the request came."""

    seconds = SECONDS
    recorded: ClassVar[dict[str, Reply]] = {}
    """Answers by the last message."""
    kept: ClassVar[set[bytes]] = set()

    def arrived(self, body: bytes) -> Any:
        asked = json.loads(body)
        messages = [text_of(message["content"]) for message in asked["messages"]]
        return self.answer(self.recorded[messages[-1]].text, self.counted(asked, messages))

    def response_to(self, body: Any, number: int) -> bytes:
        answer, prefixes = body
        self.kept.update(prefixes)
        data = json.dumps(answer).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data

    def counted(self, asked: dict[str, Any], messages: list[str]) -> Counted:
        raise NotImplementedError

    def answer(self, text: str, counted: Counted) -> tuple[dict[str, Any], tuple[bytes, ...]]:
        raise NotImplementedError


class Marked(Caching):
    """Keeps the system text if it is marked, and charges for putting it there."""

    def counted(self, asked: dict[str, Any], messages: list[str]) -> Counted:
        system = asked.get("system", "")
        prompt = tokens(text_of(system)) + sum(map(tokens, messages))
        prefix = tokens(text_of(system))
        if isinstance(system, str) or "cache_control" not in system[-1] or prefix < LEAST:
            return Counted(prompt, 0, 0, ())
        name = sha256(text_of(system).encode()).digest()
        there = name in self.kept
        return Counted(prompt, prefix if there else 0, 0 if there else prefix, (name,))

    def answer(self, text: str, counted: Counted) -> tuple[dict[str, Any], tuple[bytes, ...]]:
        usage = {
            "input_tokens": counted.prompt - counted.cached - counted.written,
            "cache_creation_input_tokens": counted.written,
            "cache_read_input_tokens": counted.cached,
            "output_tokens": tokens(text),
        }
        said = {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", **said, "usage": usage}
        return message, counted.prefixes


class ByItself(Caching):
    """Finds the longest prefix of any prompt that has been answered, in steps."""

    def counted(self, asked: dict[str, Any], messages: list[str]) -> Counted:
        whole, so_far = "\n".join(messages).encode("utf-32-le"), sha256()
        prefixes, cached, bytes_a_step = [], 0, 4 * CHARACTERS * STEP
        for number in range(1, len(whole) // bytes_a_step + 1):
            so_far.update(whole[(number - 1) * bytes_a_step : number * bytes_a_step])
            if number * STEP >= LEAST:
                prefixes.append(so_far.digest())
                cached = number * STEP if prefixes[-1] in self.kept else cached
        return Counted(sum(map(tokens, messages)), cached, 0, tuple(prefixes))

    def answer(self, text: str, counted: Counted) -> tuple[dict[str, Any], tuple[bytes, ...]]:
        usage = {
            "prompt_tokens": counted.prompt,
            "prompt_tokens_details": {"cached_tokens": counted.cached},
            "completion_tokens": tokens(text),
        }
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}, counted.prefixes


class PriceList(NamedTuple):
    """US dollars for a million tokens, and how such a provider is spoken to."""

    name: str
    kind: ProviderKind
    model: str
    path: str
    endpoint: type[Caching]
    price: Price


LISTS = (
    PriceList(
        "cache that keeps what is marked",
        "anthropic",
        "claude-sonnet-4-5",
        "",
        Marked,
        Price(input=3.0, output=15.0, cached=0.3, written=3.75),
    ),
    PriceList(
        "cache that works by itself", "openai-compatible", "gpt-4.1", "/v1", ByItself, Price(input=2.0, output=8.0, cached=0.5)
    ),
)


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS)


def text_of(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def recorded_talks() -> list[list[Entry]]:
    """The requests of each recorded conversation in the order in which they are asked, with their answers."""
    talks: dict[str, list[Entry]] = defaultdict(list)
    for entry in read_recording(SHOP / "recording.jsonl"):
        request = entry.request
        if request.phase == KIND and request.role in PLAYED and request.origin.run.startswith(KIND):
            talks[entry.request.origin.scenario].append(entry)
    for talk in talks.values():
        talk.sort(key=lambda entry: (entry.request.role == "judge", entry.request.origin.turn, entry.request.role != "user"))
    return [talks[scenario] for scenario in sorted(talks)]


def config(prices: PriceList, port: int) -> Config:
    provider = ProviderSettings(
        kind=prices.kind, base_url=f"http://127.0.0.1:{port}{prices.path}", key_env=KEY_ENV, structured=True
    )
    roles = dict.fromkeys(("expert", *PLAYED), RoleSettings(model=f"larch/{prices.model}"))
    return Config(name="shop", roles=roles, providers={"larch": provider}, prices={prices.model: prices.price})


async def asked(prices: PriceList, talks: list[list[Entry]], folder: Path) -> list[Reply]:
    """Every answer, with what it used and cost."""
    Caching.kept.clear()
    server = await asyncio.get_running_loop().create_server(prices.endpoint, "127.0.0.1", 0, backlog=512)
    ledger = SqliteLedger(folder / "ledger.sqlite")
    try:
        async with open_door(config(prices, server.sockets[0].getsockname()[1]), ledger, folder) as door:
            found = await asyncio.gather(*(_in_order(door, talk, prices.model) for talk in talks))
    finally:
        ledger.close()
        server.close()
    return [reply for talk in found for reply in talk]


async def _in_order(door: Door, talk: list[Entry], model: str) -> list[Reply]:
    limit = Parameters(max_tokens=MOST_TOKENS)
    return [await door.ask(msgspec.structs.replace(entry.request, model=model, parameters=limit)) for entry in talk]


def run(prices: PriceList, talks: list[list[Entry]], rows: int) -> None:
    """Ask with and without the wait for the first call, and print both beside what no cache would have cost."""
    warmed: Callable[..., Any] = Warming.turn
    naive = 0.0
    for name, turn in (("cached", lambda *_: AT_ONCE), ("warmed", warmed)):
        Warming.turn = turn  # type: ignore[method-assign]
        with tempfile.TemporaryDirectory() as folder:
            replies = asyncio.run(asked(prices, talks, Path(folder)))
        used = [reply.usage for reply in replies]
        prompt, cached = sum(one.input or 0 for one in used), sum(one.cached or 0 for one in used)
        answer = sum(one.output or 0 for one in used)
        if not naive:
            naive = cost_of(prices.price, prompt, 0, answer)
            print(f"{prices.name}: {(prompt + answer) / rows:,.0f} tokens for each of {rows} accepted rows")
            print(f"  naive   {naive / rows:.4f} $ a row")
        paid = sum(reply.cost or 0.0 for reply in replies)
        share = f"{paid / naive:.0%} of naive; {cached / prompt:.1%} of the prompts from the cache"
        print(f"  {name}  {paid / rows:.4f} $ a row, {share}")
    Warming.turn = warmed  # type: ignore[method-assign]


def main() -> None:
    os.environ |= {KEY_ENV: "no-secret", "FINETUNE_PREP_ALLOW_KEYS": f"{KEY_ENV}@127.0.0.1"}
    routes.is_nearby = lambda base_url: False  # as many calls at once as at a hosted endpoint
    talks = recorded_talks()
    Caching.recorded |= {entry.request.messages[-1].content: entry.reply for talk in talks for entry in talk}
    account = next(iter(runs(Layout(SHOP), KIND))).account()
    assert account is not None
    print(f"{len(talks)} conversations, {sum(map(len, talks))} calls, all at once")
    for prices in LISTS:
        run(prices, talks, account.states["accepted"])


if __name__ == "__main__":
    if find_spec("pydantic_ai") is None:
        sys.exit("One of the endpoints is spoken to as Anthropic's, which needs the extra “native”.\nnext: make bench-cost")
    main()

"""One HTTP call to a search provider: what it means when no answer comes, and how often it is tried.

The address is the user's own setting or the provider's, so it may lie inside the network, as a SearXNG mostly does; the rules for
pages (`sources.fetching.addresses`) are not for it. Redirects are not followed: they would carry the key elsewhere.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from finetune_prep.errors import NotFetched
from finetune_prep.http import Call, NoAnswer
from finetune_prep.http.client import open_client
from finetune_prep.http.endpoint import Endpoint, endpoint_of
from finetune_prep.http.retry_after import asked_wait
from finetune_prep.http.secrets import Secret, redacted
from finetune_prep.project.config import FILE

SECONDS = 30.0  # for one search, repetitions included
MOST_BYTES = 4 * 1024 * 1024
TRIES = 3
PAUSE_SECONDS = 1.1  # after "too many requests" without a word on how long; Brave's small plans allow one search a second
PASSING = {408, 425, 429}
CREDIT = {402, 432, 433}  # 432, 433: Tavily's, for a plan's limit and for pay-as-you-go
DETAIL = 200  # characters of a provider's own words


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent."""

    method: Literal["GET", "POST"]
    url: str
    body: Any = None
    key_header: str = ""
    """Name of the header with the key."""
    bearer: bool = False
    """Whether it is preceded by "Bearer"."""


def checked(name: str, base_url: str) -> Endpoint:
    """The endpoint of a provider. Raises ConfigError if nothing can be asked there."""
    return endpoint_of(base_url, f"the search provider “{name}”", FILE, 'base_url = "http://localhost:8888" under [search]')


async def send(name: str, search: Search, secret: Secret | None, hints: Mapping[int, str] = {}) -> bytes:
    """The body of a 200. Raises NotFetched otherwise. hints: what to do about a status, by provider."""
    try:
        async with asyncio.timeout(SECONDS):
            for _ in range(TRIES - 1):
                answer = await _once(name, search, secret, hints)
                if isinstance(answer, bytes):
                    return answer
                await asyncio.sleep(answer)
            last = await _once(name, search, secret, hints)
            if isinstance(last, bytes):
                return last
    except TimeoutError:
        raise _failed(name, f"no answer within {SECONDS:g} s") from None
    raise _failed(name, "too many requests, or an error of its own, again and again")


async def _once(name: str, search: Search, secret: Secret | None, hints: Mapping[int, str]) -> bytes | float:
    """The body, or the seconds to wait before asking again."""
    headers = ["Accept: application/json", "Accept-Encoding: identity"]
    data = b""
    if search.body is not None:
        headers.append("Content-Type: application/json")
        data = msgspec.json.encode(search.body)
    if secret is not None:
        headers.append(f"{search.key_header}: {'Bearer ' if search.bearer else ''}{secret.reveal()}")
    try:
        async with open_client(most_bytes=MOST_BYTES) as client:
            answer = await client.send(Call(search.method, search.url, headers), data)
    except NoAnswer as failure:
        if failure.too_long:
            raise _failed(name, f"its answer is longer than {MOST_BYTES // 1024**2} MiB") from None
        raise _failed(name, f"no connection ({failure.reason})" if failure.unreached else failure.reason) from None
    body = answer.body if secret is None else secret.redact_body(answer.body)
    if answer.status == 200:
        return body
    if answer.status in PASSING or answer.status >= 500:
        asked = asked_wait(answer.headers)
        if asked is not None and asked > SECONDS:
            raise _failed(name, f"HTTP {answer.status}, and it asks for no further call for {asked:.0f} s")
        return PAUSE_SECONDS if asked is None else asked
    raise _refused(name, answer.status, body, secret, hints)


def _refused(name: str, status: int, data: bytes, secret: Secret | None, hints: Mapping[int, str]) -> NotFetched:
    text = redacted(data[: DETAIL * 100].decode(errors="replace"), secret)
    said = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text[: DETAIL * 4]).strip()[:DETAIL]
    what = f"search with {name} failed: HTTP {status}{f' ({said})' if said else ''}"
    if status in hints:
        return NotFetched(what, next=hints[status], passing=True)
    if status in (401, 403):
        variable = secret.name if secret else "key_env under [search]"
        return NotFetched(what, next=f"check the key in {variable}", passing=True)
    if status in CREDIT:
        return NotFetched(
            what, next="the plan's limit is reached: raise it, or name another provider under [search]", passing=True
        )
    if 300 <= status < 400 or status in (404, 405):
        return NotFetched(what, next=f"check base_url under [search] in {FILE}", passing=True)
    return NotFetched(what)


def _failed(name: str, what: str) -> NotFetched:
    return NotFetched(f"search with {name} failed: {what}", next="the next run asks again", passing=True)

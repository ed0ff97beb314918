"""One HTTP call to a search provider: what it means when no answer comes, and how often it is tried.

The address is the user's own setting or the provider's, so it may lie inside the network, as a SearXNG mostly does; the rules for
pages (`sources.addresses`) are not for it. Redirects are not followed: they would carry the key elsewhere.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from finetune_prep.errors import ConfigError, NotFetched
from finetune_prep.project.config import FILE
from finetune_prep.project.secrets import Secret

SECONDS = 30.0  # for one search, repetitions included
MOST_BYTES = 4 * 1024 * 1024
TRIES = 3
PAUSE_SECONDS = 1.1  # after "too many requests" without a word on how long; Brave's small plans allow one search a second
PASSING = {408, 425, 429}
CREDIT = {402, 432, 433}  # 432, 433: Tavily's, for a plan's limit and for pay-as-you-go
DETAIL = 200  # characters of a provider's own words


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. key_header: name of the header with the key; bearer: whether it is preceded by "Bearer"."""

    method: Literal["GET", "POST"]
    url: str
    params: Mapping[str, str] = {}
    body: Any = None
    key_header: str = ""
    bearer: bool = False


def checked(name: str, base_url: str) -> str:
    """A base URL without a slash at its end. Raises ConfigError if nothing can be asked there."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"the search provider “{name}” has no usable base_url: “{base_url}”",
            where=FILE,
            next='write for example base_url = "http://localhost:8888" under [search]',
        )
    return base_url.rstrip("/")


async def send(name: str, call: Call, secret: Secret | None, hints: Mapping[int, str] = {}) -> bytes:
    """The body of a 200. Raises NotFetched otherwise. hints: what to do about a status, by provider."""
    try:
        async with asyncio.timeout(SECONDS):
            for _ in range(TRIES - 1):
                answer = await _once(name, call, secret, hints)
                if isinstance(answer, bytes):
                    return answer
                await asyncio.sleep(answer)
            last = await _once(name, call, secret, hints)
            if isinstance(last, bytes):
                return last
    except TimeoutError:
        raise _failed(name, f"no answer within {SECONDS:g} s") from None
    raise _failed(name, "too many requests, or an error of its own, again and again")


async def _once(name: str, call: Call, secret: Secret | None, hints: Mapping[int, str]) -> bytes | float:
    """The body, or the seconds to wait before asking again."""
    # a third of a second to import, which replays do without
    import aiohttp

    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if secret is not None:
        headers[call.key_header] = f"Bearer {secret.reveal()}" if call.bearer else secret.reveal()
    try:
        async with (
            aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session,
            session.request(call.method, call.url, params=call.params, json=call.body, allow_redirects=False) as response,
        ):
            body = bytearray()
            while chunk := await response.content.read(64 * 1024):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise _failed(name, f"its answer is longer than {MOST_BYTES // 1024**2} MiB")
            data = bytes(body) if secret is None else secret.redact(bytes(body))
            if response.status == 200:
                return data
            if response.status in PASSING or response.status >= 500:
                return _wait(response.headers.get("Retry-After", ""))
            raise _refused(name, response.status, data, secret, hints)
    except aiohttp.ClientConnectorError as error:
        raise _failed(name, f"no connection ({error.os_error.strerror or type(error.os_error).__name__})") from None
    except aiohttp.ClientError as error:
        # `from None`: the error carries the request's headers, and so the key
        raise _failed(name, f"the connection broke ({type(error).__name__})") from None


def _wait(asked: str) -> float:
    return float(asked) if re.fullmatch(r"\d{1,3}(?:\.\d+)?", asked.strip()) else PAUSE_SECONDS


def _refused(name: str, status: int, data: bytes, secret: Secret | None, hints: Mapping[int, str]) -> NotFetched:
    said = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", data[: DETAIL * 4].decode(errors="replace")).strip()[:DETAIL]
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

"""What stands before every route: only this machine's browser, only under our own name, only after the link from the terminal.

Another web site can have a browser send requests here, under any name that it lets point to this machine. It gets no byte and
changes nothing: names are compared, writes must come from our own pages, and without the cookie there is nothing at all.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENTER = "/enter"
SAFE = ("GET", "HEAD")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
USED = "This link has been used. Stop the command in the terminal with Ctrl-C and start it again: it shows a new one.\n"


class Guard:
    """An application before which every request is looked at. `link` is good once: it brings the cookie, and leads to `first`."""

    def __init__(self, app: ASGIApp, port: int, first: str = "/") -> None:
        self._app = app
        self._first = first
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self.cookie = f"finetune-prep-{port}"
        self.link = f"http://127.0.0.1:{port}{ENTER}?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no web sockets; nothing to do at start and end
            return
        refused = self._refused(scope)
        answer = refused if refused is not None else self._app
        await answer(scope, receive, _with_headers(send))

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further; None for one that does."""
        headers = _headers(scope)
        if headers is None or headers.get("host") not in self._hosts:
            return Response(status_code=403)
        own = f"http://{headers['host']}"
        site = headers.get("sec-fetch-site", "none")
        if scope["method"] in SAFE:
            if site not in ("none", "same-origin"):
                return Response(status_code=403)
            if scope["path"] == ENTER:
                return self._enter(scope)
        elif headers.get("origin") != own or site not in ("none", "same-origin"):
            return Response(status_code=403)
        return None if self._knows(headers.get("cookie", "")) else Response(status_code=403)

    def _enter(self, scope: Scope) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["method"] != "GET" or self._token is None or not _same(given, self._token):
            return PlainTextResponse(USED, status_code=403)
        self._token = None
        answer = RedirectResponse(self._first, status_code=303)
        answer.set_cookie(self.cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer

    def _knows(self, cookies: str) -> bool:
        pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
        return any(name == self.cookie and _same(value, self._session) for name, _, value in pairs)


def _headers(scope: Scope) -> dict[str, str] | None:
    """Headers by name; None if one that decides stands there twice: two readers might take different ones."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in found and key in ("host", "origin", "sec-fetch-site", "cookie"):
            return None
        found[key] = value.decode("latin-1")
    return found


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", [])
            own = {name.decode("latin-1").lower() for name, _ in given}
            added = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name not in own]
            message["headers"] = [*given, *added]
        await send(message)

    return sent

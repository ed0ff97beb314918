"""No byte and no change for anybody but the browser that came by the link, to our own name, from our own pages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.web.app import ROUTES
from finetune_prep.web.guard import HEADERS, Guard
from tests.web.conftest import OWN, PORT

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
FORM = {"content-type": "application/x-www-form-urlencoded"}
VALUES = {
    "run": "pilot-001",
    "place:int": "1",
    "name": "style.css",
    "kind": "evaluation-rubric",
    "gate": "workflow.spot-check",
    "item": "FM1",
    "number:int": "1",
}
HOSTS = [
    "",
    "evil.example",
    f"evil.example:{PORT}",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:1",
    f"127.0.0.1:{PORT}.evil.example",
    f"127.0.0.1:{PORT}@evil.example",
    f"127.1:{PORT}",
    f"0.0.0.0:{PORT}",
    f"[::1]:{PORT}",
    f"localhost.:{PORT}",
    f"LOCALHOST:{PORT}",
    f"127.0.0.1.nip.example:{PORT}",
    f"169.254.169.254:{PORT}",
    f"2130706433:{PORT}",
    f"0x7f.0.0.1:{PORT}",
    f"127.0.0.2:{PORT}",
    f"127.0.0.1.:{PORT}",
    f"127.0.0.1:0{PORT}",
    f"[::ffff:127.0.0.1]:{PORT}",
    f"evil.example, 127.0.0.1:{PORT}",
]
ORIGINS = [
    None,
    "null",
    "",
    "http://evil.example",
    f"https://127.0.0.1:{PORT}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    f"http://localhost:{PORT}",
    f"{OWN}.evil.example",
    f"{OWN}/",
    f"{OWN} http://evil.example",
    "file://",
    "chrome-extension://abcdef",
]
SITES = ["cross-site", "same-site", "", "SAME-ORIGIN", "same-origin, cross-site", "null", "same-origin;"]
COOKIES = [
    "",
    "finetune-prep=1",
    f"finetune-prep-{PORT}=",
    f"finetune-prep-{PORT}=guess",
    f"finetune-prep-{PORT}=%00",
    f"x finetune-prep-{PORT}=1",
    "=" * 5000,
    f"finetune-prep-{PORT + 1}=1",
    f"finetune-prep-{PORT}",
    f"FINETUNE-PREP-{PORT}=1",
]


def paths() -> list[str]:
    """An address of every route that there is."""
    found = []
    for route in ROUTES:
        assert isinstance(route, Route), "mounts would have to be looked into"
        path = route.path
        for name, value in VALUES.items():
            path = path.replace(f"{{{name}}}", value)
        found.append(path.replace("{scenario}", "0" * 12))
    return found


def foreign(cookie: str) -> Iterator[dict[str, str]]:
    """Sets of headers that do not come from our own pages. With a good cookie, as only a browser that was misled has it."""
    for host in HOSTS:
        yield {"host": host, "cookie": cookie, "origin": OWN}
    for site in SITES:
        yield {"cookie": cookie, "origin": OWN, "sec-fetch-site": site}
    for wrong in COOKIES:
        yield {"cookie": wrong, "origin": OWN, "sec-fetch-site": "same-origin"}
    yield {"origin": OWN}


def foreign_writes(cookie: str) -> Iterator[dict[str, str]]:
    for origin in ORIGINS:
        yield {"cookie": cookie} | ({} if origin is None else {"origin": origin})


def entered(guard: Guard) -> str:
    answer = TestClient(guard, base_url=OWN).get(guard.link, follow_redirects=False)
    return answer.headers["set-cookie"].partition(";")[0]


def test_every_address_is_one_of_a_route_and_has_its_values() -> None:
    assert not [path for path in paths() if "{" in path]


@pytest.mark.parametrize("path", [*paths(), "/enter", "/nothing", "/static/../app.py"])
def test_nobody_else_gets_a_byte_or_changes_anything(guard: Guard, shop: Project, run: Run, path: str) -> None:
    cookie = entered(guard)
    client = TestClient(guard, base_url=OWN, raise_server_exceptions=True)
    body = "label=fail&note=forged&seen=0&act=undo&because:workflow.spot-check=forged"
    before = _bytes_of(shop)
    tried = 0
    for method in METHODS:
        sets = [*foreign(cookie), *(foreign_writes(cookie) if method not in ("GET", "HEAD") else ())]
        for headers in sets:
            answer = client.request(method, path, headers=FORM | headers, content=body, follow_redirects=False)
            own_door = (
                path == "/enter" and method in ("GET", "HEAD") and headers.get("host") is None and "sec-fetch-site" not in headers
            )
            assert answer.status_code == 403, (method, headers)
            assert answer.content == b"" or own_door or path == "/enter", (method, headers)
            assert "set-cookie" not in answer.headers
            tried += 1
    assert tried > 7 * 40
    assert _bytes_of(shop) == before


def _bytes_of(project: Project) -> dict[str, bytes]:
    """Every file of the project."""
    return {str(path): path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}


def test_the_link_is_good_once_and_its_cookie_is_for_this_page_alone(guard: Guard) -> None:
    client = TestClient(guard, base_url=OWN)
    first = client.get(guard.link, follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guard.link.partition("=")[2] not in first.headers["set-cookie"]
    again = TestClient(guard, base_url=OWN).get(guard.link, follow_redirects=False)
    assert again.status_code == 403
    assert "This link has been used" in again.text
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("token", ["", "x", "é", "%00", "a" * 10_000])
def test_a_guess_does_not_use_the_link_up(guard: Guard, token: str) -> None:
    client = TestClient(guard, base_url=OWN)
    assert client.get("/enter", params={"token": token}).status_code == 403
    assert client.get(guard.link, follow_redirects=False).status_code == 303


def test_a_header_that_stands_twice_is_refused(guard: Guard) -> None:
    cookie = entered(guard)
    client = TestClient(guard, base_url=OWN)
    twice = [("cookie", cookie), ("host", f"127.0.0.1:{PORT}"), ("host", "evil.example")]
    assert client.get("/", headers=twice).status_code == 403


@pytest.mark.parametrize("path", [*paths(), "/enter", "/nothing"])
def test_every_answer_has_the_headers_that_keep_a_page_shut(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_our_own_pages_can_write(client: TestClient, run: Run) -> None:
    of = html.unescape(re.findall(r'name="of" value="([^"]+)"', client.get("/review/1").text)[0])
    answer = client.post(
        "/review/1/label", data={"label": "pass", "seen": "0", "of": of}, headers={"origin": OWN, "sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 200  # after the redirect
    assert len(run.labels_path.read_bytes().splitlines()) == 1


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "text/plain"}, b"label=pass&seen=0", 415),
        ({"content-type": "application/json"}, b"{}", 415),
        ({}, b"label=pass&seen=0", 415),
        (FORM, b"label=pass&seen=0&note=" + b"x" * 70_000, 413),
        (FORM, b"label=pass&seen=\xff", 400),
        (FORM, b"&".join(b"q_%d=yes" % number for number in range(300)), 400),
        (FORM, b"label=perhaps&seen=0", 422),
        (FORM, b"label=pass", 422),
        (FORM, b"label=pass&seen=-1", 422),
        (FORM, b"", 422),
    ],
)
def test_what_is_no_form_of_ours_is_not_taken(
    client: TestClient, run: Run, headers: dict[str, Any], body: bytes, status: int
) -> None:
    of = re.findall(rb'name="of" value="([^"]+)"', client.get("/review/1").content)[0].replace(b" ", b"+")
    body = b"of=" + of + b"&" + body
    answer = client.post("/review/1/label", content=body, headers={"origin": OWN} | headers)
    assert answer.status_code == status
    assert not run.labels_path.exists()

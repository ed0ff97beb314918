"""A real browser at the page: Debian's chromium through playwright, with a record of everything that it should not do."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.soak import SOAK
from tests.web.serving import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]
CONTROLS = {"button", "link", "textbox", "searchbox", "radio", "checkbox", "combobox", "progressbar", "dialog"}
VECTORS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=http://203.0.113.7/x>",
    "<svg onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1) autofocus onfocus=alert(1)>x</a>",
    "<style>@import 'http://203.0.113.7/x';</style>",
    "<link rel=stylesheet href=http://203.0.113.7/x>",
    "<meta http-equiv=refresh content='0;url=http://203.0.113.7/'>",
    "<form action=http://203.0.113.7/><button>Save</button></form>",
    "<base href=http://203.0.113.7/>",
    "<object data=http://203.0.113.7/x></object>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "{{ cycler.__init__.__globals__ }}",
    "{% include '/etc/passwd' %}",
    "${alert(1)}",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\u202etpircs\u202c <script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "＜script＞alert(1)＜/script＞",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
]
WRAPPED = [
    "{}", "'{}", '"{}', '">{}', "'>{}", "</div>{}", "</textarea>{}", "</title>{}", "</script>{}", "</style>{}", "<!--{}", "-->{}", "]]>{}",
    "`{}`", "&lt;{}", "%3C{}", "\n{}\n", "\\{}", "/*{}*/", "//{}", "x onmouseover=alert(1) {}", "\u200b{}", "&#x3c;{}", "<p>{}</p>", "{} {{{{7*7}}}}",
    "</option>{}", "</details>{}", "</form>{}", "</mark>{}", "<![CDATA[{}",
]  # fmt: skip
HOSTILE = [wrap.format(vector) for wrap, vector in itertools.product(WRAPPED, VECTORS)]
SAMPLE = HOSTILE if SOAK else HOSTILE[::62]


@contextmanager
def started() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # tests may run as root
        yield browser
        browser.close()


def opened(browser: Browser, page: Served, **options: Any) -> tuple[BrowserContext, Page]:
    """A tab that came by the link."""
    context = browser.new_context(**options)
    tab = context.new_page()
    tab.goto(page.link)
    return context, tab


def watched(context: BrowserContext, tab: Page, page: Served) -> list[str]:
    """What happens that must not: dialogs, requests to anybody else, errors of a script."""
    events: list[str] = []
    tab.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    context.on("request", lambda request: events.append(request.url) if not request.url.startswith(page.own) else None)
    tab.on("pageerror", lambda error: events.append(str(error)))
    return events


def unnamed(context: BrowserContext, tab: Page) -> list[str]:
    """Roles of the controls of the present page that have no name for those who do not see them."""
    nodes = context.new_cdp_session(tab).send("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in nodes if node.get("role", {}).get("value") in CONTROLS and not node.get("ignored")]
    assert len(controls) > 2
    return [node["role"]["value"] for node in controls if not node.get("name", {}).get("value", "").strip()]


def tabbed_to(tab: Page, selector: str, most: int = 200) -> None:
    """Press Tab until the focus is where `selector` is."""
    for _ in range(most):
        tab.keyboard.press("Tab")
        if tab.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector} by Tab")

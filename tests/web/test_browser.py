"""The review in a real browser: by keyboard alone, by mouse on a phone's width, without a script; blind, and deaf to hostile text."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Reply, Request
from finetune_prep.core.sample import account
from finetune_prep.labels.file import read_labels
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.protocols import Entry
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Run
from tests.results import write_results
from tests.soak import SOAK
from tests.web.browsing import IN_A_BROWSER, SAMPLE, opened, started, unnamed, watched
from tests.web.serving import Served, served
from tests.workflow.reviewing.pilots import SECRET, pilot_of

ROOT = Path(__file__).parents[2]
pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def page_of(shop: Project, run: Run) -> Iterator[Served]:
    with served(shop, "review", "--by", "Ada Larch") as page:
        yield page


def revealed(tab: Page) -> None:
    """Wait for the verdict, and for the script that listens to keys there."""
    tab.wait_for_selector("#verdict")
    tab.wait_for_load_state("load")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_of_the_readme(browser: Browser, scheme: Literal["light", "dark"], tmp_path: Path) -> None:
    """What README.md shows is what the page is; FINETUNE_PREP_WRITE_PICTURES=1 takes it anew."""
    shutil.copytree(ROOT / "examples" / "online-shop", tmp_path / "shop")
    with served(open_project(tmp_path / "shop"), "review", "--by", "Ada Larch") as page:
        context, tab = opened(browser, page, color_scheme=scheme, viewport={"width": 1280, "height": 720})
        tab.goto(f"{page.own}/review/4")
        tab.keyboard.press("p")
        picture = tab.screenshot()
        context.close()
    shown = ROOT / "docs" / f"review-{scheme}.png"
    if os.environ.get("FINETUNE_PREP_WRITE_PICTURES"):
        shown.write_bytes(picture)
    assert size_of(picture) == size_of(shown.read_bytes()) == (1280, 720)


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def said(run: Run) -> list[tuple[str, str]]:
    return [(label.label, label.stage) for label in read_labels(run.labels_path).labels]


def test_a_whole_review_by_keyboard_alone(browser: Browser, page_of: Served, run: Run) -> None:
    """The draw holds eight that the judge passes and two or more that it fails; every step stands in the file."""
    context, tab = opened(browser, page_of)
    assert tab.url.endswith("/review/1")
    tab.keyboard.press("f")
    tab.keyboard.type("it promises too much")
    tab.keyboard.press("Enter")
    revealed(tab)
    tab.keyboard.press("u")
    tab.wait_for_selector("text=blind")
    tab.wait_for_load_state("load")
    tab.keyboard.press("d")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/review/2")
    tab.keyboard.press("q")
    for key in ("y", "n", "x"):
        tab.keyboard.press(key)
    tab.keyboard.press("Escape")
    tab.keyboard.press("m")
    tab.keyboard.type("calls me a liar")
    tab.keyboard.press("Escape")
    tab.keyboard.press("2")
    tab.keyboard.type("why")
    tab.keyboard.press("Enter")
    revealed(tab)
    tab.keyboard.press("c")
    tab.wait_for_url("**/review/3")
    while not tab.url.endswith("/end"):
        before = tab.url
        tab.keyboard.press("1")
        tab.keyboard.press("Enter")
        revealed(tab)
        tab.keyboard.press("Enter")
        tab.wait_for_url(lambda url, before=before: url != before)
    assert "All read." in tab.inner_text("h1")
    kept = read_labels(run.labels_path).labels
    assert said(run)[:5] == [
        ("fail", "blind"),
        ("withdrawn", "revealed"),
        ("defer", "revealed"),
        ("fail", "blind"),
        ("pass", "revealed"),
    ]
    assert list(kept[3].answers.values()) == ["yes", "no", "na"]
    assert (kept[3].missed, kept[3].note, kept[3].labeller.name) == (("calls me a liar",), "why", "Ada Larch")
    assert len({label.conversation_id for label in kept if label.label == "pass"}) == 10
    assert sum(label.repeat for label in kept) == 1
    context.close()


def test_a_whole_review_by_mouse_alone_at_desktop_width(browser: Browser, page_of: Served, run: Run) -> None:
    """No key is pressed: what is saved, taken back, deferred, answered and disagreed with is clicked, from the overview to the end."""
    context, tab = opened(browser, page_of, viewport={"width": 1280, "height": 720})
    tab.goto(page_of.own + "/")
    tab.get_by_role("link", name="Read the next one").click()
    tab.wait_for_url("**/review/1")

    def labelled(word: str) -> None:
        before = tab.url
        tab.locator("fieldset.choice label", has_text=word).click()
        tab.get_by_role("button", name="Save, and see the verdict").click()
        tab.wait_for_selector("#verdict") if word == "Pass" else tab.wait_for_url(lambda url: url != before)

    labelled("Pass")
    tab.get_by_role("button", name="Undo").click()
    tab.wait_for_selector("text=blind")
    labelled("Defer")
    tab.wait_for_url("**/review/2")
    tab.get_by_text("The questions one by one").click()
    for number, answer in enumerate(("Yes", "No", "N/A")):
        tab.locator("fieldset.question").nth(number).get_by_text(answer, exact=True).click()
    changed = False
    while not tab.url.endswith("/end"):
        before = tab.url
        labelled("Pass")
        mind = tab.get_by_role("button", name="I change my mind")
        if not changed and mind.count():
            mind.click()
            changed = True
        else:
            tab.locator("#go").click()
        tab.wait_for_url(lambda url, before=before: url != before)
    assert "All read." in tab.inner_text("h1")
    kept = read_labels(run.labels_path).labels
    assert said(run)[:5] == [
        ("pass", "blind"),
        ("withdrawn", "revealed"),
        ("defer", "revealed"),
        ("pass", "blind"),
        ("fail", "revealed"),
    ]
    assert list(kept[3].answers.values()) == ["yes", "no", "na"]
    assert len({label.conversation_id for label in kept if label.stage == "blind" or label.label == "pass"}) == 10
    tab.get_by_role("link", name="Look at what you labelled").click()
    tab.wait_for_selector("#verdict")
    context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_by_pointer_on_a_phone_with_and_without_our_script(browser: Browser, page_of: Served, run: Run, script: bool) -> None:
    context, tab = opened(browser, page_of, viewport={"width": 390, "height": 844}, has_touch=True, java_script_enabled=script)
    if script:
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.get_by_role("radio", name="Fail").tap()
    tab.get_by_label("Why, in one line").fill("too long")
    tab.get_by_role("button", name="Save, and see the verdict").tap()
    revealed(tab)
    tab.get_by_role("button", name="I change my mind").tap()
    tab.wait_for_url("**/review/2")
    assert said(run) == [("fail", "blind"), ("pass", "revealed")]
    context.close()


def test_no_response_holds_a_verdict_before_the_label(browser: Browser, page_of: Served, run: Run) -> None:
    bodies: list[str] = []
    context, tab = opened(browser, page_of)
    tab.on("response", lambda response: bodies.append(response.text() if response.status == 200 else ""))
    for path in ("/review/1", "/review/2", "/review/11", "/review/end", "/"):
        tab.goto(page_of.own + path)
    assert len(bodies) >= 5
    assert not [body for body in bodies if SECRET in body or "The judge " in body]
    tab.goto(f"{page_of.own}/review/1")
    tab.keyboard.press("p")
    tab.keyboard.press("Enter")
    revealed(tab)
    tab.get_by_text("questions without a NO").click()
    context.close()


def test_every_control_has_a_name(browser: Browser, page_of: Served, run: Run) -> None:
    context, tab = opened(browser, page_of)
    talk = f"/runs/pilot-001/{run.samples()[0].scenario.id}"
    for path in ("/review/1", "/", "/runs", "/runs/pilot-001", talk, f"{talk}/requests", "/spent", "/review/end"):
        tab.goto(page_of.own + path)
        assert unnamed(context, tab) == [], path
    context.close()


def test_hostile_text_opens_nothing_and_reaches_nobody(browser: Browser, shop: Project) -> None:
    """In every field that a model or a person fills: talks, situations, evidence, the judge's name, notes, missed failures, words."""
    run = pilot_of(shop, "p" * len(SAMPLE) + "fff", SAMPLE)
    samples = [
        msgspec.structs.replace(
            sample,
            fault=text,
            scenario=msgspec.structs.replace(
                sample.scenario, situations=(msgspec.structs.replace(sample.scenario.situation, text=text),)
            ),
        )
        for sample, text in zip(run.samples(), itertools.cycle(SAMPLE), strict=False)
    ]
    ids = {old.scenario.id: new.scenario.id for old, new in zip(run.samples(), samples, strict=True)}
    verdicts = [
        msgspec.structs.replace(row, judge=text, scenario=ids[row.scenario], evidence=dict.fromkeys(row.evidence, text))
        for row, text in zip(run.verdicts(), itertools.cycle(reversed(SAMPLE)), strict=False)
    ]
    samples = [msgspec.structs.replace(one, thin=(text,), odd=(text,)) for one, text in zip(samples, itertools.cycle(SAMPLE))]
    write_results(run, samples, verdicts, account(samples))
    asked(shop, samples[0].scenario.id)
    with served(shop, "review", "--by", SAMPLE[1].replace("\x00", ""), "-n", "1000") as page:
        context, tab = opened(browser, page)
        events = watched(context, tab, page)
        count = int(tab.inner_text(".headline span").split(" of ")[1])
        for place, text in zip(range(1, count + 1) if SOAK else range(1, 8), itertools.cycle(SAMPLE), strict=False):
            tab.goto(f"{page.own}/review/{place}")
            tab.get_by_label("Why, in one line").fill(text)
            tab.get_by_label("A failure that no question asks about").fill(text)
            tab.keyboard.press("Escape")
            tab.keyboard.press("f")
            tab.keyboard.press("Enter")
            revealed(tab)
        for sample in samples[:: 1 if SOAK else 20]:
            tab.goto(f"{page.own}/runs/{run.name}/{sample.scenario.id}")
        for text in SAMPLE[:: 1 if SOAK else 4]:
            tab.goto(f"{page.own}/runs/{run.name}")
            tab.get_by_label("Words").fill(text)
            tab.keyboard.press("Enter")
            tab.wait_for_url("**words=*")
        behind = f"/runs/{run.name}/{samples[0].scenario.id}/requests"
        for path in ("/", "/review/end", "/runs", "/spent", behind):
            tab.goto(page.own + path)
        assert "requests behind it" in tab.content()
        assert events == []
        assert tab.url.startswith(page.own)
        context.close()


def asked(project: Project, scenario: str) -> None:
    """Requests and answers of hostile models about a scenario, in the ledger."""

    async def put() -> None:
        async with open_ledger(project.layout.ledger) as ledger:
            for text in (one.replace("\x00", "") for one in SAMPLE):
                request = Request(
                    role="assistant",
                    phase="pilot",
                    origin=Origin(run="pilot-001", scenario=scenario),
                    model=text,
                    messages=(Message("system", text), Message("user", text)),
                )
                reply = Reply(text=text, finish=text, problem="empty", detail=text, served_model=text)
                await ledger.answers.put(Entry(request, reply))

    with ThreadPoolExecutor() as thread:  # playwright holds this thread's event loop
        thread.submit(asyncio.run, put()).result()


def test_on_a_phone_no_page_is_wider_than_its_screen(browser: Browser, page_of: Served, run: Run) -> None:
    context, tab = opened(browser, page_of, viewport={"width": 390, "height": 844}, has_touch=True)
    talk = f"/runs/pilot-001/{run.samples()[0].scenario.id}"
    for path in ("/", "/documents", "/confirm", "/runs", "/runs/pilot-001", talk, f"{talk}/requests", "/spent", "/review/end"):
        tab.goto(page_of.own + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, path
    context.close()

"""A document read and decided about in a real browser: by keyboard alone, by mouse, on a phone's width; whatever it says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser

from finetune_prep import documents
from finetune_prep.core.knowledge import Fact
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from tests.phases.pottery_shop import rewrite
from tests.soak import SOAK
from tests.web.browsing import IN_A_BROWSER, SAMPLE, opened, started, tabbed_to, unnamed, watched
from tests.web.serving import Served, served

pytestmark = IN_A_BROWSER
RUBRIC = "/documents/evaluation-rubric"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def page_of(shop: Project, run: Run) -> Iterator[Served]:
    """The rubric has changed since it was accepted, and waits with two gates that nobody has answered."""
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    with served(shop) as page:
        yield page


def said(project: Project, count: int) -> list[tuple[str, str, str, str]]:
    """The last decisions."""
    return [(one.decision, one.gate or one.document, one.by, one.because) for one in project.decisions()[-count:]]


def test_a_document_is_read_and_accepted_by_keyboard_alone(browser: Browser, page_of: Served, shop: Project) -> None:
    context, tab = opened(browser, page_of)
    tabbed_to(tab, "nav a[href='/documents']")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("h1:has-text('Documents')")
    tabbed_to(tab, f"a[href='{RUBRIC}']")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("del:has-text('0.75')")
    tabbed_to(tab, "a[href='#decision']")
    tab.keyboard.press("Enter")
    fields = tab.locator("input[name^='because:']")
    for number in range(fields.count()):
        tabbed_to(tab, f"[name='{fields.nth(number).get_attribute('name')}']")
        tab.keyboard.type(f"reason {number}")
    tabbed_to(tab, "form[action$='/accept'] button")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("text=Accepted as it stands by Ada Larch")
    *waived, accepted = said(shop, fields.count() + 3)[-3:]
    assert accepted == ("accept", "evaluation-rubric", "Ada Larch", "")
    assert [(kind, by) for kind, _, by, _ in waived] == [("override", "Ada Larch")] * 2
    context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_gate_is_waived_and_a_document_accepted_on_a_phone(
    browser: Browser, page_of: Served, shop: Project, script: bool
) -> None:
    context, tab = opened(browser, page_of, viewport={"width": 390, "height": 844}, has_touch=True, java_script_enabled=script)
    for path in ("/documents", RUBRIC, "/documents/domain-frameworks"):
        tab.goto(page_of.own + path)
        if script:
            assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.goto(page_of.own + "/documents")
    tab.get_by_label("Why workflow.spot-check is waived").fill("we read forty on paper")
    tab.locator("form[action='/gates/workflow.spot-check/waive'] button").tap()
    tab.wait_for_selector("[name='because:workflow.spot-check']", state="detached")
    assert said(shop, 1) == [("override", "workflow.spot-check", "Ada Larch", "we read forty on paper")]
    tab.goto(page_of.own + RUBRIC)
    tab.get_by_role("button", name="Accept this text").tap()
    assert "must hold before it can be accepted" in tab.get_by_role("alert").inner_text()
    for field in tab.locator("input[name^='because:']").all():
        field.fill("read instead")
    tab.get_by_role("button", name="Accept this text").tap()
    tab.wait_for_selector("text=Accepted as it stands by Ada Larch")
    assert said(shop, 1) == [("accept", "evaluation-rubric", "Ada Larch", "")]
    context.close()


def test_a_fact_is_confirmed_by_keyboard_and_a_severity_on_a_phone(browser: Browser, page_of: Served, shop: Project) -> None:
    context, tab = opened(browser, page_of)
    tab.goto(page_of.own + "/confirm")
    tabbed_to(tab, "form[action='/confirm/FA1'] button")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/confirm#FM1")
    last = shop.decisions()[-1]
    assert (last.decision, last.item, last.by) == ("confirm", "FA1", "Ada Larch")
    cookies = context.cookies()
    context.close()
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, java_script_enabled=False)
    phone.add_cookies([{"name": one["name"], "value": one["value"], "url": page_of.own} for one in cookies])
    tab = phone.new_page()
    tab.goto(page_of.own + "/confirm")
    card = tab.locator("#FM2")
    mode = shop.value(Documents.knowledge).failure_modes[1]
    other = "minor" if mode.severity != "minor" else "critical"
    card.get_by_role("radio", name=other).tap()
    card.get_by_role("button", name="Confirm FM2").tap()
    tab.wait_for_selector("#FM2 >> text=confirmed")
    assert shop.value(Documents.knowledge).failure_modes[1].severity == other
    assert shop.decisions()[-1].item == "FM2"
    phone.close()


def test_every_control_of_the_documents_has_a_name(browser: Browser, page_of: Served) -> None:
    context, tab = opened(browser, page_of)
    for path in ("/documents", RUBRIC, "/documents/domain-frameworks", "/documents/brief", "/confirm"):
        tab.goto(page_of.own + path)
        assert unnamed(context, tab) == [], path
    context.close()


def test_hostile_text_in_a_document_its_digest_and_its_decisions_does_nothing(browser: Browser, shop: Project, run: Run) -> None:
    """Everything that a model, a page or a person writes there: text, findings, objections, reasons, names."""
    texts = [text.replace("\x00", "") for text in SAMPLE]
    shop.layout.digests.mkdir(parents=True, exist_ok=True)
    lines = [
        f"- FM1: {one} → {two} ({three}) – taken up: {one}" for one, two, three in zip(texts, texts[1:], texts[2:], strict=False)
    ]
    headings = [f"## {text.splitlines()[0]}" for text in texts]
    page = "\n\n".join(["# Look", *itertools.chain.from_iterable(zip(headings, lines, strict=False))])
    shop.layout.digest(1, "domain-frameworks").write_text(page, "utf-8")
    knowledge = shop.value(Documents.knowledge)
    facts = [
        Fact(id=f"FA{n}", name=f"n {one}", value=f"v {one}", kind="other", scope=one) for n, one in enumerate(texts, start=1)
    ]
    modes = [
        msgspec.structs.replace(mode, name=f"n {one}", instance=one)
        for mode, one in zip(knowledge.failure_modes, texts, strict=False)
    ]
    named = (*modes, *knowledge.failure_modes[len(modes) :])
    hostile = msgspec.structs.replace(knowledge, facts=tuple(facts), failure_modes=named)
    shop.layout.document("domain-frameworks").write_text(documents.render("domain-frameworks", hostile), "utf-8")
    prompt = shop.layout.document("system-prompt")
    prompt.write_text(prompt.read_text("utf-8") + "\n" + "\n".join(texts) + "\n", "utf-8")
    reference = shop.layout.document("domain-frameworks")
    sound = reference.read_text("utf-8")
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    accepted = shop.decisions()[-1]
    for text in texts:
        shop.decide(msgspec.structs.replace(accepted, by=text, because=text, gate="workflow.spot-check", decision="override"))
    with served(shop, "serve", "--by", texts[2]) as serving:
        context, tab = opened(browser, serving)
        events = watched(context, tab, serving)
        for number, text in enumerate(texts):
            if not SOAK or number % 25 == 0:  # each of these pages holds all the others as well
                reference.write_text(f"{sound}\n### FM1. {text}\n\n- {text}: {text}\n", "utf-8")
                tab.goto(serving.own + "/documents/domain-frameworks")
                assert "What cannot be read in it" in tab.content()
                reference.write_text(sound, "utf-8")
                tab.goto(serving.own + "/documents/system-prompt")
            tab.goto(serving.own + RUBRIC)
            for field in tab.locator("input[name^='because:']").all()[:1]:
                field.fill(text)
            tab.get_by_role("button", name="Accept this text").click()
            tab.wait_for_selector("[role=alert]")
        for path in ("/documents", "/confirm"):
            tab.goto(serving.own + path)
        assert tab.locator("article.card").count() == len(facts) + len(named)
        assert events == []
        assert tab.url.startswith(serving.own)
        context.close()

"""The report: one HTML file that needs nothing else, in which no text of a model is ever markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import Sample, account
from finetune_prep.core.verdict import Judgement
from finetune_prep.exports.card import Served
from finetune_prep.exports.report import ENOUGH, FLAWLESS, Said, render, suspicion
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.rates import wilson
from tests.core.scenarios.test_drawing import SPACE, plan
from tests.core.test_rubric import rubric_of

RUBRIC = rubric_of(0.6, 0.4)
SCENARIOS = plan(SPACE, 4, 1)
ATTACK = "</div><script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>{{ 7 * 7 }}{% raw %}&amp;"
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Elements and text of a page; complains of elements that are closed out of order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def sample(number: int, state: Any, **fields: Any) -> Sample:
    talk = Conversation((Message("user", f"question {number}"), Message("assistant", f"reply {number}")))
    return Sample(scenario=SCENARIOS[number], state=state, **{"conversation": talk, **fields})


ANSWERS = {question.id: "yes" for question in RUBRIC.questions}
ROWS = [
    Row(sample=sample(0, "accepted", score=1.0), answers=ANSWERS, evidence={"AA1": "reply 0"}),
    Row(
        sample=sample(1, "rejected", score=0.4, failed=("AA1", "BB1")),
        answers=ANSWERS | {"AA1": "no", "BB1": "no", "BB2": "na"},
        evidence={"AA1": "never said"},
        unsupported=("AA1",),
    ),
    Row(sample=sample(2, "unjudged", fault="truncated"), answers={**dict.fromkeys(ANSWERS), "SF1": "yes"}),
    Row(sample=sample(3, "failed", conversation=None, fault="rejected: too long")),
]


def html_of(rows: list[Row], rubric: Rubric = RUBRIC, **changes: Any) -> str:
    total = account(row.sample for row in rows)
    names: dict[str, Any] = {"domain": "Pottery", "run": "pilot-001", "judge": "linen-1", "assistant": "larch-1", **changes}
    rate = wilson(total.passed, total.planned - total.states["failed"] - total.states["unjudged"])
    return render(**names, rubric=rubric, account=total, rate=rate, rows=rows)


def test_the_headline_is_the_pass_rate_with_its_n_and_interval_and_whose_word_it_is() -> None:
    text = Page(html_of(ROWS)).text
    assert "50%" in text
    assert "passed: 1 of 2, 95% interval 9 to 91%" in text
    assert "According to the judge alone, at threshold 0.75." in text
    assert "How often this judge is right has not been measured." in text


def test_every_state_is_counted() -> None:
    text = Page(html_of(ROWS)).text
    assert "1 accepted 1 rejected 1 unjudged 1 failed" in text.replace(", ", " ")


def test_a_question_counts_only_verdicts_that_hold_an_answer_to_it() -> None:
    """N/A and missing answers leave the share: of three verdicts on AA1 one is missing, one is yes, one is no."""
    text = Page(html_of(ROWS)).text
    assert "AA1 Is AA1 so? 1 1 0 50%" in text
    assert "BB2 Is BB2 so? 1 0 1 100%" in text
    assert "SF1 Is SF1 so? safety 3 0 0 100%" in text


def test_a_question_that_never_applied_says_so() -> None:
    rows = [Row(sample=sample(0, "accepted", score=1.0), answers=ANSWERS | {"AA1": "na"})]
    assert "AA1 Is AA1 so? 0 0 1 never applied" in Page(html_of(rows)).text


def test_evidence_that_nobody_said_is_marked() -> None:
    text = Page(html_of(ROWS)).text
    assert "never said not in the conversation" in text
    assert "reply 0 not in the conversation" not in text
    assert "reply 0 needs a quote" not in text


def test_an_answer_that_needs_a_quote_and_has_none_is_marked() -> None:
    row = msgspec.structs.replace(ROWS[1], evidence={"AA1": "none"})
    assert "no none needs a quote" in Page(html_of([row])).text


def test_what_a_special_case_asks_for_stands_with_the_judges_answer_to_it() -> None:
    scenario = msgspec.structs.replace(SCENARIOS[1], expected="Says where to ask.")
    undone = msgspec.structs.replace(ROWS[1].sample, scenario=scenario, failed=("CASE",))
    row = msgspec.structs.replace(ROWS[1], sample=undone, case=Judgement("no", "reply 1"))
    text = Page(html_of([row])).text
    assert "CASE: Says where to ask." in text
    assert "CASE no reply 1" in text
    assert "Says where to ask." not in Page(html_of(ROWS)).text


def test_what_is_said_beside_the_rate_stands_below_it_and_flawed_is_explained() -> None:
    flawed = msgspec.structs.replace(ROWS[0], sample=sample(0, "flawed", score=0.9, failed=("AA1",), thin=("Fit",)))
    text = Page(html_of([flawed], figures=("N/A: 3% of the answers.",))).text
    assert "N/A: 3% of the answers." in text
    assert "Flawed: passed, with a NO to a question that catches a serious failure; no training row." in text
    assert "thin: Fit" in text
    assert "passed: 1 of 1" in text


def test_a_row_without_a_conversation_or_a_verdict_says_why() -> None:
    text = Page(html_of(ROWS)).text
    assert "rejected: too long" in text
    assert "truncated" in text
    assert "AA1 missing" in text


def test_what_decides_what_probes_say_and_what_to_do_next_stand_in_it() -> None:
    """SF1 is the gate: its NO alone fails a conversation in which all else is YES."""
    alone = Row(sample=sample(1, "rejected", score=1.0, failed=("SF1",)), answers=ANSWERS | {"SF1": "no"})
    said = Said(
        diagnosis="Strengthen the generation prompt: guard GD1. It fails.",
        shown_by=(alone.sample.scenario.id,),
        probed={"SF1": "blind", "AA1": "sees"},
        judge="10 conversations labelled by a person.",
        topics={SCENARIOS[1].cell.topic: "Bowls & jugs"},
    )
    page = Page(html_of([ROWS[0], alone], said=said))
    assert "Strengthen the generation prompt: guard GD1. It fails." in page.text
    assert "SF1 Is SF1 so? safety probes: blind 1 1 0 50% 1" in page.text
    assert "AA1 Is AA1 so? probes: sees 2 0 0 100%" in page.text
    assert "10 conversations labelled by a person." in page.text
    assert "has not been measured" not in page.text
    assert "shows what is said above · " + alone.sample.scenario.id in page.text
    assert "Bowls & jugs" in page.text
    labels = [attributes["aria-label"] for tag, attributes in page.tags if tag == "svg"]
    assert labels == ["passed: 50%, 95% interval 9 to 91%", "accepted: 50%, 95% interval 9 to 91%"]


@pytest.mark.parametrize("place", ["turn", "evidence", "situation", "question", "domain", "fault", "judge"])
def test_text_of_a_model_is_shown_and_never_run(place: str) -> None:
    row, rubric, names = ROWS[1], RUBRIC, {}
    if place == "turn":
        talk = Conversation((Message("user", ATTACK), Message("assistant", ATTACK)))
        row = msgspec.structs.replace(row, sample=msgspec.structs.replace(row.sample, conversation=talk))
    elif place == "evidence":
        row = msgspec.structs.replace(row, evidence={"AA1": ATTACK})
    elif place == "fault":
        row = Row(sample=sample(1, "failed", fault=ATTACK))
    elif place == "situation":
        scenario = SCENARIOS[1]
        situation = msgspec.structs.replace(scenario.situation, text=ATTACK)
        changed = msgspec.structs.replace(row.sample, scenario=msgspec.structs.replace(scenario, situations=(situation,)))
        row = msgspec.structs.replace(row, sample=changed)
    elif place == "question":
        first = rubric.categories[0]
        questions = (msgspec.structs.replace(first.questions[0], text=ATTACK), *first.questions[1:])
        rubric = msgspec.structs.replace(
            rubric, categories=(msgspec.structs.replace(first, questions=questions), *rubric.categories[1:])
        )
    else:
        names = {place: ATTACK}
    page = Page(html_of([row], rubric, **names))
    assert not {"script", "img", "link", "iframe", "form"} & {tag for tag, _ in page.tags}
    assert ATTACK in "".join(page.words)


def test_the_page_reaches_for_nothing_outside_itself() -> None:
    page = Page(html_of(ROWS))
    policies = [
        attributes["content"] for tag, attributes in page.tags if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not [attributes for _, attributes in page.tags if {"src", "href", "onclick"} & set(attributes)]


def test_a_judge_that_wrote_the_replies_is_named_as_such() -> None:
    assert "the same model that wrote them" in Page(html_of(ROWS, judge="larch-1")).text
    assert "the same model that wrote them" not in Page(html_of(ROWS)).text


def test_a_run_without_rows_is_a_page_without_a_rate() -> None:
    text = Page(html_of([])).text
    assert "pilot-001: 0 conversations planned" in text
    assert "passed:" not in text


def test_the_same_run_gives_the_same_bytes() -> None:
    assert html_of(ROWS) == html_of(list(ROWS))


def test_ten_verdicts_without_a_single_no_are_called_suspicious() -> None:
    """With fewer, or with one NO among them, nothing is said."""
    flawless = [ANSWERS] * ENOUGH
    failed = {**ANSWERS, next(iter(ANSWERS)): "no"}
    assert suspicion(flawless) == suspicion([*flawless, {}]) == FLAWLESS
    assert suspicion(flawless[1:]) == suspicion([*flawless[1:], failed]) == suspicion([]) == ""
    rows = [Row(sample=sample(n % 4, "accepted", score=1.0), answers=ANSWERS) for n in range(ENOUGH)]
    assert FLAWLESS in Page(html_of(rows)).text
    assert FLAWLESS not in Page(html_of(rows[1:])).text


def test_another_model_than_asked_stands_in_the_report() -> None:
    """Beside the judge's name, and as text; where all answered as asked, nothing does."""
    fields: dict[str, Any] = {
        "domain": "d", "run": "pilot-001", "judge": "j", "assistant": "a", "rubric": RUBRIC, "account": account([]),
        "rate": wilson(0, 0), "rows": [],
    }  # fmt: skip
    page = Page(render(**fields, served=(Served(role="judge", asked="larch-2", served=f"larch-2-mini{ATTACK}"),)))
    assert "The judge was asked for as larch-2, but larch-2-mini</div>" in page.text
    assert "script" not in {tag for tag, _ in page.tags}
    assert "was asked for as" not in render(**fields)

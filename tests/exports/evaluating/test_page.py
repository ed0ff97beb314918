"""The page of an evaluation: one HTML file that needs nothing else, in which no text of a model is ever markup."""

from __future__ import annotations

import msgspec
import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.evaluating.talk import Arm, ArmTalk
from finetune_prep.exports.evaluating.page import Said, render
from finetune_prep.exports.talks.styled import STYLE
from finetune_prep.statistics.evaluation.table import table
from finetune_prep.statistics.evaluation.words import beside, limits_of, upshot
from tests.core.scenarios.test_drawing import SPACE, plan
from tests.exports.test_report import ATTACK, Page
from tests.statistics.evaluation.talks import RUBRIC, fails, faulty, judged

SCENARIOS = plan(SPACE, 6, 1)
MODELS: dict[Arm, str] = {"base": "before/small", "tuned": "after/small-tuned"}


def talked(talk: ArmTalk, text: str) -> ArmTalk:
    evidence = dict.fromkeys(talk.failed, "“We will see”")
    return msgspec.structs.replace(
        talk, evidence=evidence, conversation=Conversation((Message("user", "My bowl?"), Message("assistant", text)))
    )


def page(models: dict[Arm, str] = MODELS, text: str = "We will see.", left_out: str = "") -> Page:
    talks = []
    for scenario in SCENARIOS:
        talks += [talked(fails("base", scenario.id), text), talked(faulty("base", scenario.id, 2), text)]
        talks += [talked(judged("tuned", scenario.id, run), text) for run in (1, 2)]
    talks = [talk for talk in talks if talk.arm in models]
    found = table(RUBRIC, talks, 0.1)
    said = Said(upshot(found), "Read them.", [*beside(found)], limits_of(found), left_out)
    return Page(
        render(
            domain="Pottery", run="evaluation-001", models=models, judge="larch-1", user="maple-1", runs=2, rubric=RUBRIC,
            table=found, talks=talks, scenarios=SCENARIOS, said=said,
        )
    )  # fmt: skip


def test_the_page_says_what_the_terminal_says() -> None:
    text = page().text
    assert "+100 points" in text
    assert "Established: the tuned model is better than the base. Read them." in text
    assert "6 of the 12 conversations of the base are faulty (all 6 were cut off at the token limit)" in text
    assert "judged by larch-1, which is not told whose conversation it reads" in text
    assert "finished / cut off at the limit 6 / 6 12 / 0" in text
    assert "exact sign-flip of group means: p = 0.031" in text
    assert text.count("tuned, run 2: passed 1.00") == 6
    assert "base 0 of 2 · tuned 2 of 2" in text


def test_the_base_alone_has_no_difference() -> None:
    text = page({"base": "before/small"}).text
    assert "points" not in text
    assert "The base leaves room" in text or "not clear" in text
    assert "difference" not in text


def test_a_difference_of_pairs_says_so_and_how_many_pairs_there_are() -> None:
    """Two judged conversations of the tuned model stand beside one of the base, whose other one is faulty."""
    text = page().text
    assert "AA1 Is AA1 so? 0 / 6 12 / 0 +1.00 n = 6 AA2" in text
    assert "It does not follow from the counts" in text


def test_what_failed_stands_with_its_evidence() -> None:
    assert "AA1: “We will see”" in page().text


def test_what_was_left_out_says_why() -> None:
    assert "prompted: left out, as it does not fit" in page(left_out="it does not fit").text


@pytest.mark.parametrize("attack", [ATTACK, "<b>bold</b>", "{{ 7 * 7 }}"])
def test_no_text_of_a_model_is_markup(attack: str) -> None:
    found, harmless = page(text=attack), page(text="harmless")
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in harmless.tags]
    assert " ".join(attack.split()) in found.text


def test_it_needs_nothing_else_and_fits_dark_rooms_and_phones() -> None:
    found = page()
    assert not [attrs for tag, attrs in found.tags if attrs.get("src") or attrs.get("href")]
    assert any("default-src 'none'" in (attrs.get("content") or "") for tag, attrs in found.tags if tag == "meta")
    assert any(attrs.get("name") == "viewport" for tag, attrs in found.tags if tag == "meta")
    tables = [place for place, (tag, _) in enumerate(found.tags) if tag == "table"]
    assert len(tables) >= 4
    for place in tables:  # a phone scrolls the narrow ones sideways, and gets the questions one below the other
        assert found.tags[place - 1] == ("div", {"class": "wide"}) or found.tags[place][1] == {"class": "questions"}
    assert sum(attrs.get("class") == "questions" for _, attrs in found.tags) == 1
    assert "prefers-color-scheme: dark" in STYLE.read_text("utf-8")

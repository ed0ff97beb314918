"""What a pilot's report says of its judge, before anybody has labelled and after."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.workflow.report import renew_report, write_report
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.reviewing.judge_word import NOT_MEASURED, judge_word
from tests.phases.pottery_shop import pottery_project, rewrite
from tests.workflow.reviewing.pilots import MODEL, pilot_of, say


def test_labels_of_people_are_told_with_their_word_and_the_report_is_renewed(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    run = pilot_of(shop, "p" * 10 + "ff")
    write_report(shop, run)
    assert judge_word(shop, run, reviewed(shop, run)) == NOT_MEASURED
    assert NOT_MEASURED in run.report_path.read_text("utf-8")
    say(shop, run, 1, "pass", MODEL)
    assert judge_word(shop, run, reviewed(shop, run)).startswith(NOT_MEASURED), "a model's label is nobody's"
    for number in range(4):
        say(shop, run, number, "pass")
    said = judge_word(shop, run, reviewed(shop, run))
    assert said.startswith("Against people's labels it is smoke-tested. 4 conversations labelled by a person.")
    renew_report(shop, run)
    page = run.report_path.read_text("utf-8")
    assert NOT_MEASURED not in page
    assert "it is smoke-tested" in page


def test_labels_of_a_model_are_told_as_what_they_are(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    run = pilot_of(shop, "p" * 10 + "fff")
    for number, label in ((0, "pass"), (1, "pass"), (2, "fail"), (10, "fail"), (11, "pass"), (12, "defer")):
        say(shop, run, number, label, MODEL)
    said = judge_word(shop, run, reviewed(shop, run))
    assert said.startswith(
        f"{NOT_MEASURED} A model labelled 6 of its conversations without seeing the verdicts. It passes 2 of the 3 that the "
        "judge passed, and fails 1 of the 2 that it failed. That does not show that the judge is right"
    )
    write_report(shop, run)
    assert "A model labelled 6 of its conversations" in run.report_path.read_text("utf-8")
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.72")
    assert judge_word(shop, run, reviewed(shop, run)) == NOT_MEASURED, "they are about another rubric"


def test_the_report_of_other_documents_stays(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    run = pilot_of(shop, "p" * 10 + "ff")
    write_report(shop, run)
    before = run.report_path.read_bytes()
    say(shop, run, 0, "pass")
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.72")
    renew_report(shop, run)
    assert run.report_path.read_bytes() == before

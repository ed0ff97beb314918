"""What persons' labels of a run amount to, for gates, status, export and card."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.core.finding import Outcome
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import UsageError
from finetune_prep.labels.label import Labeller
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow import exporting
from finetune_prep.workflow.checking import outcomes
from finetune_prep.workflow.reviewing.counting import proof, reviewed
from finetune_prep.workflow.status.written import is_written
from tests.phases.pottery_shop import pottery_project, rewrite
from tests.workflow.reviewing.pilots import ADA, BEN, MODEL, edit_talk, pilot_of, say, talk_of


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.fixture
def run(shop: Project) -> Run:
    return pilot_of(shop, "p" * 10 + "ff")


def gate(shop: Project, name: str) -> Outcome:
    return next(outcome for outcome in outcomes(shop) if outcome.gate == f"workflow.{name}")


def test_ten_conversations_read_by_persons_are_the_spot_check(shop: Project, run: Run) -> None:
    for number in range(9):
        say(shop, run, number, "pass", ADA if number < 5 else BEN)
    say(shop, run, 0, "fail", BEN)  # one that was read before
    assert [finding.what for finding in gate(shop, "spot-check").findings] == ["a person has read 9 conversations"]
    say(shop, run, 11, "fail")
    assert gate(shop, "spot-check").answer == "holds"


def test_what_a_model_labels_counts_for_nothing(shop: Project, run: Run) -> None:
    """Even one that bears a person's name; it fails no row either."""
    for number in range(12):
        say(shop, run, number, "fail", Labeller(ADA.name, "model"))
    found = reviewed(shop, run)
    assert (found.read, found.failed, found.by, found.by_models) == (0, (), (), 12)
    assert gate(shop, "spot-check").answer == "fails"


def test_deferred_and_withdrawn_labels_do_not_count(shop: Project, run: Run) -> None:
    say(shop, run, 0, "defer")
    say(shop, run, 1, "fail")
    say(shop, run, 1, "withdrawn", stage="revealed")
    assert (reviewed(shop, run).read, reviewed(shop, run).failed) == (0, ())


def test_an_edit_of_the_text_makes_its_label_stale_and_says_so(shop: Project, run: Run) -> None:
    say(shop, run, 0, "pass")
    say(shop, run, 1, "pass")
    edit_talk(run, 0, "We send nothing.")
    found = reviewed(shop, run)
    assert (found.read, [(stale.by, stale.why) for stale in found.stale]) == (1, [("Ada Larch", "the text has changed since")])
    assert len(run.labels_path.read_bytes().splitlines()) == 2


def test_another_rubric_makes_all_labels_stale_but_what_was_failed_stays_out(shop: Project, run: Run) -> None:
    say(shop, run, 0, "fail")
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    found = reviewed(shop, run)
    assert (found.read, found.stale[0].why) == (0, "the rubric has changed since")
    assert found.failed == (talk_of(run.samples()[0]).id,)


def test_a_missed_failure_waits_until_a_document_holds_it(shop: Project, run: Run) -> None:
    say(shop, run, 0, "fail", missed=("calls the customer a liar", "FM1 in another guise"))
    say(shop, run, 1, "fail", MODEL, missed=("a model's opinion",))
    assert reviewed(shop, run).missed == ("calls the customer a liar",)
    assert gate(shop, "missed-failures").answer == "fails"
    mode = shop.value(Documents.knowledge).failure_modes[0]
    rewrite(shop, "domain-frameworks", mode.instance, f"{mode.instance} It calls the customer a liar.")
    assert reviewed(shop, run).missed == ()
    assert gate(shop, "missed-failures").answer == "holds"


def test_who_withdraws_a_label_withdraws_what_was_missed(shop: Project, run: Run) -> None:
    say(shop, run, 0, "fail", missed=("calls the customer a liar",))
    say(shop, run, 0, "withdrawn", stage="revealed")
    assert gate(shop, "missed-failures").answer == "unchecked", "nobody has looked then"


def test_only_blind_labels_of_the_draw_say_anything_about_the_judge(shop: Project, run: Run) -> None:
    for number in range(6):
        say(shop, run, number, "pass")
    say(shop, run, 6, "fail")
    say(shop, run, 6, "pass", stage="revealed")  # changed their mind: the first one counts for the judge
    say(shop, run, 7, "pass", drawn=False)  # picked by hand
    say(shop, run, 8, "pass", stage="revealed")
    say(shop, run, 10, "fail")
    say(shop, run, 0, "fail", BEN)  # a second reader: each conversation counts once
    found = reviewed(shop, run)
    assert (found.on_passed.k, found.on_passed.n, found.on_failed.k, found.on_failed.n) == (6, 7, 1, 1)
    assert found.disputed == (talk_of(run.samples()[0]).id,)


def test_ten_of_ten_prove_no_more_than_they_do(shop: Project, run: Run) -> None:
    for number in range(10):
        say(shop, run, number, "pass")
    say(shop, run, 0, "fail", repeat=True)
    assert proof(reviewed(shop, run)) == (
        "10 conversations labelled by a person.",
        "Of 10 drawn that the judge passed, 10 were passed blind, too: exact 95% interval 69% to 100%.",
        "Read a second time, 0 of 1 got the same label.",
    )


def test_a_damaged_line_leaves_the_rest_right(shop: Project, run: Run) -> None:
    say(shop, run, 0, "pass")
    run.labels_path.write_bytes(run.labels_path.read_bytes() + b'{"at":\n')
    say(shop, run, 1, "pass")
    found = reviewed(shop, run)
    assert (found.read, [damaged.line for damaged in found.damaged]) == (2, [2])


def test_what_a_person_failed_is_in_no_later_export(shop: Project, run: Run) -> None:
    before = exporting.export(shop, preview=True)
    assert before.rows == 10
    say(shop, run, 3, "fail")
    assert not is_written(shop, run)
    after = exporting.export(shop, preview=True)
    assert after.rows == 9
    assert "number 3." not in after.data.read_text("utf-8")
    card = after.card.read_text("utf-8")
    assert "9 conversations in" in card
    assert "1 accepted by the judge is left out: a person failed it." in card
    assert "1 conversation labelled by a person." in card


def test_a_person_may_change_their_mind_and_another_one_may_not_for_them(shop: Project, run: Run) -> None:
    say(shop, run, 3, "fail")
    say(shop, run, 3, "pass", stage="revealed")
    assert exporting.export(shop, preview=True).rows == 10
    say(shop, run, 3, "fail", BEN)
    assert exporting.export(shop, preview=True).rows == 9


def test_a_line_that_cannot_be_read_stops_the_export_by_its_number(shop: Project, run: Run) -> None:
    """It may be the one that failed a row."""
    say(shop, run, 3, "fail")
    run.labels_path.write_bytes(run.labels_path.read_bytes()[:-9] + b"\n")
    with pytest.raises(UsageError) as refused:
        exporting.export(shop, preview=True)
    assert refused.value.where == "runs/pilot-001/labels.jsonl:1"
    assert not list(shop.layout.dataset.glob("*.jsonl"))


def test_an_export_of_nothing_says_who_failed_it(shop: Project, run: Run) -> None:
    for number in range(10):
        say(shop, run, number, "fail")
    with pytest.raises(Exception, match="a person failed all that the judge accepted"):
        exporting.export(shop, preview=True)

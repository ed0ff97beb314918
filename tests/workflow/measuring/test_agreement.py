"""One word for a judge: certified only by sealed labels of people, drawn in a known way, of this text and rubric, and once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.documents.kinds import render
from finetune_prep.errors import UsageError
from finetune_prep.statistics.rates import wilson
from finetune_prep.workflow.measuring.agreement import Agreement, agreement
from tests.records.judged import IDS, RUBRIC, lines, rubric_file, verdict

AT = "2026-03-04T05:06:07+00:00"
VERSION = RUBRIC.version


class Files:
    """Verdicts on 400 conversations, of which the judge passes 300; labels as a test wants them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rubric = rubric_file(folder)
        self.judged = [verdict(f"p{n}", rubric=VERSION) for n in range(300)]
        self.judged += [verdict(f"f{n}", "nyyy", rubric=VERSION) for n in range(100)]
        self.labels: list[dict[str, Any]] = []

    def label(self, conversation: str, label: str, **more: Any) -> None:
        gate = {"SF1": "yes" if label == "pass" else "no"}
        who = {
            "labeller": {"name": "Ada", "kind": "person"},
            "stage": "blind",
            "rubric": VERSION,
            "hash": f"text of {conversation}",
        }
        self.labels.append({"conversation_id": conversation, "label": label, "answers": gate, **who, **more})

    def draw(self, passed: int, failed: int, **more: Any) -> None:
        """Labels drawn by verdict, on which people and judge agree."""
        for n in range(passed):
            self.label(f"p{n}", "pass", sample={"design": "by verdict", "p": passed / 300}, **more)
        for n in range(failed):
            self.label(f"f{n}", "fail", sample={"design": "by verdict", "p": failed / 100}, **more)

    def compare(self, **more: Any) -> Agreement:
        verdicts = lines(self.folder / "verdicts.jsonl", *self.judged)
        labels = self.folder / "labels.jsonl"
        if not labels.exists():
            lines(labels, *self.labels)
        return agreement(verdicts, labels, self.rubric, **more)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_open_labels_are_a_smoke_test_at_most(files: Files) -> None:
    files.draw(60, 60)
    found = files.compare()
    assert found.word == "smoke-tested"
    assert "not sealed" in found.reasons[0]
    assert found.corrected is None  # the judge's help only of a certified one
    assert found.people is not None and found.people.n == 120
    assert found.tpr is not None and found.tpr.low > 0.8


def test_sealed_labels_certify_a_good_judge_once(files: Files) -> None:
    files.draw(60, 60, split="sealed")
    found = files.compare(final=AT)
    assert (found.word, found.reasons) == ("certified", ())
    assert found.corrected is not None and found.corrected.extra_labels > 0
    assert found.disagreements == ()
    again = files.compare(final="2027-01-01T00:00:00+00:00")
    assert again == found
    assert (files.folder / "labels.spent.jsonl").read_text().count("\n") == 1
    later = files.compare()
    assert (later.word, later.labels) == ("certified", 0)
    assert "by the sealed labels, on 2026-03-04" in later.reasons[0]


def test_after_a_change_it_is_stale_and_the_labels_are_spent(files: Files) -> None:
    files.draw(60, 60, split="sealed")
    assert files.compare(final=AT).word == "certified"
    files.judged[0] = verdict("p0", "ynyy", rubric=VERSION)
    assert files.compare().word == "stale"
    with pytest.raises(UsageError, match="spent on 2026-03-04"):
        files.compare(final=AT)


def _another_verdict(files: Files) -> None:
    files.judged[0] = verdict("p0", "ynyy", rubric=VERSION)


def _another_judge(files: Files) -> None:
    files.judged = [row | {"judge": "K"} for row in files.judged]


def _another_label(files: Files) -> None:
    files.labels[0] |= {"label": "fail", "answers": {"SF1": "no"}}


def _one_label_more(files: Files) -> None:
    files.label("p200", "pass", split="sealed", sample={"design": "by verdict", "p": 0.2})


def _another_rubric(files: Files) -> None:
    """A lower threshold, under which everything was judged again with the same answers."""
    edited = msgspec.structs.replace(RUBRIC, threshold=0.7)
    files.rubric.write_text(render("evaluation-rubric", edited), "utf-8")
    files.judged = [row | {"rubric": edited.version} for row in files.judged]
    files.labels = [row | {"rubric": edited.version} for row in files.labels]


@pytest.mark.parametrize("change", [_another_verdict, _another_judge, _another_label, _one_label_more, _another_rubric])
def test_no_certificate_outlives_an_edit_and_sealed_labels_are_spent_once(files: Files, change: Callable[[Files], None]) -> None:
    files.draw(60, 60, split="sealed")
    assert files.compare(final=AT).word == "certified"
    change(files)
    (files.folder / "labels.jsonl").unlink()
    assert files.compare().word == "stale"
    with pytest.raises(UsageError, match="spent on 2026-03-04"):
        files.compare(final=AT)


def test_of_two_judges_both_together_are_certified_or_not_and_neither_alone_with_the_same_labels(files: Files) -> None:
    """What decides is certified; who had a part in it would need sealed labels of its own."""
    for row in files.judged:
        row["readings"] = [{"judge": judge, "answers": row["answers"]} for judge in ("J", "K")]
        row["judge"] = "J + K"
    files.draw(60, 60, split="sealed")
    found = files.compare(final=AT)
    assert (found.word, found.judge) == ("certified", "J + K")
    assert files.compare(judge="J").word == "stale"
    with pytest.raises(UsageError, match="spent on 2026-03-04, on J \\+ K"):
        files.compare(judge="J", final=AT)


def test_a_design_given_by_hand_makes_no_raw_counts_of_a_draw_by_verdict(files: Files) -> None:
    """Labels say how they were drawn; what is said on the command line holds only where they do not, and certifies nobody."""
    files.draw(40, 40, split="sealed")
    found = files.compare(design="uniform", final=AT)
    assert found.drawn is not None and found.drawn.design == "by verdict"
    assert found.tpr is not None and found.tpr.method.startswith("stratified")
    for row in files.labels:
        del row["sample"]
    (files.folder / "labels.jsonl").unlink()
    (files.folder / "labels.spent.jsonl").unlink()
    stated = files.compare(design="uniform", final=AT)
    assert stated.word == "inconclusive"
    assert any("do not say how, and with which chance" in reason for reason in stated.reasons)


def test_open_labels_never_certify(files: Files) -> None:
    files.draw(60, 60)
    with pytest.raises(UsageError, match="no label here is sealed"):
        files.compare(final=AT)


LACKING: dict[str, tuple[dict[str, Any], str]] = {
    "person": ({"labeller": {"name": "Ada"}}, "do not say that a person gave them"),
    "blind": ({"stage": ""}, "do not say that they were given blind"),
    "chance": ({"sample": {"design": "uniform"}}, "do not say how, and with which chance"),
    "text": ({"hash": ""}, "do not say of which text"),
    "rubric": ({"rubric": ""}, "are not bound to this rubric"),
    "gate": ({"answers": {}}, "do not answer every question of the gate"),
}


@pytest.mark.parametrize("lacking", LACKING)
def test_each_condition_is_needed(files: Files, lacking: str) -> None:
    change, words = LACKING[lacking]
    files.draw(90, 90, split="sealed")
    files.labels = [row | change for row in files.labels]
    found = files.compare(final=AT)
    assert found.word == "inconclusive"
    assert any(words in reason for reason in found.reasons)


EDITS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "rubric": (lambda row: {**row, "rubric": ""}, "do not say of which rubric"),
    "judge": (lambda row: {**row, "judge": ""}, "do not name the judge"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_verdicts_have_to_say_whose_they_are(files: Files, edit: str) -> None:
    change, words = EDITS[edit]
    files.draw(60, 60, split="sealed")
    files.judged = [change(row) for row in files.judged]
    found = files.compare(final=AT)
    assert found.word == "inconclusive"
    assert any(words in reason for reason in found.reasons)


def test_a_gate_no_that_the_judge_overlooked_certifies_nobody(files: Files) -> None:
    files.draw(90, 90, split="sealed")
    files.labels[0] |= {"label": "pass", "answers": {"SF1": "no"}}
    found = files.compare(final=AT)
    assert found.word == "inconclusive"
    assert "SF1 is a question of the gate, and the judge gave 90 of people's 91 NOs" in found.reasons[0]


def test_a_bad_judge_is_refused(files: Files) -> None:
    files.draw(60, 60, split="sealed")
    for row in files.labels[:30]:
        row["label"] = "fail"
    found = files.compare(final=AT)
    assert found.word == "refused"
    assert found.corrected is None


def test_raw_counts_of_a_draw_by_verdict_prove_nothing(files: Files) -> None:
    """45 NOs of 50 found in the labels; but 10 of 100 that the judge passed are bad, and there are three times as many of them."""
    files.draw(100, 50, split="sealed")
    for row in files.labels[:10]:
        row["label"], row["answers"] = "fail", {"SF1": "yes"}
    found = files.compare(final=AT)
    assert wilson(50, 60).low > 0.7
    assert found.tnr is not None and found.tnr.value == pytest.approx(100 / 130)
    assert found.word == "inconclusive"


def test_models_have_no_say(files: Files) -> None:
    files.draw(60, 60, split="sealed", labeller={"name": "gpt", "kind": "model"})
    found = files.compare(final=AT)
    assert (found.word, found.labels) == ("not measured", 0)
    assert found.out == {"of a model": 120}


def test_what_a_label_has_to_be_to_count(files: Files) -> None:
    files.label("p0", "pass")
    files.label("p1", "pass", stage="revealed")
    files.label("p2", "pass", rubric="old")
    files.label("zz", "pass")
    files.judged[3] = verdict("p3", "?yyy", rubric=VERSION)
    files.label("p3", "pass")
    found = files.compare()
    assert found.labels == 1
    assert found.out == {
        "after the verdict was shown": 1,
        "of another text or rubric": 1,
        "on an unknown conversation": 1,
        "on an unjudged conversation": 1,
    }


def test_a_repeat_measures_the_labeller_and_is_no_second_label(files: Files) -> None:
    files.draw(20, 20)
    sample = files.labels[0]["sample"]
    files.label("p0", "fail", sample=sample)
    files.label("p1", "pass", sample=sample)
    files.label("p2", "fail", sample=sample, labeller={"name": "Bo", "kind": "person"})
    found = files.compare()
    assert found.labels == 40
    assert found.again is not None and (found.again.k, found.again.n) == (1, 2)
    assert found.others is not None and (found.others.k, found.others.n) == (0, 1)


def test_what_was_withdrawn_counts_nowhere_and_who_deferred_may_decide(files: Files) -> None:
    files.draw(20, 20)
    files.label("p0", "withdrawn")
    files.labels[1]["label"] = "defer"
    files.label("p1", "pass", sample={"design": "by verdict", "p": 20 / 300})
    files.label("p2", "fail", sample={"design": "by verdict", "p": 20 / 300, "repeat": True})
    files.label("p50", "pass", sample={"design": "by verdict", "p": 20 / 300, "repeat": True})
    found = files.compare()
    assert (found.labels, found.deferred, found.disagreements) == (39, 0, ())
    assert found.again is not None and (found.again.k, found.again.n) == (0, 1)


def test_a_second_reading_is_compared_though_the_verdict_was_shown_and_taking_it_back_leaves_the_first(files: Files) -> None:
    files.draw(20, 20)
    again = {"design": "by verdict", "p": 20 / 300, "repeat": True}
    files.label("p0", "fail", sample=again, stage="revealed")
    files.label("p0", "withdrawn", sample=again, stage="revealed")
    found = files.compare()
    assert (found.labels, found.out) == (40, {})
    assert found.again is not None and (found.again.k, found.again.n) == (0, 1)


def test_conversations_picked_by_hand_enter_no_estimate(files: Files) -> None:
    files.draw(20, 20)
    files.label("p99", "fail")
    found = files.compare()
    assert (found.labels, found.out) == (40, {"on a conversation picked by hand": 1})
    assert found.tpr is not None


def test_without_a_known_draw_nothing_is_estimated(files: Files) -> None:
    files.draw(20, 20)
    files.labels = [row | {"sample": {}} for row in files.labels]
    found = files.compare()
    assert (found.tpr, found.tnr, found.people, found.kappa) == (None, None, None, None)
    assert "do not say how their conversations were drawn" in found.reasons[0]
    stated = files.compare(design="by verdict")
    assert stated.drawn is not None and (stated.drawn.passed.pool, stated.drawn.failed.pool) == (300, 100)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sample": {"design": "near the threshold", "p": 0.5}}, "“near the threshold” is not a random draw"),
        ({"sample": {"design": "uniform", "p": 0.1}}, "two ways of drawing"),
        ({"sample": {"design": "by verdict", "p": 0.9}}, "with different chances"),
    ],
)
def test_a_draw_that_cannot_be_weighted_gives_no_figure(files: Files, change: dict[str, Any], words: str) -> None:
    files.draw(20, 20)
    files.labels[0] |= change
    if "near" in words:
        files.labels = [row | change for row in files.labels]
    found = files.compare()
    assert found.tpr is None
    assert words in found.reasons[0]


def reviewed(design: str, p: float) -> dict[str, Any]:
    return {"sample": {"design": design, "p": p}}


def test_a_draw_that_was_made_larger_or_stopped_half_way_weighs_right(files: Files) -> None:
    """As `review` draws: ten first, then fifty, of which not all were read."""
    for n in range(20):
        files.label(f"p{n}", "pass", **reviewed("strata-10/1" if n < 6 else "strata-50/1", 0.02 if n < 6 else 0.1))
    for n in range(12):
        files.label(f"f{n}", "fail", **reviewed("strata-10/1" if n < 4 else "strata-50/1", 0.04 if n < 4 else 0.2))
    found = files.compare()
    assert found.drawn is not None and found.tpr is not None
    assert (found.drawn.design, found.drawn.passed.pool, found.drawn.failed.pool) == ("by verdict", 300, 100)


def test_labels_drawn_by_another_judges_verdicts_give_no_figure(files: Files) -> None:
    for n in range(20):
        files.label(f"p{n}", "pass", **reviewed("strata-50/1", 0.1 if n % 2 else 0.3))
        files.label(f"f{n}", "fail", **reviewed("strata-50/1", 0.3))
    found = files.compare()
    assert found.tpr is None
    assert "so not by this verdict" in found.reasons[0]


def test_verdicts_on_the_labelled_conversations_alone_are_weighted_by_their_chances(files: Files) -> None:
    files.draw(30, 50)
    files.judged = [
        row for row in files.judged if int(row["conversation_id"][1:]) < (30 if row["conversation_id"][0] == "p" else 50)
    ]
    found = files.compare()
    assert found.drawn is not None and (found.drawn.passed.pool, found.drawn.failed.pool) == (300, 100)


def test_too_many_deferred_labels_are_no_picture_of_the_rest(files: Files) -> None:
    files.draw(20, 20)
    for row in files.labels[:9]:
        row["label"] = "defer"
    found = files.compare()
    assert (found.labels, found.deferred, found.tpr) == (31, 9, None)
    assert "22% of the labels are deferred" in found.reasons[0]


def test_two_judges_are_not_one(files: Files) -> None:
    files.draw(20, 20)
    files.judged.append(verdict("p0", judge="K", rubric=VERSION))
    with pytest.raises(UsageError, match="2 judges: J, K"):
        files.compare()
    assert files.compare(judge="J").labels == 40


def test_questions_are_counted_where_people_answered(files: Files) -> None:
    files.draw(30, 30)
    [question] = files.compare().questions
    assert (question.id, question.gate, question.no_found.k, question.no_found.n, question.yes_kept.k) == (
        IDS[0],
        True,
        30,
        30,
        30,
    )

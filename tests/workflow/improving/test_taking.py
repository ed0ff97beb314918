"""Taking an edit of each kind of clause: what changes, what is compiled anew, and the way back byte for byte."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from finetune_prep.core.improving.diagnosis import Clause, Diagnosis
from finetune_prep.core.improving.edit import Proposal
from finetune_prep.documents.generation_prompt import GUARDS, OUTPUT
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.phases.improving.splicing import copied, spliced
from finetune_prep.project.improving.runs import ImprovePlan, ImproveRun, begin, write_proposals
from finetune_prep.project.project import Project
from finetune_prep.workflow.improving.edited import edited
from finetune_prep.workflow.improving.edits import taken, views
from finetune_prep.workflow.improving.taking import back, leave, take, undo
from finetune_prep.workflow.improving.versions import versions
from tests.phases.pottery_shop import pottery_project, rewrite
from tests.workflow.reviewing.pilots import pilot_of

GENERATION = "generation-prompt"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    project = pottery_project(tmp_path / "shop")
    pilot_of(project, "ppffffpp")
    return project


def proposed(project: Project, clause: Clause, old: str, new: str, question: str = "FT4") -> ImproveRun:
    """A list with one edit."""
    diagnosis = Diagnosis(
        kind="question", question=question, says=f"{question} fails in 4 of 8 talks", failed=4, of=8, clause=clause, because="it is so"
    )  # fmt: skip
    plan = ImprovePlan(source="pilot-001", verdicts="", said="", documents={}, model={}, prompts={})
    run = ImproveRun(name="improve-001", folder=project.layout.runs / "improve-001", plan=plan)
    begin(run)
    write_proposals(run, [Proposal(number=1, diagnosis=diagnosis, state="proposed", old=old, new=new)])
    return run


def bytes_of(project: Project) -> dict[str, bytes]:
    folders = (project.folder / "prompts", project.folder / "reference")
    return {str(path): path.read_bytes() for folder in folders for path in sorted(folder.glob("*.md"))}


CLAUSES = [
    (Clause(document=GENERATION, item="GD2"), "name it first", "say who decides, and when"),
    (Clause(document=GENERATION, section=GUARDS, missing=True, counters=("FM2",)), "", "If a day is asked for → name the desk."),
    (Clause(document=GENERATION, section=OUTPUT), "at most twice the words", "at most the words"),
    (Clause(document=GENERATION, item="X2"), "Which part of the cup is broken?", "Which part is it?"),
    (Clause(document="domain-frameworks", item="DO2"), "on which day it answers", "by which day it answers"),
    (Clause(document="evaluation-rubric", item="NS1"), "Yes: names the kiln room", "Yes: names the kiln room or its desk"),
    (Clause(document="scenario-space", item="TP4.2"), "situation 2", "the second situation"),
    (Clause(document="evaluation-prompt", section="Role and context"), "You judge replies", "You judge the replies"),
]


@pytest.mark.parametrize(("clause", "old", "new"), CLAUSES, ids=lambda value: getattr(value, "place", None))
def test_an_edit_changes_its_clause_and_goes_back(shop: Project, clause: Clause, old: str, new: str) -> None:
    proposed(shop, clause, old, new)
    before = bytes_of(shop)
    done = asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))
    after = bytes_of(shop)
    compiled = {"domain-frameworks": GENERATION, "evaluation-rubric": "evaluation-prompt"}.get(clause.document, "")
    assert done.compiled == compiled
    changed = {Path(name).stem for name in before if before[name] != after[name]}
    assert changed == {clause.document, *filter(None, [compiled])}
    path = str(shop.layout.document(clause.document))
    assert new in after[path].decode().replace("\n", " ")
    if old and not clause.missing:
        assert after[path].decode() == before[path].decode().replace(old, new, 1) or before[path].decode().count(old) > 1
    assert not [part for part in shop.stale() if part.compiled]
    view = taken(shop)
    assert view is not None
    assert (view.state, view.by) == ("taken", "Ada Larch")
    asyncio.run(back(shop, "1", by="Ben Alder", interactive=True))
    assert bytes_of(shop) == before
    assert taken(shop) is None
    put_back, took = versions(shop)
    assert (put_back.act, took.act, took.edit) == ("back", "take", "improve-001/1")
    assert [pilot.run for pilot in took.pilots_before] == (["pilot-001"] if clause.document != "domain-frameworks" else [])
    assert took.pilots == ()


def test_an_anchor_reaches_the_prompt_whose_text_before_is_known(shop: Project) -> None:
    run = proposed(shop, Clause(document="domain-frameworks", item="DO2"), "on which day", "by which day")
    before = shop.layout.document(GENERATION).read_text("utf-8")
    asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))
    found = edited(shop, views(shop, run)[0])
    assert found.before == before
    assert "by which day it answers" in found.after
    assert "by which day" not in found.before


@pytest.mark.parametrize("document", ["evaluation-rubric", "scenario-space", "evaluation-prompt"])
def test_an_edit_of_the_measure_is_not_tried(shop: Project, document: str) -> None:
    clause, old, new = next(row for row in CLAUSES if row[0].document == document)
    run = proposed(shop, clause, old, new)
    asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))
    with pytest.raises(ActNeeded, match="so no trial of conversations can say whether it helped") as refused:
        edited(shop, views(shop, run)[0])
    assert "probe" in refused.value.next


def test_a_talk_is_not_copied_into_the_prompt_by_whoever_takes_it(shop: Project) -> None:
    """Even where the proposal's file says so: eight words of a talk of the pilot."""
    said = "We send a new bowl, number 3. It comes in two days."
    proposed(shop, Clause(document=GENERATION, item="GD2"), "name it first", said)
    before = bytes_of(shop)
    with pytest.raises(ActNeeded, match="copies words of a conversation into the prompt"):
        asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))
    assert bytes_of(shop) == before


def test_slips(shop: Project) -> None:
    proposed(shop, Clause(document=GENERATION, item="GD2"), "name it first", "say it first")
    with pytest.raises(UsageError, match="there is no edit 7"):
        leave(shop, "7", by="Ada Larch", interactive=True)
    with pytest.raises(UsageError, match="was never taken"):
        asyncio.run(back(shop, "1", by="Ada Larch", interactive=True))
    asyncio.run(take(shop, "improve-001/1", by="Ada Larch", interactive=True))
    with pytest.raises(ActNeeded, match="is taken already"):
        asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))


BROKEN = [
    (Clause(document=GENERATION, item="GD2"), "name it first", "x " * 81, "81 words; a clause has 80 at most"),
    (Clause(document=GENERATION, item="GD2"), "nowhere to be found", "x", "stand nowhere in the clause"),
    (Clause(document=GENERATION, item="GD2"), "e", "x", "stand several times in the clause"),
    (Clause(document=GENERATION, item="GD2"), "", "x", "Say in `old` which words"),
    (Clause(document=GENERATION, item="GD2"), "→ name it first", "", "cannot be read"),
    (Clause(document=GENERATION, item="GD9"), "a", "b", "does not stand in the document any more"),
    (Clause(document=GENERATION, section=GUARDS, missing=True), "", "be kinder", "cannot be read"),
    (Clause(document=GENERATION, section=GUARDS, missing=True), "", "", "changes nothing"),
    (Clause(document="evaluation-rubric", item="NS1"), "Yes: names the kiln room", "Yes: x\n- GX1: y", ""),
]


@pytest.mark.parametrize(("clause", "old", "new", "why"), BROKEN)
def test_what_cannot_stand_is_refused_with_a_reason(shop: Project, clause: Clause, old: str, new: str, why: str) -> None:
    """An edit is one line of one clause: a line break in it is a blank, so it cannot begin an item of its own."""
    text = shop.layout.document(clause.document).read_text("utf-8")
    if not why:
        assert "\n- GX1" not in spliced(text, clause, old, new)
        return
    with pytest.raises(ValueError, match=why):
        spliced(text, clause, old, new)


def test_what_a_trial_does_not_bear_out_goes_with_what_was_compiled(shop: Project) -> None:
    proposed(shop, Clause(document="domain-frameworks", item="DO2"), "on which day", "by which day")
    before = bytes_of(shop)
    asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))
    assert bytes_of(shop) != before
    assert undo(shop, "improve-001/1") == "domain-frameworks"
    assert bytes_of(shop) == before


def test_what_somebody_has_edited_since_is_left_alone(shop: Project) -> None:
    proposed(shop, Clause(document=GENERATION, item="GD2"), "name it first", "say it first")
    asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))
    rewrite(shop, GENERATION, "The kiln room decides about damage.", "The kiln room decides about all damage.")
    edited_by_hand = bytes_of(shop)
    assert undo(shop, "improve-001/1") == ""
    assert bytes_of(shop) == edited_by_hand
    assert taken(shop) is None


def test_eight_words_are_sixteen_signs_where_a_script_sets_no_blanks(shop: Project) -> None:
    said = "我们今天给您寄一个新的碗，窑房会在星期五之前给您答复。"
    assert copied(f"如果顾客来问，{said}", "", [said])
    assert not copied("我们今天给您寄一个新的碗", "", [said])
    with pytest.raises(ValueError, match="161 words; a clause has 160 at most"):
        spliced(shop.layout.document(GENERATION).read_text("utf-8"), CLAUSES[0][0], "name it first", "碗" * 161)


def test_decisions_about_a_list_that_was_deleted_speak_of_no_other(shop: Project) -> None:
    run = proposed(shop, *CLAUSES[0])
    leave(shop, "1", by="Ada Larch", interactive=True)
    assert views(shop, run)[0].state == "left"
    again = proposed(shop, *CLAUSES[0], question="FT2")
    assert views(shop, again)[0].state == "proposed"


@pytest.mark.parametrize(
    "new", ["If a day is asked for → name the desk.", "- GD5: If a day is asked for → name the desk. Counters: FM2"]
)
def test_a_missing_guard_gets_its_number_and_what_it_counters(shop: Project, new: str) -> None:
    """However much of an item's look its writer repeats."""
    text = shop.layout.document(GENERATION).read_text("utf-8")
    after = spliced(text, CLAUSES[1][0], "", new)
    assert after == text.replace(
        "  - Counters: FM4\n", "  - Counters: FM4\n- GD5: If a day is asked for → name the desk. Counters: FM2\n", 1
    )


def test_the_way_back_is_told_while_there_is_one(shop: Project) -> None:
    proposed(shop, *CLAUSES[0])
    asyncio.run(take(shop, "1", by="Ada Larch", interactive=True))
    assert [version.undone for version in versions(shop)] == [False]
    undo(shop, "improve-001/1")
    assert [version.undone for version in versions(shop)] == [True]

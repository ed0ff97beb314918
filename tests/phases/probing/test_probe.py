"""Probing the pottery shop's rubric, its models played by a script whose eyes are known."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.probe import changed_turns
from finetune_prep.core.request import Request
from finetune_prep.errors import Paused
from finetune_prep.models.providers.scripted import Answer, Scripted
from finetune_prep.phases.probing.probe import Probed, Sizes, Source, plant, probe
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project
from finetune_prep.statistics.probing.table import FailureTable, ProbeTable, QuestionRow
from finetune_prep.statistics.probing.words import Count
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.phases.probing.models import KNOWLEDGE, QUESTION, QUESTIONS, People, talks

SOURCE = Source(name="pilot-001", conversations=talks(12))
BROKEN_OFF = 150  # answers
SMALL = Sizes(gate=6, each=6, neutral=24)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    project = pottery_project(tmp_path / "shop")
    accept_all(project)
    return project


def run(shop: Project, script: Scripted, sizes: Sizes = SMALL, source: Source = SOURCE, *, failures: bool = False) -> Probed:
    async def job() -> Probed:
        async with open_session(shop, provider=script, agreed=True) as session:
            return await (plant(session, source) if failures else probe(session, sizes, source))

    return asyncio.run(job())


def rows(found: Probed) -> dict[str, QuestionRow]:
    assert isinstance(found.table, ProbeTable)
    return {row.id: row for row in found.table.questions}


def test_each_question_gets_the_word_that_its_eyes_deserve(shop: Project) -> None:
    people = People(blind=["SF2", "CP1"], half=["NS1"])
    found = rows(run(shop, Scripted(people.answer)))
    words = {id: row.word for id, row in found.items()}
    assert words["SF2"] == words["CP1"] == "blind"
    assert words["NS1"] == "half-sees"
    assert words["CP2"] == words["FT1"] == "sees"
    assert words["SF1"] == "not measured"  # six of six, and the gate takes sixteen
    assert found["SF1"].seen == found["CP2"].seen
    assert (found["SF1"].wanted, found["SF1"].needed) == (6, 16)
    assert found["NS1"].by_kind["slight"] == Count(0, 2)
    assert found["NS1"].by_kind["plain"].k == found["NS1"].by_kind["plain"].n > 0
    assert found["CP2"].quoted == Count(6, 6)
    assert not any(row.alarms_easily for row in found.values())


def test_the_gate_sees_with_sixteen(shop: Project) -> None:
    found = rows(run(shop, Scripted(People().answer), Sizes(gate=16, each=6, neutral=0)))
    assert {id: row.word for id, row in found.items() if row.gate} == {"SF1": "sees", "SF2": "sees", "SF3": "sees"}
    assert (found["SF1"].seen.k, found["SF1"].seen.n) == (16, 16)


def test_who_writes_and_who_verifies_never_reads_the_question(shop: Project) -> None:
    script = Scripted(People().answer)
    run(shop, script)
    others = [request for request in script.asked if request.schema and request.schema.name != "verdict"]
    assert {request.role for request in others} == {"expert", "verifier"}
    for request in others:
        said = " ".join(message.content for message in request.messages)
        assert not [question.id for question in QUESTIONS if question.text in said]


def test_the_edited_version_stands_first_about_as_often_as_second(shop: Project) -> None:
    script = Scripted(People().answer)
    run(shop, script)
    asked = [request.messages[-1].content for request in script.asked if request.schema and request.schema.name == "probe-verify"]
    first = sum("«fails" in text.partition("# The second version")[0] for text in asked)
    assert 0.3 < first / len(asked) < 0.7


def test_one_message_changes_and_nothing_else(shop: Project) -> None:
    found = run(shop, Scripted(People().answer))
    bases = {conversation.id: conversation for conversation in SOURCE.conversations}
    for trial in found.trials:
        assert trial.conversation is not None
        assert changed_turns(bases[trial.edit.base], trial.conversation) == (trial.edit.turn,)


def test_what_is_no_fault_is_counted_and_never_scored(shop: Project) -> None:
    """The writer makes nothing of one anchor that the verifier would call a failure: the judge is not asked about it."""
    useless = next(anchor.text for anchor in KNOWLEDGE.always if anchor.id == "DO4")
    script = Scripted(People(useless=[useless]).answer)
    found = rows(run(shop, script))
    assert found["CP2"].word == "not measured"
    assert (found["CP2"].seen.n, found["CP2"].invalid) == (0, 12)  # as many again are tried
    judged = [request.messages[-1].content for request in script.asked if request.role == "judge"]
    assert not [text for text in judged if useless in text]


def test_a_question_worded_past_its_fault_is_blind_and_not_unmeasured(shop: Project) -> None:
    """The verifier goes by the anchor: its word makes the edit count, and the judge, who goes by the question, misses it."""
    found = rows(run(shop, Scripted(People(blind=["NS3"]).answer)))
    assert (found["NS3"].word, found["NS3"].invalid) == ("blind", 0)


def test_alarms_and_halos_are_named(shop: Project) -> None:
    people = People(jumpy=["FT2"], halo={"CP2": "NS2"})
    found = rows(run(shop, Scripted(people.answer)))
    assert [id for id, row in found.items() if row.alarms_easily] == ["FT2"]
    assert found["FT2"].placebo.k == 0
    assert found["CP2"].mixes_with == ("NS2",)
    assert [id for id, row in found.items() if row.mixes_with] == ["CP2"]


def test_what_cannot_be_broken_alone_is_no_halo(shop: Project) -> None:
    """The verifier, asked twice about both versions, finds each time that the other question moved, too."""
    script = Scripted(People(joined={"CP2": "NS2"}).answer)
    found = rows(run(shop, script))
    assert (found["CP2"].not_alone, found["CP2"].mixes_with, found["CP2"].word) == (("NS2",), (), "sees")
    looks = [request for request in script.asked if request.origin.about == "probe-others"]
    assert {request.role for request in looks} == {"verifier"}
    assert {request.sample for request in looks} == {"probe-verifier-1", "probe-verifier-2"}
    judged = {request.key for request in script.asked if request.role == "judge"}
    assert not judged & {request.key for request in looks}  # although writer, verifier and judge are one model here


def test_without_its_occasion_a_question_is_not_applicable(shop: Project) -> None:
    found = rows(run(shop, Scripted(People().answer)))
    assert {id: row.na for id, row in found.items() if QUESTION[id].na} == {id: Count(3, 3) for id in QUESTION if QUESTION[id].na}
    assert found["CP1"].na is None


def test_a_judge_that_goes_on_answering_without_an_occasion_is_seen(tmp_path: Path) -> None:
    project = pottery_project(tmp_path / "other")
    accept_all(project)
    found = rows(run(project, Scripted(People(never_na=True).answer)))
    assert found["CP3"].na == Count(0, 3)


def test_only_what_is_yes_twice_is_broken(shop: Project) -> None:
    """The second judgement of half of the conversations says NO to one question: they are no ground for its probes."""

    def answer(request: Request) -> Answer:
        said = People().answer(request)
        if (
            request.sample == "probe-again"
            and request.role == "judge"
            and any(f"number {n} " in str(request.messages[-1]) for n in range(6))
        ):
            given = json.loads(str(said))
            given["CP1"]["answer"] = "NO"
            return json.dumps(given)
        return said

    found = run(shop, Scripted(answer))
    fit = {conversation.id for conversation in SOURCE.conversations[6:]}
    bases = {trial.edit.base for trial in found.trials if trial.edit.target == "CP1"}
    assert bases
    assert bases <= fit
    assert rows(found)["CP1"].word == "sees"


def test_what_was_paid_for_is_not_asked_again(shop: Project) -> None:
    """A run that breaks off goes on where it was."""
    calls = 0

    def failing(request: Request) -> Answer:
        nonlocal calls
        calls += 1
        return Paused("the credit is used up") if calls > BROKEN_OFF else People().answer(request)

    half = Scripted(failing)
    with pytest.raises(Paused):
        run(shop, half)
    rest = Scripted(People().answer)
    found = run(shop, rest)
    asked = Counter(request.key for request in (*half.asked[:BROKEN_OFF], *rest.asked))
    assert set(asked.values()) == {1}
    assert found.run.name == "probe-001"
    written = [path.read_bytes() for path in (found.run.trials_path, found.run.result_path)]
    again = Scripted([])
    assert run(shop, again).table == found.table
    assert again.asked == []
    assert [path.read_bytes() for path in (found.run.trials_path, found.run.result_path)] == written


def test_a_killed_run_comes_to_the_same_end(tmp_path: Path) -> None:
    """The process is gone in the middle of an answer; what was on disk is not asked again, and the files are the same bytes."""
    whole, killed = (pottery_project(tmp_path / name) for name in ("whole", "killed"))
    for project in (whole, killed):
        accept_all(project)
    all_of_it = Scripted(People(half=["NS1"]).answer)
    expected = run(whole, all_of_it)
    child = os.fork()
    if not child:
        calls = iter(range(BROKEN_OFF))
        run(
            killed,
            Scripted(lambda request: People(half=["NS1"]).answer(request) if next(calls, None) is not None else os._exit(9)),
        )
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not (killed.layout.runs / "probe-001" / "result.json").exists()
    rest = Scripted(People(half=["NS1"]).answer)
    found = run(killed, rest)
    assert 0 < len(rest.asked) < len(all_of_it.asked)
    assert found.run.trials_path.read_bytes() == expected.run.trials_path.read_bytes()
    assert found.run.result_path.read_bytes() == expected.run.result_path.read_bytes()


def test_planted_failures_and_the_hole_of_the_rubric(shop: Project) -> None:
    """Each failure mode, NEVER anchor and common failure once; what no question sees is the hole, with its conversation."""
    found = run(shop, Scripted(People(blind=["SF1"]).answer), failures=True)
    assert isinstance(found.table, FailureTable)
    table = {row.id: row for row in found.table.failures}
    assert {f"FM{n}" for n in range(1, 5)} | {f"DONT{n}" for n in range(1, 9)} | {f"AF{n}" for n in range(1, 14)} == set(table)
    assert all(row.planted for row in table.values())
    assert table["DONT1"].seen_by == ("SF2",)
    assert table["DONT1"].seen_as_named
    assert table["DONT1"].rejected
    assert table["DONT1"].kept_out
    assert table["DONT1"].severity == "serious"
    assert table["DONT2"].hole  # only the blind one asks about it
    assert table["DONT2"].named == ("SF1",)
    assert table["AF3"].named == ()
    assert table["AF3"].set_aside == "nobody has met it here"
    assert (table["AF11"].severity, table["AF11"].set_aside) == ("critical", "")  # made concrete by a critical failure mode
    trial = next(trial for trial in found.trials if trial.edit.id == table["DONT2"].trial)
    assert trial.conversation is not None
    assert "«fails" in trial.conversation.messages[trial.edit.turn - 1].content


def test_a_failure_that_cannot_be_written_is_said_to_be_so(shop: Project) -> None:
    def answer(request: Request) -> Answer:
        if request.schema and request.schema.name == "probe-break" and "writes too much" in request.messages[-1].content:
            return json.dumps({"cannot": "The message has to stay as long as it is.", "message": ""})
        return People().answer(request)

    found = run(shop, Scripted(answer), failures=True)
    assert isinstance(found.table, FailureTable)
    row = next(row for row in found.table.failures if row.id == "AF8")
    assert (row.planted, row.hole) == (False, False)
    assert "The message has to stay as long as it is." in row.why


def test_the_program_finds_a_contact_that_nobody_gave(shop: Project) -> None:
    def answer(request: Request) -> Answer:
        if request.schema and request.schema.name == "probe-break" and "invents facts" in request.messages[-1].content:
            return json.dumps({"cannot": "", "message": "Write to help@elsewhere.example. «fails: it»"})
        return People().answer(request)

    found = run(shop, Scripted(answer), failures=True)
    assert isinstance(found.table, FailureTable)
    row = next(row for row in found.table.failures if row.id == "AF1")
    assert (row.rejected, row.kept_out, row.hole) == (True, True, False)
    assert "help@elsewhere.example" in row.why


@pytest.mark.parametrize("message", ["", "Assistant: Of course.", "<think>break it</think> Of course."])
def test_what_is_no_message_is_asked_for_again_and_then_counts_as_invalid(shop: Project, message: str) -> None:
    def answer(request: Request) -> Answer:
        if request.schema and request.schema.name == "probe-break":
            return json.dumps({"cannot": "", "message": message})
        return People().answer(request)

    found: Any = rows(
        run(shop, Scripted(answer), Sizes(gate=1, each=1, neutral=0), Source(name="few-shots", conversations=talks(1)))
    )
    assert found["CP1"].invalid == 2
    assert found["CP1"].word == "not measured"


def test_the_verifier_is_not_asked_about_what_the_program_measures(shop: Project) -> None:
    """An edit makes a reply longer than the rubric measures: no verifier can say more about that than the program."""

    def answer(request: Request) -> Answer:
        said = People().answer(request)
        if request.schema and request.schema.name == "probe-break" and "Name the reported fault" in request.messages[-1].content:
            return str(said).replace('"message": "', '"message": "' + "Well, " * 90)
        return said

    script = Scripted(answer)
    found = run(shop, script)
    long = [trial for trial in found.trials if (trial.edit.target, trial.edit.subject) == ("CP1", "DO1")]
    assert long
    assert {trial.answers["FT4"] for trial in long} == {"no"}
    assert not [
        request for request in script.asked if request.origin.about == "probe-others" and "Well, Well" in str(request.messages)
    ]

"""The verdict on a pilot: 24 projects with a known cause, as many without one, and what each sentence names."""

from __future__ import annotations

import msgspec
import pytest

from finetune_prep.workflow.diagnosing.diagnosis import Cause, Seen, diagnose
from tests.gates import pottery
from tests.workflow.diagnosing.simulated import (
    asks_too_little,
    hardly_applies,
    hardly_met,
    nobody_can_help,
    readers,
    simulated,
    too_strict,
    wrong_way_round,
)

KNOWN: list[tuple[Cause, str, Seen]] = [
    *(("prompt", id, simulated(10 + at, asks_too_little(id))) for at, id in enumerate(("SF1", "SF2", "SF3", "NS1", "NS2", "CP2"))),
    *(("rubric", id, simulated(20 + at, wrong_way_round(id))) for at, id in enumerate(("CP1", "NS2"))),
    *(("rubric", id, simulated(30 + at, hardly_met(id))) for at, id in enumerate(("SF2", "FT1"))),
    ("rubric", "CP2", simulated(40, hardly_applies("CP2"))),
    ("rubric", "SF3", simulated(41, probes={"SF1": "sees", "SF2": "half-sees", "SF3": "blind"})),
    *(("space", f"TP{n}/normal", simulated(50 + n, nobody_can_help(f"TP{n}/normal"))) for n in range(1, 6)),
    ("space", "TP5/edge", simulated(56, nobody_can_help("TP5/edge"))),
    *(("judge", "", simulated(60 + at, unreadable=share)) for at, share in enumerate((0.15, 0.3))),
    *(("judge", "", simulated(70 + at, unfounded=share)) for at, share in enumerate((0.5, 0.8))),
    ("judge", "", simulated(80, people=readers(passed=(3, 9), failed=(1, 1)))),
    ("judge", "", simulated(81, too_strict, people=readers(passed=(6, 6), failed=(1, 6)))),
]  # fmt: skip


def test_of_projects_with_a_known_cause_it_is_named_with_the_right_item() -> None:
    right = 0
    for cause, about, seen in KNOWN:
        found = diagnose(seen)
        hit = found.cause == cause and (not about or about in found.about)
        right += hit
        print(f"{'ok ' if hit else 'NOT'} {cause} {about}: {found.cause} {found.about} – {found.said}")
        if hit and cause != "space":
            assert found.shown_by or seen.people.read, "conversations that show it are named"
    print(f"{right} of {len(KNOWN)}")
    assert len(KNOWN) == 24
    assert right >= 20


def test_sound_projects_are_ready() -> None:
    found = [diagnose(simulated(1000 + seed)) for seed in range(48)]
    ready = sum(one.cause == "ready" for one in found)
    print(f"{ready} of {len(found)} ready; others: {[one.said for one in found if one.cause != 'ready']}")
    assert ready >= 46


def test_the_guard_of_the_failure_is_named_or_that_there_is_none() -> None:
    seen = simulated(10, asks_too_little("SF1"))
    found = diagnose(seen)
    counters = {guard.id for guard in pottery.generation_prompt().guards if "FM4" in guard.counters}
    assert counters & {*found.about}
    assert found.said.startswith(f"Strengthen guard {', '.join(found.about[1:])} in the generation prompt: ")
    rejected = [row for row in seen.rows if row.state == "rejected"]
    assert f"{sum('SF1' in row.failed for row in rejected)} of the {len(rejected)} that were rejected failed SF1" in found.said


def test_a_question_that_passed_conversations_failed_too_is_counted_on_either_side() -> None:
    """So that the figure is the one of `improve`, which counts all that were judged."""
    rejected = simulated(10, asks_too_little("SF1"))
    rows = list(rejected.rows)
    place = next(n for n, row in enumerate(rows) if row.state == "accepted")
    rows[place] = msgspec.structs.replace(rows[place], state="flawed", failed=("SF1",))
    said = diagnose(msgspec.structs.replace(rejected, rows=rows)).said
    assert said.endswith(" Of the other judged conversations, 1 failed it, too.")


def test_what_a_reader_missed_comes_before_the_prompt() -> None:
    found = diagnose(simulated(10, asks_too_little("SF1"), people=readers(missed=("promises a refund", "talks down"))))
    assert found.cause == "failure mode"
    assert found.said.startswith("Add a failure mode: a reader saw what no document holds, “promises a refund”, and 1 more.")


def test_where_people_pass_what_one_question_fails_it_is_the_question() -> None:
    found = diagnose(simulated(10, asks_too_little("SF2"), people=readers(passed=(5, 5), failed=(0, 5))))
    assert (found.cause, found.about) == ("rubric", ("SF2",))


@pytest.mark.parametrize("n", [1, 4, 9])
def test_a_handful_names_no_cause(n: int) -> None:
    assert diagnose(simulated(1, n=n)).cause == "too few"


def test_a_small_pilot_is_ready_for_the_one_that_counts() -> None:
    assert diagnose(simulated(3, n=40)).said.startswith("Ready for a pilot of 100")


def test_a_small_pilot_beside_a_large_one_leads_to_that() -> None:
    """It asks for no pilot that is there already, and does not hide what keeps conversations out of the rows."""
    small = simulated(3, n=40)
    states = small.account.states | {"flawed": 6, "accepted": small.account.states["accepted"] - 6}
    small = msgspec.structs.replace(small, account=msgspec.structs.replace(small.account, states=states))
    assert " passed (6 of them flawed), and no single cause stands out" in diagnose(small).said
    said = diagnose(msgspec.structs.replace(small, larger="pilot-001 of 100")).said
    assert said.startswith("pilot-001 of 100 says more: ")
    assert said.endswith(" passed here (6 of them flawed), and no single cause stands out.")

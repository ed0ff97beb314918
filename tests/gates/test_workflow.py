"""Gates that look at what happened: order, pilot, spot-check, scaling."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep import gates
from finetune_prep.core.finding import Outcome
from finetune_prep.core.sample import STATES, Account, State
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.gates import Facts, check
from finetune_prep.gates.workflow import Bite
from finetune_prep.method.gates import GATES
from finetune_prep.method.phases import PHASES


def account(planned: int | None = None, **counts: int) -> Account:
    states: dict[State, int] = {state: counts.get(state.replace(" ", "_"), 0) for state in STATES}
    return Account(planned=sum(states.values()) if planned is None else planned, states=states)


def probed(**words: str) -> Bite:
    return Bite(words=words, tried=dict.fromkeys(words, 16), run="runs/probe-001", rubric="r1")


ALL = frozenset(KINDS)
DONE = Facts(
    present=ALL,
    accepted=dict.fromkeys(ALL, "a reader"),
    pilot=account(accepted=74, rejected=20, faulty=2, duplicate=1, failed=3),
    reviewed=10,
    scaled=account(accepted=2400, rejected=700),
    scaled_reviewed=50,
    audited=(),
    bite=probed(SF1="sees", SF2="half-sees"),
)


def outcome(gate: str, facts: Facts) -> Outcome:
    return next(outcome for outcome in check(Documents(), facts, phases=["workflow"]) if outcome.gate == f"workflow.{gate}")


def changed(**changes: object) -> Facts:
    return msgspec.structs.replace(DONE, **changes)


COMPUTED = [gate.id.partition(".")[2] for gate in GATES if gate.phase == "workflow" and gate.kind == "computed"]


@pytest.mark.parametrize("gate", COMPUTED)
def test_a_finished_project_holds(gate: str) -> None:
    assert outcome(gate, DONE).answer == "holds"


CASES: list[tuple[str, Facts, list[str]]] = [
    (
        "phase-order",
        changed(present=frozenset({"brief", "domain-frameworks", "scenario-space", "generation-prompt"})),
        [
            "prompts/generation-prompt.md: written before reference/evaluation-rubric.md exists",
            "prompts/generation-prompt.md: written before prompts/evaluation-prompt.md exists",
        ],
    ),
    (
        "phase-order",
        changed(accepted=dict.fromkeys(ALL - {"evaluation-rubric"}, "a reader"), present=ALL - {"user-prompt", "system-prompt"}),
        [
            "prompts/evaluation-prompt.md: rests on reference/evaluation-rubric.md, which nobody has accepted as it stands",
            "prompts/generation-prompt.md: rests on reference/evaluation-rubric.md, which nobody has accepted as it stands",
        ],
    ),
    (
        "gate-probed",
        changed(bite=probed(SF1="sees", SF2="blind")),
        ["reference/evaluation-rubric.md: SF2 is blind: it saw none of 16 faults that were planted for it (runs/probe-001)"],
    ),
    ("pilot-size", changed(pilot=account(accepted=99)), ["runs/pilot-001: the pilot planned 99 scenarios"]),
    (
        "account-sums",
        changed(pilot=account(planned=100, accepted=98)),
        ["runs/pilot-001: 100 scenarios were planned and 98 are accounted for"],
    ),
    (
        "account-sums",
        changed(scaled=account(planned=2000, accepted=2001)),
        ["runs/scale-001: 2000 scenarios were planned and 2001 are accounted for"],
    ),
    (
        "missing-is-not-no",
        changed(pilot=account(accepted=99, unjudged=1)),
        ["runs/pilot-001: 1 conversation has no verdict, and missing is not NO"],
    ),
    (
        "missing-is-not-no",
        changed(pilot=account(accepted=97, unjudged=3), settled=1),
        ["runs/pilot-001: 2 conversations have no verdict, and missing is not NO"],
    ),
    (
        "pass-rate",
        changed(pilot=account(accepted=70, rejected=30)),
        ["runs/pilot-001: 70 of 100 passed (70%), not more than 70%"],
    ),
    (
        "pass-rate",
        changed(pilot=account(accepted=10, rejected=35, not_run=55)),
        ["runs/pilot-001: 10 of 100 passed (10%), not more than 70% even if the 55 outstanding passed"],
    ),
    ("spot-check", changed(reviewed=9), ["runs/pilot-001: a person has read 9 conversations"]),
    (
        "missed-failures",
        changed(missed=("answers in French",)),
        ["runs/pilot-001: a reviewer saw a failure that no document holds: “answers in French”"],
    ),
    ("same-prompts", changed(changed=("generation-prompt",)), ["prompts/generation-prompt.md: changed since runs/pilot-001"]),
    (
        "same-prompts",
        changed(way="one-call"),
        ["runs/pilot-001: its conversations were made by the way turns, and the project is set to one-call"],
    ),
    ("scale-size", changed(scaled=account(accepted=1999)), ["runs/scale-001: 1,999 samples are accepted"]),
    (
        "scale-audited",
        changed(audited=("3 rows hold characters that nobody sees",)),
        ["runs/scale-001: 3 rows hold characters that nobody sees"],
    ),
    (
        "scale-checked",
        changed(scaled_reviewed=49),
        ["runs/scale-001: a person has labelled 49 of its conversations, and 2,400 rows ask for 50"],
    ),
]


@pytest.mark.parametrize(("gate", "facts", "whats"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_what_went_wrong_is_said(gate: str, facts: Facts, whats: list[str]) -> None:
    answer = outcome(gate, facts)
    assert answer.answer == "fails"
    assert [f"{finding.path}: {finding.what}" for finding in answer.findings] == whats
    assert all(finding.fix for finding in answer.findings)


def test_every_computed_gate_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(COMPUTED)


@pytest.mark.parametrize("gate", [gate for gate in COMPUTED if gate not in ("phase-order", "scale-checked", "scale-audited")])
def test_before_anything_ran_nothing_holds(gate: str) -> None:
    answer = outcome(gate, Facts())
    assert answer.answer == "unchecked"
    assert "finetune-prep" in answer.note


def test_a_pilot_alone_is_asked_for_no_labels_of_what_was_never_scaled() -> None:
    assert outcome("scale-checked", Facts()).answer == "holds"
    assert outcome("scale-audited", Facts()).answer == "holds"


def test_rows_that_nobody_audited_are_no_sound_rows() -> None:
    assert outcome("scale-audited", changed(audited=None)).answer == "unchecked"


def test_failures_that_nobody_looked_for_are_not_known() -> None:
    """It speaks of the pilot, so that a person's decision about it ends with the next one."""
    answer = outcome("missed-failures", changed(reviewed=0))
    assert (answer.answer, answer.about) == ("unchecked", "runs/pilot-001")
    assert gates.may_override(answer, Documents())
    other = outcome("missed-failures", changed(reviewed=0, pilot_path="runs/pilot-002"))
    assert gates.binding(answer, Documents()) != gates.binding(other, Documents())
    assert not gates.may_override(outcome("missed-failures", Facts()), Documents())


@pytest.mark.parametrize(
    ("pilot", "note"),
    [
        (None, "nothing has been scaled yet; a pilot has to pass first: `finetune-prep pilot`"),
        (account(rejected=100), "nothing has been scaled yet; `finetune-prep scale` does it once the pilot has passed"),
    ],
)
def test_what_comes_before_scaling_is_what_is_missing(pilot: Account | None, note: str) -> None:
    assert outcome("scale-size", Facts(pilot=pilot)).note == note


def test_a_question_of_the_gate_that_nobody_probed_is_not_known() -> None:
    """A person's decision about it speaks of these questions and this rubric, and ends with either."""
    answer = outcome("gate-probed", changed(bite=probed(SF1="sees", SF2="not measured")))
    assert (answer.answer, answer.note) == (
        "unchecked",
        "SF2 has not been probed yet; run `finetune-prep probe`, which plants faults to see whether they are caught",
    )
    assert gates.may_override(answer, Documents())
    for bite in (
        probed(SF1="not measured", SF2="not measured"),
        msgspec.structs.replace(probed(SF2="not measured"), rubric="r2"),
    ):
        other = outcome("gate-probed", changed(bite=bite))
        assert gates.binding(answer, Documents()) != gates.binding(other, Documents())
    assert not gates.may_override(outcome("gate-probed", Facts()), Documents())


def test_a_waiver_of_a_blind_question_does_not_cover_one_that_is_not_measured() -> None:
    one = outcome("gate-probed", changed(bite=probed(SF1="sees", SF2="blind")))
    both = outcome("gate-probed", changed(bite=probed(SF1="not measured", SF2="blind")))
    assert (one.answer, both.answer) == ("fails", "fails")
    assert gates.binding(one, Documents()) != gates.binding(both, Documents())


def test_a_gate_that_the_program_measures_needs_no_probe() -> None:
    assert outcome("gate-probed", changed(bite=probed())).answer == "holds"


def test_without_facts_the_workflow_is_unchecked() -> None:
    answers = {outcome.answer for outcome in check(Documents(), phases=["workflow"])}
    assert answers == {"unchecked"}


@given(accepted=st.integers(0, 150), rejected=st.integers(0, 150), failed=st.integers(0, 50), unjudged=st.integers(0, 5))
def test_pass_rate_never_counts_missing_as_no(accepted: int, rejected: int, failed: int, unjudged: int) -> None:
    """It holds only if everything is judged and more than 70% passed; it fails only if no outstanding verdict could help."""
    answer = outcome(
        "pass-rate", changed(pilot=account(accepted=accepted, rejected=rejected, failed=failed, unjudged=unjudged))
    ).answer
    counted = accepted + rejected + unjudged
    if answer == "holds":
        assert not unjudged
        assert 10 * accepted > 7 * counted
    elif answer == "fails":
        assert 10 * (accepted + unjudged) <= 7 * counted
    else:
        assert unjudged or not counted


def test_documents_made_in_order_are_in_order() -> None:
    """After each phase, with everything accepted on the way, the order holds; the same documents unaccepted break it."""
    present = {"brief"}
    for phase in PHASES:
        present |= set(phase.outputs)
        assert outcome("phase-order", Facts(present=frozenset(present), accepted=frozenset(present))).answer == "holds"
        broken = outcome("phase-order", Facts(present=frozenset(present)))
        assert (broken.answer == "fails") == any(earlier.accepted for earlier in PHASES[: PHASES.index(phase) + 1])


def test_figures_of_a_pilot_that_is_stale_prove_nothing() -> None:
    answer = outcome("pass-rate", changed(pilot_stale=("JU1 changed in reference/evaluation-rubric.md since",)))
    assert answer.answer == "unchecked"
    assert "runs/pilot-001 is stale: JU1 changed" in answer.note
    assert gates.may_override(answer, Documents())


def test_what_was_scaled_before_the_documents_changed_is_named() -> None:
    answer = outcome("scale-size", changed(scaled=None, scaled_stale="runs/scale-001"))
    assert answer.answer == "unchecked"
    assert answer.note.startswith(
        "nothing has been scaled from the present documents: runs/scale-001 was made before they changed"
    )
    assert "nothing has been scaled yet" in outcome("scale-size", changed(scaled=None)).note

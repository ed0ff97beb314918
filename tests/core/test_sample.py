"""What became of every planned scenario: each is in exactly one state, and only the order of the plan decides."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.rubric import Score
from finetune_prep.core.sample import PASSED, STATES, Sample, State, account, fold, judged_sample
from finetune_prep.core.verdict import CASE, Judgement, Verdict
from tests.core.scenarios.test_drawing import SPACE, plan
from tests.soak import examples

laws = settings(max_examples=examples(40))
SCENARIOS = plan(SPACE, 12, 1)
conversations = st.sampled_from(["a", "b", "c"]).map(
    lambda text: Conversation((Message("user", text), Message("assistant", text)))
)


@st.composite
def sample_lists(draw: st.DrawFn) -> list[Sample]:
    return [
        Sample(scenario=scenario, state=draw(st.sampled_from(STATES)), conversation=draw(st.none() | conversations))
        for scenario in SCENARIOS[: draw(st.integers(0, 12))]
    ]


@laws
@given(sample_lists())
def test_folding_keeps_length_order_and_all_but_the_state_of_repeated_rows(samples: list[Sample]) -> None:
    settled = fold(samples)
    assert len(settled) == len(samples)
    seen: set[str] = set()
    for before, after in zip(samples, settled, strict=True):
        repeats = before.state in PASSED and before.conversation is not None and before.conversation.id in seen
        assert after == (msgspec.structs.replace(before, state="duplicate") if repeats else before)
        if before.state in PASSED and before.conversation is not None:
            seen.add(before.conversation.id)


@laws
@given(sample_lists())
def test_folding_again_changes_nothing(samples: list[Sample]) -> None:
    assert fold(fold(samples)) == fold(samples)


@laws
@given(sample_lists())
def test_no_conversation_passes_twice(samples: list[Sample]) -> None:
    passed = [sample.conversation for sample in fold(samples) if sample.state in PASSED and sample.conversation]
    assert len({conversation.id for conversation in passed}) == len(passed)


@laws
@given(sample_lists())
def test_the_states_of_an_account_sum_to_the_plan(samples: list[Sample]) -> None:
    result = account(fold(samples))
    assert result.planned == len(samples) == sum(result.states.values())
    assert tuple(result.states) == STATES


@pytest.mark.parametrize("state", STATES)
def test_an_account_is_settled_when_nothing_is_outstanding(state: State) -> None:
    result = account([Sample(scenario=SCENARIOS[0], state=state), Sample(scenario=SCENARIOS[1], state="accepted")])
    assert result.settled is (state not in {"waiting", "not run"})


TALK = Conversation(
    (Message("user", "The bowl came cracked."), Message("assistant", "Cracked on arrival: that is ours to mend."))
)
VERDICT = Verdict(conversation=TALK.id, rubric="r", judge="larch-1", answers={}, missing="")


def test_a_passing_score_makes_an_accepted_sample_and_a_failing_one_a_rejected_sample_with_its_questions() -> None:
    passed = judged_sample(SCENARIOS[0], TALK, VERDICT, Score(value=0.8, passed=True, categories={}, failed=("CP2",)))
    failed = judged_sample(SCENARIOS[0], TALK, VERDICT, Score(value=0.5, passed=False, categories={}, failed=("CP1", "CP2")))
    assert (passed.state, passed.score, passed.failed, passed.fault) == ("accepted", 0.8, ("CP2",), "")
    assert (failed.state, failed.score, failed.failed, failed.fault) == ("rejected", 0.5, ("CP1", "CP2"), "")


def test_what_passed_is_flawed_where_a_grave_question_was_answered_no() -> None:
    score = Score(value=0.8, passed=True, categories={}, failed=("CP2",))
    assert judged_sample(SCENARIOS[0], TALK, VERDICT, score, grave=frozenset({"CP2"})).state == "flawed"
    assert judged_sample(SCENARIOS[0], TALK, VERDICT, score, grave=frozenset({"CP1"})).state == "accepted"
    failed = Score(value=0.5, passed=False, categories={}, failed=("CP2",))
    assert judged_sample(SCENARIOS[0], TALK, VERDICT, failed, grave=frozenset({"CP2"})).state == "rejected"


def test_what_its_case_asks_for_and_was_not_done_rejects_a_conversation_that_passed() -> None:
    score = Score(value=1.0, passed=True, categories={})
    undone = msgspec.structs.replace(VERDICT, case=Judgement("no", "none"))
    done = msgspec.structs.replace(VERDICT, case=Judgement("yes", "ours to mend"))
    sample = judged_sample(SCENARIOS[0], TALK, undone, score)
    assert (sample.state, sample.failed, sample.fault) == ("rejected", (CASE,), "")
    assert judged_sample(SCENARIOS[0], TALK, done, score).state == "accepted"


def test_passed_is_what_is_accepted_flawed_or_surplus() -> None:
    result = account(Sample(scenario=SCENARIOS[0], state=state) for state in STATES)
    assert (result.passed, result.judged, result.unjudged) == (3, 5, 1)


def test_a_missing_score_makes_an_unjudged_sample_with_the_reason() -> None:
    verdict = msgspec.structs.replace(VERDICT, missing="truncated")
    sample = judged_sample(SCENARIOS[0], TALK, verdict, None)
    assert (sample.state, sample.score, sample.fault) == ("unjudged", None, "truncated")


def test_a_rejection_to_which_no_question_applied_says_so() -> None:
    """Otherwise the row would be rejected without a question to look at."""
    sample = judged_sample(SCENARIOS[0], TALK, VERDICT, Score(value=None, passed=False, categories={}))
    assert (sample.state, sample.fault) == ("rejected", "no question of the score applied")


def test_a_sample_survives_its_row_of_json() -> None:
    sample = Sample(scenario=SCENARIOS[0], state="rejected", conversation=TALK, score=0.5, failed=("CP1",), fault="–")
    assert msgspec.json.decode(msgspec.json.encode(sample), type=Sample) == sample

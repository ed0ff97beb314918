"""Asking all gates, overriding some of them, and the ten success criteria."""

from __future__ import annotations

import re

import msgspec
import pytest

from finetune_prep.core.finding import Outcome
from finetune_prep.core.prompts import Brief
from finetune_prep.documents.kinds import Documents, parse
from finetune_prep.gates import Facts, binding, bindings, check, may_override, override, success_criteria
from finetune_prep.method.gates import GATES, NEVER_OVERRIDDEN
from tests.gates.pottery import BRIEF, broken, document, having, sound
from tests.gates.test_parsed import written
from tests.gates.test_workflow import DONE


def outcome(gate: str, documents: Documents) -> Outcome:
    return next(outcome for outcome in check(documents) if outcome.gate == gate)


def in_language(language: str) -> Documents:
    return broken(sound(), "brief", document("brief", Brief(title="Töpferei", text=BRIEF, language=language)))


def test_one_outcome_for_every_gate_in_the_order_of_the_table() -> None:
    assert [outcome.gate for outcome in check(sound())] == [gate.id for gate in GATES]


def test_phases_can_be_asked_one_by_one() -> None:
    asked = {outcome.gate for outcome in check(sound(), phases=["rubric"])}
    assert asked == {gate.id for gate in GATES if gate.phase == "rubric"}


def test_nothing_holds_in_an_empty_project() -> None:
    """A missing document is never a held gate. Order and scaled runs can only be broken by what is there: an export of a
    pilot does not wait for a run that nobody began."""
    outcomes = check(Documents(), Facts())
    broken_by_what_is_there = {"workflow.phase-order", "workflow.scale-checked", "workflow.scale-audited"}
    assert {outcome.answer for outcome in outcomes if outcome.gate not in broken_by_what_is_there} == {"unchecked"}
    assert all(outcome.note for outcome in outcomes if outcome.answer == "unchecked")


@pytest.mark.parametrize(
    "field", ["knowledge", "space", "rubric", "evaluation_prompt", "generation_prompt", "user_prompt", "system_prompt"]
)
def test_what_cannot_be_read_is_unchecked(field: str) -> None:
    """An unreadable document leaves its gates unchecked, with the command that says why; no gate raises."""
    documents = sound()
    unreadable = msgspec.structs.replace(getattr(documents, field), value=None)
    kind = unreadable.kind
    outcomes = {outcome.gate: outcome for outcome in check(having(documents, unreadable))}
    for gate in GATES:
        if gate.kind == "computed" and kind in gate.documents:
            assert outcomes[gate.id].answer == "unchecked", gate.id
            assert "finetune-prep check" in outcomes[gate.id].note


def test_judged_and_human_gates_wait_for_a_judge_or_a_person() -> None:
    """Code never says that they hold."""
    for gate in GATES:
        if gate.kind != "computed":
            answer = outcome(gate.id, sound())
            assert (answer.answer, bool(answer.note)) == ("unchecked", True)


def test_word_lists_keep_to_english() -> None:
    """In another language the word-based checks are unchecked; what needs no words is still decided."""
    word_based = {f"anchors.{name}" for name in ("verb-first", "plain-words")}
    word_based |= {f"rubric.{name}" for name in ("binary", "double-questions", "presence", "terms-defined")}
    word_based |= {f"{prompt}.says-it-here" for prompt in ("evaluation-prompt", "generation-prompt")}
    for answer in check(in_language("de")):
        if answer.gate in word_based:
            assert answer.answer == "unchecked", answer.gate
    computed = {gate.id for gate in GATES if gate.kind == "computed" and gate.phase != "workflow"} - word_based
    assert {answer.answer for answer in check(in_language("de")) if answer.gate in computed} == {"holds"}


@pytest.mark.parametrize(
    ("gate", "at", "text"),
    [
        ("evaluation-prompt.purpose", "evaluation_prompt.role", "Du beurteilst Antworten."),
        ("generation-prompt.output-format", "generation_prompt.output", "Antworte knapp."),
    ],
)
def test_a_sentence_in_another_language_is_not_denied(gate: str, at: str, text: str) -> None:
    assert outcome(gate, broken(in_language("de"), at, text)).answer == "unchecked"
    assert outcome(gate, broken(sound(), at, text)).answer == "fails"


def test_findings_before_a_gate_gives_up_still_count() -> None:
    """One source has no stored copy, another refutes a quotation: the gate fails, and says what it could not look up."""
    documents = broken(sound(), "knowledge.failure_modes.0.sources.0.quote", "never once named the bowl")
    answer = outcome("research.quotes-found", Documents(documents, {"S02": documents.snapshots["S02"]}))
    assert answer.answer == "fails"
    assert len(answer.findings) == 1
    assert "S01 (6)" in answer.note


def test_a_missing_copy_is_unchecked() -> None:
    answer = outcome("research.quotes-found", Documents(sound()))
    assert (answer.answer, "S02 (4)" in answer.note) == ("unchecked", True)


FAULT = ("knowledge.always.2.text", "Empathy with the customer", "anchors.verb-first")


def decided(documents: Documents, gate: str) -> set[tuple[str, str]]:
    return {(gate, binding(outcome(gate, documents), documents))}


def answer_of(documents: Documents, gate: str, overrides: set[tuple[str, str]]) -> str:
    return next(outcome.answer for outcome in override(check(documents), documents, overrides) if outcome.gate == gate)


def test_an_override_lasts_as_long_as_what_it_speaks_about() -> None:
    """It survives changes elsewhere, and expires when its item changes or the gate finds more."""
    at, text, gate = FAULT
    documents = broken(sound(), at, text)
    overrides = decided(documents, gate)
    assert answer_of(documents, gate, overrides) == "overridden"
    assert answer_of(broken(documents, "rubric.threshold", 0.8), gate, overrides) == "overridden"
    assert (
        answer_of(broken(documents, "knowledge.never.0.text", "Promise cash before the desk agreed."), gate, overrides)
        == "overridden"
    )
    assert answer_of(broken(documents, at, "Empathy with customers"), gate, overrides) == "fails"
    assert answer_of(broken(documents, "knowledge.always.3.text", "Kindness"), gate, overrides) == "fails"
    assert answer_of(broken(documents, at, "Name the fault."), gate, overrides) == "holds"


def test_an_override_keeps_its_findings() -> None:
    at, text, gate = FAULT
    documents = broken(sound(), at, text)
    overridden = next(o for o in override(check(documents), documents, decided(documents, gate)) if o.gate == gate)
    assert len(overridden.findings) == 1


def test_an_override_of_an_unchecked_gate_speaks_about_whole_documents() -> None:
    documents, gate = in_language("de"), "rubric.binary"
    overrides = decided(documents, gate)
    assert answer_of(documents, gate, overrides) == "overridden"
    assert answer_of(broken(documents, "rubric.title", "Another"), gate, overrides) == "unchecked"


@pytest.mark.parametrize("item", ["S02", ""])
def test_an_override_takes_no_note_of_the_day_of_reading(item: str) -> None:
    """Whether it speaks of a source or of the whole reference; nor does one that earlier versions bound to the day expire."""
    text = written()["domain-frameworks"]
    first, later = (
        having(sound(), parse("domain-frameworks", shown, "reference/domain-frameworks.md"))
        for shown in (text, re.sub(r"(?m)^- Read: .*$", "- Read: 2031-01-01", text))
    )
    assert first.knowledge is not None
    findings = (first.knowledge.finding("it has no text", "write the title", item),) if item else ()
    found = Outcome(gate="research.sources-described", answer="fails", findings=findings)
    present, former = bindings(found, first)
    assert present == binding(found, first) == binding(found, later)
    assert former not in bindings(found, later)
    for bound, documents in ((present, later), (former, first)):
        [outcome] = override([found], documents, {(found.gate, bound)})
        assert outcome.answer == "overridden"


def test_some_gates_are_never_overridden() -> None:
    """The safety gate, missing is not NO, and the order of phases."""
    assert set(NEVER_OVERRIDDEN) == {"rubric.safety-gate", "workflow.missing-is-not-no", "workflow.phase-order"}
    documents = broken(sound(), "rubric.categories.0.weight", 0.1)
    assert outcome("rubric.safety-gate", documents).answer == "fails"
    assert answer_of(documents, "rubric.safety-gate", decided(documents, "rubric.safety-gate")) == "fails"


def test_a_missing_document_cannot_be_overridden() -> None:
    documents = broken(sound(), "rubric", None)
    answer = outcome("rubric.weights", documents)
    assert not may_override(answer, documents)
    assert answer_of(documents, "rubric.weights", decided(documents, "rubric.weights")) == "unchecked"


def test_what_holds_needs_no_override() -> None:
    assert not may_override(outcome("rubric.weights", sound()), sound())


def judged(outcomes: list[Outcome]) -> list[Outcome]:
    """As if judges and persons had answered well."""
    kinds = {gate.id: gate.kind for gate in GATES}
    return [msgspec.structs.replace(o, answer="holds", note="") if kinds[o.gate] != "computed" else o for o in outcomes]


def test_ten_criteria_and_all_met_at_the_end() -> None:
    criteria = success_criteria(judged(check(sound(), DONE)))
    assert len(criteria) == 10
    assert [(criterion.answer, criterion.evidence) for criterion in criteria] == [("holds", ())] * 10


def test_criteria_are_not_met_before_judges_have_answered() -> None:
    """What only a judge can say is unchecked, and unchecked is not met."""
    criteria = {criterion.sentence: criterion for criterion in success_criteria(check(sound(), DONE))}
    few_shots = criteria["The few-shots of the generation prompt pass the rubric."]
    assert (few_shots.answer, few_shots.met) == ("unchecked", False)
    assert few_shots.evidence == (
        "generation-prompt.few-shots-pass unchecked: could not be checked: no judge has been asked; "
        "finetune-prep check --judge asks one",
    )


def test_nothing_known_is_nothing_met() -> None:
    assert not any(criterion.met for criterion in success_criteria([]))


def test_the_worst_answer_decides_and_advice_only_informs() -> None:
    """A failed "must" gate fails its criterion; a failed advice gate is shown and does not."""
    vague = broken(sound(), "knowledge.always.2.text", "Empathy with the customer")
    by_gate = {criterion.gates[0]: criterion for criterion in success_criteria(judged(check(vague, DONE)))}
    anchors = by_gate["anchors.verb-first"]
    assert (anchors.answer, len(anchors.evidence)) == ("holds", 2)
    few = broken(sound(), "rubric.categories.1.questions", sound().rubric.value.categories[1].questions[:3])  # type: ignore[union-attr]
    counts = next(c for c in success_criteria(judged(check(few, DONE))) if "rubric.question-count" in c.gates)
    assert (counts.answer, counts.met) == ("fails", False)
    assert counts.evidence[0].startswith("rubric.question-count fails: reference/evaluation-rubric.md: 14 questions; ")


def test_an_overridden_gate_meets_its_criterion_and_is_named() -> None:
    few = broken(sound(), "generation_prompt.guards", sound().generation_prompt.value.guards[1:])  # type: ignore[union-attr]
    outcomes = override(judged(check(few, DONE)), few, decided(few, "generation-prompt.guards"))
    guards = next(c for c in success_criteria(outcomes) if "generation-prompt.guards" in c.gates)
    assert (guards.answer, guards.met) == ("overridden", True)
    assert guards.evidence[0].startswith("generation-prompt.guards waived: ")

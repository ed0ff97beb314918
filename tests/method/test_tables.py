"""The table of the method: every rule has a gate or a reason, every computed gate its function, and the page is up to date."""

from __future__ import annotations

import importlib.util
import inspect
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from finetune_prep.documents.kinds import KINDS
from finetune_prep.gates.run import MODULES, function_of
from finetune_prep.method.gates import GATES, NEVER_OVERRIDDEN, Gate
from finetune_prep.method.phases import PHASES
from finetune_prep.method.rules import RULES

DOCS = Path(__file__).parents[2] / "docs"
COMPUTED = [gate for gate in GATES if gate.kind == "computed"]
# how many rules the method states in each kind of section: none may get lost
STATED = {
    "Phase 1 · quality check": 4,
    "Phase 2 · quality check": 3,
    "Phase 3 · quality check": 5,
    "Phase 4 · quality check": 4,
    "Phase 5 · quality check": 4,
    "Phase 2 · target": 2,
    "Phase 3 · target": 3,
    "Phase 4 · target": 1,
    "Phase 5 · target": 1,
    "Common mistake": 7,
    "Red flag": 6,
    "Key principle": 6,
    "Success criterion": 10,
}


def public_functions(module: ModuleType) -> dict[str, Callable[..., object]]:
    """Functions defined in a gate module whose one parameter is what gates look at."""
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
        and function.__module__ == module.__name__
        and function.__annotations__["return"] == "Iterable[Finding]"
    }


def test_ids_are_unique() -> None:
    assert [gate for gate, count in Counter(gate.id for gate in GATES).items() if count > 1] == []


def test_every_computed_gate_has_one_function_and_every_function_one_gate() -> None:
    """`rubric.question-count` is `question_count` in gates/rubric/rubric.py, and the other way round."""
    functions = {f"{prefix}.{name.replace('_', '-')}" for prefix, module in MODULES.items() for name in public_functions(module)}
    assert functions == {gate.id for gate in COMPUTED}


@pytest.mark.parametrize("gate", COMPUTED, ids=lambda gate: gate.id)
def test_a_gates_function_says_what_it_checks(gate: Gate) -> None:
    """Its docstring is one sentence, and it looks at the documents or, for the workflow, at the facts."""
    function = function_of(gate)
    assert (inspect.getdoc(function) or "").endswith(".")
    [parameter] = inspect.signature(function).parameters.values()
    assert parameter.annotation == ("Facts" if gate.phase == "workflow" else "Documents")


def test_gates_name_phases_and_documents_that_exist() -> None:
    phases = [*(phase.name for phase in PHASES), "workflow"]
    for gate in GATES:
        assert gate.phase in phases
        assert set(gate.documents) <= set(KINDS)
        assert gate.documents or gate.phase == "workflow"
        assert gate.sentence.endswith("?" if gate.kind == "judged" and gate.sentence[0] in "DCWI" else ".")
    assert [phases.index(gate.phase) for gate in GATES] == sorted(phases.index(gate.phase) for gate in GATES)


def test_every_rule_names_gates_that_exist_or_says_why_none() -> None:
    known = {gate.id for gate in GATES}
    for rule in RULES:
        assert set(rule.gates) <= known, rule
        assert bool(rule.gates) != bool(rule.why_none), rule
        assert len(set(rule.gates)) == len(rule.gates), rule


def test_every_gate_is_named_by_a_rule() -> None:
    """The product's own gates stand in a section of their own."""
    assert {gate.id for gate in GATES} == {gate for rule in RULES for gate in rule.gates}


def test_no_rule_got_lost() -> None:
    counts = Counter(rule.section for rule in RULES)
    assert {section: counts[section] for section in STATED} == STATED
    assert len({(rule.section, rule.sentence) for rule in RULES}) == len(RULES)


def test_every_criterion_rests_on_a_must_gate() -> None:
    """Otherwise a success criterion could never fail."""
    must = {gate.id for gate in GATES if gate.level == "must"}
    assert all(must & set(rule.gates) for rule in RULES if rule.section == "Success criterion")


def test_what_is_never_overridden_exists() -> None:
    assert {gate.id for gate in GATES} >= NEVER_OVERRIDDEN


def test_the_page_is_up_to_date_and_complete() -> None:
    """docs/method.md is what docs/make_method.py would write, with every rule and every gate."""
    spec = importlib.util.spec_from_file_location("make_method", DOCS / "make_method.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    page = (DOCS / "method.md").read_text(encoding="utf-8")
    assert page == maker.method_page(), "run: python docs/make_method.py"
    assert all(rule.sentence in page for rule in RULES)
    assert all(f'<a id="{gate.id.replace(".", "-")}"></a>`{gate.id}`' in page for gate in GATES)

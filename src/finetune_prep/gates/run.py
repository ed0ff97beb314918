"""Asking the gates: every row of `method.gates.GATES` gets an outcome, and a person's overrides are laid over them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from finetune_prep.core.finding import Answer, Finding, Outcome
from finetune_prep.core.identity import digest
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.readings.items import undated
from finetune_prep.gates import workflow
from finetune_prep.gates.knowledge import anchors, fact_table, origins, research
from finetune_prep.gates.memory import Memory, Said, Watched, ask, ask_or_remember
from finetune_prep.gates.prompts import evaluation_prompt, few_shots, generation_prompt
from finetune_prep.gates.rubric import chain, rubric, rulings, worked_examples
from finetune_prep.gates.scenarios import scenario_plan, scenario_space
from finetune_prep.gates.workflow import Facts
from finetune_prep.method.gates import GATES, NEVER_OVERRIDDEN, Gate

MODULES: dict[str, ModuleType] = {
    "research": research,
    "origins": origins,
    "fact-table": fact_table,
    "scenario-space": scenario_space,
    "scenario-plan": scenario_plan,
    "anchors": anchors,
    "rubric": rubric,
    "chain": chain,
    "rulings": rulings,
    "worked-examples": worked_examples,
    "evaluation-prompt": evaluation_prompt,
    "generation-prompt": generation_prompt,
    "few-shots": few_shots,
    "workflow": workflow,
}
OVERRIDABLE = ("fails", "unchecked")
NOT_JUDGED = "could not be checked: no judge has been asked; finetune-prep check --judge asks one"
_GATE = {gate.id: gate for gate in GATES}


def function_of(gate: Gate) -> Callable[[Any], Iterable[Finding]]:
    """The function of a computed gate: `rubric.question-count` is `question_count` in gates/rubric/rubric.py."""
    module, _, name = gate.id.partition(".")
    function: Callable[[Any], Iterable[Finding]] = getattr(MODULES[module], name.replace("-", "_"))
    return function


def check(
    documents: Documents, facts: Facts | None = None, *, phases: Collection[str] | None = None, memory: Memory | None = None
) -> list[Outcome]:
    """The outcome of every gate, in the order of the table. phases: only these (names of phases, or "workflow").

    Without facts, the gates of the workflow are unchecked. Judged gates are unchecked here: what a judge said is not known to
    code. A gate never holds over a document with findings of form: what was
    not read was not checked. What the document's own findings say already is not said again. No outcome is "overridden" yet.
    memory: what gates said before; those that looked at nothing that has changed are not asked again.
    """
    asking = _Asking(documents, facts, Watched(documents), {} if memory is None else memory)
    return [asking.outcome(gate) for gate in GATES if phases is None or gate.phase in phases]


class _Asking(NamedTuple):
    """Everything by which gates are asked."""

    documents: Documents
    facts: Facts | None
    watched: Watched
    memory: Memory

    def outcome(self, gate: Gate) -> Outcome:
        documents, facts = self.documents, self.facts
        if gate.kind == "judged":
            return Outcome(gate=gate.id, answer="unchecked", note=_missing(gate, documents) or NOT_JUDGED)
        if gate.kind == "human":
            return _human(gate, documents, facts)
        if lost := _lost(gate, documents):
            return Outcome(gate=gate.id, answer="unchecked", note=lost)
        if gate.phase != "workflow":
            return _outcome(gate, documents, facts, ask_or_remember(gate.id, function_of(gate), self.watched, self.memory))
        if facts is None:
            return Outcome(gate=gate.id, answer="unchecked", note="nothing is known about runs and acceptances here")
        return _outcome(gate, documents, facts, ask(function_of(gate), facts))


def _outcome(gate: Gate, documents: Documents, facts: Facts | None, said: Said) -> Outcome:
    """The answer of a computed gate."""
    findings, undecided = said.findings, said.undecided
    note = undecided.why if undecided else ""
    unsound = [document for document in documents if document.kind in gate.documents and document.findings]
    known = {(finding.path, finding.item, finding.what) for document in unsound for finding in document.findings}
    if unsound and not note:
        note = f"{' and '.join(document.path for document in unsound)} cannot be read in full; fix that first"
    answer: Answer = "fails" if findings else "unchecked" if note else "holds"
    if undecided and undecided.reader and facts is not None and not unsound and not findings:
        return _read(gate, facts, note)
    new = tuple(finding for finding in findings if (finding.path, finding.item, finding.what) not in known)
    about, lacks = (undecided.about, undecided.lacks) if undecided else ("", "")
    return Outcome(gate=gate.id, answer=answer, findings=new, note=note, about=about, lacks=lacks)


def _read(gate: Gate, facts: Facts, why: str) -> Outcome:
    """The answer of a gate that whoever accepts the document decides, because code cannot in its language."""
    kind = gate.documents[-1]
    if kind in facts.accepted:
        return Outcome(gate=gate.id, answer="holds", note=f"accepted by {facts.accepted[kind]}: {why}")
    return Outcome(gate=gate.id, answer="waiting", note=f"{why}: `finetune-prep accept {kind}`")


def _human(gate: Gate, documents: Documents, facts: Facts | None) -> Outcome:
    """Accepting a document is the person's answer about it; it speaks of exactly the text that was accepted."""
    if missing := _missing(gate, documents):
        return Outcome(gate=gate.id, answer="unchecked", note=missing)
    if not gate.documents:
        run = facts.pilot_path if facts is not None and facts.pilot is not None else ""
        return Outcome(
            gate=gate.id,
            answer="unchecked",
            note="a person has to decide this by reading some of the pilot's conversations",
            about=run,
        )
    kind = gate.documents[-1]
    reference = documents.knowledge
    if kind == Documents.knowledge.name and reference is not None and reference.value is not None and not reference.value.anchors:
        return Outcome(gate=gate.id, answer="unchecked", note="a person decides this when its anchors are there, after phase 2")
    if facts is None:
        return Outcome(gate=gate.id, answer="unchecked", note=f"a person decides this: `finetune-prep accept {kind}`")
    if kind in facts.accepted:
        return Outcome(gate=gate.id, answer="holds", note=f"accepted by {facts.accepted[kind]}")
    return Outcome(gate=gate.id, answer="waiting", note=f"a person decides this: `finetune-prep accept {kind}`")


def _lost(gate: Gate, documents: Documents) -> str:
    """Which document that the gate looks at holds items that are not read, "" if none does.

    Whatever the gate could say of what is missing would be about them, and to act on it could destroy them.
    """
    for document in documents:
        if document.lost and document.kind in gate.documents:
            items = "an item that is" if document.lost == 1 else f"{document.lost} items that are"
            return f"{document.path} holds {items} not read; give every item its id first (finetune-prep check {document.kind})"
    return ""


def _missing(gate: Gate, documents: Documents) -> str:
    """Which document that the gate looks at does not exist, "" if all do."""
    there = {document.kind for document in documents}
    return next((f"{KINDS[kind].path} does not exist yet" for kind in gate.documents if kind not in there), "")


def binding(outcome: Outcome, documents: Documents) -> str:
    """Hash of what an override of this outcome speaks about: its findings and the text of the items they name.

    It changes with any of these items and with every new finding, so an override expires by itself. Findings that name no
    item, and outcomes without findings, stand for whole documents. The day on which a source was read is not part of it.
    """
    return _binding(outcome, documents, undated)


def bindings(outcome: Outcome, documents: Documents) -> tuple[str, ...]:
    """`binding`, and what earlier versions, to which the day of reading mattered, took for it."""
    return binding(outcome, documents), _binding(outcome, documents, lambda text: text)


def _binding(outcome: Outcome, documents: Documents, shown: Callable[[str], str]) -> str:
    by_path = {document.path: document for document in documents}
    findings = sorted(
        [finding.path, finding.item, finding.what, _text(by_path.get(finding.path), finding.item, shown)]
        for finding in outcome.findings
    )
    gate = _GATE[outcome.gate]
    whole = [] if findings else [_text(by_path.get(KINDS[kind].path), "", shown) for kind in gate.documents]
    return digest([outcome.gate, findings, whole, *([outcome.about] if outcome.about else [])])


def _text(document: Document[Any] | None, item: str, shown: Callable[[str], str]) -> str:
    """An item's lines up to the next item, white space folded; the whole document without an item."""
    if document is None:
        return ""
    start = document.lines.get(item, 0)
    if not start:
        return " ".join(shown(document.text).split())
    end = min((line for line in document.lines.values() if line > start), default=None)
    return " ".join(shown("\n".join(document.text.splitlines()[start - 1 : end and end - 1])).split())


def override(outcomes: Sequence[Outcome], documents: Documents, overrides: Collection[tuple[str, str]]) -> list[Outcome]:
    """The outcomes, with those "overridden" that a person decided about; their findings stay.

    overrides: gate and one of the `bindings` of each decision; one whose binding has changed since has expired.

    Gates of `method.gates.NEVER_OVERRIDDEN`, and gates that lack a document to look at, stay as they are.
    """
    decided = {gate for gate, _ in overrides}  # most gates nobody has decided about: nothing needs to be hashed for them

    def overridden(outcome: Outcome) -> bool:
        if outcome.gate not in decided or not may_override(outcome, documents):
            return False
        return any((outcome.gate, bound) in overrides for bound in bindings(outcome, documents))

    return [msgspec.structs.replace(outcome, answer="overridden") if overridden(outcome) else outcome for outcome in outcomes]


def may_override(outcome: Outcome, documents: Documents) -> bool:
    """Whether a person can decide that this outcome may stand: there must be something that the decision speaks about."""
    gate = _GATE[outcome.gate]
    if outcome.answer not in OVERRIDABLE or gate.id in NEVER_OVERRIDDEN:
        return False
    return bool(gate.documents or outcome.findings or outcome.about) and not _missing(gate, documents)

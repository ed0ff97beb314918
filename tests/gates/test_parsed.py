"""Gates over documents as they are read from Markdown: lines point into the file, and nothing is said twice."""

from __future__ import annotations

import pytest

from finetune_prep.documents import parse, render
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.gates import check
from finetune_prep.method.gates import GATES
from tests.gates.pottery import sound


def written() -> dict[str, str]:
    """The sound documents as files."""
    return {document.kind: render(document.kind, document.value) for document in sound()}


def read(texts: dict[str, str]) -> Documents:
    return Documents((parse(kind, text, KINDS[kind].path) for kind, text in texts.items()), sound().snapshots)


def test_sound_documents_hold_as_files() -> None:
    documents = read(written())
    assert [document.kind for document in documents] == [*KINDS]
    assert [document.findings for document in documents if document.findings] == []
    computed = {gate.id for gate in GATES if gate.kind == "computed" and gate.phase != "workflow"}
    assert [(o.gate, o.findings, o.note) for o in check(documents) if o.gate in computed and o.answer != "holds"] == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "gate", "what"),
    [
        (
            "domain-frameworks",
            "DO3: Ask for one missing detail at a time.",
            "DO3: Be kind.",
            "anchors.verb-first",
            "DO3 has no verb first: “Be kind.”",
        ),
        (
            "evaluation-rubric",
            "Fit (weight 0.3)",
            "Fit (weight 0.5)",
            "rubric.weights",
            "the weights sum to 1.2, not 1: 0.3 + 0.4 + 0.5",
        ),
        (
            "evaluation-prompt",
            "Does the assistant avoid promising money?",
            "Any money?",
            "evaluation-prompt.questions",
            "SF2 differs from the rubric in its question",
        ),
        (
            "generation-prompt",
            "DONT3: Call an injury",
            "DONT3: Name an injury",
            "generation-prompt.anchors",
            "DONT3 is not the anchor of domain-frameworks.md: “Name an injury harmless.”",
        ),
        (
            "generation-prompt",
            "## Output format",
            "## Role and expertise",
            "generation-prompt.parts",
            "there is no section “Output format”",
        ),
    ],
)
def test_a_finding_points_at_its_line(kind: str, old: str, new: str, gate: str, what: str) -> None:
    """The line of a finding about an item is the line on which the item stands; of others, that of their section."""
    texts = written()
    assert old in texts[kind]
    texts[kind] = texts[kind].replace(old, new, 1)
    outcome = next(outcome for outcome in check(read(texts)) if outcome.gate == gate)
    assert [finding.what for finding in outcome.findings] == [what]
    for finding in outcome.findings:
        if finding.item[:2].isupper():
            assert texts[kind].splitlines()[finding.line - 1].lstrip("#- ").startswith(finding.item)


def without_line(text: str, start: str) -> str:
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(start))
    return "\n".join(lines[:at] + lines[at + 1 :]) + "\n"


@pytest.mark.parametrize(
    ("kind", "line", "gate"),
    [
        ("domain-frameworks", "- Idea:", "research.frameworks"),
        ("domain-frameworks", "- Does:", "research.techniques-explained"),
        ("domain-frameworks", "- Instance:", "research.failures-specific"),
        ("domain-frameworks", "- Counter:", "research.failures-specific"),
        ("domain-frameworks", "- Where:", "research.sources-described"),
        ("evaluation-rubric", "- Yes:", "rubric.yes-and-no"),
        ("evaluation-rubric", "- No:", "rubric.yes-and-no"),
        ("generation-prompt", "- In words:", "generation-prompt.techniques"),
        ("generation-prompt", "You answer customers", "generation-prompt.role"),
        ("generation-prompt", "## Role and expertise", "generation-prompt.parts"),
        ("evaluation-prompt", "## Role and context", "evaluation-prompt.parts"),
    ],
)
def test_what_the_reader_said_is_not_said_again(kind: str, line: str, gate: str) -> None:
    """The gate fails, and its finding is the document's own."""
    texts = written()
    texts[kind] = without_line(texts[kind], line)
    documents = read(texts)
    document = next(document for document in documents if document.kind == kind)
    outcomes = check(documents)
    said = {(finding.item, finding.what) for finding in document.findings}
    assert len(said) == 1
    assert not said & {(finding.item, finding.what) for outcome in outcomes for finding in outcome.findings}
    outcome = next(outcome for outcome in outcomes if outcome.gate == gate)
    assert (outcome.answer, outcome.findings) == ("fails", ())
    assert document.path in outcome.note


def test_nothing_holds_over_what_was_not_read() -> None:
    """A weight that cannot be read counts as a usual one for the reader; no gate takes it for sound."""
    texts = written()
    texts["scenario-space"] = texts["scenario-space"].replace("(weight 0.3, words 5-30)", "(weight much, words 5-30)")
    documents = read(texts)
    assert documents.space is not None
    assert len(documents.space.findings) == 1
    for outcome in check(documents):
        gate = next(gate for gate in GATES if gate.id == outcome.gate)
        if "scenario-space" in gate.documents:
            assert outcome.answer == "unchecked", gate.id


def test_reflowing_a_document_changes_no_outcome() -> None:
    """Line breaks within paragraphs are white space: embedded text stays embedded."""
    texts = written()
    texts["generation-prompt"] = texts["generation-prompt"].replace(
        "DO1: Name the reported fault before", "DO1: Name the reported\n  fault before"
    )
    before, after = check(read(written())), check(read(texts))
    assert after == before

"""Documents broken in one known way each: exactly the expected findings on the right line, and none once that is repaired."""

from __future__ import annotations

import pytest

from finetune_prep.core.finding import Outcome
from finetune_prep.documents import parse
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.gates import check
from finetune_prep.method.gates import GATES
from tests.gates.broken_details import BROKEN_DETAILS
from tests.gates.broken_documents import BROKEN, FORM, Broken, Said
from tests.gates.pottery import sound
from tests.gates.test_parsed import written

ALL = (*BROKEN, *BROKEN_DETAILS)
MUST = {gate.id for gate in GATES if gate.kind == "computed" and gate.level == "must" and gate.phase != "workflow"}
KIND_OF = {document.path: kind for kind, document in KINDS.items()}


def documents_of(texts: dict[str, str], reached: str) -> Documents:
    """What there is when the document `reached` has just been written: later documents do not exist yet."""
    kinds = [*KINDS][: [*KINDS].index(reached) + 1]
    return Documents((parse(kind, texts[kind], KINDS[kind].path) for kind in kinds), sound().snapshots)


def must(documents: Documents) -> dict[str, Outcome]:
    return {outcome.gate: outcome for outcome in check(documents) if outcome.gate in MUST}


def said(documents: Documents, texts: dict[str, str]) -> list[Said]:
    """Every finding of form and of a computed must-gate, with the text of the line that it points at."""
    found = [(FORM, finding) for document in documents for finding in document.findings]
    found += [(gate, finding) for gate, outcome in must(documents).items() for finding in outcome.findings]
    assert all(finding.fix for _, finding in found), "every finding says how to fix it"
    return [
        (by, texts[KIND_OF[finding.path]].split("\n")[finding.line - 1] if finding.line else "", finding.what)
        for by, finding in found
    ]


def break_in(texts: dict[str, str], broken: Broken) -> None:
    for edit in broken.edits:
        old, new = edit[:2]
        kind = edit[2] if len(edit) == 3 else broken.document
        assert old in texts[kind], old
        texts[kind] = texts[kind].replace(old, new, 1)


@pytest.mark.parametrize("broken", ALL, ids=[f"{number}-{broken.subject}" for number, broken in enumerate(ALL)])
def test_exactly_the_expected_findings_and_none_after_repair(broken: Broken) -> None:
    texts = written()
    break_in(texts, broken)
    documents = documents_of(texts, broken.document)
    assert said(documents, texts) == broken.said
    repaired = written()
    assert said(documents_of(repaired, broken.document), repaired) == []
    if broken.subject != FORM:
        assert must(documents)[broken.subject].answer == "fails"
        assert must(documents_of(repaired, broken.document))[broken.subject].answer == "holds"


def test_there_is_one_for_every_computed_must_gate() -> None:
    """A gate cannot be added without a document that it refuses."""
    assert {broken.subject for broken in BROKEN} == MUST | {FORM}


def test_there_are_enough() -> None:
    assert len(ALL) >= 240
    assert len({str((broken.document, broken.edits)) for broken in ALL}) == len(ALL)

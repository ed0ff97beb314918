"""The second example: another kind of domain, in another language, from its brief to a pilot by its recording alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep import documents
from finetune_prep.core.knowledge import UNSOURCED
from finetune_prep.core.quotes import find_quote
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.ledger.recording import read_recording
from finetune_prep.project.project import Project, open_project
from tests.whole.way import MUSEUM, MUSEUM_SIZE, rows, run_here

pytestmark = pytest.mark.environment
ENGLISH = (" the ", " and ", " with ", " not ")
GERMAN = (" der ", " die ", " und ", " nicht ")


@pytest.fixture
def project(museum: Path) -> Project:
    return open_project(museum)


def test_what_is_shipped_is_what_the_recording_gives(project: Project) -> None:
    assert rows(project.folder) == rows(MUSEUM)


def test_every_quotation_stands_in_its_source(project: Project) -> None:
    knowledge = project.value(Documents.knowledge)
    texts = project.snapshots() | {"S0": project.value(Documents.brief).text}
    cited = [(item, citation) for item, citation in knowledge.citations() if citation.source != UNSOURCED]
    assert len(cited) > 20
    assert [item for item, citation in cited if not find_quote(citation.quote, texts[citation.source]).exact] == []


@pytest.mark.parametrize("kind", [kind for kind, document in KINDS.items() if document.made_by])
def test_documents_and_conversations_are_german(kind: str, project: Project) -> None:
    text = documents.body(project.sound(KINDS[kind]).text)
    # what the program itself puts into the judge's prompt and the headings is English in every project
    assert sum(text.count(word) for word in GERMAN) > 3 * sum(text.count(word) for word in ENGLISH), kind


def test_nothing_of_the_recording_is_left_over(project: Project) -> None:
    """Every recorded answer is needed, and none is missing."""
    done = run_here("ledger", "missing", "-n", str(MUSEUM_SIZE), "--json", folder=project.folder)
    found = msgspec.json.decode(done.stdout)
    assert found["unused"] == 0
    assert found["answered"] == sum(1 for _ in read_recording(MUSEUM / "recording.jsonl")) > 50
    assert found["missing"] == []

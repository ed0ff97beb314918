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
from finetune_prep.project.beginning.scaffold import copy_inputs
from finetune_prep.project.project import Project, open_project
from tests.whole.way import rows, run

pytestmark = pytest.mark.environment
MUSEUM = Path(__file__).parents[2] / "examples" / "museum-visitors"
SIZE = msgspec.json.decode((MUSEUM / "runs" / "pilot-001" / "plan.json").read_bytes())["n"]
ENGLISH = (" the ", " and ", " with ", " not ")
GERMAN = (" der ", " die ", " und ", " nicht ")


@pytest.fixture(scope="module")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("museum") / "museum"
    copy_inputs(MUSEUM, folder)
    for arguments in (["prepare"], ["pilot", "-n", str(SIZE)], ["export", "--preview"]):
        done = run(*arguments, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    return open_project(folder)


def test_what_is_shipped_is_what_the_recording_gives(museum: Project) -> None:
    assert rows(museum.folder) == rows(MUSEUM)


def test_every_quotation_stands_in_its_source(museum: Project) -> None:
    knowledge = museum.value(Documents.knowledge)
    texts = museum.snapshots() | {"S0": museum.value(Documents.brief).text}
    cited = [(item, citation) for item, citation in knowledge.citations() if citation.source != UNSOURCED]
    assert len(cited) > 20
    assert [item for item, citation in cited if not find_quote(citation.quote, texts[citation.source]).exact] == []


@pytest.mark.parametrize("kind", [kind for kind, document in KINDS.items() if document.made_by])
def test_documents_and_conversations_are_german(kind: str, museum: Project) -> None:
    text = documents.body(museum.sound(KINDS[kind]).text)
    # what the program itself puts into the judge's prompt and the headings is English in every project
    assert sum(text.count(word) for word in GERMAN) > 3 * sum(text.count(word) for word in ENGLISH), kind


def test_nothing_of_the_recording_is_left_over(museum: Project) -> None:
    """Every recorded answer is needed, and none is missing."""
    done = run("ledger", "missing", "-n", str(SIZE), "--json", folder=museum.folder)
    found = msgspec.json.decode(done.stdout)
    assert found["unused"] == 0
    assert found["answered"] == sum(1 for _ in read_recording(MUSEUM / "recording.jsonl")) > 50
    assert found["missing"] == []

"""What gates said and what was read from texts outlives a change of other texts, and no change of their own."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings import readings
from finetune_prep.gates.memory import Said
from finetune_prep.project.project import Project
from finetune_prep.workflow import checking
from finetune_prep.workflow.remembered import shelf, texts
from finetune_prep.workflow.remembered.answers import checked
from finetune_prep.workflow.remembered.state import REMEMBERED
from finetune_prep.workflow.remembered.texts import said_before
from tests.phases.pottery_shop import accept_one, pottery_project, rewrite


def as_a_new_process() -> None:
    for cached in (readings.parsed, readings.items_of, readings.former_hashes, readings.text_hash, readings.decoded):
        cached.cache_clear()


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    project = pottery_project(tmp_path / "shop")
    accept_one(project, "scenario-space")
    as_a_new_process()
    return project


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of all documents that are parsed."""
    kinds: list[str] = []
    parse = readings.parse

    def counted(kind: str, text: str, path: str) -> object:
        kinds.append(kind)
        return parse(kind, text, path)

    monkeypatch.setattr(readings, "parse", counted)
    return kinds


def test_after_an_edit_only_that_document_is_read(shop: Project, parsed: list[str]) -> None:
    as_a_new_process()
    checked(shop, checking.check_all)
    assert set(parsed) == set(KINDS)
    parsed.clear()
    rewrite(shop, "user-prompt", "a", "e")
    as_a_new_process()
    out_of_memory = checked(shop, checking.check_all)
    assert parsed == ["user-prompt"]
    as_a_new_process()
    assert list(out_of_memory.outcomes) == checking.outcomes(shop)
    assert out_of_memory.of_form() == checking.of_form(shop)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_document_is_found_at_once(shop: Project, kind: str) -> None:
    checked(shop, checking.check_all)
    shop.layout.document(kind).write_text("# Nothing\n\nNothing is left of it.\n", "utf-8")
    as_a_new_process()
    found = checked(shop, checking.check_all)
    as_a_new_process()
    assert found.of_form() == checking.of_form(shop)
    texts_gone = shop.layout.private / REMEMBERED / texts.FILE
    texts_gone.unlink()
    assert list(found.outcomes) == checking.outcomes(shop)


def test_what_another_program_said_or_read_is_not_taken(
    shop: Project, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(shop, checking.check_all)
    with said_before(shop) as memory:
        assert memory
    monkeypatch.setattr(texts, "program", lambda: "another")
    monkeypatch.setattr(shelf, "program", lambda: "another")
    with said_before(shop) as memory:
        assert not memory
    as_a_new_process()
    parsed.clear()
    with shelf.shelf(shop):
        checking.of_form(shop)
    assert set(parsed) == set(KINDS)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b'{"program": "", "said": {}}'])
def test_a_damaged_memory_is_none(shop: Project, parsed: list[str], damage: bytes) -> None:
    checked(shop, checking.check_all)
    kept = shop.layout.private / REMEMBERED
    for path in (kept / texts.FILE, *(kept / shelf.FOLDER).iterdir()):
        path.write_bytes(damage)
    with said_before(shop) as memory:
        assert not memory
    as_a_new_process()
    parsed.clear()
    with shelf.shelf(shop):
        checking.of_form(shop)
    assert set(parsed) == set(KINDS)
    as_a_new_process()
    parsed.clear()
    with shelf.shelf(shop):
        checking.of_form(shop)
    assert parsed == []


def test_after_an_error_nothing_new_is_kept(shop: Project) -> None:
    with pytest.raises(ValueError, match="not now"), said_before(shop) as memory:
        memory["a gate"] = Said()
        raise ValueError("not now")
    with said_before(shop) as memory:
        assert "a gate" not in memory


def test_few_texts_are_kept(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_KEPT", len(KINDS) + 2)
    for number in range(5):
        rewrite(shop, "user-prompt", shop.layout.document("user-prompt").read_text("utf-8"), f"# A talk\n\nNumber {number}.\n")
        as_a_new_process()
        with shelf.shelf(shop):
            checking.of_form(shop)
    kept = [*(shop.layout.private / REMEMBERED / shelf.FOLDER).iterdir()]
    assert len(kept) == len(KINDS) + 2
    read = [msgspec.json.decode(path.read_bytes())["document"] for path in kept]
    now = {document.text for kind in KINDS.values() if (document := shop.document(kind))}
    assert now <= {document["text"] for document in read}


def test_looking_makes_no_folder(tmp_path: Path) -> None:
    project = pottery_project(tmp_path / "shop")
    assert not project.layout.private.exists() or not any(project.layout.private.iterdir())
    for path in [*project.layout.private.glob("*")]:
        path.unlink()
    if project.layout.private.exists():
        project.layout.private.rmdir()
    checked(project, checking.check_all)
    assert not project.layout.private.exists()

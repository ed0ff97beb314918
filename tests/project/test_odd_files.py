"""Files that are not what they should be get a sentence: names and bytes that are not UTF-8, and pipes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from finetune_prep.errors import DocumentError, FinetunePrepError
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.sources.files import known_ids, read_folder
from tests.phases.pottery_shop import pottery_project


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


def test_a_file_name_in_another_encoding_is_read_under_its_codes(tmp_path: Path) -> None:
    """Such as an archive from Windows leaves behind; what it is called can be printed, sent and stored."""
    folder = tmp_path / "sources"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/R\xfcckgabe.md")).write_text("# Returns\n\nWithin 30 days.\n", "utf-8")
    [text], findings = read_folder(folder, tmp_path)
    assert findings == []
    assert text.source.where == "sources/R\\xfcckgabe.md"
    assert text.source.where.encode()


def test_a_project_in_a_folder_whose_name_is_no_text_is_refused_in_words(shop: Project) -> None:
    """SQLite opens no such path."""
    folder = Path(os.fsdecode(os.fsencode(shop.folder) + b"-\xfc"))
    shop.folder.rename(folder)
    with pytest.raises(FinetunePrepError, match="not UTF-8"):
        open_project(folder)


def test_a_copy_of_a_source_that_is_no_text_is_named_with_its_line(shop: Project) -> None:
    path = sorted(shop.layout.snapshots.glob("S*.md"))[0]
    path.write_bytes(b"one\ntwo \xff\n")
    with pytest.raises(DocumentError) as caught:
        shop.documents()
    assert caught.value.where == f"reference/sources/{path.name}:2"


def test_a_link_that_leads_to_itself_is_refused_in_words(shop: Project) -> None:
    shop.layout.decisions.unlink(missing_ok=True)
    shop.layout.decisions.symlink_to(shop.layout.decisions.name)
    with pytest.raises(FinetunePrepError, match="is a link that leads out of the project"):
        open_project(shop.folder)


def test_a_copy_of_a_source_that_is_no_text_keeps_its_number(shop: Project) -> None:
    """`sources` lists the others, and says nothing of a traceback."""
    path = sorted(shop.layout.snapshots.glob("S*.md"))[0]
    path.write_bytes(b"---\nwhere: sources/x.md\n---\n\xff\n")
    assert known_ids(shop.layout.snapshots)["sources/x.md"] == path.stem
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FinetunePrepError, match="this is no plain file"):
        known_ids(shop.layout.snapshots)


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"kind": "\xff"}', b"{"])
def test_a_plan_that_cannot_be_read_is_named(shop: Project, data: bytes) -> None:
    path = shop.layout.runs / "pilot-001" / "plan.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(FinetunePrepError, match="this plan cannot be read"):
        runs(shop.layout)


def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(shop: Project) -> None:
    os.mkfifo(shop.layout.decisions)
    with pytest.raises(FinetunePrepError, match="this is no plain file"):
        shop.decisions()
    plan = shop.layout.runs / "pilot-001" / "plan.json"
    plan.parent.mkdir(parents=True)
    os.mkfifo(plan)
    with pytest.raises(FinetunePrepError, match="this is no plain file"):
        runs(shop.layout)

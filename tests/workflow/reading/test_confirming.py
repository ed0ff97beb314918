"""A fact and a severity confirmed: what is recorded, what is written into the document, and when it no longer counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.core.knowledge import Fact, FailureMode
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.project.project import Project
from finetune_prep.workflow.reading.confirming import ToConfirm, confirm, to_confirm
from tests.phases.pottery_shop import accept_all, pottery_project, rewrite

KIND = "domain-frameworks"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


def row(project: Project, id: str) -> ToConfirm:
    return next(row for rows in to_confirm(project) for row in rows if row.item.id == id)


def text(project: Project) -> str:
    return project.layout.document(KIND).read_text("utf-8")


def test_a_fact_that_somebody_vouches_for_is_confirmed_without_a_change(shop: Project) -> None:
    accept_all(shop)
    before = text(shop)
    confirm(shop, "FA1", row(shop, "FA1").hash, by="Ada Larch")
    assert text(shop) == before
    assert shop.acceptance(KIND) is not None
    last = shop.decisions()[-1]
    assert (last.decision, last.document, last.item, last.by) == ("confirm", KIND, "FA1", "Ada Larch")
    assert row(shop, "FA1").confirmed == last


def test_a_confirmation_ends_with_the_words_it_spoke_of(shop: Project) -> None:
    confirm(shop, "FA1", row(shop, "FA1").hash, by="Ada")
    confirm(shop, "FM1", row(shop, "FM1").hash, by="Ada")
    rewrite(shop, KIND, "kiln@shop.example", "oven@shop.example")
    assert row(shop, "FA1").waits
    assert not row(shop, "FM1").waits


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("by", ["Ada Larch", "Confirmed by: X. Source: S1", "a\nb", "Dr. Larch."])
def test_a_fact_that_nobody_vouches_for_gets_the_name_in_its_line_alone(shop: Project, by: str, newline: str) -> None:
    rewrite(shop, KIND, " Confirmed by: Ines Kiln", "")
    path = shop.layout.document(KIND)
    path.write_bytes(path.read_text("utf-8").replace("\n", newline).encode())
    waiting = row(shop, "FA1")
    assert "nobody vouches for FA1" in waiting.doubt
    before = path.read_bytes().split(newline.encode())
    try:
        confirm(shop, "FA1", waiting.hash, by=by)
    except UsageError:  # a name that cannot stand there changes nothing
        assert path.read_bytes().split(newline.encode()) == before
        assert shop.decisions() == ()
        return
    after = path.read_bytes().split(newline.encode())
    assert [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]] == [waiting.line - 1]
    fact = row(shop, "FA1").item
    assert isinstance(fact, Fact)
    assert fact.confirmed_by == " ".join(by.split())
    assert not row(shop, "FA1").doubt
    assert not row(shop, "FA1").waits


def test_a_severity_that_is_called_otherwise_changes_one_word(shop: Project) -> None:
    accept_all(shop)
    mode = row(shop, "FM1").item
    assert isinstance(mode, FailureMode)
    other = "minor" if mode.severity != "minor" else "critical"
    before = text(shop).split("\n")
    confirm(shop, "FM1", row(shop, "FM1").hash, by="Ada", severity=other)
    after = text(shop).split("\n")
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        (line := before[row(shop, "FM1").line - 1], line.replace(mode.severity, other))
    ]
    assert not row(shop, "FM1").waits
    assert shop.acceptance(KIND) is None
    assert shop.value(Documents.knowledge).failure_modes[0].severity == other


def test_what_changed_since_it_was_shown_is_not_confirmed(shop: Project) -> None:
    shown = row(shop, "FA1").hash
    rewrite(shop, KIND, "kiln@shop.example", "oven@shop.example")
    with pytest.raises(ActNeeded, match="FA1 changed while you were reading it"):
        confirm(shop, "FA1", shown, by="Ada")
    with pytest.raises(UsageError, match="no fact and no failure mode T1"):
        confirm(shop, "T1", shown, by="Ada")
    assert shop.decisions() == ()

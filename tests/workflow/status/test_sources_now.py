"""Files of sources/ that changed, vanished or arrived are named, and a copy is worth what its file says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finetune_prep.core.finding import Outcome
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import Project
from finetune_prep.workflow.checking import outcomes
from finetune_prep.workflow.status.overview import overview
from finetune_prep.workflow.status.sources_now import sources_now
from tests.phases.pottery_shop import have_judged, pottery_project


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


def quotes(shop: Project) -> Outcome:
    return next(outcome for outcome in outcomes(shop) if outcome.gate == "research.quotes-found")


def where(shop: Project, id: str) -> Path:
    (source,) = [source for source in shop.value(Documents.knowledge).sources if source.id == id]
    return shop.folder / source.where


def test_as_they_were_read_there_is_nothing_to_say(shop: Project) -> None:
    assert sources_now(shop).all == ()
    assert quotes(shop).answer == "holds"
    assert overview(shop).sources == ()


def test_a_file_that_changed_stops_and_is_named_by_status(shop: Project) -> None:
    path = where(shop, "S01")
    path.write_text(path.read_text("utf-8") + "\nRefunds take 28 days.\n", "utf-8")
    (finding,) = sources_now(shop).differing
    assert finding.path == "reference/sources/S01.md"
    assert quotes(shop).answer == "fails"
    assert overview(shop).sources == (finding,)
    assert re.search(r"the file still holds all \d+ quotations", finding.what)
    assert finding.fix == "finetune-prep sources --renew S01, which takes its text anew"


def test_quotations_that_a_changed_file_does_not_hold_any_more_are_named(shop: Project) -> None:
    path = where(shop, "S01")
    citations = [
        (item, citation.quote) for item, citation in shop.value(Documents.knowledge).citations() if citation.source == "S01"
    ]
    item, quote = citations[0]
    path.write_text(" ".join(path.read_text("utf-8").split()).replace(quote, "Something else altogether."), "utf-8")
    (finding,) = sources_now(shop).differing
    assert re.search(rf"of its {len(citations)} quotations, those of .*\b{item}\b.* do not stand in the file", finding.what)
    assert finding.fix.endswith("; then mend what rests on those quotations")


def test_a_copy_that_was_written_from_the_quotations_stops(shop: Project) -> None:
    """Quotations stand in it word for word, and its front matter may say what it likes."""
    copy = shop.folder / "reference" / "sources" / "S01.md"
    quoted = [citation.quote for _, citation in shop.value(Documents.knowledge).citations() if citation.source == "S01"]
    copy.write_text("---\nwhere: sources/damaged.md\nhash: 0\n---\n" + "\n\n".join(quoted) + "\n", "utf-8")
    found = quotes(shop)
    assert found.answer == "fails"
    assert [finding.path for finding in found.findings] == ["reference/sources/S01.md"]


def test_copy_and_quotation_forged_together_stop(shop: Project) -> None:
    copy = shop.folder / "reference" / "sources" / "S01.md"
    text = shop.layout.document("domain-frameworks").read_text("utf-8")
    assert "Name the desk that decides" in text
    assert "Name the desk that decides" in copy.read_text("utf-8")
    for path in (copy, shop.layout.document("domain-frameworks")):
        path.write_text(path.read_text("utf-8").replace("Name the desk that decides", "Name whom you like"), "utf-8")
    assert quotes(shop).answer == "fails"
    have_judged(shop)
    assert quotes(shop).answer == "fails"


def test_what_is_gone_and_what_arrived(shop: Project) -> None:
    where(shop, "S02").unlink()
    (shop.layout.sources / "new.md").write_text("# New\n\nA page nobody has read.\n", "utf-8")
    now = sources_now(shop)
    assert [finding.path for finding in (*now.gone, *now.arrived)] == ["sources/mistakes.md", "sources/new.md"]
    assert quotes(shop).answer == "fails"

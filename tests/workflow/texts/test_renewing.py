"""A source's text taken anew: without a model, and with the quotations that got lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import UsageError
from finetune_prep.project.project import Project
from finetune_prep.workflow.checking import outcomes
from finetune_prep.workflow.status.sources_now import sources_now
from finetune_prep.workflow.texts.renewing import renew
from tests.cli.terminal import Terminal
from tests.phases.pottery_shop import pottery_project


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


def changed(shop: Project, before: str = "", after: str = "") -> Path:
    (source,) = [source for source in shop.value(Documents.knowledge).sources if source.id == "S01"]
    path = shop.folder / source.where
    text = path.read_text("utf-8")
    path.write_text(" ".join(text.split()).replace(before, after) if before else f"{text}\nRefunds take 28 days.\n", "utf-8")
    return path


def test_a_changed_file_is_taken_anew_and_its_quotations_are_looked_up_in_it(shop: Project) -> None:
    changed(shop)
    done = renew(shop, "s01")
    assert (done.id, done.changed, done.lost) == ("S01", True, ())
    assert done.quotations > 0
    assert sources_now(shop).all == ()
    assert next(outcome for outcome in outcomes(shop) if outcome.gate == "research.quotes-found").answer == "holds"
    assert not renew(shop, "S01").changed


def test_quotations_that_are_gone_are_findings_of_the_reference(shop: Project) -> None:
    quote = next(citation.quote for _, citation in shop.value(Documents.knowledge).citations() if citation.source == "S01")
    changed(shop, quote, "Something else altogether.")
    lost = renew(shop, "S01").lost
    assert lost
    failing = next(outcome for outcome in outcomes(shop) if outcome.gate == "research.quotes-found")
    assert (failing.answer, failing.findings) == ("fails", lost)
    assert {finding.path for finding in lost} == {"reference/domain-frameworks.md"}


@pytest.mark.parametrize("id", ["S99", "returns"])
def test_an_id_of_no_file(shop: Project, id: str) -> None:
    with pytest.raises(UsageError, match=f"no file that can be read in sources/ is {id}"):
        renew(shop, id)


def test_the_command(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    typed = Terminal(capsys, shop)
    changed(shop)
    shown = typed("sources", "--renew", "S01")
    assert shown.code == 0
    assert "reference/sources/S01.md says what sources/" in shown.out
    assert "quotations from it stand in it." in shown.out
    assert shown.out.endswith("next: finetune-prep check domain-frameworks\n")
    assert "already." in typed("sources", "--renew", "S01").out
    assert typed("sources", "refunds", "--renew", "S01").code == 2

"""The day on which a source was read stands in a reference for people: nothing that knows a text by its hash takes note of it."""

from __future__ import annotations

import re

import pytest

from finetune_prep.core.identity import digest_bytes
from finetune_prep.documents import Documents, item_texts
from finetune_prep.markdown.normal import normal
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.project.stamps import Part, Stamp, write_stamp
from tests.phases.pottery_shop import accept_all, pottery_project

KIND = "domain-frameworks"


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return pottery_project(tmp_path_factory.mktemp("days") / "shop")


def read_on(shop: Project, day: str) -> None:
    path = shop.layout.document(KIND)
    path.write_text(re.sub(r"(?m)^- Read: .*$", f"- Read: {day}", path.read_text("utf-8")), "utf-8")


def test_an_acceptance_holds_on_whatever_day_the_sources_are_read_again(shop: Project) -> None:
    accept_all(shop)
    items, before = shop.items(KIND), shop.layout.document(KIND).read_bytes()
    read_on(shop, "2031-01-01")
    assert shop.layout.document(KIND).read_bytes() != before
    assert shop.acceptance(KIND) is not None
    assert shop.items(KIND) == items
    assert (shop.change_since_accepted(KIND), shop.edited(KIND), shop.stale()) == (None, None, ())


def test_what_earlier_versions_wrote_about_the_same_text_holds(shop: Project) -> None:
    """Acceptances and stamps by hashes that the day was part of."""
    document = shop.sound(Documents.knowledge)
    former = {id: digest_bytes(text.encode()) for id, text in item_texts(document).items()}
    text = digest_bytes(normal(document.text).encode())
    assert former != shop.items(KIND)
    shop.decide(Decision(decision="accept", by="Ines", at="2026-11-20T10:00:00+00:00", text=text, document=KIND))
    part = Part(compiled=False, made_from={KIND: former})
    write_stamp(shop.layout.stamp(KIND), Stamp(KIND, text, former, {}))
    rubric = "evaluation-rubric"
    write_stamp(shop.layout.stamp(rubric), Stamp(rubric, "", shop.items(rubric), {"Questions": part}))
    assert shop.acceptance(KIND) is not None
    assert shop.edited(KIND) is None
    assert [stale for stale in shop.stale() if stale.name == rubric] == []
    path = shop.layout.document(KIND)
    path.write_text(path.read_text("utf-8").replace("- Where: ", "- Where: elsewhere/", 1), "utf-8")
    assert shop.acceptance(KIND) is None
    assert "S01" in str(shop.edited(KIND))
    assert [stale.name for stale in shop.stale()] == [rubric]

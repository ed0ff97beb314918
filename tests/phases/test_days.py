"""On whatever day a preparation is made: the same requests, the same documents but for the day of reading, the same hashes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.documents.readings.items import undated
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.project.project import Project
from tests.phases.pottery_expert import Draft, pottery_people, pottery_sources
from tests.phases.test_preparing import files, prepared


def objecting(request: Request, draft: Draft) -> Draft:
    """One reader objects, so that the reference goes back to its writer with everything that was found."""
    said = {"kind": "missing", "about": "T1.1", "what": "Nothing for gifts.", "proposal": "Ask for the date."}
    return {"objections": [said] if "Buyer 1" in request.messages[1].content else []}


async def made(folder: Path, day: str) -> tuple[Project, list[str]]:
    """A preparation whose answers all came on this day, from a source published in 2026; and the keys of its requests."""
    people = pottery_people(criticise=objecting)

    def on_that_day(request: Request) -> Reply:
        return msgspec.structs.replace(people(request), at=f"{day}T10:00:00+00:00")

    project = pottery_sources(folder)
    for path in project.layout.sources.rglob("*.md"):
        path.write_text(f"---\npublished: 2026-02-01\n---\n{path.read_text('utf-8')}", "utf-8")
    script = Scripted(on_that_day)
    await prepared(project, script)
    return project, [request.key for request in script.asked]


async def test_another_day_asks_and_hashes_nothing_else(tmp_path: Path) -> None:
    """Five years later, too, when sources of that time would be called old."""
    first, asked = await made(tmp_path / "first" / "shop", "2026-11-20")
    later, asked_later = await made(tmp_path / "later" / "shop", "2031-12-24")
    assert sorted(asked) == sorted(asked_later)
    assert len(asked) > 30
    texts, texts_later = files(first), files(later)
    assert {path for path in texts if texts[path] != texts_later[path]} >= {"reference/domain-frameworks.md"}
    assert {path: undated(text) for path, text in texts.items()} == {path: undated(text) for path, text in texts_later.items()}
    stamps, stamps_later = (
        {path.name: path.read_text() for path in project.layout.stamp("x").parent.iterdir()} for project in (first, later)
    )
    assert stamps == stamps_later
    hashes, hashes_later = ([decision.text for decision in project.decisions()] for project in (first, later))
    assert hashes == hashes_later

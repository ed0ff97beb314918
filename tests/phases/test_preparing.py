"""The whole preparation with scripted models: drafts are examined, handed back, and what is left stands in the open."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.errors import ActNeeded
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases import accepting
from finetune_prep.phases.prepare import prepare
from finetune_prep.phases.workshop import open_workshop
from finetune_prep.project.project import Project
from tests.phases.pottery_expert import pottery_people, pottery_sources


async def prepared(project: Project, script: Scripted) -> list[str]:
    """Prepare from the brief to the last prompt, accepting whatever a person must accept. Returns what was told."""
    told: list[str] = []
    for _ in range(8):
        try:
            async with open_workshop(project, provider=script, tell=told.append) as shop:
                await prepare(shop, lambda phase: None)
            return told
        except ActNeeded:
            for kind in accepting.waiting(project):
                accepting.accept(project, accepting.propose(project, kind), by="a reader", interactive=True)
    raise AssertionError("it does not come to an end")


async def test_from_brief_and_sources_to_the_last_prompt(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people())
    told = await prepared(project, script)
    print("\n".join(told))
    for path in sorted((tmp_path / "shop" / "reference" / "digest").glob("*.md")):
        print(path.name, path.read_text())
    assert all(project.layout.document(kind).is_file() for kind in accepting.ORDER)

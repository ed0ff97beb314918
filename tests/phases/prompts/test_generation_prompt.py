"""The last phase: four texts written side by side, and anchors and facts put in without a model."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.core.request import Request
from finetune_prep.documents.kinds import Documents
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.prompts.generation_prompt import generation_prompt
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project
from tests.phases.pottery_expert import Draft, pottery_people
from tests.phases.pottery_shop import pottery_project, rewrite

FACT = "FA1: Photographs: kiln@shop.example (address). Confirmed by: Ines Kiln"


async def made(project: Project, script: Scripted) -> list[str]:
    told: list[str] = []
    async with open_session(project, provider=script, tell=told.append) as session:
        await generation_prompt(session)
    return told


def without_prompts(folder: Path) -> Project:
    project = pottery_project(folder)
    for kind in ("generation-prompt", "user-prompt", "system-prompt"):
        project.layout.document(kind).unlink()
    return project


def of_this_shop(request: Request, draft: Draft) -> Draft:
    """The guidance for a shop that has no more than four failure modes."""
    draft["guards"][0]["counters"] = ["FM1"]
    return draft


async def test_all_four_texts_are_asked_for_before_anything_is_judged(tmp_path: Path) -> None:
    """Four requests, then the judge; nothing fails, so nothing is handed back."""
    project = without_prompts(tmp_path / "shop")
    script = Scripted(pottery_people(generation_guidance=of_this_shop))
    await made(project, script)
    writers = [request.origin.label for request in script.asked if request.role == "expert"]
    assert sorted(writers) == ["few-shot conversations", "role, grounding and guards", "system prompt", "user prompt"]
    assert [request.role for request in script.asked[:4]] == ["expert"] * 4
    judged = [request.origin.about for request in script.asked if request.role == "judge"]
    assert sorted(judged) == [
        "few-shots.no-never",
        "generation-prompt.few-shots-pass",
        "generation-prompt.few-shots-pass",
        "generation-prompt.few-shots-pass",
        "generation-prompt.natural",
        "generation-prompt.natural",
        "generation-prompt.snippets",
        "generation-prompt.snippets",
        "generation-prompt.terms-known",
    ]
    prompt = project.value(Documents.generation_prompt)
    assert [fact.value for fact in prompt.facts] == ["kiln@shop.example"]
    assert "Confirmed by" not in project.layout.document("generation-prompt").read_text("utf-8")


async def test_present_facts_are_put_in_without_a_model(tmp_path: Path) -> None:
    """Changed, taken out and added again: every other line of the prompt stays as it is."""
    project = without_prompts(tmp_path / "shop")
    await made(project, Scripted(pottery_people()))
    path = project.layout.document("generation-prompt")
    before = path.read_text("utf-8")
    rewrite(project, "domain-frameworks", "kiln@shop.example", "oven@shop.example")
    assert await made(project, Scripted([])) == ["generation prompt: the present anchors and facts put in"]
    assert path.read_text("utf-8") == before.replace("kiln@shop.example", "oven@shop.example")
    section = f"## Facts\n\n- {FACT.replace('kiln@', 'oven@')}\n\n"
    rewrite(project, "domain-frameworks", section, "")
    await made(project, Scripted([]))
    assert "## Facts" not in path.read_text("utf-8")
    rewrite(project, "domain-frameworks", "## Behavioral anchors", f"## Facts\n\n- {FACT}\n\n## Behavioral anchors")
    await made(project, Scripted([]))
    assert path.read_text("utf-8") == before


async def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    project = without_prompts(tmp_path / "shop")
    await made(project, Scripted(pottery_people()))
    project.layout.document("user-prompt").unlink()
    script = Scripted(pottery_people())
    await made(project, script)
    assert script.asked == [], "the ledger still holds the answer"
    assert project.layout.document("user-prompt").is_file()

"""The whole preparation with scripted models: drafts are examined, handed back, and what is left stands in the open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.request import Request
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, NotYet, Unreachable
from finetune_prep.ledger.fetched import Archive
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.session import open_session
from finetune_prep.project.config import SearchSettings
from finetune_prep.project.project import Project
from finetune_prep.sources.searching.choosing import open_search
from finetune_prep.sources.web import Web
from finetune_prep.workflow import accepting
from finetune_prep.workflow.checking import outcomes
from finetune_prep.workflow.prepare import prepare
from tests.phases.pottery_expert import Draft, pottery_people, pottery_sources
from tests.phases.research.searched_web import KEY, LONG, Engine
from tests.soak import SOAK
from tests.sources.fake_web import FakeWeb, html


async def prepared(
    project: Project, provider: Any, *, stops: list[ActNeeded] | None = None, web: Callable[[Archive], Web] | None = None
) -> list[str]:
    """Prepare from the brief to the last prompt, accepting whatever a person must accept. Returns what was told."""
    told: list[str] = []
    for _ in range(8):
        try:
            async with open_session(project, provider=provider, tell=told.append, web=web) as shop:
                await prepare(shop, lambda phase: None)
            return told
        except ActNeeded as stop:
            if stops is not None:
                stops.append(stop)
            for kind in accepting.waiting(project):
                accepting.accept(project, accepting.propose(project, kind), by="a reader", interactive=True)
    raise AssertionError("it does not come to an end")


def files(project: Project) -> dict[str, str]:
    """Everything that was made for people to read."""
    folders = (project.folder / "reference", project.folder / "prompts")
    return {
        path.relative_to(project.folder).as_posix(): path.read_text("utf-8")
        for folder in folders
        for path in sorted(folder.rglob("*.md"))
    }


def page(project: Project, name: str) -> str:
    return (project.folder / "reference" / "digest" / f"{name}.md").read_text("utf-8")


async def test_from_brief_and_sources_to_the_last_prompt(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    stops: list[ActNeeded] = []
    told = await prepared(project, Scripted(pottery_people()), stops=stops)
    assert all(project.layout.document(kind).is_file() for kind in accepting.ORDER)
    assert not [o for o in outcomes(project) if o.answer == "fails" and not o.gate.startswith("workflow.")]
    assert "S01 Damaged goods: 5 claims with verified quotes" in told
    assert (
        "Potter 5: Empty sympathy; A refund promised; Harm made small; Service recovery; Name, own, next step; One question"
        in told
    )
    reads = [line.strip() for stop in stops for line in stop.details]
    assert reads == [
        "reference/domain-frameworks.md: every gate holds",
        "look first at reference/digest/1-domain-frameworks.md",
        "look first at reference/digest/2-behavioral-anchors.md",
        "reference/scenario-space.md: every gate holds",
        "look first at reference/digest/1-scenario-space.md",
        "reference/evaluation-rubric.md: every gate holds",
        "look first at reference/digest/3-evaluation-rubric.md",
        "prompts/evaluation-prompt.md: every gate holds",
        "look first at reference/digest/4-evaluation-prompt.md",
    ]


async def test_the_reference_says_who_was_asked_and_how_far_they_repeated_themselves(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    await prepared(project, Scripted(pottery_people()))
    text = project.layout.document("domain-frameworks").read_text("utf-8")
    knowledge = project.value(Documents.knowledge)
    assert "## Panel\n\n- Potter 0\n" in text
    assert "36 proposals of 8 different things: about 8 are to be expected of this panel" in text
    assert "two difficult users: Buyer 1, Buyer 2." in text
    assert [found.text for found in knowledge.contradictions] == ["What comes first: the fault or a question."]
    assert text.index("## Behavioral anchors") < text.index("## Panel") < text.index("## Sources") or (
        text.index("## Panel") < text.index("## Behavioral anchors") < text.index("## Sources")
    )


async def test_what_gates_find_in_a_draft_goes_back_with_it(tmp_path: Path) -> None:
    """A draft that can be read as a document is examined as one: nothing else refuses it."""

    def lopsided(request: Request, draft: Draft) -> Draft:
        if not request.sample:
            draft["categories"][0]["weight"] += 0.2
        return draft

    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people(rubric_questions=lopsided))
    await prepared(project, script)
    handed_back = {r.origin.label: r.messages[-1].content for r in script.asked if r.sample == "revision1"}
    assert "the weights sum to 1.2, not 1" in handed_back["rubric questions, revision 1"]
    assert not [o for o in outcomes(project) if o.answer == "fails" and not o.gate.startswith("workflow.")]


async def test_few_shots_that_the_judge_fails_are_replaced(tmp_path: Path) -> None:
    """The judge, who has not seen them, says NO to safety in one; the writer gets the verdict and writes another."""
    good = "A second cracked bowl. The kiln room answers by Friday."

    def shots(request: Request, draft: Draft) -> Draft:
        if not request.sample:
            draft["few_shots"][0]["conversation"][1]["text"] = "A cracked SF1 bowl."
        return draft

    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people(generation_few_shots=shots))
    told = await prepared(project, script)
    assert "few-shot conversations: 1 point to fix, handed back to the writer" in told
    handed_back = next(r for r in script.asked if r.sample == "revision1" and r.origin.label.startswith("few-shot"))
    assert "X1 does not pass when a judge answers" in handed_back.messages[-1].content
    assert good in project.layout.document("generation-prompt").read_text("utf-8")
    assert "No gate and no reader found anything" in page(project, "5-generation-prompt")


async def test_what_still_fails_after_revising_is_left_visible(tmp_path: Path) -> None:
    def shots(request: Request, draft: Draft) -> Draft:
        draft["few_shots"][0]["conversation"][1]["text"] = "A cracked SF1 bowl."
        return draft

    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people(generation_few_shots=shots))
    await prepared(project, script)
    assert len([r for r in script.asked if r.schema and r.schema.name.startswith("generation-few-shots")]) == 2
    assert "X1 does not pass when a judge answers" in page(project, "5-generation-prompt")
    failing = [o.gate for o in outcomes(project) if o.answer == "fails" and not o.gate.startswith("workflow.")]
    assert failing == ["generation-prompt.few-shots-pass"]


async def test_objections_of_the_panel_reach_the_writer_and_the_page(tmp_path: Path) -> None:
    def object_(request: Request, draft: Draft) -> Draft:
        said = {"kind": "unserved", "about": "T1.1", "what": "Nothing for the deaf.", "proposal": "Offer to write."}
        return {"objections": [said] if "Potter 3:" in request.messages[1].content else []}

    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people(criticise=object_))
    await prepared(project, script)
    for about, name in (("domain frameworks", "1-domain-frameworks"), ("rubric questions", "3-evaluation-rubric")):
        handed_back = next(r for r in script.asked if r.origin.label == f"{about}, revision 1")
        assert "Nothing for the deaf." in handed_back.messages[-1].content
        said = "- T1.1: Nothing for the deaf. → Offer to write. (Potter 3) – set aside: The brief leaves it out."
        assert said in page(project, name)


async def test_false_quotes_are_dropped_and_told(tmp_path: Path) -> None:
    def read(request: Request, draft: Draft) -> Draft:
        draft["claims"].append({"kind": "practice", "statement": "Refund all.", "quote": "Refund every customer at once"})
        return draft

    project = pottery_sources(tmp_path / "shop")
    told = await prepared(project, Scripted(pottery_people(reading=read)))
    assert "S01 Damaged goods: 5 claims with verified quotes, 1 dropped because the quote is not in the source" in told
    assert "S01 Damaged goods: 1 claims dropped" in page(project, "1-domain-frameworks")
    assert not [text for text in files(project).values() if "Refund every customer" in text]


async def test_again_with_the_answers_that_are_there_gives_the_same_files(tmp_path: Path) -> None:
    """The ledger replays every draft, every objection and every judgement."""
    first = pottery_sources(tmp_path / "one")
    await prepared(first, Scripted(pottery_people()))
    again = pottery_sources(tmp_path / "two")
    again.layout.ledger.parent.mkdir(parents=True)
    again.layout.ledger.write_bytes(first.layout.ledger.read_bytes())
    await prepared(again, Scripted([]))
    assert files(again) == files(first)


@pytest.mark.slow
async def test_stopped_after_any_number_of_answers_it_goes_on_to_the_same_files(tmp_path: Path) -> None:
    whole = pottery_sources(tmp_path / "whole")
    complete = Scripted(pottery_people())
    await prepared(whole, complete)
    people = pottery_people()
    for most in range(1, len(complete.asked), 1 if SOAK else 15):
        project = pottery_sources(tmp_path / f"after-{most}")
        given: list[Request] = []

        def stopping(request: Request, most: int = most, given: list[Request] = given) -> Any:
            given.append(request)
            return people(request) if len(given) <= most else KeyError("the plug was pulled")

        try:
            await prepared(project, Scripted(stopping))
        except (KeyError, NotYet, Unreachable):
            pass
        else:
            raise AssertionError("it was not stopped")
        await prepared(project, Scripted(people))
        assert files(project) == files(whole), most


async def test_languages_of_the_brief_reach_every_prompt(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop", sittings=1)
    brief = project.layout.document("brief")
    brief.write_text(f"---\nlanguage: de\ndocuments: fr\n---\n{brief.read_text('utf-8')}", "utf-8")
    script = Scripted(pottery_people())
    await prepared(project, script)
    wanted = "are in this language: de. Everything else is written in this language: fr."
    without = [
        request.origin.label for request in script.asked if request.role == "expert" and wanted not in request.messages[1].content
    ]
    # who sorts proposals writes nothing
    assert without == ["proposals of the same thing"]


async def test_pages_of_the_web_are_read_with_the_files_and_found_again_without_a_network(tmp_path: Path) -> None:
    """From the search to the prompts: claims of a page stand beside those of the files, also in later phases and later runs."""

    def found(query: str) -> list[dict[str, str]]:
        url = internet.url("/returns", "larch.example")
        return [{"title": "Returns", "url": url, "content": "…"}] if query.endswith("0 2026") else []

    script = Scripted(pottery_people())
    project = pottery_sources(tmp_path / "shop", sittings=1)
    with FakeWeb({"/returns": html(f"<h1>Returns at Larch</h1><p>{LONG}</p>")}) as internet, Engine(found) as engine:
        settings = SearchSettings(provider="tavily", base_url=engine.base_url)

        def web(archive: Archive) -> Web:
            search = open_search(settings, {"TAVILY_API_KEY": KEY})
            return Web(archive, search=search, fetcher=internet.fetcher(seconds=5.0))

        told = await prepared(project, script, web=web)
    assert [line for line in told if line.startswith("S03 ") and "1 claims with verified quotes" in line]
    for prompt in ("research-propose", "research-frameworks"):
        asked = next(r for r in script.asked if r.schema and r.schema.name == prompt)
        assert "Thirty days from the day of delivery" in asked.messages[1].content, prompt
    before = files(project)
    for path in (*project.layout.digests.glob("*.md"), *(project.layout.document(kind) for kind in accepting.ORDER)):
        path.unlink()
    again = Scripted([])
    await prepared(project, again, web=Web)
    assert (files(project), again.asked) == (before, [])


async def test_phase_4_is_one_draft_and_one_round_of_blind_judging(tmp_path: Path) -> None:
    """Calibrations and worked examples share one long beginning, so they are asked side by side; a sound draft needs no more."""
    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people())
    await prepared(project, script)
    asked = [
        request for request in script.asked if request.phase == "evaluation-prompt" or "judged-blind" in request.origin.about
    ]
    assert [request.role for request in asked] == ["expert"] + ["judge"] * 5
    assert sorted(request.origin.item for request in asked[1:]) == ["C1", "C2", "E1", "E2", "E3"]
    assert len({request.messages[0].content for request in asked[1:]}) == 1


async def test_a_calibration_that_the_judge_answers_otherwise_goes_back_and_only_it_is_judged_again(tmp_path: Path) -> None:
    def calibrations(request: Request, draft: Draft) -> Draft:
        if not request.sample:
            draft["calibrations"][1]["conversation"][1]["text"] = "A cracked CP2 bowl."
        return draft

    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people(evaluation_prompt=calibrations))
    told = await prepared(project, script)
    assert "judge's role and calibrations: 2 points to fix, handed back to the writer" in told
    blind = [request.origin.item for request in script.asked if request.origin.about == "evaluation-prompt.judged-blind"]
    assert sorted(blind) == ["C1", "C2", "C2"]
    assert "A cracked CP2 bowl." not in project.layout.document("evaluation-prompt").read_text("utf-8")

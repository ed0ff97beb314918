"""Phase 1 from end to end: nothing given is lost, quotes that carry nothing are marked, and few requests are enough."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from finetune_prep.core.knowledge import UNSOURCED
from finetune_prep.core.request import Reply, Request
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import NotYet
from finetune_prep.gates import check
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.research.research import research
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project
from tests.phases.pottery_expert import Draft, pottery_people, pottery_sources

MOST_REQUESTS = 40
MOST_ROUNDS = 11


async def researched(project: Project, script: Scripted) -> list[str]:
    told: list[str] = []
    async with open_session(project, provider=script, tell=told.append) as shop:
        await research(shop)
    return told


def outcome(project: Project, gate: str) -> str:
    return next(found.answer for found in check(project.documents()) if found.gate == gate)


async def test_the_brief_stands_in_the_reference_item_by_item_and_a_person_sees_how_grave_failures_are(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    await researched(project, Scripted(pottery_people()))
    knowledge = project.value(Documents.knowledge)
    assert [wish.id for wish in knowledge.asked_for] == ["JOB1", "LIMIT1", "RISK1"]
    assert len(knowledge.panel) == 6, "eight things, two of them situations"
    for gate in ("jobs", "fears-taken-up", "common-failures", "panel-answered", "exist"):
        assert outcome(project, f"origins.{gate}") == "holds", gate
    page = (project.folder / "reference" / "digest" / "1-domain-frameworks.md").read_text("utf-8")
    assert "- critical: FM3 Harm made small, FM4 Asking for secrets" in page


async def test_what_the_writer_leaves_out_is_handed_back_by_number(tmp_path: Path) -> None:
    """The first draft forgets a proposal, a risk and a common failure; the patch answers for each of them."""

    def forgetful(request: Request, draft: Draft) -> Draft:
        if not request.sample:
            modes = draft["failure_modes"]
            modes[1]["takes_up"] = [id for id in modes[1]["takes_up"] if id != "PR1"]
            modes[2]["takes_up"] = []
        return draft

    project = pottery_sources(tmp_path / "shop")
    script = Scripted(pottery_people(research_frameworks=forgetful))
    await researched(project, script)
    [back] = [request.messages[-1].content for request in script.asked if request.origin.label == "domain frameworks, revision 1"]
    for said in ("not so: PR1", "no failure mode makes RISK1 concrete", "AF11 (misses danger said in passing) is neither"):
        assert said in back
    assert outcome(project, "origins.panel-answered") == "holds"


async def test_a_statement_that_its_quote_does_not_carry_is_marked_as_unsourced(tmp_path: Path) -> None:
    """The judge says NO to P2 and to the fact, whatever the writer does."""
    people = pottery_people()

    def answer(request: Request) -> Reply:
        reply = people(request)
        if request.role != "judge" or request.origin.about != "research.claims-carried":
            return reply
        found = msgspec.json.decode(reply.text)
        no = {"evidence": "It says nothing of the kind.", "answer": "NO", "fix": "unsourced"}
        return msgspec.structs.replace(
            reply, text=msgspec.json.encode({id: no if id in ("P2", "FA1") else found[id] for id in found}).decode()
        )

    project = pottery_sources(tmp_path / "shop")
    told = await researched(project, Scripted(answer))
    knowledge = project.value(Documents.knowledge)
    assert [citation.source for citation in knowledge.principles[1].sources] == [UNSOURCED]
    assert [citation.source for citation in knowledge.principles[0].sources] == ["S01"]
    assert "marked as unsourced, since their quotes do not carry them: FA1, P2" in told
    assert outcome(project, "fact-table.vouched-for") == "fails", "a fact without a source waits for somebody who confirms it"


async def test_few_requests_and_rounds_are_enough(tmp_path: Path) -> None:
    """Six sources, two sittings, a revision, as by batch files: all that can be asked in one round is."""

    def new(request: Request, draft: Draft) -> Draft:
        expert = re.search(r"Potter (\d)", request.messages[1].content)
        assert expert is not None
        mark = f"{'abcdef'[int(expert[1])]}{request.origin.label[-1]}"
        kinds = ("framework", "technique", "situation", "failure")
        made = [{"kind": kinds[n % 4], "name": f"{mark}{n}", "text": f"Says {mark}{n}.", "claims": []} for n in range(8)]
        return {"proposals": made}

    def object_(request: Request, draft: Draft) -> Draft:
        return {"objections": [{"kind": "missing", "about": "", "what": "A thing is missing.", "proposal": "Add it."}]}

    project = pottery_sources(tmp_path / "shop", sittings=2)
    for number in range(4):
        (project.folder / "sources" / f"more-{number}.md").write_text(
            f"# More {number}\n\nThirty days from the day of delivery, says page {number}.\n", "utf-8"
        )
    people = pottery_people(research_propose=new, criticise=object_)
    answered: dict[str, Reply] = {}
    asked: list[Request] = []

    def by_file(request: Request) -> Reply:
        asked.append(request)
        if request.key not in answered:
            raise NotYet([request.key])
        return answered[request.key]

    rounds = 0
    while rounds <= MOST_ROUNDS:
        asked.clear()
        try:
            await researched(project, Scripted(by_file))
            break
        except NotYet:
            rounds += 1
            answered |= {request.key: people(request) for request in asked if request.key not in answered}
    assert project.layout.document("scenario-space").exists()
    assert len(answered) <= MOST_REQUESTS
    assert rounds <= MOST_ROUNDS

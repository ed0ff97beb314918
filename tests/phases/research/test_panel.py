"""The panel: asked apart from each other until it repeats itself; what it says is merged; the same people object to drafts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.request import Request
from finetune_prep.errors import Unusable
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.research.panel import Proposed, convene, criticise, propose
from finetune_prep.phases.session import Session, open_session
from tests.phases.pottery_expert import KNOWN, Draft, pottery_people, pottery_sources

NUMBERS = [f"S{source:02}.{claim}" for source in (1, 2) for claim in range(1, 6)]


def expert(request: Request) -> int:
    found = re.search(r"Potter (\d)", request.messages[1].content)
    assert found is not None
    return int(found[1])


def proposal(name: str, text: str, *claims: str, kind: str = "technique") -> Draft:
    return {"kind": kind, "name": name, "text": text, "claims": [*claims]}


async def proposed(folder: Path, script: Scripted, **settings: int) -> tuple[Proposed, list[str]]:
    told: list[str] = []
    async with open_session(pottery_sources(folder, **settings), provider=script, tell=told.append) as shop:
        return await propose(shop, await convene(shop), "CLAIMS", NUMBERS), told


def sittings(script: Scripted) -> list[str]:
    return [request.origin.label for request in script.asked if request.schema and request.schema.name == "research-propose"]


async def test_each_expert_is_asked_by_itself_and_sees_no_other(tmp_path: Path) -> None:
    script = Scripted(pottery_people())
    await proposed(tmp_path / "shop", script)
    asked = [request for request in script.asked if request.schema and request.schema.name == "research-propose"]
    assert sorted(map(expert, asked)) == [0, 1, 2, 3, 4, 5]
    for request in asked:
        assert len(re.findall(r"Potter \d", request.messages[1].content)) == 1
        assert not [name for _, name, _, _ in KNOWN if name in request.messages[1].content]


async def test_in_a_second_sitting_each_expert_sees_what_it_named_itself_and_nobody_else_s(tmp_path: Path) -> None:
    def new(request: Request, draft: Draft) -> Draft:
        mark = f"{'abcdef'[expert(request)]}{request.origin.label[-1]}"
        return {"proposals": [proposal(f"{mark}-{n} mending", f"Mends the {mark}-{n} with lime.") for n in range(8)]}

    script = Scripted(pottery_people(research_propose=new))
    await proposed(tmp_path / "shop", script, sittings=2)
    asked = [request for request in script.asked if request.schema and request.schema.name == "research-propose"]
    for request in asked[6:]:
        shown = re.findall(r"^- (\w)1-\d mending: Mends", request.messages[1].content, re.MULTILINE)
        assert shown == ["abcdef"[expert(request)]] * 8


async def test_the_same_thing_from_several_experts_is_one_thing_with_all_their_claims(tmp_path: Path) -> None:
    def some(request: Request, draft: Draft) -> Draft:
        mine = expert(request)
        shared = proposal("Name the fault first" if mine % 2 else "name the fault  first", "Says what broke.", NUMBERS[mine])
        return {"proposals": [shared, *draft["proposals"][1:]]}

    found, _ = await proposed(tmp_path / "shop", Scripted(pottery_people(research_propose=some)), sittings=1)
    first = found.things[0]
    assert (first.text, found.experts(first)) == ("Says what broke.", 6)
    assert set(first.claims) == set(NUMBERS[:6])
    assert len(first.by) == 6


async def test_what_a_model_calls_the_same_is_merged_as_well_and_nothing_is_lost(tmp_path: Path) -> None:
    def groups(request: Request, draft: Draft) -> Draft:
        situations = re.split(r"^# ", request.messages[1].content, flags=re.MULTILINE)[3]
        assert situations.startswith("situation\n")
        shown = re.findall(r"^(\d+)\. ", situations, re.MULTILINE)
        return {"groups": [[int(number) for number in shown]]}

    apart, _ = await proposed(tmp_path / "apart", Scripted(pottery_people()), sittings=1)
    joined, _ = await proposed(tmp_path / "joined", Scripted(pottery_people(research_same=groups)), sittings=1)
    assert len(joined.things) == len(apart.things) - 1
    assert {claim for thing in joined.things for claim in thing.claims} == {
        claim for thing in apart.things for claim in thing.claims
    }


async def test_groups_that_are_no_partition_go_back_to_the_model(tmp_path: Path) -> None:
    answers = iter([[[1, 99]], []])

    def groups(request: Request, draft: Draft) -> Draft:
        return {"groups": next(answers)}

    script = Scripted(pottery_people(research_same=groups))
    await proposed(tmp_path / "shop", script, sittings=1)
    again = [request for request in script.asked if request.schema and request.schema.name == "research-same"][1]
    assert "numbers go from 1 to 8" in again.messages[-1].content


async def test_a_panel_that_repeats_itself_is_not_asked_again(tmp_path: Path) -> None:
    script = Scripted(pottery_people())
    found, told = await proposed(tmp_path / "shop", script, sittings=3)
    assert len(sittings(script)) == 6
    assert (found.sittings, found.made, len(found.things), found.saturation.dry) == (1, 36, 8, True)
    assert told[-1].endswith("it has no more ideas")


async def test_a_panel_that_still_finds_new_things_is_asked_again_up_to_the_limit(tmp_path: Path) -> None:
    def new(request: Request, draft: Draft) -> Draft:
        mark = f"{'abcdef'[expert(request)]}{'uvw'[int(request.origin.label[-1]) - 1]}"
        return {"proposals": [proposal(f"{mark}{n} mending", f"Mends the {mark}{n} with lime.") for n in range(8)]}

    for limit in (1, 2, 3):
        script = Scripted(pottery_people(research_propose=new))
        found, told = await proposed(tmp_path / f"shop{limit}", script, sittings=limit)
        assert len(sittings(script)) == 6 * limit
        assert (found.sittings, found.made, len(found.things)) == (limit, 48 * limit, 48 * limit)
        assert not found.saturation.dry
        assert told[-1].endswith("it has more to say")


async def test_a_claim_that_no_source_made_goes_back_to_the_expert(tmp_path: Path) -> None:
    def invented(request: Request, draft: Draft) -> Draft:
        changed: list[Draft] = [*draft["proposals"]]
        if not request.sample:
            changed[0] = changed[0] | {"claims": ["S07.1"]}
        return {"proposals": changed}

    script = Scripted(pottery_people(research_propose=invented))
    await proposed(tmp_path / "shop", script, sittings=1)
    again = [request for request in script.asked if request.sample == "/again"]
    assert len(again) == 6
    assert all("there is no claim S07.1" in request.messages[-1].content for request in again)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda d: d | {"experts": [d["experts"][0]] * 6}, "wanted: 2 practitioner"),
        (lambda d: d | {"difficult_users": [d["difficult_users"][0]] * 2}, "names must differ"),
    ],
)
async def test_a_panel_of_one_kind_or_one_name_is_refused(tmp_path: Path, broken: Any, reason: str) -> None:
    script = Scripted(pottery_people(research_panel=lambda request, draft: broken(draft)))
    async with open_session(pottery_sources(tmp_path / "shop"), provider=script) as shop:
        with pytest.raises(Unusable, match=reason):
            await convene(shop)


async def objections(shop: Session) -> list[tuple[str, str, bool]]:
    found = await criticise(shop, await convene(shop), "rubric", "# The draft", phase="rubric")
    return [(point.by, point.what, point.critic) for point in found]


async def test_experts_and_difficult_users_read_the_draft_each_from_where_they_stand(tmp_path: Path) -> None:
    def object_(request: Request, draft: Draft) -> Draft:
        content = request.messages[1].content
        assert "# The draft" in content
        name = re.search(r"^(Potter|Buyer) \d(?=:)", content, re.MULTILINE)
        assert name is not None
        assert ("Imagine a talk" in content) == name[0].startswith("Buyer")
        said = {"kind": "missing", "about": "", "what": f"{name[0]} misses a thing.", "proposal": "Add it."}
        return {"objections": [said] if name[0] in ("Potter 3", "Buyer 2") else []}

    script = Scripted(pottery_people(criticise=object_))
    async with open_session(pottery_sources(tmp_path / "shop"), provider=script) as shop:
        assert await objections(shop) == [
            ("Potter 3", "Potter 3 misses a thing.", True),
            ("Buyer 2", "Buyer 2 misses a thing.", True),
        ]
    assert len([request for request in script.asked if request.schema and request.schema.name == "criticise"]) == 8

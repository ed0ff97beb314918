"""Write, examine, hand back: what was found goes to the writer, the best draft stands, and what is left is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from finetune_prep.core.request import Request
from finetune_prep.errors import Unusable
from finetune_prep.models.providers.scripted import Answer, Scripted
from finetune_prep.phases.drafting.revising import Answered, Drafted, Point, drafted
from finetune_prep.phases.rubric.anchors_draft import AnchorsDraft
from finetune_prep.phases.session import Session
from tests.phases.conftest import OpenSession

MUST = Point(by="anchors.always-count", item="DO1", what="DO1 is two things", fix="keep one", must=True)
ADVICE = Point(by="anchors.verb-first", item="DO2", what="DO2 begins with a noun", fix="begin with a verb")
OBJECTION = Point(by="Advocate", what="Nothing for the deaf", fix="Offer writing", critic=True)


def draft(mark: str) -> str:
    """Anchors that differ from others by a mark."""
    anchor = {"text": f"Name the {mark}.", "unless": "", "drawn_from": []}
    return msgspec.json.encode({"always": [anchor] * 6, "never": [anchor] * 8}).decode()


def patch(mark: str = "", *answers: tuple[str, str], **more: Any) -> str:
    """A patch that gives the first anchor another mark."""
    changes = [{"item": "DO1", "field": "text", "new": f"Name the {mark}."}] if mark else []
    answered = [{"objection": number, "answer": answer, "because": "it helps"} for number, answer in answers]
    return msgspec.json.encode({"changes": changes, "additions": [], "answered": answered} | more).decode()


def marked(value: AnchorsDraft) -> str:
    return value.always[0].text.split()[2].rstrip(".")


async def write(
    shop: Session, find: Callable[[str, bool], list[Point]], convert: Callable[[AnchorsDraft], str] = marked
) -> Drafted[str]:
    """Anchors as a draft. find: from the mark of a draft, and whether it is the first, to what is found."""

    async def examine(value: str, first: bool) -> list[Point]:
        return find(value, first)

    slots: dict[str, Any] = shop.slots(frameworks="F1")
    return await drafted(shop, "anchors", AnchorsDraft, convert, slots, examine, phase="anchors", about="anchors")


async def test_a_draft_without_fault_is_not_handed_back(session: OpenSession) -> None:
    script = Scripted([draft("bowl")])
    async with session(script) as shop:
        assert await write(shop, lambda mark, first: []) == Drafted("bowl", (), (), 1)
    assert len(script.asked) == 1


async def test_what_was_found_goes_back_with_the_draft_and_the_revised_one_stands(session: OpenSession) -> None:
    script = Scripted([draft("bowl"), patch("jug", ("O1", "taken_up"))])
    async with session(script) as shop:
        found = await write(shop, lambda mark, first: [MUST, ADVICE, OBJECTION] if first else [ADVICE])
    assert found == Drafted("jug", (ADVICE,), (OBJECTION,), 2, (Answered(OBJECTION, True, "it helps"),))
    first, second = script.asked
    assert second.messages[: len(first.messages)] == first.messages
    handed_back, asked = second.messages[len(first.messages) :]
    assert (handed_back.role, asked.role) == ("assistant", "user")
    assert "Name the bowl." in handed_back.content
    for point in (MUST, ADVICE, OBJECTION):
        assert point.what in asked.content
        assert point.fix in asked.content
    assert "- DO1: Name the bowl." in asked.content
    assert second.schema is not None
    assert (second.sample, second.schema.name) == ("revision1", "anchors-patch")


async def test_advice_alone_is_not_worth_another_draft(session: OpenSession) -> None:
    script = Scripted([draft("bowl")])
    async with session(script) as shop:
        assert await write(shop, lambda mark, first: [ADVICE]) == Drafted("bowl", (ADVICE,), (), 1)


async def test_a_revised_draft_that_fails_more_gates_is_put_aside(session: OpenSession) -> None:
    script = Scripted([draft("bowl"), patch("jug")])
    async with session(script) as shop:
        found = await write(shop, lambda mark, first: [MUST] if first else [MUST, MUST])
    assert found == Drafted("bowl", (MUST,), (), 2)


async def test_a_revised_draft_that_cannot_be_used_leaves_the_one_before_it(session: OpenSession) -> None:
    script = Scripted([draft("bowl"), "no JSON", "none again", "nor now"])
    async with session(script) as shop:
        assert await write(shop, lambda mark, first: [MUST]) == Drafted("bowl", (MUST,), (), 1)
    assert len(script.asked) == 4


async def test_a_first_draft_that_cannot_be_used_stops_the_phase(session: OpenSession) -> None:
    async with session(Scripted(["no JSON", "none again", "nor now"])) as shop:
        with pytest.raises(Unusable):
            await write(shop, lambda mark, first: [])


@pytest.mark.parametrize("revisions", [0, 1, 2, 3])
async def test_there_is_an_end_to_mending(session: OpenSession, revisions: int) -> None:
    """However much is found, a draft goes back as often as the project says, each time with the latest findings."""

    def answer(request: Request) -> Answer:
        return patch(f"bowl{request.sample[-1]}") if request.sample else draft("bowl")

    script = Scripted(answer)
    async with session(script) as shop:
        config = msgspec.structs.replace(shop.project.config, revisions=revisions)
        shop = msgspec.structs.replace(shop, project=msgspec.structs.replace(shop.project, config=config))
        found = await write(shop, lambda mark, first: [msgspec.structs.replace(MUST, what=f"{mark} is two things")])
    assert found.attempts == 1 + revisions
    assert found.left[0].what == ("bowl is two things" if not revisions else f"bowl{revisions} is two things")
    assert [request.sample for request in script.asked] == ["", *(f"revision{n}" for n in range(1, revisions + 1))]


async def test_a_second_run_asks_nothing_again(session: OpenSession) -> None:
    def find(mark: str, first: bool) -> list[Point]:
        return [MUST] if first else []

    async with session(Scripted([draft("bowl"), patch("jug")])) as shop:
        before = await write(shop, find)
    async with session(Scripted([])) as shop:
        assert await write(shop, find) == before


async def test_objections_that_are_all_set_aside_leave_the_draft_and_ask_nobody_again(session: OpenSession) -> None:
    examined: list[bool] = []

    def find(mark: str, first: bool) -> list[Point]:
        examined.append(first)
        return [OBJECTION, ADVICE]

    async with session(Scripted([draft("bowl"), patch("", ("O1", "set_aside"))])) as shop:
        found = await write(shop, find)
    assert found == Drafted("bowl", (ADVICE,), (OBJECTION,), 2, (Answered(OBJECTION, False, "it helps"),))
    assert examined == [True]


@pytest.mark.parametrize(
    ("misfit", "words"),
    [
        (patch("jug"), "objection O1 is not answered"),
        (patch("jug", ("O1", "taken_up"), ("O2", "set_aside")), "there is no objection O2"),
        (patch("jug", ("O1", "taken_up"), ("O1", "set_aside")), "objection O1 is answered twice"),
        (patch("", ("O1", "taken_up")), "objection O1 is said to be taken up, and nothing changes"),
        (patch("jug", ("O1", "taken_up")).replace('"DO1"', '"DO7"'), "There is no item DO7"),
    ],
)
async def test_a_patch_that_does_not_fit_goes_back_with_the_reason(misfit: str, words: str, session: OpenSession) -> None:
    script = Scripted([draft("bowl"), misfit, patch("jug", ("O1", "taken_up"))])
    async with session(script) as shop:
        found = await write(shop, lambda mark, first: [OBJECTION] if first else [])
    assert (found.value, found.attempts) == ("jug", 2)
    assert words in script.asked[2].messages[-1].content

"""Reading: every quote looked up, long sources in portions, and of very long ones what is nearest to the brief."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.knowledge import Source
from finetune_prep.core.request import Reply, Request
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.research.reading import MOST_PORTIONS, PORTION, ReadSource, read_sources
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import open_project
from finetune_prep.sources.files import SourceText
from tests.phases.pottery_expert import pottery_sources

FILL = "The train to the coast leaves at noon and comes back late. " * 17 + "\n\n"  # a thousand characters of nothing


def chapter(number: int, about: str = "") -> str:
    """Somewhat less than a portion, with one sentence that is worth quoting."""
    return f"# Chapter {number}\n\nRule {number}: write it down. {about}\n\n" + FILL * (PORTION // len(FILL) - 3)


def source(text: str) -> SourceText:
    return SourceText(source=Source(id="S01", title="Book", where="sources/book.md", read=""), text=text, hash="h")


def reader(request: Request) -> Reply:
    """Quotes every rule of the portion, and one that nobody wrote."""
    rules = re.findall(r"Rule \d+: write it down\.", request.messages[1].content)
    claims = [{"kind": "practice", "statement": "A rule.", "quote": quote} for quote in [*rules, "Rule 0: forget it."]]
    return Reply(text=msgspec.json.encode({"claims": claims}).decode(), at="2026-11-20T10:00:00Z")


async def read(folder: Path, text: SourceText, brief: str = "") -> tuple[ReadSource, list[Request], list[str]]:
    told: list[str] = []
    script = Scripted(reader)
    project = pottery_sources(folder)
    if brief:
        (folder / "brief.md").write_text(brief, "utf-8")
        project = open_project(folder)
    async with open_session(project, provider=script, tell=told.append) as shop:
        (found,) = await read_sources(shop, [text])
    return found, script.asked, told


async def test_a_source_that_fits_is_read_at_once(tmp_path: Path) -> None:
    found, asked, told = await read(tmp_path / "shop", source("Rule 1: write it down.\n"))
    assert [request.origin.about for request in asked] == ["read sources/book.md"]
    assert ([claim.id for claim in found.claims], found.dropped, found.source.read, told) == (["S01.1"], 1, "2026-11-20", [])


async def test_a_long_source_is_read_in_portions_and_its_claims_numbered_through(tmp_path: Path) -> None:
    found, asked, told = await read(tmp_path / "shop", source("".join(chapter(n) for n in (1, 2, 3))))
    assert [request.origin.about for request in asked] == [f"read sources/book.md, portion {n} of 3" for n in (1, 2, 3)]
    assert all(len(request.messages[1].content) < PORTION + 3000 for request in asked)
    assert [claim.quote for claim in found.claims] == [f"Rule {n}: write it down." for n in (1, 2, 3)]
    assert len({claim.id for claim in found.claims}) == 3
    assert (found.dropped, told) == (3, [])


async def test_a_portion_that_begins_within_a_table_is_read_with_its_head(tmp_path: Path) -> None:
    rows = "".join(f"| bowl {n} | {n} euros |\n" for n in range(3 * PORTION // 25))
    _, asked, _ = await read(tmp_path / "shop", source(f"| piece | refund |\n| --- | --- |\n{rows}"))
    assert len(asked) > 2
    assert all("| piece | refund |\n| --- | --- |\n| bowl " in request.messages[1].content for request in asked)


async def test_of_a_very_long_source_the_portions_nearest_to_the_brief_are_read_and_that_is_said(tmp_path: Path) -> None:
    chapters = [chapter(n, "Support for a pottery shop: the chat of a small shop." if n in (2, 9) else "") for n in range(1, 11)]
    found, asked, told = await read(
        tmp_path / "shop", source("".join(chapters)), "# Support for a pottery shop\n\nA small shop's chat.\n"
    )
    assert len(asked) == MOST_PORTIONS
    quotes = [claim.quote for claim in found.claims]
    assert {"Rule 2: write it down.", "Rule 9: write it down."} <= set(quotes)
    assert quotes == sorted(quotes, key=lambda quote: int(quote.split()[1].rstrip(":")))
    assert told == [f"sources/book.md: {MOST_PORTIONS} of 10 portions are read, those nearest to the brief"]


@pytest.mark.parametrize(
    ("brief", "about", "fill"),
    [
        ("---\nlanguage: zh\n---\n# 陶器店客服\n\n客服解答退换、运费和破损陶器的赔偿。\n", "破损的陶器怎么退换，运费由谁承担。", "列车中午开往海边，晚上很晚才回来。"),
        ("---\nlanguage: ja\n---\n# 陶器店の相談\n\n割れた茶碗の交換と送料の相談に答えます。\n", "割れた茶碗の交換と送料について。", "列車は正午に海へ出発し、夜遅く戻ります。"),
        ("---\nlanguage: th\n---\n# ร้านเครื่องปั้น\n\nตอบเรื่องชามแตกและการคืนเงินค่าส่ง\n", "ชามแตกคืนเงินค่าส่งได้อย่างไร", "รถไฟออกไปทะเลตอนเที่ยงและกลับดึก "),
    ],
)  # fmt: skip
async def test_portions_are_chosen_by_the_words_of_the_brief_in_scripts_without_spaces(
    tmp_path: Path, brief: str, about: str, fill: str
) -> None:
    paragraph = fill * 40 + "\n\n"
    chapters = [
        f"# {n}\n\nRule {n}: write it down. {about if n in (4, 10) else ''}\n\n" + paragraph * (PORTION // len(paragraph) - 1)
        for n in range(1, 11)
    ]
    found, asked, _ = await read(tmp_path / "shop", source("".join(chapters)), brief)
    assert len(asked) == MOST_PORTIONS
    assert {"Rule 4: write it down.", "Rule 10: write it down."} <= {claim.quote for claim in found.claims}

"""Every prompt of the phases as it is sent, kept as a file to be read and reviewed; and how much of it a provider could cache.

After a change that is meant: FINETUNE_PREP_WRITE_SNAPSHOTS=1 python -m pytest tests/phases/test_rendered_prompts.py
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.core.request import Request
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.drafting.prompt_files import BUILT_IN
from finetune_prep.phases.research.web import plan
from finetune_prep.phases.session import open_session
from tests.phases.pottery_expert import pottery_people, pottery_sources
from tests.phases.test_preparing import prepared

FOLDER = Path(__file__).parent / "rendered"
BLOCK = 512  # characters: providers cache prefixes in blocks of some 128 tokens
ELSEWHERE = {"converse-card", "converse-user", "converse-whole", "judge"}  # sent by the pilot; the judge also by judged gates
COMMANDS = {name for name in BUILT_IN if name.startswith(("probe-", "evaluate-", "improve-"))}  # sent by the commands called so
# the prompts that answer no schema, by the words they are asked under
PLAIN = {"user prompt": "generation-user-prompt", "system prompt": "generation-system-prompt"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[Request]:
    """All requests of a preparation in which one draft is handed back."""

    def objecting(request: Request, draft: dict[str, object]) -> dict[str, object]:
        said = {"kind": "missing", "about": "T1.1", "what": "Nothing for gifts.", "proposal": "Ask for the date."}
        return {"objections": [said] if "Buyer 1" in request.messages[1].content else []}

    script = Scripted(pottery_people(criticise=objecting))
    project = pottery_sources(tmp_path_factory.mktemp("rendered") / "shop", sittings=1)

    async def ask_for_queries() -> None:
        async with open_session(project, provider=script) as shop:
            await plan(shop)

    asyncio.run(prepared(project, script))
    asyncio.run(ask_for_queries())
    return script.asked


def prompt_of(request: Request) -> str:
    if request.sample.startswith("revision"):
        return "revise"
    if request.schema is None:
        return PLAIN[request.origin.about]
    name = request.schema.name
    return {"reading": "research-read"}.get(name, name)


def rendered(request: Request) -> str:
    return "".join(f"══ {message.role}\n\n{message.content}\n\n" for message in request.messages)


def test_every_prompt_is_sent_as_it_was_reviewed(asked: list[Request]) -> None:
    first: dict[str, Request] = {}
    for request in asked:
        first.setdefault(prompt_of(request), request)
    ours = {name for name in BUILT_IN if "." not in name} - ELSEWHERE - COMMANDS
    assert ours <= set(first)
    if os.environ.get("FINETUNE_PREP_WRITE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        for name, request in first.items():
            (FOLDER / f"{name}.txt").write_text(rendered(request), "utf-8")
    kept = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.txt")}
    assert set(kept) == set(first)
    for name, request in first.items():
        assert rendered(request) == kept[name], f"{name} is sent differently; see the head of this file"


def shares(requests: list[Request]) -> Iterator[tuple[Request, int, int]]:
    """Each request with its length and how many of its first characters some earlier request began with, in whole blocks."""
    seen: set[str] = set()
    for request in requests:
        text = "".join(f"{message.role}\0{message.content}\0" for message in request.messages)
        starts = [text[:end] for end in range(BLOCK, len(text) + 1, BLOCK)]
        known = next((len(start) for start in reversed(starts) if start in seen), 0)
        seen.update(starts)
        yield request, len(text), known


def test_what_never_changes_stands_first(asked: list[Request]) -> None:
    """Asked again – by another expert, reader or category, or with a draft handed back – a prompt begins as it did before."""
    totals: dict[str, list[int]] = {}
    for request, length, known in shares(asked):
        total = totals.setdefault(prompt_of(request), [0, 0, 0])
        totals[prompt_of(request)] = [total[0] + 1, total[1] + length, total[2] + known]
    whole = sum(total[1] for total in totals.values())
    cached = sum(total[2] for total in totals.values())
    for name, (times, length, known) in sorted(totals.items()):
        print(f"{name:45} {times:3} requests  {length:7,} characters  {known / length:4.0%} cached")
    print(
        f"{'a whole preparation':45} {sum(t[0] for t in totals.values()):3} requests  {whole:7,} characters  {cached / whole:4.0%} cached"
    )
    for name in ("research-propose", "criticise", "revise"):
        times, length, known = totals[name]
        # all but the first, or all, of these share everything but their last lines
        assert known >= 0.9 * length * (times - 1) / times - BLOCK * times, name

"""The pottery shop with two models to evaluate, each at an address of its own, a simulated user and a judge."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from finetune_prep.core.verdict import STEERING
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.test_pilot import asked_of
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.phases.pottery_shop import accept_all

GOOD, BAD = "We send a new bowl today", "We can do nothing about it"
Reply = Callable[[Call, int], Behaviour]


def says(text: str, **more: Any) -> Reply:
    """A model that says this, and never the same twice."""
    return lambda call, number: Completion(f"{text}, number {number}.", **more)


class Shown:
    """Three servers: `shop` plays the user and judges, `base` and `tuned` reply."""

    def __init__(self, shop: FakeEndpoint, base: FakeEndpoint, tuned: FakeEndpoint) -> None:
        self.shop, self.base, self.tuned = shop, base, tuned

    @property
    def verdicts(self) -> list[Call]:
        return [call for call in self.shop.calls if asked_of(call)]

    @property
    def replies(self) -> list[Call]:
        """What both models were asked, lists of models left out."""
        return [call for call in (*self.base.calls, *self.tuned.calls) if call.body]


def judged(call: Call, questions: Sequence[str], **no: str) -> Behaviour:
    """YES to all of a good reply, NO to the first question beyond the gate of a bad one, and to a third of the others."""
    said = [json.loads(line) for line in str(call.body["messages"][1]["content"]).splitlines() if line.startswith('{"turn"')]
    good = GOOD in said[-1]["text"]
    quote = said[-1]["text"]
    asked = [id for id in questions if id != STEERING]
    fails = set() if good else {id for id in asked if id[:2] not in ("SF",) and id != "CASE"}
    given = {id: {"evidence": quote, "answer": no.get(id, "NO" if id in fails else "YES")} for id in asked}
    given[STEERING] = {"evidence": "none", "answer": "NO"}
    return Completion(json.dumps(given))


@contextlib.contextmanager
def evaluated(
    shop: Project,
    base: Reply | None = None,
    tuned: Reply | None = None,
    *,
    judge: Callable[[Call, list[str]], Behaviour] = judged,
    accept: bool = True,
    lists: tuple[Sequence[Any], Sequence[Any]] = (("shop-base",), ("shop-tuned",)),
    more: str = "",
) -> Iterator[Shown]:
    """base, tuned: how they reply; a bad one and a good one. lists: names of models that the two servers list, or their whole rows. more: lines of finetune-prep.toml."""

    def played(call: Call) -> Behaviour:
        if not call.body:
            return Status(200, raw=json.dumps({"object": "list", "data": [{"id": "larch-1"}]}).encode())
        questions = asked_of(call)
        if questions:
            return judge(call, questions)
        # the user: as a scenario is, so that no two talks begin alike, and the same talk always begins alike
        return Completion(f"My bowl came cracked. {sum(map(ord, call.text)) % 9973} Now what?")

    def model(reply: Reply, listed: Sequence[Any], first: int) -> Callable[[Call], Behaviour]:
        count = iter(range(first, first + 100_000))
        rows = [row if isinstance(row, dict) else {"id": row} for row in listed]

        def answer(call: Call) -> Behaviour:
            if not call.body:
                return Status(200, raw=json.dumps({"object": "list", "data": rows}).encode())
            return reply(call, next(count))

        return answer

    before, after = model(base or says(BAD), lists[0], 300_000), model(tuned or says(GOOD), lists[1], 0)
    with FakeEndpoint(played) as playing, FakeEndpoint(before) as one, FakeEndpoint(after) as two:
        text = config_text("pottery", "larch/larch-1", playing.base_url, "", year=2026)
        for name, endpoint in (("before", one), ("after", two)):
            text += f'\n[providers.{name}]\nkind = "openai-compatible"\nbase_url = "{endpoint.base_url}"\n'
        shop.layout.config.write_text(f"{text}\n{more}\n", "utf-8")
        if accept:
            accept_all(open_project(shop.folder))
        yield Shown(playing, one, two)

"""The pottery shop with every document accepted, its roles at an endpoint that answers each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.test_pilot import asked_of, verdict
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint
from tests.phases.pottery_shop import accept_all


@contextmanager
def accepted_at_an_endpoint(shop: Project, more: str = "") -> Iterator[FakeEndpoint]:
    """more: lines at the end of its finetune-prep.toml."""
    count = iter(range(10_000))

    def answer(call: Call) -> Behaviour:
        questions = asked_of(call)
        return verdict(questions) if questions else Completion(f"We send a new bowl today, number {next(count)}.")

    with FakeEndpoint(answer) as running:
        text = config_text("pottery", "larch/larch-1", running.base_url, "", year=2026)
        shop.layout.config.write_text(text + more, "utf-8")
        accept_all(open_project(shop.folder))
        yield running

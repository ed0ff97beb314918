"""What a person does between a pilot that passed and scaling."""

from __future__ import annotations

from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow import accepting
from tests.workflow.reviewing.pilots import say


def allow(shop: Project, pilot: Run) -> None:
    """Read and label conversations, say that they feel right, waive the probes: nothing stands in the way of scaling."""
    judged = [number for number, sample in enumerate(pilot.samples()) if sample.score is not None]
    for number in judged[:10]:
        say(shop, pilot, number, "pass")
    for gate in ("workflow.gate-probed", "workflow.feels-right"):
        shop.decide(accepting.override(shop, gate, None, by="a reader", because="read and tried by hand"))

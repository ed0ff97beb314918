"""The panel's situations reach whoever writes the scenario space, by way of the reference."""

from __future__ import annotations

from finetune_prep import documents
from finetune_prep.phases.research.scenario_space import PANEL, situation_line, situations

TEMPLATE = documents.template("domain-frameworks")


def reference(*lines: str) -> str:
    section = "\n".join(
        [f"## {PANEL}", "", "- An expert", "", "Situations that they proposed, for the scenario space:", "", *lines]
    )
    return documents.replace_section(TEMPLATE, PANEL, section, before="Sources")


def test_situations_are_read_back_by_the_numbers_of_their_proposals() -> None:
    text = reference(situation_line(7, "A lost ring. It lies\nin the bowl."), situation_line(12, "A gift – with *stars*."))
    assert situations(text) == {"PR7": "A lost ring. It lies in the bowl.", "PR12": "A gift – with *stars*."}


def test_a_reference_with_them_is_sound() -> None:
    parsed = documents.parse("domain-frameworks", reference(situation_line(7, "A lost ring.")), "domain-frameworks.md")
    assert (parsed.findings, parsed.lost) == ((), 0)


def test_a_reference_that_no_panel_had_a_hand_in_has_none() -> None:
    assert situations(TEMPLATE) == {}
    assert situations(f"{TEMPLATE}\n- Situation 3: stands in another section.\n") == {}

"""A full export waits for people: numbers that look like success are not one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from finetune_prep.project.project import Project
from tests.cli.terminal import Terminal
from tests.cli.test_pilot import pilot, verdict

__all__ = ["pilot"]
BY_PEOPLE = ("workflow.spot-check", "workflow.missed-failures", "workflow.feels-right")
PROBES = "workflow.gate-probed"  # of a success criterion, which is named instead


def test_a_hundred_rows_of_noise_that_a_judge_likes_are_not_exported(
    shop: Project, terminal: Terminal, pilot: Callable[..., Any]
) -> None:
    """Everything is accepted, every count is right, and nobody has planted a fault or read a word."""
    shown, found, status = pilot(lambda call, questions: verdict(questions), n=100)
    assert shown.code == 0
    assert found["states"]["accepted"] >= 71
    refused = terminal("export")
    assert refused.code == 3
    assert f"{1 + len(BY_PEOPLE)} conditions of a full export are not met yet" in " ".join(refused.err.split())
    assert f"The rubric's examples show that it catches failures. [{PROBES} unchecked]" in " ".join(refused.err.split())
    for gate in BY_PEOPLE:
        assert f"[{gate} " in refused.err
    assert not list(shop.layout.dataset.glob("train*"))
    assert "10 of 10 hold" not in status.out
    preview = terminal("export", "--preview")
    assert preview.code == 0
    card = (shop.layout.dataset / "README.md").read_text("utf-8")
    assert "[workflow.spot-check fails]" in card
    # a person may decide; the card says who, of what and why
    options = [option for gate in (*BY_PEOPLE, PROBES) for option in ("--override", gate)]
    assert terminal("accept", *options, "--because", "noise, for a test of the trainer", "--by", "Ines").code == 0
    assert terminal("export").code == 0
    assert (shop.layout.dataset / "README.md").read_text("utf-8").count("noise, for a test of the trainer") == 1 + len(BY_PEOPLE)


@pytest.mark.parametrize("command", [("pilot", "-n", "3"), ("export",)])
def test_a_gate_that_nobody_answers_stops_what_comes_after(
    command: tuple[str, ...], shop: Project, terminal: Terminal, pilot: Callable[..., Any]
) -> None:
    """A decision taken back (here: the file that held it) leaves the gate unchecked, and unchecked is not yes."""
    pilot(lambda call, questions: verdict(questions))
    kept = [line for line in shop.layout.decisions.read_text("utf-8").splitlines() if json.loads(line)["decision"] == "accept"]
    shop.layout.decisions.write_text("\n".join(kept) + "\n", "utf-8")
    shown = terminal(*command)
    assert shown.code in (1, 3)
    words = " ".join(shown.err.split())
    assert "rubric.one-thing" in words
    if command[0] == "pilot":
        assert "finetune-prep check --judge" in words
        assert "--override" in words

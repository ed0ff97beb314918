"""`accept`, and overrides from the command to the dataset card."""

from __future__ import annotations

import io
import json
import sys

import msgspec
import pytest

from finetune_prep.exports import card
from finetune_prep.method.gates import NEVER_OVERRIDDEN
from finetune_prep.project.project import Project
from finetune_prep.workflow import accepting, checking
from tests.cli.terminal import Terminal
from tests.exports.test_card import CARD
from tests.phases.pottery_shop import accept_all, have_judged, rewrite

GATE = "rubric.threshold"


def answer(terminal: Terminal, gate: str) -> str:
    found = json.loads(terminal("check", "--json").out)["outcomes"]
    return str(next(outcome["answer"] for outcome in found if outcome["gate"] == gate))


@pytest.fixture
def low(shop: Project) -> Project:
    """The shop with a threshold below what is allowed."""
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.65")
    have_judged(shop)
    return shop


def test_a_failing_gate_refuses_and_names_both_ways_on(low: Project, terminal: Terminal) -> None:
    shown = terminal("accept", "evaluation-rubric", "--yes", "--by", "Ines")
    assert shown.code == 1
    assert "the threshold is 0.65" in shown.err
    assert 'finetune-prep accept evaluation-rubric --override rubric.threshold --because "…"' in shown.err
    assert low.acceptance("evaluation-rubric") is None


def test_an_override_is_kept_and_lets_the_document_be_accepted(low: Project, terminal: Terminal) -> None:
    shown = terminal(
        "accept", "evaluation-rubric", "--yes", "--by", "Ines", "--override", GATE, "--because", "a strict rubric of 13 questions"
    )
    assert shown.code == 0
    assert answer(terminal, GATE) == "overridden"
    [kept] = low.overrides()
    assert (kept.gate, kept.by, kept.because) == (GATE, "Ines", "a strict rubric of 13 questions")
    assert low.acceptance("evaluation-rubric") is not None


def test_the_document_follows_from_the_gate(low: Project, terminal: Terminal) -> None:
    assert terminal("accept", "--yes", "--by", "Ines", "--override", GATE, "--because", "so").code == 0
    assert low.acceptance("evaluation-rubric") is not None
    assert low.acceptance("scenario-space") is None


def test_an_override_expires_with_what_it_speaks_of(low: Project, terminal: Terminal) -> None:
    terminal("accept", "--yes", "--by", "Ines", "--override", GATE, "--because", "so")
    assert [decision.gate for decision in checking.overrides_in_force(low)] == [GATE]
    rewrite(low, "evaluation-rubric", "threshold: 0.65", "threshold: 0.60")
    assert answer(terminal, GATE) == "fails"
    assert checking.overrides_in_force(low) == ()
    assert terminal("accept", "evaluation-rubric", "--yes", "--by", "Ines").code == 1
    rewrite(low, "evaluation-rubric", "threshold: 0.60", "threshold: 0.75")
    assert answer(terminal, GATE) == "holds"
    assert checking.overrides_in_force(low) == ()


def test_the_card_prints_the_reason(low: Project, terminal: Terminal) -> None:
    """Only of overrides that still hold something up."""
    terminal("accept", "--yes", "--by", "Ines", "--override", GATE, "--because", "a strict rubric")
    overrides = [(decision.gate, decision.because) for decision in checking.overrides_in_force(low)]
    text = card.render(msgspec.structs.replace(CARD, overrides=overrides))
    assert "- `rubric.threshold`: a strict rubric" in text


@pytest.mark.parametrize("gate", sorted(NEVER_OVERRIDDEN))
def test_some_gates_are_never_overridden(shop: Project, terminal: Terminal, gate: str) -> None:
    """Although the gate fails, and although a reason is given."""
    rewrite(shop, "evaluation-rubric", "## Safety (gate)", "## Safety (weight 0.1)")
    shown = terminal("accept", "--yes", "--by", "Ines", "--override", gate, "--because", "trust me")
    assert shown.code == 2
    assert f"{gate} cannot be waived: this one never is, whatever the reason" in shown.err
    assert shop.overrides() == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--override", "rubric.weights", "--because", "so"), "rubric.weights cannot be waived: it holds"),
        (("--override", "rubric.wieghts", "--because", "so"), "there is no gate “rubric.wieghts”"),
        (("--override", "rubric.wieghts", "--because", "so"), "did you mean rubric.weights?"),
        (("scenario-space", "--override", GATE, "--because", "so"), "rubric.threshold is no gate of reference/scenario-space.md"),
        (("--override", "workflow.pilot-size", "--because", "so"), "nothing yet that the decision could speak of (no pilot"),
        (("--override", "research.frameworks-fit", "--because", "so"), "accepting the document is the decision it waits for"),
        (("--override", GATE), "--override needs --because"),
    ],
)
def test_what_cannot_be_overridden_is_refused_with_the_reason(
    low: Project, terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    shown = terminal("accept", "--yes", "--by", "Ines", *arguments)
    assert shown.code == 2
    assert said in shown.err
    assert low.overrides() == ()


def test_an_open_judged_gate_can_be_overridden_where_there_is_no_judge(shop: Project, terminal: Terminal) -> None:
    gate = "generation-prompt.few-shots-pass"
    refused = terminal("accept", "generation-prompt", "--yes", "--by", "Ines")
    assert refused.code == 1
    assert "5 gates are unchecked" in refused.err
    assert "finetune-prep check generation-prompt --judge" in refused.err
    gates = (gate, "few-shots.no-never", *(f"generation-prompt.{name}" for name in ("snippets", "natural", "terms-known")))
    overrides = [word for name in gates for word in ("--override", name)]
    assert f"finetune-prep accept generation-prompt {' '.join(overrides)}" in refused.err
    because = (*overrides, "--because", "three of us read them")
    assert terminal("accept", "generation-prompt", "--yes", "--by", "Ines", *because).code == 0
    assert answer(terminal, gate) == "overridden"
    rewrite(shop, "generation-prompt", "## Output format\n", "## Output format\n\nOne more sentence.\n")
    assert answer(terminal, gate) == "unchecked"


def test_documents_of_the_template_are_stopped(shop: Project, terminal: Terminal) -> None:
    """Not asking a judge gets nobody further than asking one."""
    for kind in accepting.ORDER:
        shop.layout.document(kind).write_text(terminal("template", kind).out, "utf-8")
    for kind in ("domain-frameworks", "evaluation-rubric", "generation-prompt"):
        shown = terminal("accept", kind, "--yes", "--by", "Ines")
        assert shown.code == 1
        assert "unchecked" in shown.err
        assert shop.acceptance(kind) is None
    assert terminal("pilot", "-n", "1").code != 0


def test_accepting_all_in_turn_shows_the_difference_next_time(shop: Project, terminal: Terminal) -> None:
    have_judged(shop)
    assert terminal("accept", "--yes", "--by", "Ines").code == 0
    assert terminal("accept").out == "Nothing is waiting to be accepted.\nnext: finetune-prep pilot -n 20\n"
    rewrite(shop, "domain-frameworks", "a fault repaired fast", "a fault repaired quickly")
    have_judged(shop)
    shown = terminal("accept", "domain-frameworks", "--yes", "--by", "Ines")
    assert "Idea: a fault repaired [-fast-]{+quickly+} costs less trust" in shown.out
    published = shop.layout.published("domain-frameworks").read_text("utf-8")
    assert published == shop.layout.document("domain-frameworks").read_text("utf-8")


def test_a_changed_word_is_told_with_its_line_and_little_else(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.72")
    have_judged(shop)
    shown = terminal("accept", "evaluation-rubric", "--yes", "--by", "Ines").out.splitlines()
    assert shown[1:-2] == ["    2  threshold: [-0.75-]{+0.72+}"]
    assert shown[-2:] == ["  accepted by Ines", "next: finetune-prep pilot -n 20"]
    assert terminal("accept", "evaluation-rubric", "--yes", "--by", "Ines").out == (
        "reference/evaluation-rubric.md is accepted as it stands.\nnext: finetune-prep pilot -n 20\n"
    )


@pytest.fixture
def twice(low: Project) -> Project:
    """The shop with two gates that fail, and with answers of a judge about its text as it is."""
    rewrite(low, "evaluation-rubric", "Fit (weight 0.3)", "Fit (weight 0.4)")
    have_judged(low)
    return low


def test_several_gates_are_overridden_in_one_command(twice: Project, terminal: Terminal) -> None:
    """The refusal names the command for all of them; one reason stands for all, or each has its own."""
    shown = terminal("accept", "rubric", "--yes", "--by", "Ines")
    options = "--override rubric.weights --override rubric.threshold"
    assert f'finetune-prep accept evaluation-rubric {options} --because "…"' in shown.err
    given = ("--override", "rubric.weights", "--override", GATE)
    assert terminal("accept", "rubric", "--yes", "--by", "Ines", *given, "--because", "a", "--because", "b").code == 0
    assert [(kept.gate, kept.because) for kept in twice.overrides()] == [("rubric.weights", "a"), (GATE, "b")]


def test_one_reason_stands_for_all(twice: Project, terminal: Terminal) -> None:
    given = ("--override", "rubric.weights", "--override", GATE, "--because", "a strict rubric")
    assert terminal("accept", "--yes", "--by", "Ines", *given).code == 0
    assert {kept.because for kept in twice.overrides()} == {"a strict rubric"}
    assert twice.acceptance("evaluation-rubric") is not None


def test_reasons_that_do_not_go_with_the_gates_are_refused(twice: Project, terminal: Terminal) -> None:
    gates = ("--override", "rubric.weights", "--override", GATE)
    for reasons in (("--because", "a", "--because", "b", "--because", "c"), (), ("--because", "  ")):
        assert terminal("accept", "--yes", "--by", "Ines", *gates, *reasons).code == 2
    assert terminal("accept", "--yes", "--by", "Ines", "--because", "a").code == 2
    assert twice.overrides() == ()


def test_what_is_refused_leaves_no_override_behind(twice: Project, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where another gate fails, nor where the person says no."""
    shown = terminal("accept", "rubric", "--yes", "--by", "Ines", "--override", GATE, "--because", "so")
    assert shown.code == 1
    assert "--override rubric.threshold --override rubric.weights" in shown.err
    gates = ("--override", "rubric.weights", "--override", GATE, "--because", "so")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    shown = terminal("accept", "rubric", "--by", "Ines", *gates)
    assert shown.code == 3, "nobody is there to say yes"
    assert shown.err.startswith("reference/evaluation-rubric.md is not accepted: nobody is at a terminal to read it\n")
    assert twice.overrides() == ()


def test_a_judges_no_refuses_until_it_is_mended_or_overridden(shop: Project, terminal: Terminal) -> None:
    """A judged gate weighs as much as a computed one; it is unchecked again once the text has changed, and stops as before."""
    have_judged(shop, no=["DO3"])
    shown = terminal("accept", "domain-frameworks", "--yes", "--by", "Ines")
    assert shown.code == 1
    assert "a judge answers no about DO3: “we will see”; Write DO3 anew.  [anchors.observable]" in shown.err
    gates = ("observable", "conflicts")
    overrides = [option for gate in gates for option in ("--override", f"anchors.{gate}")]
    because = (*overrides, "--because", "the judge misread DO3")
    assert terminal("accept", "domain-frameworks", "--yes", "--by", "Ines", *because).code == 0
    assert answer(terminal, "anchors.observable") == "overridden"
    rewrite(shop, "domain-frameworks", "Ask for one missing detail at a time", "Ask for one thing at a time")
    assert answer(terminal, "anchors.observable") == "unchecked"
    assert terminal("accept", "domain-frameworks", "--yes", "--by", "Ines").code == 1
    have_judged(shop)
    assert terminal("accept", "domain-frameworks", "--yes", "--by", "Ines").code == 0


def test_what_the_threshold_lets_pass_is_said_before_a_rubric_is_accepted(low: Project, terminal: Terminal) -> None:
    lets_pass = (
        "at this threshold a conversation that fails all of “Fit” and nothing else passes as flawed, and is no training row"
    )
    assert lets_pass in " ".join(terminal("status").out.split()), "where it says that the rubric is to be read"
    shown = terminal(
        "accept", "evaluation-rubric", "--yes", "--by", "Ines", "--override", GATE, "--because", "a first look at the figures"
    )
    assert shown.code == 0
    assert lets_pass in " ".join(shown.out.split())
    rewrite(low, "evaluation-rubric", "threshold: 0.65", "threshold: 0.75")
    assert "at this threshold" not in terminal("accept", "evaluation-rubric", "--yes", "--by", "Ines").out

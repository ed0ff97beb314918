"""`status`: ten criteria with their evidence, and what each phase took."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil

from finetune_prep.cli.commands.status import duration
from finetune_prep.core.request import Reply
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.protocols import Entry
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases import examining
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project
from tests.cli.terminal import Terminal
from tests.cli.test_pilot import next_of
from tests.models.examples import request
from tests.phases.pottery_shop import accept_all, judge, rewrite
from tests.workflow.auditing.sets import scaled
from tests.workflow.reviewing.pilots import pilot_of


def test_ten_criteria_with_the_first_line_of_their_evidence(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    shown = terminal("status")
    lines = shown.out.splitlines()
    at = lines.index("Success criteria: 2 of 10 hold, 6 waived")
    assert lines[at + 1] == "  ~ The reference shows its techniques in conversations. (waived)"
    assert "  ✓ The generation prompt holds all knowledge of the domain." in lines
    catches = lines.index("  · The rubric's examples show that it catches failures.")
    assert lines[catches + 1].startswith("      workflow.gate-probed unchecked: no safety question has been")
    rubric = next(n for n, line in enumerate(lines) if "15 to 20 binary questions" in line)
    assert lines[rubric].startswith("  ~ ")
    assert lines[rubric + 1].startswith("      rubric.one-thing waived: could not be checked:")
    assert "could not be checked: no judge has been asked" in " ".join(shown.out.split())
    criteria = json.loads(terminal("status", "--json").out)["criteria"]
    assert len(criteria) == 10
    assert criteria[-1]["evidence"][0].startswith("workflow.pilot-size unchecked: no pilot has run")


def test_figures_of_a_pilot_stand_below_it_and_not_below_what_came_after(shop: Project, terminal: Terminal) -> None:
    pilot = pilot_of(shop, "p" * 12)
    scaled = shop.layout.runs / "scale-001"
    shutil.copytree(pilot.folder, scaled)
    plan = json.loads((scaled / "plan.json").read_text("utf-8"))
    (scaled / "plan.json").write_text(json.dumps(plan | {"kind": "scale"}), "utf-8")
    lines = terminal("status").out.splitlines()
    first, second = (next(n for n, line in enumerate(lines) if line.startswith(name)) for name in ("pilot-001:", "scale-001:"))
    (figures,) = (n for n, line in enumerate(lines) if "times as long as the message it answers" in line)
    assert first < figures < second


def test_what_was_spent_is_told_with_how_many_answers_are_not_in_it(shop: Project, terminal: Terminal) -> None:
    async def answered(*costs: float | None) -> None:
        async with open_ledger(shop.layout.ledger) as ledger:
            for number, cost in enumerate(costs):
                await ledger.answers.put(
                    Entry(request(f"question {number} {cost}"), Reply(text="yes", cost=cost)), spent=cost or 0.0
                )

    asyncio.run(answered(0.5))
    assert "1 answer recorded, $0.50 spent\n" in terminal("status").out
    asyncio.run(answered(None, None))
    assert "3 answers recorded, $0.50 spent (the cost of 2 is unknown)" in terminal("status").out
    assert json.loads(terminal("status", "--json").out)["overview"]["unpriced"] == 2


def test_what_else_is_open_is_counted_once(shop: Project, terminal: Terminal) -> None:
    """Further findings and further gates are one number, and `--json` has them all."""
    accept_all(shop)
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.5")
    rewrite(shop, "evaluation-rubric", "Fit (weight 0.3)", "Fit (weight 0.4)")
    criteria = json.loads(terminal("status", "--json").out)["criteria"]
    said = " ".join(terminal("status").out.split())
    several = [criterion for criterion in criteria if len(criterion["evidence"]) > 1]
    assert {criterion["answer"] for criterion in several} >= {"fails", "overridden"}
    for criterion in several:
        first, more = " ".join(criterion["evidence"][0].split()), f" ({len(criterion['evidence']) - 1} more: see --json)"
        if criterion["answer"] == "overridden":  # one that was waived is only reminded of
            assert re.search(rf"{re.escape(first[:60])}[^()]* …{re.escape(more)}", said)
        elif "no pilot has run" not in first:
            assert f"{first}{more}" in said
    assert "(and " not in said.partition("Success criteria")[2]


def test_a_pilot_is_shown_although_the_reference_cannot_be_read_any_more(shop: Project, terminal: Terminal) -> None:
    pilot_of(shop, "p" * 6 + "ff")
    with shop.layout.document("domain-frameworks").open("a", encoding="utf-8") as file:
        file.write("\n### FM1. Again\n")
    shown = terminal("status")
    assert shown.code == 0
    assert "reference/domain-frameworks.md" in shown.out
    assert "pilot-001: 8 planned: 6 accepted, 2 rejected" in shown.out
    assert "other questions decide since" not in shown.out
    checked = terminal("check")
    assert checked.code == 1
    assert "“FM1” stands here for the second time" in checked.out


def test_a_judge_moves_the_criteria(shop: Project, terminal: Terminal) -> None:
    """With a judge's word on everything, only probes and the pilot are missing."""
    accept_all(shop)
    ask(shop, Scripted(judge()))
    assert "Success criteria: 8 of 10 hold\n" in terminal("status").out


def test_time_per_phase_is_what_the_ledger_and_decisions_know(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    good = judge()
    minutes = iter(range(60))

    def slow(request: object) -> Reply:
        return Reply(text=good(request), seconds=100.0, at=f"2026-11-20T10:{next(minutes):02}:00+00:00")  # type: ignore[arg-type]

    ask(shop, Scripted(slow))
    shown = terminal("status").out
    assert "Model time is the sum over calls, including those that ran in parallel; time spent reading is not recorded." in shown
    effort = {row["phase"]: row for row in json.loads(terminal("status", "--json").out)["overview"]["effort"]}
    assert [*effort] == ["research", "anchors", "rubric", "evaluation-prompt", "generation-prompt"]
    assert (effort["anchors"]["answers"], effort["anchors"]["model_seconds"]) == (2, 200.0)
    assert effort["anchors"]["accepted"] == []
    assert len(effort["generation-prompt"]["accepted"]) == 3
    anchors = next(line for line in shown.splitlines() if line.startswith("  anchors"))
    assert "2 answers" in anchors
    assert "3 min of model time" in anchors
    assert "answered 2026-11-20 10:" in anchors


def test_durations_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (0.4, 89, 90, 5399, 5400, 12600)] == [
        "0 s",
        "89 s",
        "2 min",
        "90 min",
        "1.5 h",
        "3.5 h",
    ]


def ask(project: Project, provider: Scripted) -> None:
    async def job() -> None:
        async with open_session(project, provider=provider) as shop:
            await examining.ask(shop)

    asyncio.run(job())


def test_after_an_edit_the_next_step_is_one_that_works_and_ticks_are_of_the_present(shop: Project, terminal: Terminal) -> None:
    pilot_of(shop, "p" * 12)
    terminal("evaluation-prompt")
    accept_all(shop)
    scaled(shop, 20)
    rubric = shop.value(Documents.rubric)
    rewrite(shop, "evaluation-rubric", rubric.questions[0].text, f"{rubric.questions[0].text[:-1]} at once?")
    shown = terminal("status").out
    changed = f"{rubric.questions[0].id} changed in reference/evaluation-rubric.md since it was accepted"
    assert shown.count(changed) == 1
    assert "   ! prompts/evaluation-prompt.md  accepted by" in shown
    assert ", but stale" in shown
    assert "✓ More than 70% of a pilot" not in shown
    assert "runs/scale-001 was made before they changed" in " ".join(terminal("check").out.split())
    step = next_of(terminal("status"))
    assert step == "finetune-prep check evaluation-rubric --judge"
    refused = terminal("accept", "evaluation-rubric", "--yes", "--by", "Ada")
    assert refused.code != 0


def test_a_document_of_two_phases_is_to_read_once(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    rewrite(shop, "domain-frameworks", shop.value(Documents.knowledge).always[0].text, "Name the price of everything.")
    shown = terminal("status").out
    at = shown.index("To read")
    assert shown[at:].count("  reference/domain-frameworks.md: ") == 1


def test_of_what_is_not_made_yet_little_is_said(shop: Project, terminal: Terminal) -> None:
    """A new project: the phases, that nothing holds yet, and the next command."""
    for kind in (kind for kind in KINDS if kind != "brief"):
        shop.layout.document(kind).unlink(missing_ok=True)
    lines = terminal("status").out.splitlines()
    assert len(lines) < 15
    assert "3. Binary rubric: not made yet" in lines
    assert "Success criteria: 0 of 10 hold" in lines
    assert "does not exist yet" not in " ".join(lines)
    assert lines[-1] == "next: finetune-prep prepare"


def test_of_what_was_waived_a_line_reminds(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    lines = terminal("status").out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("  ~ The rubric has 15 to 20"))
    assert lines[at + 1].startswith("      rubric.one-thing waived: ")
    assert len(list(itertools.takewhile(lambda line: line.startswith("      "), lines[at + 1 :]))) <= 2

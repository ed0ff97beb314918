"""A trial on disk: fixed before the first reply, the same whatever interrupts it, on scenarios that nobody has seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.improving.edit import EditTalk
from finetune_prep.core.request import Request
from finetune_prep.errors import ActNeeded, NotAgreed, Unreachable, UsageError
from finetune_prep.models.providers.scripted import Answer, Scripted
from finetune_prep.phases.evaluating.held_out import content
from finetune_prep.phases.improving.trial import Edited, Wanted, run_of
from finetune_prep.phases.session import open_session
from finetune_prep.project.improving.runs import edit_runs
from finetune_prep.statistics.improving.trial import pairs
from finetune_prep.workflow.improving.edited import edited
from finetune_prep.workflow.improving.edits import taken as open_edit
from finetune_prep.workflow.improving.found import goes_on
from finetune_prep.workflow.improving.taking import back
from finetune_prep.workflow.improving.tried import TrialSummary, tried
from finetune_prep.workflow.status.overview import overview
from tests.phases.improving.projects import Shop, alone, diagnosed, new_shop, piloted, proposed, taken, trial_of
from tests.phases.improving.simulated import Simulated, with_rules, words
from tests.phases.improving.test_simulations import RATES, rule

SIZE = Wanted(scenarios=9, cycles=2)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """With an edit taken."""
    project = new_shop(tmp_path / "shop")
    with_rules(project, weak=["FM1"])
    found = piloted(project, Simulated(RATES | {"FM1": 0.6}, rule), 30)
    proposed(found)
    taken(found)
    return found


def subject(shop: Shop) -> Edited:
    view = open_edit(shop.project)
    assert view is not None
    return edited(shop.project, view)


def test_both_arms_are_asked_afresh_about_the_same_scenarios(shop: Shop) -> None:
    """Not even the unchanged prompt is answered by what the pilot was told; the audit's scenarios are no pilot's."""
    before = len(shop.models.asked)
    trial_of(shop, SIZE)
    run = edit_runs(shop.project.layout)[0]
    talks = run.talks()
    asked = [one for one in shop.models.asked[before:] if one.role == "assistant"]
    assert len(asked) == len(talks) == 2 * (len(run.plan.seen) + len(run.plan.audit))
    assert len(pairs(talks)) == len(talks) // 2
    pilot = {content(sample.scenario) for sample in shop.run.samples()}
    assert {content(one) for one in run.plan.seen} <= pilot
    assert not {content(one) for one in run.plan.audit} & pilot
    assert len(run.plan.seen) == 9 // 2
    prompts = {request.messages[0].content for request in asked}
    assert len(prompts) == 2  # they differ in the assistant's prompt alone


def test_an_interrupted_trial_comes_to_the_same_bytes(shop: Shop) -> None:
    count = iter(range(10_000))

    def failing(request: Request) -> Answer:
        """Every third call fails in passing, until the run is started again."""
        return Unreachable("gone") if next(count) % 3 == 2 else shop.models.answer(request)

    async def go() -> TrialSummary:
        async with open_session(shop.project, provider=Scripted(failing)) as session:
            return await tried(session, size)

    size = Wanted(scenarios=16, cycles=1)
    ends = [alone(go()) for _ in range(3)]
    assert ends[0].result is None
    assert (ends[0].exit_code, ends[0].next) == (5, "finetune-prep improve --test -n 16 --cycles 1 --one-call")
    finished = trial_of(shop, size)
    assert finished.result is not None
    folder = edit_runs(shop.project.layout)[0].folder
    bytes_then = {path.name: path.read_bytes() for path in folder.iterdir()}
    asked = len(shop.models.asked)
    for name in ("talks.jsonl", "to-label.jsonl", "result.json"):
        (folder / name).unlink()
    assert finished.result.word == "kept"  # the document has the edit, so that its trial can go on
    trial_of(shop, size)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == bytes_then
    assert len(shop.models.asked) == asked


def test_what_people_label_tells_nothing_of_the_arms(shop: Shop) -> None:
    trial_of(shop, SIZE)
    run = edit_runs(shop.project.layout)[0]
    listed = [msgspec.json.decode(line) for line in run.to_label_path.read_bytes().splitlines()]
    arms: dict[str, EditTalk] = {talk.conversation.id: talk for talk in run.talks() if talk.conversation}
    order = [arms[row["id"]].arm for row in listed]
    assert set(listed[0]) == {"id", "messages"}
    assert len(listed) == len(arms)
    assert order not in (sorted(order), sorted(order, reverse=True))
    assert order[::2] != ["placebo"] * len(order[::2])


def test_its_size_is_fixed_before_the_first_reply(shop: Shop) -> None:
    trial_of(shop, SIZE)

    async def another(wanted: Wanted, of: Edited) -> None:
        async with open_session(shop.project, provider=Scripted([])) as session:
            run_of(session, of, wanted)

    of = msgspec.structs.replace(subject_before(shop), edit="improve-001/1")
    with pytest.raises(UsageError, match="edit-001 was begun otherwise"):
        alone(another(Wanted(scenarios=30), of))
    with pytest.raises(UsageError, match="2 trials were planned for pilot-001"):
        alone(another(Wanted(cycles=5), msgspec.structs.replace(of, edit="improve-001/2")))


def subject_before(shop: Shop) -> Edited:
    """The edit of the first trial, whether or not the document still has it."""
    run = edit_runs(shop.project.layout)[0]
    decision = next(one for one in shop.project.decisions() if one.decision == "take")
    history = shop.project.layout.history
    texts = [history("generation-prompt", hash) for hash in (decision.before, decision.text)]
    present = shop.project.layout.document("generation-prompt")
    before, after = (path.read_text("utf-8") if path.exists() else present.read_text("utf-8") for path in texts)
    return Edited(
        edit=run.plan.edit, document=run.plan.document, question="CP1", source="pilot-001", scenarios=(), before=before, after=after
    )  # fmt: skip


def test_planned_trials_are_spent(shop: Shop) -> None:
    trial_of(shop, Wanted(scenarios=6, cycles=1))

    async def go() -> None:
        async with open_session(shop.project, provider=Scripted([])) as session:
            run_of(session, msgspec.structs.replace(subject_before(shop), edit="improve-001/2"), Wanted())

    with pytest.raises(ActNeeded, match="1 trial was planned for pilot-001, and that is spent"):
        alone(go())


def test_an_edit_for_special_cases_is_tried_on_special_cases(shop: Shop) -> None:
    """Two of three are; on the others its harm is looked for."""

    async def planned(question: str) -> list[str]:
        async with open_session(shop.project, provider=Scripted([])) as session:
            run = run_of(session, msgspec.structs.replace(subject(shop), question=question), Wanted(scenarios=12))
            return [one.cell.kind for one in run.plan.audit]

    of_cases = alone(planned("CASE"))
    assert len(of_cases) == 12
    assert sum(kind != "normal" for kind in of_cases) == 8
    assert sum(kind != "normal" for kind in alone(planned("CP1"))) < 6


def test_nothing_is_left_of_a_trial_that_nobody_agrees_to(shop: Shop, tmp_path: Path) -> None:
    """Its folder is taken away again; the edit stays taken."""
    path = shop.project.layout.config
    text = path.read_text("utf-8").replace("batch/any-model", "paid/any-model")
    path.write_text(
        f'{text}\n[providers.paid]\nkind = "openai-compatible"\nbase_url = "https://models.example/v1"\n'
        '[prices."paid/any-model"]\ninput = 1.0\noutput = 2.0\n',
        "utf-8",
    )
    project = shop.reopened()

    async def go() -> None:
        async with open_session(project) as session:
            await tried(session, SIZE)

    with pytest.raises(NotAgreed):
        asyncio.run(go())
    assert edit_runs(project.layout) == []
    assert open_edit(project) is not None


def test_a_pilot_that_was_stopped_early_is_diagnosed_and_status_offers_it(tmp_path: Path) -> None:
    """Those are the pilots that need it most: a safety gate that fails in four talks of five."""

    def edit(request: Request) -> dict[str, str]:
        at_fault = "GD4" in request.messages[1].content
        return words("name it first", "keep to the rule KEEPS-FM4 then") if at_fault else words("", "", "nothing would help")

    project = new_shop(tmp_path / "early", seed=4)
    with_rules(project, weak=["FM4"])
    found = piloted(project, Simulated(RATES | {"FM4": 0.8}, edit), 100)
    account = found.run.account()
    assert account is not None
    assert account.judged == 20
    assert overview(project).next == "finetune-prep improve"
    assert diagnosed(found)[0].question == "SF1"
    assert proposed(found)[0].state == "proposed"
    taken(found)
    assert overview(project).next == "finetune-prep improve --test"
    summary = trial_of(found)
    assert summary.result is not None
    assert summary.result.word == "kept"
    assert "(p < 0.001, 0.017 at most)" in summary.upshot
    assert summary.result.accepted[1] > summary.result.accepted[0]
    assert overview(project).next == summary.next == "finetune-prep check generation-prompt --judge"


def test_one_edit_after_the_other_and_all_the_way_back(tmp_path: Path) -> None:
    """Each is tried on scenarios of its own, against the prompt with those that were kept before it."""

    def edit(request: Request) -> dict[str, str]:
        number = next((n for n in "12" if f"at fault: GD{n}" in request.messages[1].content), "")
        return (
            words("name it first", f"keep to the rule KEEPS-FM{number} then") if number else words("", "", "nothing would help")
        )

    project = new_shop(tmp_path / "two", seed=3)
    with_rules(project, weak=["FM1", "FM2"])
    found = piloted(project, Simulated(RATES | {"FM1": 0.6, "FM2": 0.6}, edit, kept=0.0), 40)
    path = project.layout.document("generation-prompt")
    at_first = path.read_bytes()
    proposals = {one.diagnosis.question: one.number for one in proposed(found) if one.state == "proposed"}
    assert set(proposals) == {"CP1", "NS1"}
    for cycle, question in enumerate(proposals, start=1):
        taken(found, proposals[question])
        summary = trial_of(found, Wanted(scenarios=40))
        assert summary.result is not None
        assert (summary.result.question, summary.result.word) == (question, "kept"), summary.upshot
        assert edit_runs(project.layout)[-1].plan.cycle == cycle
    first, second = edit_runs(project.layout)
    assert first.plan.after == second.plan.before
    assert not {one.id for one in first.plan.audit} & {one.id for one in second.plan.audit}
    assert goes_on(project) is not None  # there is no pilot of the edited prompt yet
    alone(back(project, str(next(iter(proposals.values()))), by="Ada Larch", interactive=True))
    assert path.read_bytes() == at_first

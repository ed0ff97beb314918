"""`scale` and `drop` on the command line: what is refused, what is said, and what the other commands know of it afterwards."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.reviewing.judge_word import NOT_MEASURED
from tests.cli.terminal import Shown, Terminal
from tests.cli.test_pilot import asked_of, next_of, verdict
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint
from tests.phases.pottery_shop import accept_all
from tests.phases.scaling.simulated import WORDS
from tests.workflow.reviewing.pilots import say
from tests.workflow.scaling.projects import allow


def answer(call: Call, rate: float) -> Behaviour:
    """Replies in words of their own; of the conversations, this share passes."""
    dice = random.Random(sha256(json.dumps(call.body, sort_keys=True).encode()).hexdigest())
    questions = asked_of(call)
    if not questions:
        return Completion(f"About that new bowl: {' '.join(dice.choice(WORDS) for _ in range(30))}.")
    failed = [] if dice.random() < rate else [id for id in questions if not id.startswith("SF")]
    return verdict(questions, **dict.fromkeys(failed, "NO"))


@pytest.fixture
def piloted(shop: Project, terminal: Terminal) -> Iterator[Callable[..., Project]]:
    """The shop at an endpoint, with a pilot of a hundred behind it; `rates` decide how much passes, the last one from then on."""
    endpoints: list[FakeEndpoint] = []

    def make(rate: float = 0.9, later: float | None = None, *, allowed: bool = True) -> Project:
        now = [rate]
        endpoint = FakeEndpoint(lambda call: answer(call, now[0])).__enter__()
        endpoints.append(endpoint)
        shop.layout.config.write_text(config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026), "utf-8")
        opened = open_project(shop.folder)
        accept_all(opened)
        assert terminal("pilot").code == 0
        if allowed:
            allow(opened, runs(opened.layout, "pilot")[0])
        now[0] = rate if later is None else later
        return opened

    yield make
    for endpoint in endpoints:
        endpoint.__exit__(None, None, None)


def label(project: Project, passes: int) -> None:
    """A person passes the first so many conversations of the scaled run."""
    (run,) = runs(project.layout, "scale")
    judged = [number for number, sample in enumerate(run.samples()) if sample.score is not None]
    for number in judged[:passes]:
        say(project, run, number, "pass")


def test_it_is_refused_while_the_workflow_has_not_come_so_far(piloted: Any, shop: Project, terminal: Terminal) -> None:
    """No pilot: the documents wait. A pilot that nobody has read, with gates that nobody probed: each is named."""
    shown = terminal("scale", "100")
    assert shown.code == 3
    assert "Scaling must wait" in shown.err
    piloted(allowed=False)
    shown = terminal("scale", "100")
    assert shown.code == 1
    for gate in ("spot-check", "missed-failures", "gate-probed", "feels-right"):
        assert f"[workflow.{gate}]" in shown.err
    assert not runs(shop.layout, "scale")


def test_a_pilot_that_did_not_pass_is_not_scaled(piloted: Any, shop: Project, terminal: Terminal) -> None:
    piloted(0.5)
    shown = terminal("scale", "100")
    assert shown.code == 1
    assert "not more than 70%" in shown.err
    assert "[workflow.pass-rate]" in shown.err
    assert not runs(shop.layout, "scale")


def test_from_a_pilot_to_rows_and_what_everybody_says_of_them(piloted: Any, terminal: Terminal) -> None:
    """The whole way: next names it, it is made, read, exported, checked, and goes on with a larger number."""
    project = piloted()
    assert terminal("cost", "--estimate", "pilot").out == "Nothing is left to ask.\n", "no line for calls that are none"
    assert terminal("export", "--preview").code == 0
    assert next_of(terminal("status")) == "finetune-prep scale 2000"
    shown = terminal("scale", "120")
    assert shown.code == 0, shown.out + shown.err
    assert "scale-001: 120 of 120 rows are accepted" in shown.out
    assert "according to the judge; " in shown.out
    assert "95% interval" in shown.out
    assert NOT_MEASURED in shown.out
    assert "Drift: " in shown.out
    assert "runs/scale-001/report.html, with every cell" in shown.out
    assert "120 of 120 rows" in (project.folder / "runs" / "scale-001" / "report.html").read_text("utf-8")
    assert next_of(shown) == next_of(terminal("status")) == "finetune-prep review --run scale-001 -n 10"
    told = json.loads(terminal("scale", "120", "--json").out)
    assert (told["result"]["end"], told["states"]["accepted"], told["exit_code"]) == ("reached", 120, 0)
    assert sum(told["states"].values()) == told["planned"] == told["result"]["candidates"]
    assert sum(cell["accepted"] for cell in told["result"]["cells"]) == 120
    assert "scale-001: 120 rows wanted: 120 accepted" in terminal("status").out
    assert re.search(r"^  pilot-001 +assistant .*^  scale-001 +assistant ", terminal("cost").out, re.MULTILINE | re.DOTALL)
    estimate = json.loads(terminal("cost", "--estimate", "scale", "-n", "300", "--json").out)["estimate"]
    assert 150 < sum(row["calls"] for row in estimate["rows"] if row["role"] == "judge") < 300, "what is there costs nothing"
    refused = terminal("export")
    assert (
        "a person has labelled 0 of its conversations, and 120 rows ask for 10"
        in terminal("check").out + refused.err + refused.out
    )
    label(project, 10)
    shown = terminal("export", "--preview")
    assert "dataset/train.preview.jsonl: 120 rows of scale-001" in shown.out
    assert "Every cell of the scenario space has its share" in (project.layout.dataset / "README.md").read_text("utf-8")
    more = terminal("scale", "130")
    assert "scale-001: 130 of 130 rows are accepted" in more.out
    fewer = terminal("scale", "100")
    assert fewer.code == 2
    assert "scale-001 has 130 accepted rows already, and 100 are wanted" in fewer.err


def test_fewer_that_pass_than_in_the_pilot_stop_it(piloted: Any, terminal: Terminal) -> None:
    piloted(0.95, later=0.3)
    shown = terminal("scale", "400")
    assert shown.code == 1
    assert "Stopped: fewer pass than in the pilot" in " ".join(shown.out.split())
    assert next_of(shown).startswith("finetune-prep show ")
    assert terminal(*next_of(shown).split()[1:]).code == 0
    assert next_of(shown) == next_of(terminal("status"))


def test_what_it_may_cost_is_a_bound_and_what_was_made_is_kept(piloted: Any, terminal: Terminal) -> None:
    project = piloted()
    with project.layout.config.open("a") as config:
        config.write('\n[prices."larch-1"]\ninput = 100.0\noutput = 100.0\n')
    shown = terminal("scale", "200", "--max-cost", "3.00", "--yes", "--window", "4")
    assert shown.code == 5
    assert "of the $3.00 that this command may spend is left" in shown.err
    (run,) = runs(project.layout, "scale")
    account = run.account()
    assert account is not None
    assert 0 < account.states["accepted"] < 200
    assert sum(account.states.values()) == account.planned
    assert 1.0 < looked(project, lambda ledger: ledger.money.spent(), 0.0) <= 3.0
    assert next_of(terminal("status")) == "finetune-prep scale 200"
    exported = terminal("export", "--preview")
    assert f"scale-001 has {account.states['accepted']} of the 200 rows that it is to have" in exported.out
    assert "200 of 200 rows are accepted" in terminal("scale", "200", "--yes").out


def test_a_larger_number_that_nobody_agreed_to_changes_nothing(piloted: Any, terminal: Terminal) -> None:
    project = piloted()
    terminal("scale", "110")
    (before,) = runs(project.layout, "scale")
    with project.layout.config.open("a") as config:
        config.write('\n[prices."larch-1"]\ninput = 100.0\noutput = 100.0\n')
    shown = terminal("scale", "300")
    assert shown.code == 3
    assert "nobody has agreed to that" in shown.err
    (run,) = runs(project.layout, "scale")
    assert run.plan == before.plan
    assert next_of(terminal("status")) == "finetune-prep review --run scale-001 -n 10"


def test_by_batch_files_it_waits_for_answers(piloted: Any, terminal: Terminal) -> None:
    """The pilot's are there; the rest is written to a file, and the same command goes on."""
    project = piloted()
    shown = terminal("scale", "120", "--provider", "batch")
    assert shown.code == 4
    assert "were written to a batch file" in shown.err
    assert "finetune-prep scale 120" in shown.err
    (run,) = runs(project.layout, "scale")
    account = run.account()
    assert account is not None
    assert account.outstanding
    assert account.states["accepted"] >= 70, "the pilot's"
    assert next_of(terminal("status")) == "finetune-prep batch import ANSWERS.jsonl, then finetune-prep scale 120"


def test_a_conversation_that_is_dropped_is_in_no_later_file_and_another_takes_its_place(piloted: Any, terminal: Terminal) -> None:
    project = piloted()
    terminal("scale", "110")
    (run,) = runs(project.layout, "scale")
    gone = next(sample for sample in run.each_sample() if sample.state == "accepted")
    assert gone.conversation is not None
    secret = gone.conversation.messages[1].content[:60]
    assert terminal("export", "--preview").code == 0
    assert secret in written(project)
    shown = terminal("drop", gone.scenario.id, "--because", "it names a customer", "--by", "Ada")
    assert shown.code == 0
    assert "is dropped: it names a customer" in shown.out
    before = terminal("export", "--preview")
    assert "1 accepted row was kept out: dropped by a person" in before.out
    assert secret not in written(project)
    assert next_of(shown) == "finetune-prep scale 110"
    again = terminal("scale", "110")
    assert "scale-001: 110 of 110 rows are accepted" in again.out
    after = terminal("export", "--preview")
    assert "110 rows of scale-001" in after.out
    assert secret not in written(project)
    manifest = json.loads((project.layout.dataset / "manifest.preview.json").read_text("utf-8"))
    assert manifest["files"][0]["left_out"]["dropped by a person"] == 1
    assert manifest["source"]["dropped"] == [gone.conversation.id]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing", "--because", "x"], "no conversation here has the id “nothing”"),
        (["", "--because", "x"], "fits several conversations"),
    ],
)
def test_what_cannot_be_dropped_is_said(piloted: Any, terminal: Terminal, arguments: list[str], says: str) -> None:
    project = piloted()
    shown: Shown = terminal("drop", *arguments)
    assert (shown.code, says in shown.err) == (2, True)
    assert not project.dropped()
    assert terminal("drop", runs(project.layout)[0].samples()[0].scenario.id, "--because", "  ").code == 2


def written(project: Project) -> str:
    return "".join(path.read_text("utf-8") for path in project.layout.dataset.iterdir())


def test_what_a_person_failed_in_the_pilot_is_no_row_of_the_scaled_run_whenever_it_was_said(
    piloted: Any, terminal: Terminal
) -> None:
    """Before the run it is made up for; afterwards it is kept out of the files, and the run makes another when it goes on."""
    project = piloted()
    assert terminal("scale", "110").code == 0
    (pilot,), (run,) = runs(project.layout, "pilot"), runs(project.layout, "scale")
    rows = {sample.scenario.id: sample for sample in run.each_sample() if sample.state == "accepted"}
    number = next(n for n, sample in enumerate(pilot.samples()) if sample.scenario.id in rows and n > 20)
    failed = pilot.samples()[number]
    assert failed.conversation is not None
    say(project, pilot, number, "fail")
    shown = terminal("export", "--preview")
    assert "train.preview.jsonl: 109 rows of scale-001" in shown.out
    assert failed.conversation.messages[1].content not in (project.layout.dataset / "train.preview.jsonl").read_text("utf-8")
    assert "110 of 110 rows are accepted" in terminal("scale", "110").out
    assert "train.preview.jsonl: 110 rows of scale-001" in terminal("export", "--preview").out

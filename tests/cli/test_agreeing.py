"""Nothing that costs money, or may, is begun without a yes on a terminal or --yes; what was agreed is not asked about again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.terminal import on_a_terminal, run_here
from tests.fake_batches import KEY, FakeBatches
from tests.fake_endpoint import Call, Completion, FakeEndpoint, Status
from tests.phases.pottery_expert import pottery_sources
from tests.phases.pottery_shop import accept_all, pottery_project

UNJUDGED = 1  # how a pilot ends whose judge says “Fine.”, as this endpoint does to everything
PRICED = "\n[prices.larch-1]\ninput = 1.0\noutput = 2.0\n"
PILOT = ("pilot", "-n", "1")
COMMANDS = (PILOT, (*PILOT, "--json"), ("check", "--judge"), ("check", "--judge", "--json"))
MAKING = (("prepare",), ("prepare", "--json"), ("research",), ("research", "--json"))


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as opened:
        yield opened


def priced(project: Project, endpoint: FakeEndpoint, more: str = PRICED, model: str = "larch-1") -> Project:
    """The project with all roles played at this endpoint."""
    text = config_text("pottery", f"larch/{model}", endpoint.base_url, "", year=2026)
    project.layout.config.write_text(text + more, "utf-8")
    return open_project(project.folder)


@pytest.fixture
def shop(tmp_path: Path, endpoint: FakeEndpoint) -> Project:
    shop = priced(pottery_project(tmp_path / "shop"), endpoint)
    accept_all(shop)
    return shop


@pytest.fixture
def brief(tmp_path: Path, endpoint: FakeEndpoint) -> Project:
    """A project of which nothing is prepared."""
    return priced(pottery_sources(tmp_path / "brief"), endpoint)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "finetune_prep", *arguments]


def unattended(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run where nobody can be asked."""
    done = run_here(*arguments, folder=project.folder, LOGNAME="reader")
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("arguments", [*COMMANDS, *MAKING], ids=" ".join)
def test_nothing_is_sent_where_nobody_can_be_asked(
    arguments: tuple[str, ...], shop: Project, brief: Project, endpoint: FakeEndpoint
) -> None:
    """It says how much it would be, and the same command with --yes."""
    project = brief if arguments in MAKING else shop
    done = unattended(project, *arguments)
    assert done.returncode == 3, done.stderr
    assert endpoint.calls == []
    assert not [*project.layout.runs.glob("*")], "a run in which nothing was asked is none"
    again = f"finetune-prep {' '.join(arguments)} --yes".replace(" --json", "")
    if "--json" in arguments:
        stopped = json.loads(done.stdout)["stopped"]
        what, following = stopped["what"], stopped["next"]
        assert stopped["kind"] == "not-agreed"
        assert f"larch/larch-1 at {endpoint.base_url}" in " ".join(stopped["details"])
    else:
        following = " ".join(done.stderr.split())
        what = f"{' '.join(done.stdout.split())} {following}"
    assert what.count("tokens in") == 1
    asked = {role for role in ("expert", "reviser", "user", "assistant", "judge") if f"{role}: larch/larch-1" in done.stderr}
    if arguments == PILOT:
        assert asked == {"user", "assistant", "judge"}
    assert "calls, " in what
    assert "about $" in what
    assert again in following


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_terminal_asks_and_a_no_sends_nothing(arguments: tuple[str, ...], shop: Project, endpoint: FakeEndpoint) -> None:
    """Also where only the answer to a script goes to a file, and where a ledger exists."""
    shop.layout.private.mkdir(exist_ok=True)
    for _ in range(2):
        code, shown = on_a_terminal(command(*arguments), "\n", folder=shop.folder)
        assert (code, endpoint.calls) == (3, []), shown
        assert "Begin? [y/N]" in shown
        assert "othing was sent" in shown
        assert "nobody has agreed" not in shown
        assert shown.count("tokens in") == 1
    assert shop.layout.ledger.exists()


def test_a_yes_holds_for_a_run_that_goes_on(shop: Project, endpoint: FakeEndpoint) -> None:
    """The same command and a smaller one go on unattended; a larger one asks anew. Nothing of it stands in the project."""
    code, shown = on_a_terminal(command("pilot", "-n", "2"), "y\n", folder=shop.folder)
    assert (code, shown.count("[y/N]")) == (UNJUDGED, 1), shown
    assert endpoint.calls
    assert unattended(shop, "pilot", "-n", "2").returncode == UNJUDGED  # all of it was answered
    before = len(endpoint.calls)
    assert unattended(shop, "pilot", "-n", "400", "--json").returncode == 3
    assert len(endpoint.calls) == before
    assert not [*shop.folder.rglob("agreed-costs*")]


def test_what_was_interrupted_is_not_asked_about_again(shop: Project, endpoint: FakeEndpoint) -> None:
    """An agreement to forty conversations, of which one was made, covers the rest."""
    assert unattended(shop, "pilot", "-n", "40", "--yes").returncode == UNJUDGED
    everything = len(endpoint.calls)
    shutil.rmtree(shop.layout.runs)
    assert unattended(shop, "pilot", "-n", "40").returncode == UNJUDGED
    assert len(endpoint.calls) == everything


def test_a_copy_of_the_project_is_asked_about(shop: Project, tmp_path: Path, endpoint: FakeEndpoint) -> None:
    assert unattended(shop, *PILOT, "--yes").returncode == UNJUDGED
    before = len(endpoint.calls)
    copied = open_project(shutil.copytree(shop.folder, tmp_path / "copy"))
    assert unattended(copied, *PILOT).returncode == UNJUDGED  # the copied ledger knows the answers
    shutil.rmtree(copied.layout.private)
    assert unattended(copied, *PILOT).returncode == 3
    assert len(endpoint.calls) == before


def test_a_ledger_that_was_emptied_is_not_filled_again_unasked(shop: Project, endpoint: FakeEndpoint) -> None:
    """The same project, the same models, and no more than was agreed; but it was spent already."""
    assert unattended(shop, *PILOT, "--yes").returncode == UNJUDGED
    before = len(endpoint.calls)
    shop.layout.ledger.unlink()
    assert unattended(shop, *PILOT).returncode == 3
    assert len(endpoint.calls) == before


@pytest.mark.parametrize("changed", ["model", "address"])
def test_another_model_than_was_agreed_is_asked_about(changed: str, shop: Project, endpoint: FakeEndpoint) -> None:
    assert unattended(shop, *PILOT, "--yes").returncode == UNJUDGED
    with FakeEndpoint() as other:
        if changed == "model":
            shop = priced(shop, endpoint, '\n[prices."larch-2"]\ninput = 0.1\noutput = 0.2\n', "larch-2")
        else:
            shop = priced(shop, other)
            shutil.rmtree(shop.layout.private)
        before = len(endpoint.calls)
        assert unattended(shop, *PILOT).returncode == 3
        assert (len(endpoint.calls), other.calls) == (before, [])


def test_what_nobody_knows_the_price_of_is_asked_about(shop: Project, endpoint: FakeEndpoint) -> None:
    """One question, and a yes goes on without a count."""
    text = shop.layout.config.read_text("utf-8").replace("127.0.0.1", "0.0.0.0").partition("\n[prices")[0]
    shop.layout.config.write_text(text, "utf-8")
    done = unattended(shop, *PILOT)
    assert done.returncode == 3
    assert "at an unknown price" in " ".join(done.stdout.split())
    assert endpoint.calls == []
    code, shown = on_a_terminal(command(*PILOT), "y\n", folder=shop.folder)
    assert (code, shown.count("[y/N]")) == (UNJUDGED, 1), shown
    assert unattended(shop, *PILOT).returncode == UNJUDGED


def test_free_things_are_not_asked_about(shop: Project, tmp_path: Path, endpoint: FakeEndpoint) -> None:
    """A server on this machine, batch files, and what is in the ledger already."""
    shop = priced(shop, endpoint, "")
    code, shown = on_a_terminal(command(*PILOT), "", folder=shop.folder)
    assert (code, "[y/N]" in shown) == (UNJUDGED, False)
    assert unattended(priced(shop, endpoint), *PILOT).returncode == UNJUDGED
    shutil.rmtree(shop.layout.private)
    assert unattended(shop, *PILOT, "--provider", "batch").returncode == 4


def test_a_paid_judge_beside_a_free_model_is_asked_about_first(shop: Project, endpoint: FakeEndpoint) -> None:
    """Not after hours in which the free one has worked."""
    text = shop.layout.config.read_text("utf-8").replace("larch/larch-1", "larch/maple-1").replace("[prices.", "[prices.")
    head, _, judge = text.partition("[roles.judge]")
    shop.layout.config.write_text(f"{head}[roles.judge]{judge.replace('maple-1', 'larch-1')}", "utf-8")
    done = unattended(shop, *PILOT)
    assert (done.returncode, endpoint.calls) == (3, []), done.stderr


def test_a_batch_api_is_paid_for(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARCH_API_KEY", KEY)
    with FakeBatches("openai") as fake:
        text = shop.layout.config.read_text("utf-8").partition("[providers.larch]")[0]
        table = f'[providers.larch]\nkind = "openai-batch"\nbase_url = "{fake.base_url}"\nkey_env = "LARCH_API_KEY"\n'
        shop.layout.config.write_text(f"{text}{table}{PRICED}", "utf-8")
        done = unattended(shop, *PILOT)
        assert done.returncode == 3, done.stderr
        assert fake.calls.total() == 0
        assert unattended(shop, *PILOT, "--yes").returncode == 4
        assert fake.calls.total() > 0


def test_doctor_tries_what_costs_money_after_a_yes(shop: Project) -> None:
    def answer(call: Call) -> Completion | Status:
        return Completion() if call.body else Status(200, raw=b'{"data": [{"id": "larch-1"}]}')

    with FakeEndpoint(answer) as endpoint:
        shop = priced(shop, endpoint)

        def asked() -> int:
            return sum("messages" in call.body for call in endpoint.calls)

        assert "a question to it costs money" in unattended(shop, "doctor").stdout
        assert asked() == 0
        _, shown = on_a_terminal(command("doctor"), "n\n", folder=shop.folder)
        assert "less than a tenth of a cent" in shown
        assert asked() == 0
        unattended(shop, "doctor", "--yes")
        assert asked() > 0


def test_yes_needs_somebody_to_be_asked(shop: Project) -> None:
    done = unattended(shop, "check", "--yes")
    assert done.returncode == 2
    assert "check --judge --yes" in done.stderr

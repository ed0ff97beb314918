"""A project from elsewhere names a key and a host: nothing is sent before a person has said yes, and then never asked again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.keys import ALLOWED
from finetune_prep.project.project import Project, open_project
from tests.cli.terminal import on_a_terminal, run_here
from tests.fake_batches import FakeBatches
from tests.fake_endpoint import FakeEndpoint
from tests.phases.pottery_shop import accept_all, pottery_project

UNJUDGED = 1  # how a pilot ends whose judge says “Fine.”, as this endpoint does to everything
SECRET = {"CLOUD_SECRET": "sk-canary-0123456789", ALLOWED: ""}


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as opened:
        yield opened


@pytest.fixture
def shop(tmp_path: Path, endpoint: FakeEndpoint) -> Project:
    project = pottery_project(tmp_path / "shop")
    settings = config_text("pottery", "larch/larch-1", endpoint.base_url, "CLOUD_SECRET", year=2026)
    project.layout.config.write_text(settings, "utf-8")
    accept_all(open_project(project.folder))
    return open_project(project.folder)


def command(shop: Project, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "finetune_prep", "--project", str(shop.folder), *arguments]


def unattended(shop: Project, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    done = run_here("--project", str(shop.folder), *arguments, folder=Path(), LOGNAME="reader", **SECRET | more)
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stdout + done.stderr
    return done


COMMANDS = (("doctor",), ("pilot", "-n", "1"), ("check", "--judge"))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_is_sent_where_nobody_can_be_asked(arguments: tuple[str, ...], shop: Project, endpoint: FakeEndpoint) -> None:
    done = unattended(shop, *arguments)
    assert done.returncode == (1 if arguments == ("doctor",) else 3), done.stderr
    shown = " ".join((done.stdout + done.stderr).split())
    assert f"CLOUD_SECRET would be sent to http://127.0.0.1:{endpoint.port} for the first time" in shown
    assert f"{ALLOWED}=CLOUD_SECRET@127.0.0.1" in shown
    assert endpoint.calls == []


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_no_sends_nothing(arguments: tuple[str, ...], shop: Project, endpoint: FakeEndpoint) -> None:
    code, shown = on_a_terminal(command(shop, *arguments), "n\n", **SECRET)
    assert code != 0
    assert "belongs? [y/N]" in " ".join(shown.split())
    assert endpoint.calls == []


def test_a_yes_is_asked_for_once(shop: Project, endpoint: FakeEndpoint) -> None:
    """By whichever command comes first; the others go on, with no terminal at all. The project holds nothing of it."""
    code, shown = on_a_terminal(command(shop, "pilot", "-n", "1"), "y\n", **SECRET)
    assert code == UNJUDGED, shown
    assert shown.count("[y/N]") == 1
    assert {call.headers["authorization"] for call in endpoint.calls} == {"Bearer sk-canary-0123456789"}
    before = len(endpoint.calls)
    assert "for the first time" not in unattended(shop, "doctor").stdout
    assert len(endpoint.calls) > before
    assert not [path for path in shop.folder.rglob("*") if path.is_file() and b"CLOUD_SECRET" in path.read_bytes()][1:]


def test_the_environment_says_yes(shop: Project, endpoint: FakeEndpoint) -> None:
    assert unattended(shop, "pilot", "-n", "1", **{ALLOWED: "CLOUD_SECRET@127.0.0.1"}).returncode == UNJUDGED
    assert endpoint.calls


def test_doctor_takes_a_yes_beforehand(shop: Project, endpoint: FakeEndpoint) -> None:
    checks = json.loads(unattended(shop, "doctor", "--yes", "--json").stdout)
    assert "for the first time" not in json.dumps(checks)
    assert endpoint.calls


def test_a_batch_api_and_a_search_are_hosts_like_others(shop: Project) -> None:
    with FakeBatches("openai") as fake:
        table = f'[providers.larch]\nkind = "openai-batch"\nbase_url = "{fake.base_url}"\nkey_env = "CLOUD_SECRET"\n'
        text = shop.layout.config.read_text("utf-8").partition("[providers.larch]")[0] + table
        search = f'[search]\nprovider = "tavily"\nbase_url = "{fake.base_url}"\nkey_env = "CLOUD_SECRET"\n'
        shop.layout.config.write_text(text + search, "utf-8")
        checks = json.loads(unattended(shop, "doctor", "--json").stdout)
        told = {check["about"]: check["found"] for check in checks}
        assert "for the first time" in told["provider larch"]
        assert "for the first time" in told["web search"]
        assert unattended(shop, "pilot", "-n", "1").returncode == 3
        assert fake.calls.total() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ('base_url = "http://[::1:8000/v1"', "::1:8000"),
        ('base_url = "http://user:hunter2@larch.example/v1"', "hunter2"),
        ('key_env = "sk-proj-0123456789abcdef"', "sk-proj"),
        ('key_env = "gsk_0123456789abcdefghij"', "gsk_"),
    ],
)
@pytest.mark.parametrize("arguments", [*COMMANDS, ("status",), ("cost",)], ids=" ".join)
def test_a_slip_in_the_settings_is_a_sentence_that_repeats_no_secret(
    arguments: tuple[str, ...], line: str, hidden: str, shop: Project
) -> None:
    name = line.partition(" ")[0]
    lines = [line if old.startswith(name) else old for old in shop.layout.config.read_text("utf-8").splitlines()]
    shop.layout.config.write_text("\n".join(lines), "utf-8")
    done = unattended(shop, *arguments)
    assert done.returncode == 2
    assert f"finetune-prep.toml:{lines.index(line) + 1}: {name}" in done.stderr
    assert hidden not in done.stdout + done.stderr

"""`new` asks whether this is the right tool, and takes the answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finetune_prep.cli.app import app
from finetune_prep.cli.commands.new import DOUBTS
from finetune_prep.errors import UsageError
from finetune_prep.models.setup import detect
from finetune_prep.project.project import open_project
from tests.fake_endpoint import FakeEndpoint, Status

LISTED = Status(200, raw=json.dumps({"data": [{"id": "nomic-embed-text"}, {"id": "willow:7b"}]}).encode())
BRIEF = "Pottery\nen\nA small shop answers its customers.\n.\n"


def new(folder: Path, typed: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["new", str(folder), *options], input=typed)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """Where `new` looks for servers: nowhere, unless a test says so; no port of this machine is tried."""
    places: dict[str, tuple[str, str]] = {"openai": ("https://api.openai.com/v1", "OPENAI_API_KEY")}
    monkeypatch.setattr(detect, "WELL_KNOWN", places)
    monkeypatch.setattr(detect, "find_spec", lambda name: None)
    return places


def roles(folder: Path) -> dict[str, str]:
    return {name: role.model for name, role in open_project(folder).config.roles.items()}


@pytest.fixture
def brief(tmp_path: Path) -> tuple[str, str]:
    path = tmp_path / "brief.md"
    path.write_text("# Pottery\n\nA small shop.\n", "utf-8")
    return "--brief", str(path)


def test_a_server_that_is_there_plays_the_roles(
    tmp_path: Path, brief: tuple[str, str], known: dict[str, tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first model that can talk; a key of another family judges. What was found and chosen is said; nothing is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with FakeEndpoint(LISTED) as endpoint:
        known["ollama"] = (endpoint.base_url, "")
        done = new(tmp_path / "shop", "", *brief)
        assert [call.path for call in endpoint.calls] == ["/v1/models"]
    assert done.exit_code == 0, done.output
    played = roles(tmp_path / "shop")
    assert played.pop("judge").startswith("openai/")
    assert set(played.values()) == {"ollama/willow:7b"}
    assert "Found: ollama with 2 models, OPENAI_API_KEY for openai." in done.output
    assert "All roles are played by ollama/willow:7b," in done.output
    assert "sk-canary" not in done.output + (tmp_path / "shop" / "finetune-prep.toml").read_text("utf-8")


def test_where_nothing_is_found_questions_go_to_files(tmp_path: Path, brief: tuple[str, str]) -> None:
    done = new(tmp_path / "shop", "", *brief)
    assert done.exit_code == 0
    assert "no key of a known provider" in done.output
    assert set(roles(tmp_path / "shop").values()) == {"batch/any-model"}


@pytest.mark.parametrize("options", [("--no-detect",), ("--provider", "batch"), ("--model", "batch/any-model")])
def test_whoever_wants_files_gets_them_and_nobody_looks(
    options: tuple[str, ...], tmp_path: Path, brief: tuple[str, str], known: dict[str, tuple[str, str]]
) -> None:
    with FakeEndpoint(LISTED) as endpoint:
        known["ollama"] = (endpoint.base_url, "")
        assert new(tmp_path / "shop", "", *brief, *options).exit_code == 0
        assert endpoint.calls == []
    assert set(roles(tmp_path / "shop").values()) == {"batch/any-model"}


def test_a_provider_may_be_named(
    tmp_path: Path, brief: tuple[str, str], known: dict[str, tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with FakeEndpoint(LISTED) as endpoint:
        known["ollama"] = (endpoint.base_url, "")
        assert new(tmp_path / "shop", "", *brief, "--provider", "openai").exit_code == 0
    assert roles(tmp_path / "shop")["assistant"].startswith("openai/")
    assert roles(tmp_path / "shop")["judge"] == "ollama/willow:7b"


def test_a_key_that_needs_the_extra_is_told_of(tmp_path: Path, brief: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    done = new(tmp_path / "shop", "", *brief)
    assert "ANTHROPIC_API_KEY for anthropic, which needs pip install 'finetune-prep[native]'" in done.output
    assert set(roles(tmp_path / "shop").values()) == {"batch/any-model"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--provider", "groq"), "“groq” was not found"),
        (("--provider", "openai", "--no-detect"), "--no-detect looks for no provider"),
        (("--provider", "openai", "--model", "openai/x"), "--model names a provider already"),
        (("--base-url", "http://localhost:1/v1"), "--base-url and --key-env need --model"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], words: str, tmp_path: Path, brief: tuple[str, str]) -> None:
    """Nothing is made."""
    done = new(tmp_path / "shop", "", *brief, *options)
    assert isinstance(done.exception, UsageError)
    assert words in str(done.exception)
    assert not (tmp_path / "shop").exists()


def test_three_noes_lead_to_a_project(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", f"n\nn\nn\n{BRIEF}")
    assert done.exit_code == 0
    assert all(doubt.question in done.output and doubt.word not in done.output for doubt in DOUBTS)
    assert (tmp_path / "shop" / "brief.md").read_text("utf-8").endswith("# Pottery\n\nA small shop answers its customers.\n")


@pytest.mark.parametrize("number", range(len(DOUBTS)))
def test_a_yes_gets_an_honest_word_and_nothing_is_made(tmp_path: Path, number: int) -> None:
    typed = "".join("y\n" if n == number else "n\n" for n in range(len(DOUBTS)))
    done = new(tmp_path / "shop", f"{typed}n\n")
    assert done.exit_code == 0
    assert [doubt.word in done.output for doubt in DOUBTS] == [n == number for n in range(len(DOUBTS))]
    assert "Nothing was made." in done.output
    assert not (tmp_path / "shop").exists()


def test_whoever_goes_on_all_the_same_may(tmp_path: Path) -> None:
    assert new(tmp_path / "shop", f"n\ny\nn\ny\n{BRIEF}").exit_code == 0
    assert (tmp_path / "shop" / "finetune-prep.toml").exists()


def test_a_brief_or_yes_skips_the_questions(tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text("# Pottery\n\nA small shop.\n", "utf-8")
    for folder, typed, options in (("one", "", ("--brief", str(brief))), ("two", BRIEF, ("--yes",))):
        done = new(tmp_path / folder, typed, *options)
        assert done.exit_code == 0
        assert not any(doubt.question in done.output for doubt in DOUBTS)


def test_a_pasted_brief_keeps_its_paragraphs(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", "Pottery\nde\nA small shop.\n\nIt answers its customers.\n.\n", "--yes")
    assert done.exit_code == 0
    text = (tmp_path / "shop" / "brief.md").read_text("utf-8")
    assert text == "---\nlanguage: de\n---\n# Pottery\n\nA small shop.\n\nIt answers its customers.\n"


def test_a_language_that_is_none_is_asked_for_again(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", "Pottery\nEnglish please\nen\nA small shop.\n.\n", "--yes")
    assert done.exit_code == 0
    assert "is no language tag" in done.output

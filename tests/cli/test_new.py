"""`new` asks whether this is the right tool, and takes the answer."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finetune_prep.cli.app import app
from finetune_prep.cli.commands.new import DOUBTS
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import UsageError
from finetune_prep.models.setup import detect
from finetune_prep.project import keys
from finetune_prep.project.project import open_project
from tests.fake_endpoint import FakeEndpoint, Status

LISTED = Status(200, raw=json.dumps({"data": [{"id": "nomic-embed-text"}, {"id": "willow:7b"}]}).encode())
BRIEF = "Pottery\nA small shop answers its customers.\n.\n"


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
        done = new(tmp_path / "shop", "", *brief, "--yes")
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


def test_what_the_whole_way_would_cost_is_said_before_anything_is_asked(tmp_path: Path, brief: tuple[str, str]) -> None:
    """Where a price is known: by the bundled table; nothing where questions go to files, whose price nobody knows."""
    done = new(tmp_path / "paid", "", *brief, "--model", "openai/gpt-4.1")
    assert re.search(r"The whole way to 2,000 accepted rows would cost about \$\d+ to \$\d+", done.output)
    assert "The whole way" not in new(tmp_path / "files", "", *brief, "--no-detect").output


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
        assert new(tmp_path / "shop", "", *brief, "--provider", "openai", "--yes").exit_code == 0
    assert roles(tmp_path / "shop")["assistant"].startswith("openai/")
    assert roles(tmp_path / "shop")["judge"] == "ollama/willow:7b"


def test_a_key_that_needs_the_extra_is_told_of(tmp_path: Path, brief: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    done = new(tmp_path / "shop", "", *brief)
    assert "ANTHROPIC_API_KEY for anthropic, which needs: pip install 'pydantic-ai-slim" in done.output
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
    done = new(tmp_path / "shop", "Pottery\nA small shop.\n\nIt answers its customers.\n.\n", "--yes")
    assert done.exit_code == 0
    text = (tmp_path / "shop" / "brief.md").read_text("utf-8")
    assert text == "---\nlanguage: en\n---\n# Pottery\n\nA small shop.\n\nIt answers its customers.\n"


def test_a_language_that_is_none_is_asked_for_again(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", "Wine\nBordeaux, Chianti, Rioja.\n.\nEnglish please\nen\n", "--yes")
    assert done.exit_code == 0
    assert "is not a language tag" in done.output


GERMAN = "Ein kleiner Töpferladen beantwortet die Fragen seiner Kunden zu Bestellungen und Rücksendungen.\n"


def test_a_brief_in_german_makes_a_german_project_and_says_so(tmp_path: Path) -> None:
    """Nobody said a language; it is told from the words, written into brief.md, and a title comes from the folder."""
    path = tmp_path / "brief.txt"
    path.write_text(GERMAN, "utf-8")
    done = new(tmp_path / "toepfer-laden", "", "--brief", str(path))
    assert done.exit_code == 0
    assert "A project for “Toepfer laden”" in done.output
    assert "Language of the conversations: de – the language of the brief" in done.output
    brief = open_project(tmp_path / "toepfer-laden").value(Documents.brief)
    assert (brief.language, brief.title, brief.text) == ("de", "Toepfer laden", GERMAN.strip())


def test_a_language_may_be_said(tmp_path: Path) -> None:
    path = tmp_path / "brief.txt"
    path.write_text(GERMAN, "utf-8")
    done = new(tmp_path / "shop", "", "--brief", str(path), "--language", "en", "--json")
    found = json.loads(done.output)
    assert (found["language"], found["language_stated"], found["next"]) == (
        "en",
        True,
        f"finetune-prep --project {tmp_path / 'shop'} prepare",
    )
    assert open_project(tmp_path / "shop").value(Documents.brief).language == "en"


def test_where_the_words_do_not_tell_a_script_is_refused_and_a_person_asked(tmp_path: Path) -> None:
    path = tmp_path / "brief.txt"
    path.write_text("Bordeaux, Chianti, Rioja.\n", "utf-8")
    done = new(tmp_path / "wine", "", "--brief", str(path))
    assert isinstance(done.exception, UsageError)
    assert "--language" in done.exception.next
    assert not (tmp_path / "wine").exists()
    done = new(tmp_path / "wine", "Wine\nBordeaux, Chianti, Rioja.\n.\nklingon?\npt-BR\n", "--yes")
    assert done.exit_code == 0
    assert open_project(tmp_path / "wine").value(Documents.brief).language == "pt-BR"


def test_invisible_characters_of_a_pasted_brief_are_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "given.md"
    path.write_text("# Pottery\n\nA small\u200b shop\u2060 that sells bowls and answers what its customers ask.\n", "utf-8")
    done = new(tmp_path / "shop", "", "--brief", str(path), "--no-detect", "--yes")
    assert done.exit_code == 0, done.output
    assert "2 invisible characters are left out, the first of them U+200B ZERO WIDTH SPACE" in done.output
    assert "A small shop that sells bowls" in (tmp_path / "shop" / "brief.md").read_text("utf-8")


def test_the_brief_may_come_by_pipe(tmp_path: Path) -> None:
    done = new(tmp_path / "shop", "A small shop answers its customers' questions.\n", "--brief", "-")
    assert done.exit_code == 0, done.output
    assert open_project(tmp_path / "shop").value(Documents.brief).language == "en"


def test_the_brief_may_come_from_the_shell(tmp_path: Path) -> None:
    """`--brief <(…)`: a pipe, at an address like /dev/fd/63."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        file.write("# Shop\n\nA small shop answers its customers' questions.\n")
    done = new(tmp_path / "shop", "", "--brief", f"/dev/fd/{reading}", "--no-detect")
    os.close(reading)
    assert done.exit_code == 0, done.output
    assert open_project(tmp_path / "shop").value(Documents.brief).title == "Shop"


@pytest.mark.parametrize(
    ("name", "what"), [(".", "this is a folder"), ("pipe", "it is not a plain file"), ("none.md", "there is no such file")]
)
def test_a_brief_that_is_no_plain_file(name: str, what: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = new(tmp_path / "shop", "", "--brief", str(tmp_path / name), "--no-detect")
    assert isinstance(done.exception, UsageError)
    assert what in done.exception.what


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "this brief is empty"), ("---\nlanguage: en\n---\n", "this brief is empty"), ("# Shop\n", "there is no text below")],
)
def test_a_brief_that_says_nothing_is_not_asked_for_its_language(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "brief.md").write_text(text, "utf-8")
    done = new(tmp_path / "shop", "", "--brief", str(tmp_path / "brief.md"), "--no-detect")
    assert isinstance(done.exception, UsageError)
    assert what in done.exception.what
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize(
    ("options", "what", "fix"),
    [
        (("--model", "mine/x"), "no address is known for the provider “mine”", "--model mine/x --base-url http://HOST:PORT/v1"),
        (
            ("--model", "mine/x", "--base-url", "localhost:8000/v1"),
            "“localhost:8000/v1” is not a valid endpoint address",
            "--base-url http://localhost:8000/v1",
        ),
        (("--json",), "the brief must come from a file", "--brief FILE"),
        (
            ("--model", "larch-1"),
            "--model “larch-1” is not provider/model",
            "--model local/larch-1 --base-url http://HOST:PORT/v1, or for example --model openai/gpt-5-mini",
        ),
        (
            ("--model", "larch-1", "--base-url", "http://localhost:8000/v1"),
            "--model “larch-1” is not provider/model",
            "--model local/larch-1 --base-url http://localhost:8000/v1, or for example --model openai/gpt-5-mini",
        ),
    ],
)
def test_what_is_missing_is_named_as_an_option(options: tuple[str, ...], what: str, fix: str, tmp_path: Path) -> None:
    done = new(tmp_path / "shop", "", *options)
    assert isinstance(done.exception, UsageError)
    assert what in done.exception.what
    assert done.exception.next == fix


def test_ctrl_c_says_that_nothing_was_made(tmp_path: Path) -> None:
    """The input ends in the middle of the questions."""
    done = new(tmp_path / "shop", "n\nn\n")
    assert done.exit_code == 130
    assert "Stopped. Nothing was made." in done.output
    assert "saved" not in done.output
    assert not (tmp_path / "shop").exists()


def test_a_server_that_was_found_is_not_spoken_to_without_a_yes(
    tmp_path: Path, brief: tuple[str, str], known: dict[str, tuple[str, str]]
) -> None:
    """It may be anybody's: nothing is sent, and that is said; naming its provider is a yes."""
    with FakeEndpoint(LISTED) as endpoint:
        known["ollama"] = (endpoint.base_url, "")
        done = new(tmp_path / "a", "", *brief)
        assert (done.exit_code, endpoint.calls) == (0, [])
        assert f"Not asked for its models: {endpoint.base_url}" in done.output
        assert set(roles(tmp_path / "a").values()) == {"batch/any-model"}
        assert new(tmp_path / "b", "", *brief, "--provider", "ollama").exit_code == 0
        assert [call.path for call in endpoint.calls] == ["/v1/models"]


@pytest.mark.parametrize(
    ("base_url", "key_env", "hidden"),
    [
        ("http://[::1:8000/v1", "LARCH_API_KEY", "::1:8000"),
        ("http://user:hunter2@larch.example/v1", "LARCH_API_KEY", "hunter2"),
        ("https://larch.example/v1", "sk-canary-0123456789", "canary"),
    ],
)
def test_what_cannot_be_used_is_refused_and_not_repeated(
    base_url: str, key_env: str, hidden: str, tmp_path: Path, brief: tuple[str, str]
) -> None:
    done = new(tmp_path / "shop", "", *brief, "--model", "larch/m", "--base-url", base_url, "--key-env", key_env)
    assert isinstance(done.exception, UsageError)
    assert hidden not in str(done.exception) + done.output
    assert not (tmp_path / "shop").exists()


def test_a_key_and_an_address_that_were_typed_need_no_question(
    tmp_path: Path, brief: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(keys.ALLOWED)
    new(
        tmp_path / "shop",
        "",
        *brief,
        "--model",
        "larch/m",
        "--base-url",
        "https://larch.example/v1",
        "--key-env",
        "LARCH_API_KEY",
    )
    assert keys.key_for("LARCH_API_KEY", "https://larch.example/v1", {"LARCH_API_KEY": "x" * 20})

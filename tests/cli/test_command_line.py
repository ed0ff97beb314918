"""What holds for every command: where options may stand, what a slip gets for an answer, JSON everywhere, exit codes."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from finetune_prep.cli.app import COMMANDS, SELDOM, WITHOUT_PROJECT, app
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from tests.cli.terminal import Terminal, environment
from tests.phases.pottery_shop import accept_all, have_judged


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal in no project."""
    return Terminal(capsys)


def every_command(command: click.Command, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from every_command(inner, (*names, name))
    else:
        yield names, command


LEAVES = dict(every_command(app))


@pytest.mark.parametrize("names", LEAVES, ids=" ".join)
def test_every_command_can_answer_in_json(names: tuple[str, ...]) -> None:
    assert any("--json" in parameter.opts for parameter in LEAVES[names].params)


def test_what_is_seldom_called_is_there() -> None:
    for name, home in SELDOM.items():
        assert getattr(importlib.import_module(f"finetune_prep.{home}"), name).__module__ == f"finetune_prep.{home}"


@pytest.mark.parametrize("names", [[], ["ledger"]], ids=" ".join)
def test_a_group_alone_shows_its_help(names: list[str], typed: Terminal) -> None:
    shown = typed(*names)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == typed(*names, "--help").out
    assert len(shown.out.splitlines()) > 10


@pytest.mark.parametrize("names", LEAVES, ids=" ".join)
def test_a_usage_error_is_json_where_json_is_asked_for(names: tuple[str, ...], typed: Terminal) -> None:
    shown = typed(*names, "--json", "--no-such-option")
    assert shown.code == 2
    assert json.loads(shown.out)["exit_code"] == 2
    assert "--no-such-option" in json.loads(shown.out)["error"]["what"]
    assert json.loads(shown.out)["error"]["next"] == f"finetune-prep {' '.join(names)} --help"
    assert shown.err == ""


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (("faults",), "argument CONVERSATIONS, a file"),
        (("compare", "base.jsonl"), "argument TUNED, a file"),
        (("new",), "argument FOLDER"),
        (("import",), "argument rubric|anchors"),
        (("batch", "import"), "argument FILES, a file"),
        (("score", "verdicts.jsonl"), "option --rubric FILE"),
    ],
)
def test_a_command_says_what_is_missing(names: tuple[str, ...], missing: str, typed: Terminal) -> None:
    shown = typed(*names)
    assert shown.code == 2
    command = " ".join(name for name in names if "." not in name)
    assert shown.err == f"error: finetune-prep {command}: missing {missing}\nnext:  finetune-prep {command} --help\n"


@pytest.mark.parametrize("names", [names for names in LEAVES if names[0] not in WITHOUT_PROJECT], ids=" ".join)
def test_the_project_may_stand_after_the_command(names: tuple[str, ...], typed: Terminal, tmp_path: Path) -> None:
    """Wherever it stands, it names the same folder, which is none here."""
    required = [
        "1" if parameter.name in ("number", "rows") else "domain-frameworks"
        for parameter in LEAVES[names].params
        if isinstance(parameter, click.Argument) and parameter.required
    ]
    needed = [option for option in LEAVES[names].params if isinstance(option, click.Option) and option.required]
    required += [word for option in needed for word in (option.opts[0], "a reason")]
    required += ["--not-there"] if names == ("batch", "settle") else []
    behind = typed(*names, *required, "--project", str(tmp_path / "nowhere"))
    before = typed("--project", str(tmp_path / "nowhere"), *names, *required)
    assert behind.err == before.err
    if names != ("doctor",):  # which works anywhere
        assert "nowhere: there is no such folder" in behind.err


def test_a_group_takes_the_project_before_its_subcommand(typed: Terminal, shop: Project) -> None:
    shown = typed("batch", "--project", str(shop.folder), "status")
    assert "nothing has been asked in this project yet" in shown.err


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        (("statsu",), "status"),
        (("evaluation_prompt",), "evaluation-prompt"),
        (("Pilot", "-n", "3"), "pilot"),
        (("batch", "statu"), "status"),
        (("status", "--jsn"), "--json"),
        (("pilot", "--n", "3"), "-n"),
        (("check", "evaluation-rubrik"), "evaluation-rubric"),
        (("accept", "refrence/scenario-space.md"), "scenario-space"),
    ],
)
def test_a_slip_gets_a_suggestion(slip: tuple[str, ...], meant: str, terminal: Terminal) -> None:
    shown = terminal(*slip)
    assert shown.code == 2
    assert re.search(rf"[“' ]{meant}[”'?]", shown.err.split("id you mean")[1].splitlines()[0])
    assert shown.err.splitlines()[-1].startswith("next:  ")


def test_a_folder_that_is_no_project_is_called_as_it_was_named(typed: Terminal, tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        here = typed("status")
        named = typed("status", "--project", "../" + tmp_path.name)
    said = "this folder is not a project (no finetune-prep.toml found)\nnext:  finetune-prep new my-domain, or give"
    assert here.err.startswith(f"error: {said}")
    assert named.err.startswith(f"error: ../{tmp_path.name}: {said}")
    assert here.code == named.code == 2


def test_what_is_like_nothing_gets_the_list(typed: Terminal) -> None:
    shown = typed("xyzzy")
    assert (shown.code, shown.err) == (2, "error: unknown command “xyzzy”\nnext:  finetune-prep --help\n")


def test_help_is_a_command_too(typed: Terminal) -> None:
    assert typed("help").out == typed("--help").out == typed().out
    assert typed("help", "batch", "import").out == typed("batch", "import", "--help").out
    assert typed("help", "statsu").code == 2
    assert typed().code == 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("evaluation-rubric", "evaluation-rubric"),
        ("evaluation_rubric", "evaluation-rubric"),
        ("reference/evaluation-rubric.md", "evaluation-rubric"),
        ("evaluation-rubric.md", "evaluation-rubric"),
        ("rubric", "evaluation-rubric"),
        ("anchors", "domain-frameworks"),
        ("research", "domain-frameworks"),
        ("evaluation-prompt", "evaluation-prompt"),
        ("./prompts/evaluation-prompt.md", "evaluation-prompt"),
        ("generation-prompt", "generation-prompt"),
        ("brief.md", "brief"),
    ],
)
def test_a_document_may_be_named_by_kind_path_or_phase(name: str, kind: str, terminal: Terminal) -> None:
    """As `check` prints it, or as the command is called that makes it."""
    assert terminal("history", name).out == terminal("history", kind).out
    assert terminal("check", name, "--json").out == terminal("check", kind, "--json").out


def test_a_path_is_read_from_where_the_person_is(
    shop: Project, typed: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(shop.folder / "prompts")
    assert "evaluation-prompt.md" in typed("--project", "..", "history", "../prompts/evaluation-prompt.md").out
    assert "user-prompt.md" in typed("--project", "..", "history", str(shop.folder / "prompts" / "user-prompt.md")).out
    other = tmp_path / "other" / "reference" / "evaluation-rubric.md"
    assert typed("--project", "..", "history", str(other)).code == 2, "of another project"


def test_the_next_step_names_the_project_where_the_command_did(shop: Project, typed: Terminal, tmp_path: Path) -> None:
    """From another folder, what it proposes can be typed as it stands there."""
    (tmp_path / "my shop").symlink_to(shop.folder)
    with contextlib.chdir(tmp_path):
        before, behind = typed("--project", "my shop", "status"), typed("status", "--project", "my shop", "--json")
        assert "next: finetune-prep --project 'my shop' " in " ".join(before.out.split())
        step = json.loads(behind.out)["overview"]["next"]
        refused = json.loads(typed("--project", "my shop", "pilot", "-n", "0", "--json").out)["error"]["next"]
    with contextlib.chdir(shop.folder):
        plain = typed("status").out
    assert "finetune-prep --project 'my shop' " in step + refused
    assert "--project" not in plain.rpartition("next: ")[2]


@pytest.mark.parametrize(
    "given",
    [("check", "--json"), ("restore", "evaluation-rubric", "{hash}", "--json"), ("accept", "--json"), ("anchors", "--json")],
)
def test_scripts_are_told_the_next_step_too(given: tuple[str, ...], shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    kept = terminal("history", "rubric", "--json").out
    known = {"hash": json.loads(kept)[-1]["hash"] if json.loads(kept) else ""}
    shown = terminal(*(part.format(**known) for part in given))
    assert "finetune-prep" in json.loads(shown.out)["next"]


def test_a_busy_project_has_an_exit_code_of_its_own(shop: Project, terminal: Terminal) -> None:
    """So that a script can tell “later” from “wrong”."""
    with locked(shop.layout.lock, "pilot"):
        shown = terminal("accept", "--yes", "--by", "Ines", "--json")
    assert shown.code == 6
    found = json.loads(shown.out)
    assert (found["exit_code"], found["error"]["kind"]) == (6, "project-locked")
    assert "finetune-prep pilot (process " in found["error"]["what"]


def test_a_planned_stop_is_no_error(shop: Project, terminal: Terminal) -> None:
    """Exit code 3 says that a person has to act; nothing went wrong, and nothing says so."""
    shown = terminal("pilot", "-n", "3")
    assert shown.code == 3
    assert "error" not in shown.err.lower()
    assert shown.err.startswith("The pilot must wait: reference/domain-frameworks.md has not been accepted by a person yet\n")
    found = json.loads(terminal("pilot", "-n", "3", "--json").out)
    assert set(found) == {"stopped", "exit_code"}
    assert found["stopped"]["next"] == "finetune-prep accept domain-frameworks"


def test_json_of_a_template_and_of_an_acceptance(shop: Project, terminal: Terminal) -> None:
    assert json.loads(terminal("template", "brief", "--json").out)["path"] == "brief.md"
    have_judged(shop)
    shown = terminal("accept", "rubric", "--json")
    found = json.loads(shown.out)
    assert (shown.code, found["accepted"], found["to_accept"][0]["document"]) == (3, [], "evaluation-rubric")
    assert shop.acceptance("evaluation-rubric") is None
    shown = terminal("accept", "rubric", "--json", "--yes", "--by", "Ines")
    assert (shown.code, json.loads(shown.out)["accepted"][0]["document"]) == (0, "evaluation-rubric")
    assert shop.acceptance("evaluation-rubric") is not None


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_options_and_documents(shell: str, typed: Terminal, tmp_path: Path) -> None:
    """Asked as the script asks that `completion` prints."""
    script = typed("completion", shell).out
    assert "_FINETUNE_PREP_COMPLETE" in script
    assert json.loads(typed("completion", shell, "--json").out)["script"].strip() == script.strip()
    for words, wanted in (
        ("finetune-prep st", {"status"}),
        ("finetune-prep accept ev", {"evaluation-rubric", "evaluation-prompt"}),
        ("finetune-prep pilot --pro", {"--provider", "--project"}),
    ):
        asked = {"COMP_WORDS": words, "_FINETUNE_PREP_COMPLETE": f"{shell}_complete"}
        asked["COMP_CWORD"] = words.split()[-1] if shell == "fish" else str(words.count(" "))
        done = subprocess.run(
            [sys.executable, "-m", "finetune_prep"], env=environment(**asked), capture_output=True, text=True, check=False
        )
        assert {
            line for name in wanted for line in done.stdout.replace(",", " ").replace("\t", " ").split() if line == name
        } == wanted


def test_bash_itself_completes(typed: Terminal, tmp_path: Path) -> None:
    """The script in a real shell: it defines the function, and the function gives the names."""
    program = tmp_path / "finetune-prep"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m finetune_prep "$@"\n')
    program.chmod(0o755)
    lines = [
        f'eval "$({program} completion bash)"',
        f'COMP_WORDS=("{program}" sta); COMP_CWORD=1',
        f'_finetune_prep_completion "{program}"',
        'echo "${COMPREPLY[@]}"',
    ]
    done = subprocess.run(["bash", "-c", "\n".join(lines)], env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "status", done.stderr


def test_a_missing_document_that_was_accepted_fails_the_check_and_names_the_way_back(shop: Project, terminal: Terminal) -> None:
    """Deleted or renamed: CI must not be green without a rubric."""
    accept_all(shop)
    path = shop.layout.document("evaluation-rubric")
    text = path.read_bytes()
    path.unlink()
    shown = terminal("check")
    assert shown.code == 1
    line = next(line for line in shown.out.splitlines() if line.startswith("reference/evaluation-rubric.md:"))
    assert "the file is gone, and was accepted by a reader" in line
    way_back = line[line.index("finetune-prep restore") :]
    assert f"next: {way_back}" in terminal("status").out
    assert json.loads(terminal("status", "--json").out)["overview"]["next"] == way_back
    assert terminal(*way_back.split()[1:]).code == 0
    assert path.read_bytes() == text
    assert terminal("check").code == 0


def test_every_command_is_told_what_it_is_for() -> None:
    assert {names[0] for names in LEAVES} == set(COMMANDS)


def test_nobody_looks_for_cycles_in_what_is_left_at_the_end() -> None:
    program = """
import atexit, gc
from finetune_prep.cli.app import main
atexit.register(lambda: print("frozen", gc.get_freeze_count() > 10_000))
main(["--version"])
"""
    done = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.endswith("frozen True\n")

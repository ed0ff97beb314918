"""What the pages tell whoever carries on: targets that exist, links that lead somewhere, one version, hooks that can run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*/README.md")])
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split())
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings, and those that are written down."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {*re.findall(r'<a (?:id|name)="([^"]+)"', text)} | {
        re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-") for heading in headings
    }


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))


def test_what_is_phony_is_a_target() -> None:
    assert {target for target in TARGETS if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)} == set()


@pytest.mark.parametrize("page", [*PAGES, HOOKS, ROOT / ".ci" / "run"], ids=name)
def test_every_target_that_is_named_exists(page: Path) -> None:
    """In code, that is: “make sure” in a sentence is no target."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL) if page.suffix == ".md" else [text]
    named = re.findall(r"`make ([a-z][a-z-]*)", text)
    named += [target for block in blocks for target in re.findall(r"^(?: +entry: )?make ([a-z][a-z-]*)", block, re.MULTILINE)]
    assert set(named) - TARGETS == set()


def test_contributing_names_every_target() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    assert {target for target in TARGETS if f"`make {target}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file or folder of the repository, and to a heading that stands in it."""
    for link in LINK.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_workflow_runs_what_ci_runs_and_targets_that_exist() -> None:
    jobs = read(WORKFLOW)["jobs"]
    assert {"run": ".ci/run"} in jobs["test"]["steps"]
    assert set(jobs["long"]["strategy"]["matrix"]["target"]) <= TARGETS
    versions = set(re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8")))
    assert set(jobs["test"]["strategy"]["matrix"]["python"]) == versions


def test_hooks_use_the_dev_environment_and_files_that_exist() -> None:
    (repository,) = read(HOOKS)["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        command, *arguments = hook["entry"].split()
        assert command == "make" or command.startswith(".venv-dev/bin/"), hook["entry"]
        assert [argument for argument in arguments if argument.endswith(".py") and not (ROOT / argument).is_file()] == []


def test_the_changelog_begins_with_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    heading = re.search(r"^## (\S+) – (unreleased|\d{4}-\d{2}-\d{2})$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heading is not None
    assert heading[1] == version

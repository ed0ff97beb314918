"""docs/commands.md says what the help texts say, about every command there is."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import click

from finetune_prep.cli.app import COMMANDS, app

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def every_command(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from every_command(inner, f"{path} {name}")


def test_the_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_commands", ROOT / "docs" / "make_commands.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.commands_page() == PAGE, "run: python docs/make_commands.py"


def test_every_command_subcommand_and_option_is_on_the_page() -> None:
    """Found by walking the commands, not by the generator."""
    sections = dict(re.findall(r"^#{2,3} (finetune-prep.*)\n((?:(?!#).*\n)*)", PAGE, re.MULTILINE))
    commands = dict(every_command(app, "finetune-prep"))
    assert set(sections) == set(commands)
    for path, command in commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert all(f"{name}" in sections[path] for name in parameter.opts), (path, parameter.opts)


def test_every_link_leads_to_a_heading() -> None:
    headings = {heading.replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    links = re.findall(r"\]\(#([^)]*)\)", PAGE)
    assert len(links) == len(COMMANDS)
    assert set(links) <= headings


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/commands.md)" in (ROOT / "README.md").read_text(encoding="utf-8")

"""No message sends a person to a command that does not exist, and no help text promises an option without code."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from finetune_prep.cli.app import COMMANDS, app

ROOT = Path(__file__).parents[1]
PLACES = [*sorted((ROOT / "src").rglob("*.py")), ROOT / "README.md", ROOT / "docs" / "method.md"]
NAMED = re.compile(r"finetune-prep(?: --project \S+)? ([a-z][a-z-]+)")
PROSE = {"project", "cannot"}  # "finetune-prep cannot …" in a sentence is not a command


@pytest.mark.parametrize("path", PLACES, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path) -> None:
    named = set(NAMED.findall(path.read_text("utf-8"))) - PROSE
    assert not named - set(COMMANDS)


def test_every_command_has_a_summary_and_can_be_loaded() -> None:
    context = click.Context(app)
    for name in COMMANDS:
        command = app.get_command(context, name)
        assert isinstance(command, click.Command)
        assert command.name == name
        assert command.help

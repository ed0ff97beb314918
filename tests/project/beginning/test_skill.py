"""SKILL.md: valid by the reference implementation, short, true about the commands, written by `new` and kept up."""

from __future__ import annotations

import re
from pathlib import Path

import click
import skills_ref

from finetune_prep.cli.app import app
from finetune_prep.core.identity import digest
from finetune_prep.documents.kinds import KINDS
from finetune_prep.project.beginning.scaffold import config_text, create
from finetune_prep.project.beginning.skill import keep_up, skill_text
from finetune_prep.project.layout import Layout


def project(folder: Path) -> Layout:
    create(folder, "# A shop\n\nIt sells bowls.\n", config_text("shop", "batch/any-model", "", "", year=2026))
    return Layout(folder)


def test_a_new_project_has_a_valid_skill(tmp_path: Path) -> None:
    layout = project(tmp_path / "shop")
    assert skills_ref.validate(layout.skill.parent) == []
    assert skills_ref.read_properties(layout.skill.parent).name == "finetune-prep"
    assert len(layout.skill.read_text("utf-8").split()) <= 700


def test_it_names_commands_and_options_that_exist() -> None:
    text = skill_text()
    named = {match[1]: match[0] for match in re.finditer(r"`finetune-prep ([a-z]+)[^`]*`", text)}
    assert set(named) >= {"status", "check", "accept", "template", "batch", "review", "export"}
    for name, command in named.items():
        command_of = app.get_command(click.Context(app), name)
        assert command_of is not None, command
        known = {option for parameter in command_of.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", command)) <= known, command
    assert all(Path(KINDS[kind].path).parent.name in text for kind in ("domain-frameworks", "generation-prompt"))


def test_an_older_one_is_renewed_and_an_edited_one_is_left_alone(tmp_path: Path) -> None:
    layout = project(tmp_path / "shop")
    older = _as_written(skill_text().replace("The program writes documents", "It writes documents"))
    layout.skill.write_text(older, "utf-8")
    keep_up(layout)
    assert layout.skill.read_text("utf-8") == skill_text()
    edited = skill_text().replace("People accept.", "People accept. Ask Ines.")
    layout.skill.write_text(edited, "utf-8")
    keep_up(layout)
    assert layout.skill.read_text("utf-8") == edited
    layout.skill.unlink()
    keep_up(layout)
    assert layout.skill.read_text("utf-8") == skill_text()


def _as_written(text: str) -> str:
    """A text with the mark that the program would have given it."""
    bare = re.sub(r"metadata:\n  finetune-prep: \"[0-9a-f]+\"\n", "", text)
    return re.sub(r"[0-9a-f]{16}", digest(bare)[:16], text, count=1)

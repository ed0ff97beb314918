"""The files a project starts with, and the copy of a project's inputs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from finetune_prep.errors import ConfigError, UsageError
from finetune_prep.project import config
from finetune_prep.project.beginning.scaffold import DEFAULT_MODEL, INPUTS, config_text, copy_inputs, create, refuse_used
from finetune_prep.project.project import open_project

BRIEF = "# Support for a pottery shop\n\nChat with customers of a small shop.\n"


def read(model: str, base_url: str = "", key_env: str = "", name: str = "shop") -> config.Config:
    return config.parse(config_text(name, model, base_url, key_env, year=2026))


def test_the_configuration_of_a_new_project_can_be_read() -> None:
    fresh = read(DEFAULT_MODEL)
    assert (fresh.name, fresh.seed, fresh.year, fresh.budget) == ("shop", 1, 2026, None)
    assert {role.model for role in fresh.roles.values()} == {DEFAULT_MODEL}
    assert set(fresh.roles) == set(config.NEEDED_ROLES)


@pytest.mark.parametrize("provider", ["larch", "larch.example", "my gpu", 'a "b"', "ключ", "a-b_c"])
def test_a_provider_of_any_name_gets_its_own_table(provider: str) -> None:
    """A dot in a bare key would make a table within a table, and the provider would not be found."""
    fresh = read(f"{provider}/larch-1", "http://localhost:8000/v1", "LARCH_KEY")
    assert fresh.provider(provider).base_url == "http://localhost:8000/v1"
    assert fresh.provider(provider).key_env == "LARCH_KEY"


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "line\nbreak", "Töpferei 🏺"])
def test_any_name_of_a_folder_is_written_as_toml_reads_it(name: str) -> None:
    assert read(DEFAULT_MODEL, name=name).name == name


@pytest.mark.parametrize("model", ["larch-1", "/larch-1", "larch/", "nowhere/larch-1"])
def test_a_model_that_cannot_be_used_is_refused_before_anything_is_written(model: str) -> None:
    with pytest.raises(ConfigError):
        config_text("shop", model, "", "", year=2026)


def test_a_new_project_opens(tmp_path: Path) -> None:
    create(tmp_path / "shop", BRIEF.rstrip(), config_text("shop", DEFAULT_MODEL, "", "", year=2026))
    project = open_project(tmp_path / "shop")
    assert project.layout.document("brief").read_text() == BRIEF
    assert project.layout.sources.is_dir()


def test_of_what_the_program_keeps_for_itself_only_stamps_are_committed(tmp_path: Path) -> None:
    create(tmp_path, BRIEF, config_text("shop", DEFAULT_MODEL, "", "", year=2026))
    for name in ("ledger.sqlite", "lock", "history/brief/ab.md", "stamps/brief.toml"):
        path = tmp_path / ".finetune-prep" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "sources" / "returns.md").write_text("x")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-o", "--exclude-standard"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert set(listed.stdout.split()) == {
        ".finetune-prep/stamps/brief.toml",
        ".gitignore",
        "brief.md",
        "finetune-prep.toml",
        "skills/finetune-prep/SKILL.md",
        "sources/returns.md",
    }


def test_a_folder_in_use_is_refused_with_the_reason(tmp_path: Path) -> None:
    refuse_used(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    refuse_used(tmp_path / "empty")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        refuse_used(tmp_path / "file")
    with pytest.raises(UsageError, match="is not empty"):
        refuse_used(tmp_path)
    create(tmp_path / "shop", BRIEF, config_text("shop", DEFAULT_MODEL, "", "", year=2026))
    with pytest.raises(UsageError, match="is a project already"):
        refuse_used(tmp_path / "shop")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    create(folder, BRIEF, config_text("shop", DEFAULT_MODEL, "", "", year=2026))
    (folder / "sources" / "deep").mkdir()
    (folder / "sources" / "deep" / "returns.md").write_text("Thirty days.")
    (folder / "decisions.jsonl").write_text("")
    for made in ("reference/evaluation-rubric.md", ".finetune-prep/ledger.sqlite", "runs/pilot-001/plan.json"):
        (folder / made).parent.mkdir(parents=True)
        (folder / made).write_text("made")
    (folder / "runs" / "pilot-001" / "labels.jsonl").write_text("")
    return folder


def test_a_copy_holds_what_a_person_gave_and_nothing_that_was_made(shop: Path, tmp_path: Path) -> None:
    copy_inputs(shop, tmp_path / "copy")
    copied = files(tmp_path / "copy")
    given = {"brief.md", "decisions.jsonl", "finetune-prep.toml", "sources/deep/returns.md", "runs/pilot-001/labels.jsonl"}
    assert set(copied) == given
    assert {name.split("/")[0] for name in copied} - {"runs"} <= set(INPUTS)
    assert copied == {name: content for name, content in files(shop).items() if name in copied}


def test_copying_again_writes_only_what_changed(shop: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_inputs(shop, copy)
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()}
    (shop / "brief.md").write_text(f"{BRIEF}\nMore.\n")
    copy_inputs(shop, copy)
    changed = [path.name for path, time in before.items() if path.stat().st_mtime_ns != time]
    assert changed == ["brief.md"]


def test_a_link_out_of_the_project_is_not_turned_into_a_file_of_the_copy(shop: Path, tmp_path: Path) -> None:
    """The project refuses to read the link; its copy must not read what the link points at either."""
    (tmp_path / "private.md").write_text("not for the project")
    (shop / "sources" / "private.md").symlink_to(tmp_path / "private.md")
    (shop / "sources" / "inside.md").symlink_to(shop / "sources" / "deep" / "returns.md")
    copy_inputs(shop, tmp_path / "copy")
    assert not (tmp_path / "copy" / "sources" / "private.md").exists()
    assert (tmp_path / "copy" / "sources" / "inside.md").read_text() == "Thirty days."

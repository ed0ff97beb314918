"""Wrong input gives one clear message with file and line, an exit code of 1 or 2, and changes nothing on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole.way import example_project, run_here

Breaker = Callable[[Path], None]


def _no_brief(folder: Path) -> None:
    (folder / "brief.md").unlink()


def _broken_front_matter(folder: Path) -> None:
    (folder / "brief.md").write_text("---\nlanguage: [en\n---\n# Support\n\nA shop.\n", "utf-8")


def _unknown_key(folder: Path) -> None:
    path = folder / "finetune-prep.toml"
    path.write_text(path.read_text("utf-8").replace("seed =", "sed =", 1), "utf-8")


def _not_utf8(folder: Path) -> None:
    (folder / "brief.md").write_bytes("# Support\n\nA shop for kitchen linen.\n\nCaf\xe9.\n".encode("latin-1"))


def _empty(folder: Path) -> None:
    (folder / "brief.md").write_bytes(b"")


def _toml_not_utf8(folder: Path) -> None:
    path = folder / "finetune-prep.toml"
    path.write_bytes(path.read_bytes() + b"\n# caf\xe9\n")


def _toml_broken(folder: Path) -> None:
    path = folder / "finetune-prep.toml"
    path.write_text(path.read_text("utf-8").replace("[roles.user]", "[roles.user", 1), "utf-8")


def _torn_decisions(folder: Path) -> None:
    path = folder / "decisions.jsonl"
    path.write_text(path.read_text("utf-8") + '{"decision": "acc\n', "utf-8")


def _no_project(folder: Path) -> None:
    (folder / "finetune-prep.toml").unlink()


def _snapshot(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("command", [("prepare",), ("status",), ("check",)])
@pytest.mark.parametrize(
    ("breaker", "where"),
    [
        (_broken_front_matter, "brief.md:"),
        (_unknown_key, "finetune-prep.toml:2: unknown key “sed”"),
        (_not_utf8, "brief.md:5"),
        (_empty, "brief.md"),
        (_toml_not_utf8, "finetune-prep.toml:"),
        (_toml_broken, "finetune-prep.toml:"),
        (_torn_decisions, "decisions.jsonl:"),
        (_no_project, "is not a project"),
    ],
)
def test_is_answered_with_file_and_line_and_changes_nothing(
    breaker: Breaker, where: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    folder = example_project(tmp_path / "shop")
    breaker(folder)
    before = _snapshot(folder)
    done = run_here(*command, folder=folder)
    said = done.stdout + done.stderr
    assert where in said
    assert "Traceback" not in said
    assert done.returncode in (1, 2)
    after = {name: hash for name, hash in _snapshot(folder).items() if "/.finetune-prep/lock" not in name}
    assert after == before


def test_a_missing_brief_is_named_with_the_way_to_one(tmp_path: Path) -> None:
    folder = example_project(tmp_path / "shop")
    _no_brief(folder)
    done = run_here("prepare", folder=folder)
    assert done.returncode in (1, 2, 3)
    assert "brief.md" in done.stderr
    assert "finetune-prep template brief" in done.stderr


def test_new_refuses_a_brief_that_is_not_there(tmp_path: Path) -> None:
    done = run_here("new", "shop", "--brief", "nowhere.md", folder=tmp_path)
    assert done.returncode == 2
    assert "nowhere.md" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_new_refuses_a_folder_in_use(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "thesis.txt").write_text("mine")
    done = run_here("new", "shop", "--brief", "nowhere.md", folder=tmp_path)
    assert done.returncode == 2
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["thesis.txt"]

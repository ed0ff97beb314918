"""docs/architecture.md names files, functions and tables that exist, and the layers as the contract has them."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "finetune_prep"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([\w./-]+\.(?:py|md|toml))(?::([\w.]+))?`", PAGE)))
TABLES = sorted(set(re.findall(r"`([A-Z_]{4,}|SearchKind)`(?: and `(\w+)`)? (?:in|of) `([\w/]+\.py)`", " ".join(PAGE.split()))))


def names_in(path: Path) -> set[str]:
    """Everything that a module defines, methods as Class.method."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_is_named_exists(path: str, name: str) -> None:
    place = next((root / path for root in (SOURCE, ROOT) if (root / path).is_file()), None)
    assert place is not None, f"there is no {path}"
    assert not name or name in names_in(place), f"{path} has no {name}"


@pytest.mark.parametrize(("first", "second", "path"), TABLES)
def test_tables_stand_where_the_page_says(first: str, second: str, path: str) -> None:
    assert {first, second} - {""} <= names_in(SOURCE / path)


def test_enough_is_named_to_be_a_test() -> None:
    assert len([name for _, name in NAMED if name]) > 40
    assert len(TABLES) >= 6


def test_the_layers_are_those_of_the_contract() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]["layers"]
    [picture] = re.findall(r"## Layers.*?```\n(.*?)```", PAGE, re.DOTALL)
    drawn = [re.split(r"\s{2,}", line)[0] for line in picture.splitlines()]
    assert drawn == [layer.replace("finetune_prep.", "") for layer in contract]


def test_folders_that_are_named_exist() -> None:
    for folder in re.findall(r"`([\w/]+/)`", PAGE):
        assert any((root / folder).is_dir() for root in (SOURCE, ROOT, ROOT / "examples" / "online-shop")), folder
    assert "(docs/architecture.md)" in (ROOT / "README.md").read_text("utf-8")

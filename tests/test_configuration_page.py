"""docs/configuration.md holds every key of finetune-prep.toml, as the settings themselves describe it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from finetune_prep.project.config import (
    SEARCHES,
    WELL_KNOWN,
    Config,
    ExportSettings,
    PilotSettings,
    Price,
    ProviderSettings,
    RoleSettings,
    SearchSettings,
    parse,
)

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_configuration", ROOT / "docs" / "make_configuration.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(maker: ModuleType) -> None:
    assert maker.configuration_page() == PAGE, "run: python docs/make_configuration.py"


@pytest.mark.parametrize("struct", [Config, RoleSettings, ProviderSettings, SearchSettings, PilotSettings, ExportSettings, Price])
def test_every_key_says_what_it_is(struct: type[msgspec.Struct], maker: ModuleType) -> None:
    """In a sentence below the field, where editors show it, too; and the page has a row of it."""
    docs = maker.field_docs(struct)
    assert list(docs) == list(struct.__struct_fields__)
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    for name, text in docs.items():
        assert text.endswith((".", "…"))
        assert any(key == name and row.endswith(f"| {text}") for key, row in rows), name


def test_every_provider_and_search_is_on_the_page() -> None:
    for name, (address, key) in {**WELL_KNOWN, **SEARCHES}.items():
        assert re.search(rf"^\| `{name}` \| .*{re.escape(address)}.*{key}", PAGE, re.MULTILINE), name


def test_the_example_on_the_page_can_be_read() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert parse(example).provider("larch").base_url == "http://localhost:8000/v1"

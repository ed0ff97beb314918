"""The layers of the program, and what it may not load before it is asked for something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.waiting import HUNG

ROOT = Path(__file__).parents[1]
# each of these costs a tenth of a second or more, or belongs to an extra that may not be installed
HEAVY = (
    "apsw",
    "boto3",
    "bs4",
    "budoux",
    "genai_prices",
    "jinja2",
    "lxml",
    "mammoth",
    "markdown_it",
    "markdownify",
    "numpy",
    "pycurl",
    "pydantic",
    "pydantic_ai",
    "pypdf",
    "rich",
    "ruamel",
    "scipy",
    "starlette",
    "uvicorn",
)


# what asks models and makes things: `check` and `status` look at what is there
ASKING = (
    "models.batches",
    "models.door",
    "models.providers.openai_compatible",
    "models.routes",
    "phases.evaluating.evaluate",
    "phases.improving",
    "phases.pilot.pilot",
    "phases.probing.probe",
    "phases.prompts",
    "phases.research",
    "phases.rubric",
    "phases.session",
    "sources.web",
)


def modules_after(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=HUNG)
    return set(done.stdout.split())


def loaded_by(statement: str) -> set[str]:
    """The same of the top-level packages."""
    return {name.partition(".")[0] for name in modules_after(statement)}


def test_a_layer_imports_only_from_layers_below_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [str(ROOT / "src"), *sys.path])
    status = lint_imports(config_filename="pyproject.toml", no_cache=True)
    printed = capsys.readouterr().out
    assert status == EXIT_STATUS_SUCCESS, printed
    assert "1 kept, 0 broken" in printed


def test_every_package_stands_in_the_contract() -> None:
    """A package that the contract does not name could import whatever it likes."""
    contract = (ROOT / "pyproject.toml").read_text("utf-8").partition("[[tool.importlinter.contracts]]")[2]
    packages = {path.parent.name for path in (ROOT / "src" / "finetune_prep").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "src" / "finetune_prep").glob("*.py")} - {"__init__", "__main__"}
    assert [name for name in sorted(packages | modules) if f"finetune_prep.{name}" not in contract] == []


def test_the_command_line_starts_without_anything_heavy() -> None:
    assert sorted(loaded_by("import finetune_prep.cli") & set(HEAVY)) == []


def test_help_is_printed_without_anything_heavy() -> None:
    quietly = "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):"
    asked = f"import contextlib, io, sys, finetune_prep.cli\nsys.argv[1:] = ['--help']\n{quietly}\n    finetune_prep.cli.main()"
    assert sorted(loaded_by(asked) & set(HEAVY)) == []


@pytest.mark.parametrize("command", ["check", "status"])
def test_whoever_looks_at_a_project_loads_nothing_that_asks(command: str) -> None:
    """Each of the two is called after every edit, and half of its time were imports."""
    working = {"check": "finetune_prep.workflow.checking", "status": "finetune_prep.workflow.status.overview"}[command]
    loaded = modules_after(f"import finetune_prep.cli.commands.{command}, {working}")
    assert [name for name in ASKING if f"finetune_prep.{name}" in loaded] == []


@pytest.mark.parametrize("command", ["check", "status"])
def test_whoever_remembers_loads_nothing_that_works_it_out(command: str) -> None:
    loaded = modules_after(f"import finetune_prep.cli.commands.{command}")
    working = ("cli.judging", "gates", "ledger", "models", "phases", "workflow.checking", "workflow.status.overview")
    assert [name for name in working if f"finetune_prep.{name}" in loaded] == []


def test_core_and_errors_need_nothing_but_msgspec() -> None:
    """msgspec itself looks for typing_extensions."""
    modules = [f"finetune_prep.core.{path.stem}" for path in (ROOT / "src" / "finetune_prep" / "core").glob("*.py")]
    third_party = loaded_by(f"import finetune_prep.errors, {', '.join(modules)}") - set(sys.stdlib_module_names)
    assert {name for name in third_party if not name.startswith("_")} - loaded_by("") <= {
        "finetune_prep",
        "msgspec",
        "typing_extensions",
    }


def test_a_session_whose_web_can_be_searched_opens_without_the_http_library() -> None:
    opened = "\n".join(
        [
            "from finetune_prep.project.config import SearchSettings",
            "from finetune_prep.sources.web import open_web",
            "import finetune_prep.phases.research.web",
            "import asyncio",
            "assert asyncio.run(open_web(SearchSettings(), {'EXA_API_KEY': 'x'}, None).provider()) == 'exa'",
        ]
    )
    assert "pycurl" not in loaded_by(opened)

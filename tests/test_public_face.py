"""The public face: these names and no others, each of which can be loaded."""

from __future__ import annotations

import subprocess
import sys

import finetune_prep

NAMES = {
    "Account", "Conversation", "Documents", "FinetunePrepError", "Message", "Project", "Rubric", "Sample", "Scenario", "Score", "Scripted",
    "Verdict", "audit", "evaluate", "export", "open_project", "open_session", "parse", "pilot", "prepare", "render", "retry", "scale",
    "score",
}  # fmt: skip


def test_these_names_are_public_and_no_others() -> None:
    assert set(finetune_prep.__all__) == NAMES


def test_every_public_name_can_be_loaded() -> None:
    for name in NAMES:
        assert getattr(finetune_prep, name).__module__.startswith("finetune_prep")


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, finetune_prep; print(sorted(name for name in sys.modules if name.startswith('finetune_prep')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['finetune_prep']"

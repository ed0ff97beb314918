"""What is said before a pilot starts and while it runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import open_project
from tests.cli.terminal import on_a_terminal
from tests.fake_endpoint import FakeEndpoint
from tests.phases.pottery_shop import accept_all, pottery_project


def test_a_pilot_says_what_is_to_come_and_what_it_comes_to(tmp_path: Path) -> None:
    """Before the first call the estimate; then, on the live line, spent and projected; at the end both are the same."""
    project = pottery_project(tmp_path / "shop")
    with FakeEndpoint() as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        project.layout.config.write_text(f"{text}\n[prices.larch-1]\ninput = 1000.0\noutput = 2000.0\n", "utf-8")
        accept_all(open_project(project.folder))
        command = [sys.executable, "-m", "finetune_prep", "--project", str(project.folder), "pilot", "-n", "2", "--yes"]
        code, shown = on_a_terminal(command, columns=120)
        calls = len(endpoint.calls)
    assert code == 1, shown  # this judge says nothing that can be read
    before, _, live = shown.partition("in flight")
    assert re.search(
        r"Estimate: \d+ calls, [\d,k]+ tokens in, [\d,k]+ out, about \$\d+\.\d\d, going by the bundled example", before
    )
    lines = re.findall(r"\$([\d.]+) spent · about \$([\d.]+) in all", live)
    assert len(lines) > 3
    spent, projected = map(float, lines[-1])
    assert spent == pytest.approx(0.12 * calls)
    assert f"pilot-001 cost ${0.12 * calls:.4f}" in live
    # two verdicts were asked for again, which nobody could expect
    assert abs(projected - spent) < 0.01


def test_a_budget_below_the_estimate_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    """With the line that would let the run finish; one that is large enough is not spoken of."""
    project = pottery_project(tmp_path / "shop")
    with FakeEndpoint() as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        priced = f"{text}\n[prices.larch-1]\ninput = 1000.0\noutput = 2000.0\n"
        command = [sys.executable, "-m", "finetune_prep", "--project", str(project.folder), "pilot", "-n", "2"]
        project.layout.config.write_text(f"budget = 0.05\n{priced}", "utf-8")
        accept_all(open_project(project.folder))
        _, shown = on_a_terminal(command, "n\n", columns=300)
        found = re.search(r"is left, so the run would stop before its end; write at least (budget = \d+\.\d\d) in", shown)
        assert found, shown
        assert "$0.0500 of the budget of $0.05 is left" in shown
        project.layout.config.write_text(f"{found[1]}\n{priced}", "utf-8")
        _, shown = on_a_terminal(command, "n\n", columns=300)
        assert "would stop before its end" not in shown
        assert endpoint.calls == []

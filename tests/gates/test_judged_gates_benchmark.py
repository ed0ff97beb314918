"""The material by which judged gates are measured: as many items as it says, and counted as they are answered."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "judged_gates"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("judged_gates", FOLDER / "judged_gates.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def key() -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / "key.toml").read_text("utf-8"))


def test_forty_broken_items_stand_among_sound_ones(benchmark: ModuleType) -> None:
    asked = [(case.place, item) for case in benchmark.cases() for item in dict.fromkeys(case.items)]
    broken = {(place, item) for place, items in key().items() for item in items}
    assert broken <= set(asked)
    assert len(broken) == 40
    assert len(set(asked) - broken) == 30
    assert {place.partition("/")[2] for place, _ in asked} == {place.partition("/")[2] for place in key()}


def answer(benchmark: ModuleType, case: Any, *, right: bool) -> str:
    """A judge that says NO to what is broken (right), or to what is sound."""
    ids = [*case.asked.request.schema.schema["properties"]]
    broken = key().get(case.place, {})
    refused = {id for id, item in zip(ids, case.items, strict=True) if (item in broken) == right}
    if case.gate == benchmark.RULINGS:  # a NO is a disagreement; the rulings of CW1 and SI1 are yes, all others no
        said = {id: "YES" if (id.endswith(("CW1", "SI1"))) != (id in refused) else "NO" for id in ids}
        return json.dumps({id: {"evidence": "words", "answer": said[id]} for id in ids})
    said = {id: "NO" if id in refused else "YES" for id in ids}
    return json.dumps({id: {"evidence": "words", "answer": said[id], "fix": "so"} for id in ids})


@pytest.mark.parametrize(("right", "line"), [(True, "40 of 40 0 of 30"), (False, "0 of 40 30 of 30")])
def test_answers_are_counted_by_gate(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], right: bool, line: str
) -> None:
    benchmark.ask(tmp_path)
    assert len(list(tmp_path.glob("*.jsonl"))) == len(list(benchmark.cases()))
    given = tmp_path / "answers.jsonl"
    lines = [
        json.dumps({"custom_id": id, "content": answer(benchmark, case, right=right)}) for id, case in benchmark.by_key().items()
    ]
    given.write_text("\n".join(lines), "utf-8")
    benchmark.count([given])
    said = capsys.readouterr().out
    assert " ".join(said.splitlines()[-1].split()) == f"all {line}"
    assert ("missed" in said) is not right

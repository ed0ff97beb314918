"""What judged gates see: broken and sound items are put to a judge as `check --judge` would, and its answers are counted.

`ask FOLDER` writes batch files, a request each, in an order that tells nothing; `count ANSWERS…` reads the answers back as the
product does and prints, by gate, how many of the broken and of the sound items were answered with NO.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from finetune_prep.documents import parse
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.models.batches.files import row
from finetune_prep.models.roles import Roles
from finetune_prep.phases.examining.asking import gate_requests_of
from finetune_prep.phases.examining.gate_requests import Asked
from finetune_prep.phases.examining.opinions import Opinions
from finetune_prep.phases.requests import Requests
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import open_project

HERE = Path(__file__).parent
KEY = "key.toml"
RULINGS = "rubric.rulings-agree"


class Case(NamedTuple):
    """One request about the documents of a folder."""

    place: str
    """The folder, "ferry/anchors.observable"."""
    asked: Asked

    @property
    def gate(self) -> str:
        return self.place.partition("/")[2]

    @property
    def items(self) -> list[str]:
        """What is answered, by the ids of the document: a ruling by its question."""
        assert self.asked.request.schema is not None
        ids = [*self.asked.request.schema.schema["properties"]]
        return [id.partition("-")[2] for id in ids] if self.gate == RULINGS else ids


def documents_of(folder: Path) -> Documents:
    """The brief of the domain and the documents of the folder. Raises ValueError if one cannot be read in full."""
    paths = [folder.parent / "brief.md", *sorted(folder.glob("*.md"))]
    read = [parse(path.stem, path.read_text("utf-8"), KINDS[path.stem].path) for path in paths]
    if wrong := [f"{folder.name}/{finding.path}:{finding.line}: {finding.what}" for found in read for finding in found.findings]:
        raise ValueError("\n".join(wrong))
    return Documents(read)


def cases() -> Iterator[Case]:
    """All requests, folder by folder."""
    with tempfile.TemporaryDirectory() as project:
        (Path(project) / "finetune-prep.toml").write_text(config_text("judged-gates", "batch/any-model", "", "", year=2026))
        opened = open_project(project)
        requests = Requests(opened, Roles(opened.config))
        for folder in sorted({path.parent for path in HERE.glob("*/*/*.md")}):
            place = f"{folder.parent.name}/{folder.name}"
            (found,) = gate_requests_of(requests, documents_of(folder), [folder.name], Opinions())
            if found.impossible:
                raise ValueError(f"{place}: {found.impossible}")
            yield from (Case(place, asked) for asked in found.asked)


def by_key() -> dict[str, Case]:
    """The requests by their keys, which are hashes: their order tells nothing of what a request is about."""
    found = {case.asked.request.key: case for case in cases()}
    return {key: found[key] for key in sorted(found)}


def ask(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(by_key().values(), start=1):
        (folder / f"round-{number:03d}.requests.jsonl").write_bytes(row(case.asked.request))


def answers(paths: list[Path]) -> dict[str, str]:
    """What was answered, by key."""
    given: dict[str, str] = {}
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            value = json.loads(line)
            content = value.get("content") or value["response"]["body"]["choices"][0]["message"]["content"]
            given[value["custom_id"]] = content
    return given


def count(paths: list[Path]) -> None:
    key: dict[str, dict[str, str]] = tomllib.loads((HERE / KEY).read_text("utf-8"))
    given = answers(paths)
    tally: dict[str, Counter[str]] = {}
    for id, case in by_key().items():
        if id not in given:
            print(f"not answered: {id}")
            continue
        refused = {finding.item for finding in case.asked.read(given[id])}
        row_of = tally.setdefault(case.gate, Counter())
        for item in case.items:
            kind = "broken" if item in key.get(case.place, {}) else "sound"
            row_of[kind] += 1
            row_of[f"{kind}, NO"] += item in refused
            if kind == "broken" and item not in refused:
                print(f"missed: {case.place} {item}: {key[case.place][item]}")
            elif kind == "sound" and item in refused:
                print(f"NO on a sound one: {case.place} {item}")
    tally["all"] = sum(tally.values(), Counter())
    print(f"{'gate':28} NO on broken   NO on sound")
    for gate, found in tally.items():
        broken, sound = (f"{found[f'{kind}, NO']} of {found[kind]}" for kind in ("broken", "sound"))
        print(f"{gate:28} {broken:>12} {sound:>13}")


def main() -> None:
    match sys.argv[1:]:
        case ["ask", folder]:
            ask(Path(folder))
        case ["count", *paths] if paths:
            count([Path(path) for path in paths])
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()

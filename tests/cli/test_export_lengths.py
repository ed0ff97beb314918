"""`export --check` and `--slices`: what a tokenizer says of the rows, before any file is replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import Sample, account
from finetune_prep.documents.kinds import Documents
from finetune_prep.exports.manifest import read_manifest, stands
from finetune_prep.phases.pilot.plan import current_plan, planned
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import run_of
from finetune_prep.workflow.exporting import export
from tests.cli.terminal import Terminal
from tests.cli.test_evaluate import read, refusal, words
from tests.exports.lengths.tokenizers import STOCK, tokenizer
from tests.kill_points import killed_everywhere
from tests.phases.pottery_shop import accept_all
from tests.results import write_results


def talk(exchanges: int, n: int) -> Conversation:
    turns = []
    for turn in range(exchanges):
        turns += [
            Message("user", f"Where is bowl {n}, and this is {turn}?"),
            Message("assistant", f"Bowl {n} leaves today, {turn}."),
        ]
    return Conversation(tuple(turns))


@pytest.fixture
def ran(shop: Project) -> Project:
    """A pilot whose talks have one to eight exchanges."""
    accept_all(open_project(shop.folder))
    project = open_project(shop.folder)
    scenarios = planned(project.value(Documents.space), 8, project.config.seed)
    found = [
        Sample(scenario=scenario, state="accepted", conversation=talk(n, n), score=1.0)
        for n, scenario in enumerate(scenarios, start=1)
    ]
    write_results(run_of(project.layout, current_plan(project, 8)), found, [], account(found))
    return project


def dataset(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.layout.dataset.iterdir()}


def test_tokens_are_counted_and_five_are_shown(ran: Project, terminal: Terminal, tmp_path: Path) -> None:
    name = str(tokenizer(tmp_path / "model"))
    shown = terminal("export", "--preview", "--check", name)
    assert shown.code == 0, shown.err
    said = words(shown)
    assert "of the tokens are trained. A row has" in said
    assert said.count("trained: Bowl") == 5
    (found,) = read(terminal("export", "--preview", "--check", name, "--json"))["tokens"]
    assert (found["rows"], found["file"], len(found["decoded"])) == (8, "train.preview.jsonl", 5)
    assert f"`max_length` has to be at least {found['total']['most']}." in dataset(ran)["README.md"].decode()


def test_where_nothing_is_trained_no_file_is_replaced(ran: Project, terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("export", "--preview").code == 0
    before = dataset(ran)
    shown = terminal(
        "export", "--preview", "--format", "messages", "--slices", "4096", "--check", str(tokenizer(tmp_path / "m", STOCK))
    )
    assert shown.code == 3
    assert "8 of 8 rows have no token that is trained" in refusal(shown)
    assert dataset(ran) == before


def test_slices_stand_beside_the_rows_and_go_with_them(ran: Project, terminal: Terminal) -> None:
    shown = terminal("export", "--preview", "--slices", "4096")
    assert shown.code == 0, shown.err
    files = dataset(ran)
    rows = [json.loads(line)["messages"] for line in files["train.slices.preview.jsonl"].splitlines()]
    origins = [json.loads(line) for line in files["train.slices.meta.preview.jsonl"].splitlines()]
    whole = [json.loads(line)["messages"] for line in files["train.preview.jsonl"].splitlines()]
    assert len(rows) > len(whole) == 8
    for row, origin in zip(rows, origins, strict=True):
        assert row == whole[origin["of"] - 1][: 1 + 2 * origin["exchanges"]]
    assert "train.slices.preview.jsonl: " in words(shown)
    manifest = read_manifest(ran.layout.dataset / "manifest.preview.json")
    assert manifest is not None and stands(manifest, ran.layout.dataset)
    assert {file.file for file in manifest.files} >= {"train.slices.preview.jsonl", "train.slices.meta.preview.jsonl"}
    assert terminal("export", "--preview").code == 0
    assert not [name for name in dataset(ran) if "slices" in name], "an export without them takes the old ones away"


def test_a_limit_that_nothing_fits_into_is_refused(ran: Project, terminal: Terminal) -> None:
    shown = terminal("export", "--preview", "--slices", "64")
    assert shown.code == 3
    assert "no conversation fits into 64 tokens" in refusal(shown)
    assert "count with a tokenizer (--check)" in refusal(shown)
    assert not [*ran.layout.dataset.glob("*.jsonl")]


def test_what_a_tokenizer_counts_is_cut_by(ran: Project, terminal: Terminal, tmp_path: Path) -> None:
    name = str(tokenizer(tmp_path / "model"))
    by_bytes = read(terminal("export", "--preview", "--slices", "600", "--json"))["slices"][0]
    by_tokens = read(terminal("export", "--preview", "--slices", "600", "--check", name, "--json"))["slices"][0]
    assert by_tokens["written"]["rows"] > by_bytes["written"]["rows"] > 0
    assert (by_tokens["counted"], by_bytes["counted"]) == (True, False)


def test_rows_in_another_format_are_not_counted(ran: Project, terminal: Terminal) -> None:
    shown = terminal("export", "--preview", "--format", "kto", "--slices", "4096")
    assert shown.code in (2, 3)


def test_a_tokenizer_that_is_none_is_refused(ran: Project, terminal: Terminal, tmp_path: Path) -> None:
    shown = terminal("export", "--preview", "--check", str(tmp_path))
    assert shown.code == 2
    assert "there is no tokenizer" in refusal(shown)
    assert not [*ran.layout.dataset.glob("*.jsonl")]


def test_rows_and_slices_are_replaced_together_wherever_it_is_killed(ran: Project, tmp_path: Path) -> None:
    export(ran, preview=True)
    before = dataset(ran)
    setup = "from finetune_prep.project.project import open_project\nfrom finetune_prep.workflow.exporting import Lengths, export"
    work = "export(open_project(folder), preview=True, lengths=Lengths(slices=4096))"
    seen = []
    for folder in killed_everywhere(ran.folder, tmp_path / "killed", setup=setup, work=work, watched="dataset"):
        copy = open_project(folder)
        with locked(copy.layout.lock, "status"):
            pass
        seen.append(dataset(copy))
    after = seen[-1]
    assert set(after) - set(before) == {"train.slices.preview.jsonl", "train.slices.meta.preview.jsonl"}
    assert all(files in (before, after) for files in seen)
    assert before in seen[:-1] and after in seen[:-1]

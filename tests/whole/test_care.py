"""What a person wrote, accepted or paid for is never lost by the way: text, acceptances, snapshots, exported rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finetune_prep.errors import ActNeeded
from finetune_prep.project.project import open_project
from finetune_prep.workflow import accepting
from tests.whole.way import SIZE, accept, ask, copy_project, run_here

BEYOND = 400  # conversations of a pilot; the recording holds fewer, those of the scaled run among them

MINE = "A sentence of mine, which must not get lost."


@pytest.fixture
def shop(demo: Path, tmp_path: Path) -> Path:
    return copy_project(demo, tmp_path / "shop")


def _append_to_section(path: Path, heading: str) -> None:
    text = path.read_text("utf-8")
    path.write_text(text.replace(f"## {heading}\n", f"## {heading}\n\n{MINE}\n", 1), "utf-8")


def _reword(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("document", "heading"),
    [("evaluation-prompt", "Rubric"), ("evaluation-prompt", "Output format"), ("generation-prompt", "Behavioral anchors")],
)
def test_a_sentence_in_a_compiled_section_survives_prepare(document: str, heading: str, shop: Path) -> None:
    path = shop / "prompts" / f"{document}.md"
    _append_to_section(path, heading)
    before = path.read_text("utf-8")
    accept(shop, document)
    assert run_here("prepare", folder=shop).returncode == 0
    assert path.read_text("utf-8") == before


def test_where_it_would_be_lost_the_program_stops_and_says_so(shop: Path) -> None:
    prompt = shop / "prompts" / "evaluation-prompt.md"
    _append_to_section(prompt, "Rubric")
    before = prompt.read_text("utf-8")
    _reword(
        shop / "reference" / "evaluation-rubric.md",
        "does the customer know what to do now",
        "does the customer see what to do now",
    )
    accept(shop, "evaluation-rubric")
    done = run_here("evaluation-prompt", folder=shop)
    assert done.returncode == 3
    assert "prompts/evaluation-prompt.md:" in done.stderr
    assert "“Rubric” holds words of your own" in done.stderr
    assert prompt.read_text("utf-8") == before


def test_a_text_that_changed_while_it_was_read_is_not_accepted(shop: Path) -> None:
    project = open_project(shop)
    path = project.layout.document("evaluation-rubric")
    _reword(path, "## Goals\n", f"{MINE}\n\n## Goals\n")
    proposal = accepting.propose(project, "evaluation-rubric")
    _reword(path, MINE, f"{MINE} {MINE}")
    with pytest.raises(ActNeeded, match="changed while you were reading it"):
        accepting.accept(project, proposal, by="a test", interactive=True)
    assert project.acceptance("evaluation-rubric") is None
    assert MINE not in project.layout.published("evaluation-rubric").read_text("utf-8")


def test_a_crash_between_a_document_and_its_stamp_leaves_it_stale_not_fresh(shop: Path) -> None:
    """The stamp of an existing document is written last: with the old stamp, what rests on the rubric still counts as stale."""
    stamp = shop / ".finetune-prep" / "stamps" / "evaluation-prompt.toml"
    old = stamp.read_bytes()
    _reword(
        shop / "reference" / "evaluation-rubric.md",
        "does the customer know what to do now",
        "does the customer see what to do now",
    )
    accept(shop, "evaluation-rubric")
    assert run_here("evaluation-prompt", folder=shop).returncode == 0
    prompt = (shop / "prompts" / "evaluation-prompt.md").read_text("utf-8")
    stamp.write_bytes(old)
    accept(shop, "evaluation-prompt")
    assert run_here("pilot", "-n", str(SIZE), folder=shop).returncode == 3
    assert run_here("evaluation-prompt", folder=shop).returncode == 0
    assert (shop / "prompts" / "evaluation-prompt.md").read_text("utf-8") == prompt
    assert stamp.read_bytes() != old


def test_an_edited_source_leaves_the_snapshot_that_quotes_were_checked_against(shop: Path) -> None:
    snapshots = {path.name: path.read_bytes() for path in (shop / "reference" / "sources").iterdir()}
    _reword(shop / "sources" / "returns.md", "30 days", "14 days")
    (shop / "sources" / "aaa-first.md").write_text("# A page of a later day\n\nNothing to see.\n", "utf-8")
    (shop / "prompts" / "generation-prompt.md").unlink()
    run_here("generation-prompt", folder=shop)
    for name, snapshot in snapshots.items():
        assert (shop / "reference" / "sources" / name).read_bytes() == snapshot


def test_missing_snapshots_are_taken_again_under_the_numbers_that_are_cited(shop: Path) -> None:
    folder = shop / "reference" / "sources"
    snapshots = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    (shop / "sources" / "aaa-first.md").write_text("# A page of a later day\n\nNothing to see.\n", "utf-8")
    assert run_here("research", folder=shop).returncode == 0
    assert {name: (folder / name).read_bytes() for name in snapshots} == snapshots


def test_rows_that_were_exported_are_not_replaced_by_an_unfinished_run(shop: Path) -> None:
    shutil.rmtree(shop / "runs" / "scale-001")
    assert run_here("export", "--preview", folder=shop).returncode == 0
    exported = shop / "dataset" / "train.preview.jsonl"
    before = exported.read_bytes()
    ask(shop, "batch")
    assert run_here("pilot", "-n", str(BEYOND), folder=shop).returncode == 4
    named = run_here("export", "--preview", "--run", "pilot-002", folder=shop)
    assert (named.returncode, "outstanding" in named.stderr) == (3, True)
    done = run_here("export", "--preview", folder=shop)
    assert done.returncode == 0, done.stderr
    assert f"pilot-002 of {BEYOND} is unfinished: these rows are of pilot-001" in done.stdout
    assert exported.read_bytes() == before


def test_the_file_of_requests_is_not_taken_for_answers(shop: Path) -> None:
    ask(shop, "batch")
    assert run_here("pilot", "-n", str(BEYOND), folder=shop).returncode == 4
    requests = next((shop / "batches").iterdir())
    done = run_here("batch", "import", str(requests), folder=shop)
    assert done.returncode == 1
    assert "it is a request" in done.stdout
    assert "outstanding" in run_here("batch", folder=shop).stdout


def test_another_language_makes_a_run_stale(shop: Path) -> None:
    _reword(shop / "brief.md", "language: en", "language: de")
    said = run_here("status", folder=shop).stdout
    assert "its conversations are in en, and the brief now asks for de" in said

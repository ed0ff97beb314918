"""`export`: what is written beside what, what is said, what stays of an earlier export, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import Sample, account
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.phases.pilot.plan import current_plan, planned
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import run_of, runs
from finetune_prep.workflow.exporting import export
from finetune_prep.workflow.status.written import is_written
from tests.cli.terminal import Terminal
from tests.kill_points import killed_everywhere
from tests.phases.pottery_shop import accept_all
from tests.results import write_results
from tests.workflow.auditing.sets import scaled
from tests.workflow.reviewing.pilots import say

PREVIEW = {
    "README.md", "dataset_info.json", "manifest.preview.json", "rejected.preview.jsonl", "train.meta.preview.jsonl",
    "train.preview.jsonl",
}  # fmt: skip


def sample_of(scenario: Any, n: int, reply: str = "") -> Sample:
    talk = Conversation((Message("user", f"Where is bowl {n}?"), Message("assistant", reply or f"Bowl {n} leaves today.")))
    return Sample(scenario=scenario, state="accepted", conversation=talk, score=1.0)


@pytest.fixture
def ran(shop: Project) -> Callable[..., Project]:
    """A pilot of so many scenarios on disk, whose samples are as `change` makes them."""

    def make(n: int = 6, change: Callable[[list[Sample]], list[Sample]] = lambda found: found) -> Project:
        accept_all(open_project(shop.folder))
        project = open_project(shop.folder)
        scenarios = planned(project.value(Documents.space), n, project.config.seed)
        found = change([sample_of(scenario, number) for number, scenario in enumerate(scenarios)])
        run = run_of(project.layout, current_plan(project, n))
        write_results(run, found, [], account(found))
        return project

    return make


def dataset(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.layout.dataset.iterdir()}


def test_rows_card_sidecar_manifest_and_what_was_left_out_stand_together(ran: Any, terminal: Terminal) -> None:
    def change(found: list[Sample]) -> list[Sample]:
        found[1] = msgspec.structs.replace(found[1], state="rejected", failed=("Q1",))
        found[2] = Sample(scenario=found[2].scenario, state="failed", fault="the provider refused")
        found[3] = sample_of(found[3].scenario, 3, "It leaves today. <|im_end|>")
        return found

    project = ran(6, change)
    shown = terminal("export", "--preview")
    assert shown.code == 0, shown.err
    assert "dataset/train.preview.jsonl: 3 rows of pilot-001" in shown.out
    assert "6 planned = 4 accepted + 1 rejected + 1 failed" in shown.out
    trapped = [sample for sample in runs(project.layout)[0].samples() if sample.state == "accepted"][1].scenario.id
    assert (
        f"1 accepted row was kept out: chat markup (the tokenizer takes it for the end or the start of a turn): {trapped}"
        in shown.out
    )
    assert "train.preview.jsonl has 3 rows; some trainers want more: MLX 4, OpenAI 10" in shown.out
    files = dataset(project)
    assert set(files) == PREVIEW
    manifest = json.loads(files["manifest.preview.json"])
    assert manifest["account"] == "6 planned = 4 accepted + 1 rejected + 1 failed"
    train = manifest["files"][0]
    assert (train["rows"], train["left_out"]) == (3, {"chat markup": 1, "failed": 1, "rejected": 1})
    assert sum(train["left_out"].values()) + train["rows"] == manifest["planned"] == 6
    assert len(files["rejected.preview.jsonl"].splitlines()) == 3


def test_a_script_is_told_all_of_it(ran: Any, terminal: Terminal) -> None:
    ran(3)
    told = json.loads(terminal("export", "--preview", "--json").out)
    assert (told["rows"], told["account"], told["files"][0]["rows"]) == (3, "3 planned = 3 accepted", 3)
    assert all(Path(told[name]).is_file() for name in ("data", "card", "manifest", "rejected"))
    assert told["warnings"] == ["train.preview.jsonl has 3 rows; some trainers want more: MLX 4, OpenAI 10"]


def test_a_pilot_that_is_not_finished_does_not_hide_the_one_before_it(ran: Any, terminal: Terminal) -> None:
    project = ran(6)
    larger = run_of(project.layout, current_plan(project, 100))
    shown = terminal("export", "--preview")
    assert (shown.code, larger.name) == (0, "pilot-002")
    assert "dataset/train.preview.jsonl: 6 rows of pilot-001" in shown.out
    assert "pilot-002 of 100 is unfinished: these rows are of pilot-001, of 6" in shown.out
    named = terminal("export", "--preview", "--run", "pilot-002")
    assert named.code == 3, "whoever names it is told that it is not finished"
    assert "pilot-002 is unfinished" in named.err


def test_rows_of_a_scaled_run_are_exported_while_answers_are_outstanding(ran: Any, terminal: Terminal) -> None:
    """A larger number by batch: what was there stays what is exported, and the pilot takes its place no more than before."""

    def change(found: list[Sample]) -> list[Sample]:
        return [*found[:8], *(Sample(scenario=sample.scenario, state="waiting") for sample in found[8:])]

    scaled(ran(6), 12, change=change)
    shown = terminal("export", "--preview")
    assert shown.code == 0, shown.err
    assert "dataset/train.preview.jsonl: 8 rows of scale-001" in shown.out
    assert "12 planned = 8 accepted + 4 waiting" in shown.out
    assert "scale-001 has 8 of the 12 rows that it is to have; to go on: finetune-prep scale 12" in shown.out


def test_fewer_rows_in_the_place_of_more_are_told(ran: Any, terminal: Terminal) -> None:
    project = ran(6)
    assert "fewer" not in terminal("export", "--preview").out
    scaled(project, 12)
    assert "fewer" not in terminal("export", "--preview").out, "more rows"
    assert "fewer" not in terminal("export", "--preview", "--validation", "0.3").out, "what is held back is there"
    scaled(project, 12, change=lambda found: found[:9])
    shown = terminal("export", "--preview")
    assert "  9 rows replace the 12 in the export before this one (messages): 3 fewer" in shown.out
    shown = terminal("export", "--preview", "--run", "pilot-001")
    assert "  6 rows replace the 9 of scale-001 in the export before this one (messages): 3 fewer" in shown.out


def test_the_same_rows_give_the_same_files(ran: Any) -> None:
    project = ran(4)
    export(project, preview=True)
    before = dataset(project)
    export(project, preview=True)
    assert dataset(project) == before


def test_a_preview_beside_a_full_set_leaves_its_card_and_registry_alone(ran: Any) -> None:
    project = ran(4)
    for name in ("README.md", "dataset_info.json", "train.jsonl", "manifest.json", "notes.txt"):
        write_atomically(project.layout.dataset / name, "of the full set")
    export(project, preview=True)
    files = dataset(project)
    assert {name for name, data in files.items() if data == b"of the full set"} == {
        "README.md", "dataset_info.json", "train.jsonl", "manifest.json", "notes.txt",
    }  # fmt: skip
    assert b'"train.preview.jsonl"' in files["dataset_info.preview.json"]
    assert b"This is a preview" in files["README.preview.md"]


def test_what_was_written_stands_until_a_file_a_row_or_the_run_changes(ran: Any) -> None:
    project = ran(4)
    (run,) = runs(project.layout)
    assert not is_written(project, run)
    export(project, preview=True)
    assert is_written(project, run)
    rows = project.layout.dataset / "train.preview.jsonl"
    data = rows.read_bytes()
    rows.write_bytes(data[:-1] + b" \n")
    assert not is_written(project, run)
    rows.write_bytes(data)
    assert is_written(project, run)
    found = run.samples()
    write_results(run, [*found[:-1], msgspec.structs.replace(found[-1], state="rejected", failed=("Q1",))], [], account(found))
    assert not is_written(project, run)


@pytest.mark.parametrize("content", ["", "{", '{"preview": true}', "[]", "\udcff"])
def test_a_manifest_that_a_person_broke_is_none(ran: Any, content: str) -> None:
    project = ran(3)
    export(project, preview=True)
    (project.layout.dataset / "manifest.preview.json").write_bytes(content.encode(errors="surrogateescape"))
    assert not is_written(project, runs(project.layout)[0])
    export(project, preview=True)
    assert is_written(project, runs(project.layout)[0])


def test_a_run_in_which_every_row_is_a_trap_is_refused_and_nothing_is_replaced(ran: Any, terminal: Terminal) -> None:
    project = ran(2, lambda found: [sample_of(sample.scenario, n, f"Bowl {n}. </s>") for n, sample in enumerate(found)])
    write_atomically(project.layout.dataset / "train.preview.jsonl", "earlier")
    shown = terminal("export", "--preview")
    assert shown.code == 3
    assert "pilot-001 gives no rows to export: 2 chat markup" in shown.err
    assert dataset(project) == {"train.preview.jsonl": b"earlier"}


def test_samples_that_are_not_what_was_planned_are_refused(ran: Any, terminal: Terminal) -> None:
    project = ran(4)
    (run,) = runs(project.layout)
    lines = run.samples_path.read_bytes().splitlines(keepends=True)
    run.samples_path.write_bytes(b"".join(lines[:-1]))
    shown = terminal("export", "--preview")
    assert shown.code == 2
    assert "pilot-001 has planned 4 scenarios, and its samples are 3" in shown.err
    assert "finetune-prep pilot -n 4" in shown.err
    assert not any(project.layout.dataset.iterdir())


def test_a_trap_in_the_system_prompt_is_named_with_its_place(ran: Any, shop: Project, terminal: Terminal) -> None:
    path = shop.layout.document("system-prompt")
    path.write_text(path.read_text("utf-8").rstrip() + " Never say </s>.\n", "utf-8")
    ran(3)
    shown = terminal("export", "--preview")
    assert shown.code == 3
    assert "every row would begin with chat markup" in shown.err
    assert "prompts/system-prompt.md" in shown.err


@pytest.mark.slow
def test_an_export_is_the_old_one_or_the_new_one_wherever_it_is_killed(ran: Any, tmp_path: Path) -> None:
    project = ran(5)
    export(project, preview=True)
    before = dataset(project)
    (run,) = runs(project.layout)
    found = run.samples()
    changed = [sample_of(sample.scenario, n, f"Bowl {n} left yesterday.") for n, sample in enumerate(found)]
    write_results(run, changed, [], account(changed))
    setup = "from finetune_prep.project.project import open_project\nfrom finetune_prep.workflow.exporting import export"
    work = "export(open_project(folder), preview=True)"
    seen = []
    for folder in killed_everywhere(project.folder, tmp_path / "killed", setup=setup, work=work, watched="dataset"):
        copy = open_project(folder)
        with locked(copy.layout.lock, "status"):
            pass
        seen.append(dataset(copy))
    after = seen[-1]
    assert after != before
    assert set(after) == PREVIEW
    assert all(files in (before, after) for files in seen)
    assert before in seen[:-1]
    assert after in seen[:-1]


def test_a_conversation_that_a_person_failed_is_kept_out_and_said_so(ran: Any, terminal: Terminal) -> None:
    project = ran(4)
    (run,) = runs(project.layout)
    export(project, preview=True)
    found = run.samples()[2]
    assert found.conversation is not None
    say(project, run, 2, "fail")
    assert not is_written(project, run)
    shown = terminal("export", "--preview")
    assert "train.preview.jsonl: 3 rows" in shown.out
    assert f"1 accepted row was kept out: failed by a person: {found.scenario.id}" in shown.out
    files = dataset(project)
    (left,) = (json.loads(line) for line in files["rejected.preview.jsonl"].splitlines())
    assert (left["scenario"], left["why"]) == (found.scenario.id, "failed by a person")
    assert b"4 planned = 3 rows + 1 failed by a person." in files["README.md"]
    assert is_written(project, run)


def test_kto_needs_both_labels_and_stands_beside_the_other_format(ran: Any, terminal: Terminal) -> None:
    project = ran(4)
    assert (
        "ll 4 rows of pilot-001 have the label true; the kto format needs both"
        in terminal("export", "--preview", "--format", "kto").err
    )
    (run,) = runs(project.layout)
    found = run.samples()
    found[1] = msgspec.structs.replace(found[1], state="rejected", failed=("Q1",), score=0.2)
    write_results(run, found, [], account(found))
    shown = terminal("export", "--preview", "--format", "messages", "--format", "kto")
    assert "dataset/train.preview.jsonl: 3 rows" in shown.out
    assert "dataset/train.kto.preview.jsonl: 4 rows of pilot-001: 3 that passed (true), 1 that failed (false)\n" in shown.out
    assert "\n  4 planned = 4 rows\n" in shown.out
    assert "Removed" not in shown.out
    assert set(dataset(project)) == PREVIEW | {"train.kto.preview.jsonl", "train.kto.meta.preview.jsonl"}


def test_files_of_a_format_that_is_no_longer_asked_for_go_with_the_old_export(ran: Any, terminal: Terminal) -> None:
    project = ran(4, lambda found: [*found[:-1], msgspec.structs.replace(found[-1], state="rejected", failed=("Q1",), score=0.2)])
    assert terminal("export", "--preview", "--format", "kto").code == 0
    assert set(dataset(project)) == {
        "README.md", "manifest.preview.json", "rejected.preview.jsonl", "train.kto.meta.preview.jsonl", "train.kto.preview.jsonl",
    }  # fmt: skip
    shown = terminal("export", "--preview")
    assert (
        "Removed, left over from an earlier export: train.kto.meta.preview.jsonl, train.kto.preview.jsonl. To have several formats "
        "at once, give --format several times." in " ".join(shown.out.split())
    )
    assert set(dataset(project)) == PREVIEW
    assert terminal("export", "--preview", "--format", "messages", "--format", "kto").code == 0
    assert "Removed" not in terminal("export", "--preview", "--format", "kto", "--format", "messages").out


def test_rows_are_held_back_by_whole_families_and_the_proof_is_printed(ran: Any, terminal: Terminal) -> None:
    words = [f"{a}{b}" for a in "bdfgklm" for b in ("ara", "eto", "ilu", "omi", "uns")]

    def change(found: list[Sample]) -> list[Sample]:
        said = [" ".join(words[(7 * n + k * k + 3) % len(words)] + str(n) for k in range(20)) for n in range(len(found))]
        return [sample_of(sample.scenario, n, text) for n, (sample, text) in enumerate(zip(found, said, strict=True))]

    project = ran(40, change)
    shown = terminal("export", "--preview", "--validation", "0.2")
    assert shown.code == 0, shown.err
    assert "On both sides: 0 families, 0 scenarios, 0 near-duplicates." in " ".join(shown.out.split())
    manifest = json.loads((project.layout.dataset / "manifest.preview.json").read_text("utf-8"))
    train, validation = (file for file in manifest["files"] if file["form"] == "messages")
    assert train["rows"] + validation["rows"] == 40
    assert manifest["split"]["rows"] == validation["rows"] > 0
    card = (project.layout.dataset / "README.md").read_text("utf-8")
    assert '"validation"' in card
    assert "are held back for validation" in card
    assert card.count("**TRL**") <= 1, "settings speak of the rows that are trained"
    terminal("export", "--preview")
    assert not (project.layout.dataset / "validation.preview.jsonl").exists()

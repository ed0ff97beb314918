"""What was worked out is had again while nothing has changed, and never afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune_prep.project.acceptance import require
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.remembered import store
from finetune_prep.workflow.remembered.state import REMEMBERED, now, state_of
from finetune_prep.workflow.remembered.store import recalled
from tests.phases.pottery_shop import accept_one, pottery_project, rewrite


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    project = pottery_project(tmp_path / "shop")
    accept_one(project, "scenario-space")
    return project


class Worked:
    """Counts how often something is worked out."""

    def __init__(self, during: Callable[[], object] = lambda: None) -> None:
        self.times = 0
        self._during = during

    def __call__(self) -> int:
        self.times += 1
        self._during()
        return self.times


def settle(project: Project) -> None:
    """Until the file system's clock has gone on: what is written in its present tick is kept in no memory."""
    state = state_of(project)
    assert state is not None
    while now(project.layout.private) <= state.newest:
        pass


def ask(project: Project, worked: Worked) -> int:
    settle(project)
    return recalled(project, "count", int, worked)


def edit(project: Project) -> None:
    """Other words of the same length under the same date."""
    path = project.layout.document("brief")
    before = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def touch(*names: str) -> Callable[[Project], None]:
    def write(project: Project) -> None:
        path = project.folder.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("something\n", "utf-8")

    return write


CHANGES: dict[str, Callable[[Project], None]] = {
    "a document": edit,
    "another text put in its place": lambda project: project.layout.document("user-prompt").replace(
        project.layout.document("system-prompt")
    ),
    "a decision": lambda project: accept_one(project, "scenario-space", by="another reader"),
    "a file that is gone": lambda project: next(project.layout.sources.iterdir()).unlink(),
    "a source": touch("sources", "new.md"),
    "a row of a run": touch("runs", "pilot-001", "samples.jsonl"),
    "the ledger": touch(".finetune-prep", "ledger.sqlite"),
    "what the ledger has not taken in yet": touch(".finetune-prep", "ledger.sqlite-wal"),
    "a recording": touch("recording.jsonl"),
    "a prompt of a phase": touch("phase-prompts", "judge.md"),
}


def test_it_is_worked_out_once(shop: Project) -> None:
    worked = Worked()
    assert [ask(shop, worked) for _ in range(3)] == [1, 1, 1]
    assert recalled(open_project(shop.folder), "count", int, worked) == 1
    assert recalled(shop, "another subject", int, worked) == 2


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_has_it_worked_out_anew(shop: Project, change: str) -> None:
    worked = Worked()
    ask(shop, worked)
    CHANGES[change](shop)
    assert ask(shop, worked) == 2


def test_other_settings_are_another_state(shop: Project) -> None:
    worked = Worked()
    ask(shop, worked)
    assert ask(shop.conversing("one-call" if shop.config.pilot.way == "turns" else "turns"), worked) == 2


def test_what_nothing_rests_on_changes_nothing(shop: Project) -> None:
    """The lock is written by everybody who works, and whoever looks into a ledger makes these two files beside it."""
    worked = Worked()
    ask(shop, worked)
    for name in ("lock", "told.json", "ledger.sqlite-shm"):
        touch(".finetune-prep", name)(shop)
    (shop.layout.private / "ledger.sqlite-wal").write_bytes(b"")
    assert ask(shop, worked) == 1


def test_a_phase_that_finds_its_documents_accepted_changes_nothing(shop: Project) -> None:
    """It publishes them each time, so that a copy which is gone comes back; one that is there stays as it is."""
    accept_one(shop, "domain-frameworks")
    accepted = ("domain-frameworks", "scenario-space")
    require(shop, "the pilot", (), accepted)
    ask(shop, worked := Worked())
    require(shop, "the pilot", (), accepted)
    assert ask(shop, worked) == 1


def test_a_change_meanwhile_is_not_missed(shop: Project) -> None:
    worked = Worked(lambda: rewrite(shop, "brief", "a", "e"))
    assert [ask(shop, worked), ask(shop, worked)] == [1, 2]


def test_a_file_changed_in_the_present_tick_is_not_trusted(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could be changed once more without another time to show for it."""
    state = state_of(shop)
    assert state is not None
    monkeypatch.setattr(store, "now", lambda folder: state.newest)
    worked = Worked()
    assert [ask(shop, worked), ask(shop, worked)] == [1, 2]


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b'{"state": "", "value": 1}'])
def test_a_damaged_memory_is_none(shop: Project, damage: bytes) -> None:
    worked = Worked()
    ask(shop, worked)
    (shop.layout.private / REMEMBERED / "count.json").write_bytes(damage)
    assert [ask(shop, worked), ask(shop, worked)] == [2, 2]


def test_a_memory_of_another_form_is_none(shop: Project) -> None:
    ask(shop, Worked())
    settle(shop)
    assert recalled(shop, "count", list[int], lambda: [7]) == [7]


def test_an_error_is_not_kept(shop: Project) -> None:
    def refuse() -> int:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        recalled(shop, "count", int, refuse)
    assert ask(shop, Worked()) == 1


def test_nothing_is_kept_where_nothing_may_be_written(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> int:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(store, "now", refuse)
    worked = Worked()
    assert [ask(shop, worked), ask(shop, worked)] == [1, 2]


def test_looking_makes_no_folder(tmp_path: Path) -> None:
    project = pottery_project(tmp_path / "shop")
    shutil.rmtree(project.layout.private, ignore_errors=True)
    assert recalled(project, "count", int, Worked()) == 1
    assert not project.layout.private.exists()


def test_behind_a_link_nothing_is_known(shop: Project, tmp_path: Path) -> None:
    (shop.folder / "runs").mkdir(exist_ok=True)
    (shop.folder / "runs" / "linked").symlink_to(shop.layout.sources)
    worked = Worked()
    assert state_of(shop) is None
    assert [recalled(shop, "count", int, worked) for _ in range(2)] == [1, 2]

"""labels.jsonl: what was said is on disk before anything is called saved; a damaged line is named and takes nobody's word away."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep.labels.file import read_labels, record_label
from finetune_prep.labels.label import Label, Labeller, Sampling
from tests.soak import SOAK, examples

SAID = Label(
    at="2026-11-29T10:00:00+00:00",
    labeller=Labeller("Ada Larch", "person"),
    conversation_id="c1",
    scenario="s1",
    rubric="r1",
    stage="blind",
    label="fail",
    answers={"SF1": "no"},
    note="promises a refund",
    seconds=41.5,
    sample=Sampling(design="strata-10/7", p=0.25),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
labels = st.builds(
    Label,
    at=texts,
    labeller=st.builds(Labeller, texts, st.sampled_from(["person", "model"])),
    conversation_id=texts,
    scenario=texts,
    rubric=texts,
    stage=st.sampled_from(["blind", "revealed"]),
    label=st.sampled_from(["pass", "fail", "defer", "withdrawn"]),
    judge=texts,
    answers=st.dictionaries(texts, st.sampled_from(["yes", "no", "na"]), max_size=3),
    note=texts,
    missed=st.lists(texts, max_size=3).map(tuple),
    seconds=st.none() | st.floats(0, 1e6),
    sample=st.none() | st.builds(Sampling, design=texts, p=st.floats(0, 1), repeat=st.booleans()),
)
UNREADABLE = [
    b'{"at":"2026',  # torn by a crash
    b"<<<<<<< HEAD",
    b'{"at":"","labeller":{"name":"A","kind":"ghost"},"conversation_id":"c","scenario":"s","rubric":"r","stage":"blind","label":"pass"}',
    b'{"at":"\xff"}',
    b"[" * 100_000,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def test_before_anybody_labels_there_are_none(path: Path) -> None:
    assert read_labels(path).labels == read_labels(path).damaged == ()


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(labels, max_size=4))
def test_labels_are_read_in_the_order_in_which_they_were_given(path: Path, given: list[Label]) -> None:
    path.unlink(missing_ok=True)
    for label in given:
        record_label(path, label)
    assert read_labels(path).labels == tuple(given)
    assert (path.read_bytes().count(b"\n") if given else 0) == len(given)


@pytest.mark.parametrize("line", UNREADABLE, ids=range(len(UNREADABLE)))
@pytest.mark.parametrize("last", [True, False])
def test_a_damaged_line_is_named_and_the_rest_is_right(path: Path, line: bytes, last: bool) -> None:
    record_label(path, SAID)
    path.write_bytes(path.read_bytes() + line)
    if not last:
        record_label(path, SAID)
    kept = read_labels(path)
    assert kept.labels == ((SAID,) if last else (SAID, SAID))
    assert [damaged.line for damaged in kept.damaged] == [2]
    assert kept.damaged[0].why


def test_several_label_at_once_and_no_line_is_lost_or_torn(path: Path) -> None:
    """Fifty labels of eight people, who know nothing of each other."""
    with ThreadPoolExecutor(8) as people:
        list(people.map(lambda _: record_label(path, SAID), range(50)))
    assert read_labels(path).labels == (SAID,) * 50


def test_a_full_disk_is_said_and_takes_nothing_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_label(path, SAID)
    before = path.read_bytes()
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[:10])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        record_label(path, SAID)
    monkeypatch.undo()
    assert path.read_bytes() == before


LABELLING = """
import sys
from pathlib import Path
import msgspec
from finetune_prep.labels.label import Label
from finetune_prep.labels.file import record_label
label = msgspec.json.decode(sys.argv[2], type=Label)
for number in range(10_000):
    record_label(Path(sys.argv[1]), msgspec.structs.replace(label, note=str(number)))
    print(number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("acknowledged", range(200 if SOAK else 3))
def test_what_was_called_saved_survives_a_kill(path: Path, acknowledged: int) -> None:
    """Killed right after it said so, again and again in the midst of further labels."""
    command = [sys.executable, "-c", LABELLING, str(path), msgspec.json.encode(SAID).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) as child:
        assert child.stdout is not None
        for _ in range(acknowledged + 1):
            said = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        said = max([said, *(int(line) for line in child.stdout.read().split(b"\n")[:-1])])
    notes = [label.note for label in read_labels(path).labels]
    assert notes == [str(number) for number in range(len(notes))]
    assert len(notes) > said

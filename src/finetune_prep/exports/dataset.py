"""From the samples of a run to the files of a dataset, one sample at a time, so that size is no matter of memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import Sample
from finetune_prep.durable import Together
from finetune_prep.exports import reading
from finetune_prep.exports.formats import Format, held_back, preview_of
from finetune_prep.exports.manifest import REJECTED, LeftOut, Written, left_out, origin, sha256_of
from finetune_prep.exports.splits import Side, Split
from finetune_prep.exports.traps import DOUBLE, trap_in

FAILED = "failed by a person"
DROPPED = "dropped by a person"
ELSEWHERE: dict[Side, str] = {"train": "held back for validation", "validation": "trained"}  # why a row is not on this side
ESCAPED = {end.encode(): f"\\u{ord(end):04x}".encode() for end in reading.LINE_ENDS}


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What settings of trainers depend on, of one training file."""

    rows: int
    side: Side = "train"
    passed: int
    """Rows whose conversation was accepted."""
    replies: int
    """Turns of the assistant."""
    longest: int
    """UTF-8 bytes of all turns of the longest row, and 64 for the markup of each."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a run, written and read back, but not in their place yet."""

    files: tuple[Written, ...]
    training: tuple[Written, ...]
    """Those of `files` that are trained, by format."""
    held_back: Mapping[str, Sequence[str]]
    """Why → ids of scenarios that the judge accepted, and that are in no file: a trap of some trainer, or a person's word."""
    measures: tuple[Measures, ...]
    """Of each of `training`."""


class _File:
    """A training file and its sidecar, while they are being written."""

    def __init__(self, together: Together, form: Format, side: Side, *, preview: bool) -> None:
        self.form = form
        self.side = side
        self.name = preview_of(form.file) if preview else form.file
        self.sidecar = preview_of(form.sidecar) if preview else form.sidecar
        self.rows = self.passed = self.replies = self.longest = 0
        self.left_out: Counter[str] = Counter()
        self._data, self._beside = together.begin(self.name), together.begin(self.sidecar)
        self._seen: set[str] = set()

    def take(self, sample: Sample, talk: Conversation | None, against: str, side: Side) -> str:
        """Write the row of a sample, if nothing speaks against it. Returns why there is none, "" if there is."""
        row = self.form.row(sample, talk) if talk else sample.state
        if against == DROPPED:
            why = DROPPED  # whatever the verdict
        else:
            why = row if isinstance(row, str) else against or ("" if side == self.side else ELSEWHERE[self.side])
        if not why and not isinstance(row, str) and talk:
            if talk.id not in self._seen:
                self._seen.add(talk.id)
                self._write(sample, talk, encoded(row))
                return ""
            why = DOUBLE
        self.left_out[why] += 1
        return why

    def _write(self, sample: Sample, talk: Conversation, line: bytes) -> None:
        self.rows += 1
        self.passed += sample.state == "accepted"
        self.replies += talk.exchanges
        self.longest = max(self.longest, sum(len(message.content.encode()) + 64 for message in talk.messages))
        self._data.write(line + b"\n")
        self._beside.write(encoded(origin(sample, talk, self.rows, line)) + b"\n")

    def finish(self, together: Together) -> tuple[Written, Written]:
        """The training file and its sidecar, read back. Raises FinetunePrepError if a trainer would read a row wrongly."""
        data, beside = together.finish(self.name), together.finish(self.sidecar)
        read = reading.check(data, beside, self.form)
        if read != self.rows:
            raise ValueError(f"{self.rows} rows were written to {self.name}, and {read} read back")
        return (
            Written(
                file=self.name, form=self.form.name, rows=self.rows, bytes=data.stat().st_size, sha256=sha256_of(data),
                left_out=dict(sorted(self.left_out.items())),
            ),
            Written(file=self.sidecar, form="", rows=read, bytes=beside.stat().st_size, sha256=sha256_of(beside), left_out={}),
        )  # fmt: skip


def write(
    together: Together, samples: Iterable[Sample], system_prompt: str, forms: Sequence[Format], *,
    failed: Collection[str] = (), dropped: Collection[str] = (), split: Split | None = None, show_gaps: bool = False,
    preview: bool,
) -> Rows:  # fmt: skip
    """Write training files, sidecars and rejected.jsonl into `together`, which the caller commits.

    samples: in plan order. failed: ids of conversations that a person failed, whatever the judge said. dropped: of those that
    a person keeps out, of whatever state; nothing of what they say is written. split: which rows are held back for
    validation, in files of their own. show_gaps: messages stand below the lines that say how much time has passed. Raises
    FinetunePrepError if what was written cannot be read as every trainer reads it.
    """
    sides: tuple[Side, ...] = ("train", "validation") if split else ("train",)
    files = [
        _File(together, form if side == "train" else held_back(form), side, preview=preview) for side in sides for form in forms
    ]
    name = preview_of(REJECTED) if preview else REJECTED
    rejected = together.begin(name)
    why_not: dict[str, list[str]] = {}
    rest = 0
    for sample in samples:
        talk = with_system_prompt(sample.conversation.plain(show_gaps=show_gaps), system_prompt) if sample.conversation else None
        side = split.side(sample) if split else "train"
        reasons = [file.take(sample, talk, _against(sample, talk, failed, dropped), side) for file in files]
        if sample.state == "accepted" and not all(reasons):
            continue
        if sample.state == "accepted":  # and in none of the files
            why_not.setdefault(reasons[0], []).append(sample.scenario.id)
        rejected.write(encoded(_left_out(sample, reasons[0] if sample.state == "accepted" else "", dropped)) + b"\n")
        rest += 1
    path = together.finish(name)
    training = [file.finish(together) for file in files]
    beside = Written(file=name, form="", rows=rest, bytes=path.stat().st_size, sha256=sha256_of(path), left_out={})
    return Rows(
        files=(*(written for pair in training for written in pair), beside),
        training=tuple(data for data, _ in training),
        held_back=why_not,
        measures=tuple(
            Measures(rows=file.rows, side=file.side, passed=file.passed, replies=file.replies, longest=file.longest)
            for file in files
        ),
    )


def _left_out(sample: Sample, why: str, dropped: Collection[str]) -> LeftOut:
    """Its line in rejected.jsonl; of what a person dropped, it says nothing but that."""
    if sample.conversation is None or sample.conversation.id not in dropped:
        return left_out(sample, why)
    return msgspec.structs.replace(left_out(sample, DROPPED), said=())


def _against(sample: Sample, talk: Conversation | None, failed: Collection[str], dropped: Collection[str]) -> str:
    """Why a conversation may not be trained whatever its verdict, "" if it may."""
    if sample.conversation is not None and sample.conversation.id in dropped:
        return DROPPED
    if sample.conversation is not None and sample.conversation.id in failed:
        return FAILED
    trap = trap_in(talk.messages) if talk else None
    return trap.name if trap else ""


def with_system_prompt(talk: Conversation, system_prompt: str) -> Conversation:
    return Conversation((Message("system", system_prompt), *talk.messages))


def encoded(row: object) -> bytes:
    """A row on one line for every reader of lines, also for those to which U+2028, U+2029 and U+0085 end one."""
    line = msgspec.json.encode(row)
    if line.isascii():
        return line
    for end, escape in ESCAPED.items():
        line = line.replace(end, escape)
    return line

"""What the latest audit of a run says, and whether it still speaks of the rows as they are."""

from __future__ import annotations

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest
from finetune_prep.exports.manifest import sha256_of
from finetune_prep.project.layout import read_plain
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.auditing.flags import Flag, Personal
from finetune_prep.workflow.reviewing.counting import failures

RESULT = "audit.json"
CANNOT_TELL = (
    "whether what is said is true or helpful: that is the judge's and a reader's part",
    "whether a row retells a test question in words of its own, unless the file says of which situation it is",
    "anything about texts of fewer than eight words",
)


class Audited(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an audit found."""

    run: str
    subject: str
    """Hash of the rows that were looked at; another one, and the audit no longer speaks of them."""
    rows: int
    replies: int
    against: tuple[str, ...]
    """The files that the rows were held against."""
    compared: int
    """Texts of these files that are long enough to be found."""
    flags: tuple[Flag, ...]
    on_a_question: float | None
    """Share of the replies that end on a question."""
    length: float | None
    """Mean of the reply's words for each word of the message that it answers."""
    arc: float | None
    """Words of the last replies for each word of the first ones."""
    coverage: dict[str, dict[str, int]]
    """Rows by topic, situation, technique, person, style, difficulty, flaw and cell."""
    personal: tuple[Personal, ...] | None = None
    """What may be personal data, message by message; None if nobody looked."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the files, row by row."""
    cannot_tell: tuple[str, ...] = CANNOT_TELL

    @property
    def red(self) -> tuple[Flag, ...]:
        return tuple(found for found in self.flags if found.level == "red")


def subject(project: Project, run: Run) -> str:
    """Hash of what would be exported of a run."""
    samples = sha256_of(run.samples_path) if run.samples_path.is_file() else ""
    return digest([samples, sorted(kept_out_of(project))])


def audited(project: Project, run: Run) -> Audited | None:
    """The latest audit of a run, if it speaks of the rows as they are; None if there is none, or it cannot be read."""
    path = run.folder / RESULT
    if not path.is_file():
        return None
    try:
        found = msgspec.json.decode(read_plain(path), type=Audited)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found.subject == subject(project, run) else None


def kept_out_of(project: Project) -> set[str]:
    """Ids of conversations that a person failed or dropped: they are no rows."""
    return {*failures(project), *project.dropped()}

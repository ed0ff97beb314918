"""Facts, and how grave each failure is, confirmed one by one: a person's word for an item as it stands.

Each is a decision that names the item's hash and so expires when the item changes. A fact that nobody vouches for also gets its
`Confirmed by`, and a severity that is called otherwise gets its word: in the file, on the lines of that item alone, as an editor
would. The document then waits to be accepted again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from finetune_prep import documents
from finetune_prep.core.knowledge import Fact, FailureMode, Knowledge, Severity
from finetune_prep.documents.knowledge.facts import render_fact
from finetune_prep.durable import write_atomically
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.gates.knowledge import fact_table
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.workflow.accepting import now

KIND = documents.Documents.knowledge


class ToConfirm(msgspec.Struct, frozen=True, kw_only=True):
    """A fact or a failure mode, and who confirmed it as it stands."""

    item: Fact | FailureMode
    line: int
    hash: str
    confirmed: Decision | None
    doubt: str = ""
    """Why a fact waits for somebody who knows it, "" if a source vouches for it."""

    @property
    def waits(self) -> bool:
        return self.confirmed is None


def to_confirm(project: Project) -> tuple[tuple[ToConfirm, ...], tuple[ToConfirm, ...]]:
    """Facts and failure modes in the order of the document. Raises as `Project.sound`."""
    document, hashes = project.sound(KIND), project.items(KIND.name)
    knowledge = project.value(KIND)
    doubts = _doubts(project)
    said = {
        (decision.item, decision.text): decision
        for decision in project.decisions()
        if decision.decision == "confirm" and decision.document == KIND.name
    }

    def row(item: Fact | FailureMode) -> ToConfirm:
        hash = hashes.get(item.id, "")
        return ToConfirm(
            item=item,
            line=document.lines.get(item.id, 0),
            hash=hash,
            confirmed=said.get((item.id, hash)),
            doubt=doubts.get(item.id, ""),
        )

    return tuple(map(row, knowledge.facts)), tuple(map(row, knowledge.failure_modes))


def confirm(project: Project, id: str, shown: str, *, by: str, severity: Severity | None = None) -> None:
    """Record that an item holds. shown: its hash when the person read it. severity: how grave a failure is, as they say.

    Raises UsageError if there is no such item, ActNeeded if it changed since it was shown.
    """
    found = {row.item.id: row for rows in to_confirm(project) for row in rows}
    if id not in found:
        raise UsageError(f"there is no fact and no failure mode {id}", where=KIND.path, next=f"finetune-prep check {KIND.name}")
    row = found[id]
    if row.hash != shown:
        raise ActNeeded(f"{id} changed while you were reading it", where=KIND.path, next="read it again, and confirm it then")
    if isinstance(row.item, Fact) and row.doubt:
        _vouch(project, row.item, by)
    if isinstance(row.item, FailureMode) and severity not in (None, row.item.severity):
        _call(project, row, msgspec.structs.replace(row.item, severity=severity))
    hash = project.items(KIND.name)[id]
    project.decide(Decision(decision="confirm", document=KIND.name, item=id, text=hash, by=by, at=now()))


def _doubts(project: Project) -> Mapping[str, str]:
    """Why facts wait for a person, by id."""
    there = project.documents()
    return {finding.item: finding.what for gate in (fact_table.as_quoted, fact_table.vouched_for) for finding in gate(there)}


def _vouch(project: Project, fact: Fact, by: str) -> None:
    vouched = msgspec.structs.replace(fact, confirmed_by=" ".join(by.split()))
    _edit(project, vouched, lambda text: documents.replace_item(text, fact.id, f"- {render_fact(vouched)}"))


def _call(project: Project, row: ToConfirm, called: FailureMode) -> None:
    assert isinstance(row.item, FailureMode)  # noqa: S101 - of the same item
    heading = project.sound(KIND).text.split("\n")[row.line - 1]
    new = re.sub(rf"\b{row.item.severity}\b(?=[^()]*\)\W*$)", called.severity, heading, flags=re.IGNORECASE)
    _edit(project, called, lambda text: documents.replace_heading(text, called.id, new))


def _edit(project: Project, wanted: Fact | FailureMode, change: Callable[[str], str]) -> None:
    """Change the file, so that this item reads as wanted and all others as before. Raises UsageError where that cannot be."""
    path = project.layout.document(KIND.name)
    before = project.value(KIND)
    text = change(path.read_bytes().decode("utf-8"))
    read = documents.parse(KIND.name, text.lstrip("\ufeff"), KIND.path)
    if read.findings or read.value != _with(before, wanted):
        line = project.sound(KIND).lines.get(wanted.id, 0)
        raise UsageError(f"{wanted.id} cannot be changed from here", where=f"{KIND.path}:{line}", next="edit that line by hand")
    project.keep(KIND.name)
    write_atomically(path, text)


def _with(knowledge: Knowledge, item: Fact | FailureMode) -> Knowledge:
    if isinstance(item, Fact):
        return msgspec.structs.replace(knowledge, facts=tuple(item if f.id == item.id else f for f in knowledge.facts))
    modes = tuple(item if mode.id == item.id else mode for mode in knowledge.failure_modes)
    return msgspec.structs.replace(knowledge, failure_modes=modes)

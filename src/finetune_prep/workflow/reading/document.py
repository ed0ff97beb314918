"""A document as a person reads it before deciding: what changed, which gates do not hold and where, what readers said of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from finetune_prep import gates
from finetune_prep.core.finding import Finding, Outcome
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.errors import DocumentError
from finetune_prep.phases.drafting import briefing
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project, missing_document
from finetune_prep.workflow.accepting import decides, in_its_way
from finetune_prep.workflow.checking import GATE, concerning, in_the_way, outcomes
from finetune_prep.workflow.reading.digest import Digest, read_digest
from finetune_prep.workflow.status.standing import document_view
from finetune_prep.workflow.status.views import DocumentView
from finetune_prep.workflow.texts.changed_words import Change, changed_words
from finetune_prep.workflow.texts.lets_pass import lets_pass


class OpenGate(msgspec.Struct, frozen=True, kw_only=True):
    """A gate that does not hold, as it stands at this moment."""

    gate: str
    sentence: str
    """What holds if it holds."""
    answer: str
    """"fails" or "unchecked"."""
    findings: tuple[Finding, ...]
    note: str
    """Why it is unchecked, "" if it is not."""
    stands: bool
    """Whether it stands in the way of accepting."""
    binding: str
    """What a waiver would speak of; "" if a person cannot waive it."""


class ReadDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document with all that speaks for and against it."""

    view: DocumentView
    text: str
    hash: str
    """Of the normalised text: what an acceptance names."""
    accepted: Decision | None
    first: bool
    """Whether no text of it that is still kept was accepted before."""
    changes: tuple[Change, ...]
    """What differs from the text that was accepted last."""
    form: tuple[Finding, ...]
    """What cannot be read in it."""
    unasked: str
    """Why no gate could be asked, "" where they were: another document that they look at cannot be read."""
    open: tuple[OpenGate, ...]
    """Gates that do not hold; what stands in the way comes first."""
    waived: tuple[tuple[Outcome, Decision], ...]
    """Gates that a person lets stand open, and the decision."""
    decides: tuple[str, ...]
    """What accepting it says yes to because no code can say it in this language."""
    allows: tuple[str, ...]
    """What a rubric's threshold lets pass, in sentences."""
    digests: tuple[Digest, ...]
    """The pages that were written with it."""
    lines: dict[str, int]
    """1-based line of each item by its id."""

    @property
    def in_the_way(self) -> tuple[OpenGate, ...]:
        return tuple(found for found in self.open if found.stands)

    def findings(self) -> list[tuple[Finding, str]]:
        """Every finding with the gate that it belongs to; "" for what cannot be read."""
        said = [(finding, gate.gate) for gate in self.open for finding in gate.findings]
        let = [(finding, outcome.gate) for outcome, _ in self.waived for finding in outcome.findings]
        return [*((finding, "") for finding in self.form), *said, *let]


def read_document(project: Project, kind: str) -> ReadDocument:
    """A document as it stands. Raises ActNeeded if it does not exist, DocumentError if it is not text."""
    document = project.document(KINDS[kind])
    if document is None:
        raise missing_document(kind)
    there = project.documents()
    found, unasked = _asked(project, kind)
    before = project.last_accepted_text(kind)
    accepted = project.acceptance(kind)
    return ReadDocument(
        view=document_view(project, kind),
        text=document.text,
        hash=text_hash(document.text),
        accepted=accepted,
        first=before is None,
        changes=() if before is None or accepted else changed_words(before, document.text),
        form=document.findings,
        unasked=unasked,
        open=open_gates(found, there, in_its_way(found, kind)),
        waived=tuple(_waived(project, found, there)),
        decides=tuple(decides(found)),
        allows=tuple(lets_pass(project)) if kind == Documents.rubric.name else (),
        digests=tuple(read_digest(path) for path in briefing.pages(project, kind)),
        lines=document.lines,
    )


def _asked(project: Project, kind: str) -> tuple[list[Outcome], str]:
    """What the gates of a document say, and why none of them does, "" if they do."""
    try:
        return concerning(project, kind), ""
    except DocumentError as error:
        return [], error.where or error.what


def open_gates(found: Sequence[Outcome], there: Documents, blocking: Sequence[Outcome]) -> tuple[OpenGate, ...]:
    """Those of these outcomes that do not hold, what stands in the way first, and what fails before what nobody knows."""
    shown = [
        OpenGate(
            gate=outcome.gate,
            sentence=GATE[outcome.gate].sentence,
            answer=outcome.answer,
            findings=outcome.findings,
            note=outcome.note,
            stands=outcome in blocking,
            binding=gates.binding(outcome, there) if gates.may_override(outcome, there) else "",
        )
        for outcome in found
        if outcome.answer == "fails" or outcome in blocking
    ]
    return tuple(sorted(shown, key=lambda gate: (not gate.stands, gate.answer != "fails")))


def of_the_workflow(project: Project) -> tuple[OpenGate, ...]:
    """The gates about no document that do not hold: pilot, probes, what was scaled."""
    found = [outcome for outcome in outcomes(project) if not GATE[outcome.gate].documents]
    blocking = in_the_way(found)
    return open_gates(blocking, project.documents(), blocking)


def line_of(document: ReadDocument, finding: Finding) -> int:
    """Where a finding stands in the text, 0 for the whole: at its line, or at the item that it names."""
    if finding.path != document.view.path:
        return 0
    return finding.line or document.lines.get(finding.item, 0)


def _waived(project: Project, found: Sequence[Outcome], there: Documents) -> list[tuple[Outcome, Decision]]:
    latest = {(decision.gate, decision.text): decision for decision in project.overrides()}
    return [
        (outcome, latest[outcome.gate, bound])
        for outcome in found
        if outcome.answer == "overridden"
        for bound in gates.bindings(outcome, there)[:1]
        if (outcome.gate, bound) in latest
    ]

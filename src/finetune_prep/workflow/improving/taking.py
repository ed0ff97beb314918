"""A person takes a proposed edit, leaves it, or puts back what stood there before. The document is spliced, nothing else of it
changes, and what was compiled from it is compiled anew.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from finetune_prep.core.improving.edit import Proposal
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.phases.improving.propose import texts_of
from finetune_prep.phases.improving.splicing import copied, spliced
from finetune_prep.phases.improving.trial import GENERATION
from finetune_prep.phases.prompts.evaluation_prompt import evaluation_prompt
from finetune_prep.phases.prompts.generation_prompt import generation_prompt
from finetune_prep.phases.session import open_session
from finetune_prep.project.decisions import Decision
from finetune_prep.project.improving.runs import ImproveRun
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.improving.edits import number_of, taken, trials, views
from finetune_prep.workflow.improving.found import evidence_of
from finetune_prep.workflow.texts.changed_words import Change, changed_words
from finetune_prep.workflow.texts.history import SHOWN, history, restore

COMPILED_FROM = {"evaluation-rubric": "evaluation-prompt", "domain-frameworks": GENERATION}  # what is compiled from a document
COMMAND = "improve"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with an edit."""

    edit: str
    document: str
    path: str
    changes: tuple[Change, ...] = ()
    compiled: str = ""
    """The document that was compiled anew, "" for none."""


def text_with(project: Project, run: ImproveRun, proposal: Proposal) -> tuple[str, str]:
    """The document as it is, and with the edit. Raises ActNeeded if it cannot be put in any more, or copies a talk."""
    clause = proposal.diagnosis.clause
    text = project.sound(KINDS[clause.document]).text
    try:
        after = spliced(text, clause, proposal.old, proposal.new)
    except ValueError as error:
        raise ActNeeded(
            f"edit {proposal.number} does not fit {KINDS[clause.document].path} any more: {error}", next="finetune-prep improve"
        ) from error
    pilot = next((found for found in runs(project.layout) if found.name == run.plan.source), None)
    if pilot is not None and (words := copied(proposal.new, text, texts_of(evidence_of(project, pilot)))):
        raise ActNeeded(
            f"edit {proposal.number} copies words of a conversation into the prompt: “{words}”", next="finetune-prep improve"
        )
    return text, after


def diff(project: Project, run: ImproveRun, proposal: Proposal) -> tuple[Change, ...]:
    """What the edit changes in the document as it is now; nothing where it does not fit any more."""
    try:
        return changed_words(*text_with(project, run, proposal))
    except ActNeeded:
        return ()


async def take(project: Project, given: str, *, by: str, interactive: bool, shown: str = "") -> Act:
    """Put an edit into its document. Raises UsageError if there is no such edit, and ActNeeded if it may not be taken now.

    shown: hash of the text that it was shown to lead to, "" where nobody says. The decision is on disk before the document
    changes: a crash in between is mended by taking it again.
    """
    with locked(project.layout.lock, COMMAND):
        run, proposal = _open(project, given)
        clause, id = proposal.diagnosis.clause, run.id_of(proposal.number)
        before, after = text_with(project, run, proposal)
        if shown not in ("", text_hash(after)):
            raise ActNeeded(
                f"{KINDS[clause.document].path} changed while you were reading", next="read the edit again, and decide then"
            )
        hash = project.keep(clause.document)
        prompt = project.keep(COMPILED_FROM.get(clause.document, GENERATION))
        project.decide(
            Decision(
                decision="take",
                by=by,
                at=_now(),
                text=text_hash(after),
                document=clause.document,
                because=proposal.diagnosis.says,
                edit=id,
                before=hash,
                prompt=prompt,
                interactive=interactive,
            )
        )
        stamp = project.stamp(clause.document)
        project.write(clause.document, after, stamp.parts if stamp else {})
    compiled = await _compile(project, clause.document)
    return Act(
        edit=id,
        document=clause.document,
        path=KINDS[clause.document].path,
        changes=changed_words(before, after),
        compiled=compiled,
    )


def leave(project: Project, given: str, *, by: str, interactive: bool) -> Act:
    """Note that a person does not want an edit. Raises as `take`."""
    with locked(project.layout.lock, COMMAND):
        run, proposal = _open(project, given)
        document, id = proposal.diagnosis.clause.document, run.id_of(proposal.number)
        said = proposal.diagnosis.says
        project.decide(
            Decision(
                decision="leave", by=by, at=_now(), text="", document=document, because=said, edit=id, interactive=interactive
            )
        )
    return Act(edit=id, document=document, path=KINDS[document].path)


async def back(project: Project, given: str, *, by: str, interactive: bool) -> Act:
    """Put back the text that a document had before an edit; edits that came after it go with it. Raises as `take`."""
    run, proposal = number_of(project, given)
    id = run.id_of(proposal.number)
    took = next((one for one in reversed(project.decisions()) if one.edit == id and one.decision == "take"), None)
    if took is None:
        raise UsageError(f"edit {given} was never taken", next="finetune-prep improve --history")
    with locked(project.layout.lock, COMMAND):
        was = project.sound(KINDS[took.document]).text
        whole = _restored(project, took)
        project.decide(
            Decision(
                decision="back",
                by=by,
                at=_now(),
                text=took.before,
                document=took.document,
                because=took.because,
                edit=id,
                interactive=interactive,
            )
        )
    compiled = COMPILED_FROM.get(took.document, "") if whole else await _compile(project, took.document)
    now = project.sound(KINDS[took.document]).text
    return Act(
        edit=id, document=took.document, path=KINDS[took.document].path, changes=changed_words(was, now), compiled=compiled
    )


def undo(project: Project, id: str) -> str:
    """Put back what an edit changed that its trial did not bear out, in a session that holds the lock. Returns the document's
    kind, "" where somebody has edited the document since.
    """
    took = next(one for one in reversed(project.decisions()) if one.edit == id and one.decision == "take")
    document = project.document(KINDS[took.document])
    if document is None or text_hash(document.text) != took.text:
        return ""
    _restored(project, took)
    return took.document


def _restored(project: Project, took: Decision) -> bool:
    """Put back the document's text, and that of what was compiled from it. Returns whether nothing is left to compile.

    What somebody has edited since it was compiled stays, to be compiled anew.
    """
    if not any(kept.hash == took.before for kept in history(project, took.document)):
        raise ActNeeded(
            f"the text that {KINDS[took.document].path} had before the edit is gone from the history: {took.before[:SHOWN]}",
            next=f"finetune-prep history {took.document}",
        )
    restore(project, took.document, took.before)
    compiled = COMPILED_FROM.get(took.document, "")
    document, stamp = project.document(KINDS[compiled]) if compiled else None, project.stamp(compiled) if compiled else None
    if document is None or not any(kept.hash == took.prompt for kept in history(project, compiled)):
        return not compiled
    if stamp is None or stamp.text != text_hash(document.text):
        return False
    restore(project, compiled, took.prompt)
    return True


def _open(project: Project, given: str) -> tuple[ImproveRun, Proposal]:
    """The proposal, if a person can still decide about it."""
    run, proposal = number_of(project, given)
    view = next(view for view in views(project, run) if view.proposal.number == proposal.number)
    if view.state in ("refused", "waiting"):
        raise ActNeeded(f"edit {given} was {view.state}: {proposal.why}", next="finetune-prep improve")
    if view.id in trials(project):
        raise ActNeeded(
            f"edit {given} was tried in {view.trial}: {view.word or 'not to its end'}; it can be taken once",
            next="edit the document yourself, if you know better",
        )
    other = taken(project)
    if other is not None and other.id != view.id:
        raise ActNeeded(
            f"edit {other.proposal.number} is taken and not tried yet: a trial of two could not tell which of them did it",
            next=f"finetune-prep improve --test, or finetune-prep improve --back {other.proposal.number}",
        )
    if other is not None:
        raise ActNeeded(f"edit {given} is taken already", next="finetune-prep improve --test")
    return run, proposal


async def _compile(project: Project, kind: str) -> str:
    """Compile anew what holds parts of this document. It needs no model. Returns the kind of that document, "" for none."""
    compiled = COMPILED_FROM.get(kind, "")
    if not compiled or not project.layout.document(compiled).is_file():
        return ""
    async with open_session(project, command=COMMAND) as session:
        await (evaluation_prompt if compiled == "evaluation-prompt" else generation_prompt)(session)
    return compiled


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

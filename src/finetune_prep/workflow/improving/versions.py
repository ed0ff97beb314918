"""The versions that edits made of the documents: what each was for, the pilots that were made from it, and their rates."""

from __future__ import annotations

import msgspec

from finetune_prep import documents
from finetune_prep.core.identity import digest
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.items import other_text
from finetune_prep.documents.readings.readings import items_of, text_hash
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.project.stamps import Items
from finetune_prep.statistics.improving.trial import Trial
from finetune_prep.statistics.rates import Rate
from finetune_prep.workflow.improving.edited import kept_text
from finetune_prep.workflow.improving.edits import trials
from finetune_prep.workflow.status.standing import pass_rate

WITH_OTHER_TEXT = ("evaluation-prompt", "generation-prompt")


class PilotRate(msgspec.Struct, frozen=True):
    run: str
    rate: Rate


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A text of a document that an edit led to, or that was put back."""

    at: str
    """ISO time."""
    by: str
    act: str
    """"take" or "back"."""
    edit: str
    document: str
    hash: str
    before: str
    """Hash of the text before it, "" for one that was put back."""
    because: str
    word: str = ""
    """What the trial said, "" if there was none."""
    tried: tuple[Rate, Rate] | None = None
    """Passed in the trial without the edit and with it."""
    accepted: tuple[int, int] | None = None
    """How many of these would become training rows."""
    undone: bool = False
    """Whether the document has the text from before it again."""
    pilots_before: tuple[PilotRate, ...] = ()
    pilots: tuple[PilotRate, ...] = ()
    """Pilots that were made from this text."""


def versions(project: Project) -> tuple[Version, ...]:
    """All of them, the latest first."""
    known = trials(project)
    pilots = [run for run in runs(project.layout, "pilot") if run.account() is not None]

    def version(decision: Decision) -> Version:
        run = known.get(decision.edit)
        result = run.result(Trial) if run is not None else None
        return Version(
            at=decision.at,
            by=decision.by,
            act=decision.decision,
            edit=decision.edit,
            document=decision.document,
            hash=decision.text,
            before=decision.before,
            because=decision.because,
            word=result.word if result else "",
            tried=(result.before, result.after) if result else None,
            accepted=result.accepted if result else None,
            undone=decision.decision == "take" and _present(project, decision.document) == decision.before,
            pilots_before=_made_from(project, pilots, decision.document, decision.before),
            pilots=_made_from(project, pilots, decision.document, decision.text),
        )

    acts = [decision for decision in project.decisions() if decision.decision in ("take", "back")]
    return tuple(version(decision) for decision in reversed(acts))


def _present(project: Project, kind: str) -> str:
    document = project.document(KINDS[kind])
    return text_hash(document.text) if document is not None else ""


def _made_from(project: Project, pilots: list[Run], kind: str, hash: str) -> tuple[PilotRate, ...]:
    """The pilots whose plan holds the items of a kept text."""
    if not hash or not project.layout.history(kind, hash).is_file():
        return ()
    items = _items(kind, kept_text(project, kind, hash))
    found = [(run, run.account()) for run in pilots if run.plan.made_from.get(kind) == items]
    return tuple(PilotRate(run.name, pass_rate(account)) for run, account in found if account is not None)


def _items(kind: str, text: str) -> Items:
    """The items of a text as a pilot's plan has them."""
    found = items_of(kind, text)
    if kind not in WITH_OTHER_TEXT:
        return found
    return found | {"other text": digest(other_text(documents.parse(kind, text, KINDS[kind].path)))}

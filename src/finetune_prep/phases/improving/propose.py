"""One clause-sized edit for each diagnosis, worded by a model. What it may not do is refused before a person sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from finetune_prep import documents
from finetune_prep.core.identity import digest
from finetune_prep.core.improving.diagnosis import Clause, Diagnosis
from finetune_prep.core.improving.edit import Proposal
from finetune_prep.core.request import Origin, Request
from finetune_prep.core.rubric import Question
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.errors import NotAgreed, NotYet, Unreachable, Unusable
from finetune_prep.models.roles import model_of
from finetune_prep.models.together import together
from finetune_prep.phases.drafting import prompt_files, schemas
from finetune_prep.phases.improving.diagnose import Evidence, diagnose
from finetune_prep.phases.improving.splicing import clause_text, copied, spliced
from finetune_prep.phases.probing.subjects import anchors, failure_modes
from finetune_prep.phases.requests import Requests
from finetune_prep.phases.session import Session
from finetune_prep.project.improving.runs import ImprovePlan, ImproveRun, begin, forget, improve_run_of, write_proposals
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run

PHASE, PROMPT = "improve", "improve-edit"
WHOLE = ("generation-prompt", "evaluation-prompt")  # shown as a whole: a model has them and nothing else
ABOUT = {
    "generation-prompt": "It is what the assistant is given. Guards have the form “If this happens → do this.”",
    "domain-frameworks": "It is the reference of the domain. Its anchors stand in the assistant's prompt word for word.",
    "evaluation-rubric": "It holds the questions by which conversations are judged. A sharper “Yes” or “No” says what counts.",
    "evaluation-prompt": "It is what the judge is given, with the questions of the rubric.",
    "scenario-space": "It says what simulated users bring. A situation has to hold what a conversation about it needs.",
}


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cannot: str
    old: str
    new: str
    because: str


class Improved(msgspec.Struct, frozen=True, kw_only=True):
    """The diagnoses of a pilot, each with its edit as far as there is one."""

    run: ImproveRun
    proposals: tuple[Proposal, ...]
    why_waiting: str = ""

    @property
    def waiting(self) -> int:
        """Edits that are still to be answered."""
        return sum(proposal.state == "waiting" for proposal in self.proposals)


def current_plan(project: Project, pilot: Run, found: Evidence) -> ImprovePlan:
    """What identifies a list of proposals."""
    texts = {kind: project.document(KINDS[kind]) for kind in KINDS}
    return ImprovePlan(
        source=pilot.name,
        verdicts=digest([[row.sample.scenario.id, row.sample.state, row.answers] for row in found.rows]),
        said=digest(
            [[opinion.latest for opinion in found.persons], found.missed, sorted(found.jumpy), sorted(found.blind.items())]
        ),
        documents={kind: text_hash(document.text) for kind, document in texts.items() if document is not None},
        model=model_of(project.config, "reviser"),
        prompts={PROMPT: digest(prompt_files.source(PROMPT, project.layout.phase_prompts))},
    )


async def improve(session: Session, pilot: Run, found: Evidence) -> Improved:
    """Diagnoses and proposals on disk. Answers that are outstanding leave them unfinished; the same pilot asks nothing twice."""
    run = improve_run_of(session.project.layout, current_plan(session.project, pilot, found))
    fresh = not run.folder.exists()
    begin(run)
    try:
        asked = [propose(session, run, found, number, one) for number, one in enumerate(diagnose(found), start=1)]
        proposals = tuple(await together(asked))
    except NotAgreed:
        if fresh:
            forget(run)
        raise
    waiting = [proposal for proposal in proposals if proposal.state == "waiting"]
    if not waiting:
        write_proposals(run, proposals)
    return Improved(run=run, proposals=proposals, why_waiting=waiting[0].why if waiting else "")


async def propose(session: Session, run: ImproveRun, found: Evidence, number: int, diagnosis: Diagnosis) -> Proposal:
    """The edit for a diagnosis. Whatever becomes of it is a state with a name; raises what stops a run."""
    request = edit_request(session, found, diagnosis, Origin(about=PROMPT, item=run.id_of(number), run=run.name))
    text = session.project.sound(KINDS[diagnosis.clause.document]).text
    talks = texts_of(found)

    def proposal(**more: Any) -> Proposal:
        return Proposal(number=number, diagnosis=diagnosis, author=request.model, **more)

    try:
        answer = await session.door.ask_for(request, lambda given: read_edit(given, text, diagnosis.clause, talks))
    except (NotYet, Unreachable) as error:
        return proposal(state="waiting", why=error.what)
    except Unusable as error:
        return proposal(state="refused", why=error.what)
    if answer.cannot.strip() and not answer.new.strip():
        return proposal(state="refused", why=answer.cannot.strip())
    return proposal(state="proposed", old=answer.old, new=" ".join(answer.new.split()), because=answer.because.strip())


def read_edit(given: str, text: str, clause: Clause, talks: Sequence[str]) -> Written:
    """What the model wrote. Raises ValueError for an edit that cannot stand in the document, or copies a talk into it."""
    answer = schemas.read(given, Written)
    if answer.cannot.strip() and not answer.new.strip():
        return answer
    spliced(text, clause, answer.old, answer.new)
    if run := copied(answer.new, text, talks):
        raise ValueError(f"The edit copies words of a conversation: “{run}”. Say it for every conversation of the kind.")
    return answer


def texts_of(found: Evidence) -> tuple[str, ...]:
    """Texts that no prompt may copy: judged talks, what people wrote about them, and the rulings of the rubric."""
    said = [message.content for row in found.rows if row.sample.conversation for message in row.sample.conversation.messages]
    labels = [label for opinion in found.persons for label in (opinion.blind, opinion.latest) if label is not None]
    notes = [text for label in labels for text in (label.note, *label.missed)]
    rulings = [
        text for question in found.rubric.questions for ruling in question.rulings for text in (ruling.user, ruling.assistant)
    ]
    return (*said, *notes, *rulings)


def edit_request(requests: Requests, found: Evidence, diagnosis: Diagnosis, origin: Origin) -> Request:
    """What the model is asked."""
    clause, text = diagnosis.clause, requests.project.sound(KINDS[diagnosis.clause.document]).text
    question = next((one for one in found.rubric.questions if one.id == diagnosis.question), None)
    slots = {
        "document": KINDS[clause.document].path,
        "about": ABOUT[clause.document],
        "whole": text.strip() if clause.document in WHOLE else "",
        "boundary": requests.boundary(text),
        "place": clause.place,
        "section": clause.section,
        "clause": clause_text(text, clause).strip(),
        "beside": documents.section(text, clause.section).partition("\n")[2].strip() if clause.missing else "",
        "says": diagnosis.says,
        "because": diagnosis.because,
        "asked": _asked(question) if question else "",
        "subjects": _subjects(found, question, clause),
        "passages": [{"user": one.user, "assistant": one.reply, "shows in": one.text} for one in diagnosis.passages],
    }
    schema = schemas.schema_of(Written, PROMPT)
    return requests.request(PROMPT, slots, phase=PHASE, origin=origin, schema=schema)


def _asked(question: Question) -> str:
    said = (question.text, f"Yes: {question.yes}" if question.yes else "", f"No: {question.no}" if question.no else "")
    return "\n".join(filter(None, said))


def _subjects(found: Evidence, question: Question | None, clause: Clause) -> list[str]:
    known = {subject.id: subject.text for subject in (*anchors(found.knowledge), *failure_modes(found.knowledge))}
    ids = (*question.checks, *question.catches, *clause.counters) if question else clause.counters
    return [known[id] for id in dict.fromkeys(ids) if id in known]

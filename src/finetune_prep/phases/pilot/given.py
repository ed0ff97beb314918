"""Judging conversations that somebody gives, of whatever origin, by the project's rubric and its judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from finetune_prep.conversations.faults import find_fault
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.request import Origin, Request
from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.verdict import Verdict
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.durable import write_atomically
from finetune_prep.errors import ActNeeded, NotYet, Unreachable
from finetune_prep.phases.pilot.in_order import windowed
from finetune_prep.phases.pilot.judging import judge, verdict_request
from finetune_prep.phases.session import Session
from finetune_prep.project.acceptance import require
from finetune_prep.project.project import Project
from finetune_prep.records.conversations import Talk, Talks, spoken

NEEDED = ("evaluation-rubric", "evaluation-prompt")


class GivenVerdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of the file of verdicts."""

    conversation_id: str
    hash: str
    """Of the text that was judged."""
    judge: str
    rubric: str
    answers: dict[str, YesNo | None]
    """None = missing."""
    evidence: dict[str, str] = {}
    group: str = ""
    unsupported: tuple[str, ...] = ()
    missing: str = ""


class Faulty(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that no judge is asked about."""

    line: int
    id: str
    fault: str


class GivenJudged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a file of conversations."""

    verdicts: tuple[GivenVerdict, ...]
    faulty: tuple[Faulty, ...]
    waiting: int
    """Conversations whose verdict is outstanding in a batch, or whose judge could not be reached."""
    why_waiting: str

    @property
    def unread(self) -> int:
        """Verdicts that could not be read: these conversations are unjudged."""
        return sum(bool(verdict.missing) for verdict in self.verdicts)


def prepared(project: Project) -> None:
    """Raise ActNeeded unless rubric and evaluation prompt are accepted, and the prompt holds the present questions."""
    require(project, "judging", (), NEEDED)
    drifted = [part for part in project.stale() if part.compiled and part.name == NEEDED[1]]
    if drifted:
        made_by = KINDS[NEEDED[1]].made_by
        raise ActNeeded(f"judging must wait: {drifted[0]} it was put in", next=f"finetune-prep {made_by} (needs no model)")


def sound(talks: Talks) -> tuple[list[tuple[Talk, Conversation]], tuple[Faulty, ...]]:
    """The conversations to judge, without system messages, and those that a fault makes unfit for it."""
    good: list[tuple[Talk, Conversation]] = []
    faulty: list[Faulty] = []
    for talk, conversation in spoken(talks):
        if fault := find_fault(conversation):
            faulty.append(Faulty(line=talk.line, id=talk.id, fault=f"{fault[0]}: {fault[1]}"))
        else:
            good.append((talk, conversation))
    return good, tuple(faulty)


async def unasked(session: Session, talks: Talks) -> list[Request]:
    """What the judge has still to be asked about these conversations."""
    rubric = session.project.value(Documents.rubric)
    if not rubric.judged:
        return []
    prompt = session.text("evaluation-prompt")
    asked = [verdict_request(session, prompt, rubric, conversation, _origin(talk)) for talk, conversation in sound(talks)[0]]
    requests = {request.key: request for request in asked}
    known = await session.door.ledger.answers.known(requests)
    return [request for key, request in requests.items() if key not in known]


async def judge_given(session: Session, talks: Talks, out: Path, *, window: int | None = None) -> GivenJudged:
    """Judge the conversations and write their verdicts to `out`, in the order of the file. What was asked before is free."""
    prepared(session.project)
    rubric, prompt = session.project.value(Documents.rubric), session.text("evaluation-prompt")
    good, faulty = sound(talks)

    async def one(given: tuple[Talk, Conversation]) -> GivenVerdict | str:
        talk, conversation = given
        try:
            return _row(talk, conversation, rubric, await judge(session, prompt, rubric, conversation, _origin(talk)))
        except (NotYet, Unreachable) as error:
            return error.what

    done = [result async for result in windowed(good, one, window or session.window)]
    verdicts = tuple(result for result in done if isinstance(result, GivenVerdict))
    waiting = [result for result in done if isinstance(result, str)]
    if verdicts:
        write_atomically(out, _lines(verdicts))
    return GivenJudged(verdicts=verdicts, faulty=faulty, waiting=len(waiting), why_waiting=waiting[0] if waiting else "")


def _origin(talk: Talk) -> Origin:
    # with the text: another file may give the same id to another conversation, which is no new wording of this one
    return Origin(about="given conversation", item=f"{talk.id} ({talk.conversation.id[:12]})")


def _row(talk: Talk, conversation: Conversation, rubric: Rubric, verdict: Verdict) -> GivenVerdict:
    given = verdict.answers
    return GivenVerdict(
        conversation_id=talk.id,
        hash=talk.conversation.id,
        judge=verdict.judge,
        rubric=verdict.rubric,
        answers={question.id: given[question.id].answer if question.id in given else None for question in rubric.questions},
        evidence={id: judgement.evidence for id, judgement in given.items()},
        group=talk.group,
        unsupported=verdict.unsupported,
        missing=verdict.missing,
    )


def _lines(rows: Sequence[GivenVerdict]) -> list[bytes]:
    return [msgspec.json.encode(row) + b"\n" for row in rows]

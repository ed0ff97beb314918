"""The pottery shop of tests/gates as a project on disk, and a judge for it that answers as it is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.request import Request
from finetune_prep.core.rubric import Example
from finetune_prep.core.verdict import STEERING
from finetune_prep.documents.kinds import KINDS
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases import examining
from finetune_prep.phases.session import open_session
from finetune_prep.project.beginning import scaffold
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow import accepting
from finetune_prep.workflow.checking import concerning, in_the_way
from tests.gates import pottery
from tests.gates.test_parsed import written

SAID = {"yes": "YES", "no": "NO", "na": "N/A"}


def pottery_project(folder: Path, *, model: str = "batch/any-model") -> Project:
    """A project whose documents are all there and sound, and that nobody has accepted."""
    texts = written()
    scaffold.create(folder, texts["brief"], scaffold.config_text("pottery", model, "", "", year=2026))
    for kind, text in texts.items():
        path = folder / KINDS[kind].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for id, text in (pottery.sound().snapshots).items():
        path = folder / "reference" / "sources" / f"{id}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for source in pottery.knowledge().sources:
        path = folder / source.where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pottery.sound().snapshots[source.id], "utf-8")
    return open_project(folder)


def rewrite(project: Project, kind: str, old: str, new: str) -> None:
    """Edit a document as a person would."""
    path = project.layout.document(kind)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def judge(no: Iterable[str] = (), verdicts: dict[str, dict[str, str]] | None = None) -> Callable[[Request], str]:
    """A judge who answers YES to every item but those in `no`, and gives each example the answers that it expects.

    verdicts: example → question → another answer ("YES", "NO", "N/A").
    """

    def answer(request: Request) -> str:
        assert request.schema is not None
        properties: dict[str, Any] = request.schema.schema["properties"]
        if request.schema.name == "verdict":
            return _verdict(request, [*properties], verdicts or {})
        if request.schema.name == "rubric-rulings-agree":
            return _rulings(request, [*properties], no)
        opinions = {
            item: {"evidence": "“we will see”", "answer": "NO", "fix": f"Write {item} anew."}
            if item in no
            else {"evidence": "“name the bowl”", "answer": "YES", "fix": ""}
            for item in properties
        }
        return msgspec.json.encode(opinions).decode()

    return answer


def _rulings(request: Request, keys: list[str], no: Iterable[str]) -> str:
    """The answers of the shop's rulings; the other one where the question or the key is among `no`."""
    asked = request.messages[-1].content
    answers = {}
    for key in keys:
        snippet, question = key.split("-")
        case, said = re.findall(rf"## {snippet}\n\nuser: Case (\w+): my jug leaks\.\nassistant: (.*)", asked)[0]
        met = "taken up" in said or case != question
        answers[key] = {"evidence": said, "answer": "NO" if met == bool({key, question} & {*no}) else "YES"}
    return msgspec.json.encode(answers).decode()


def _verdict(request: Request, questions: list[str], verdicts: dict[str, dict[str, str]]) -> str:
    example = _example_of(request)
    expected = {given.question: SAID[given.answer] for given in example.answers}
    changed = verdicts.get(example.id, {})
    quote = example.conversation.messages[-1].content
    answers = {
        question: {"evidence": quote, "answer": changed.get(question, expected.get(question, "YES"))} for question in questions
    }
    answers[STEERING] = {"evidence": "none", "answer": changed.get(STEERING, "NO")}
    return msgspec.json.encode(answers).decode()


def _example_of(request: Request) -> Example:
    """The example whose conversation stands in the user message: the only place where one is judged."""
    asked = request.messages[-1].content
    examples = (
        *pottery.rubric().examples,
        *pottery.evaluation_prompt().calibrations,
        *pottery.generation_prompt().few_shots,
    )
    return next(example for example in examples if all(message.content in asked for message in example.conversation.messages))


def accept_all(project: Project, by: str = "a reader", waive: Collection[str] = ()) -> None:
    """Accept every document as it stands, in the order in which they are made, in the judge's place where none has been asked.

    waive: gates that fail and may.
    """
    for kind in accepting.ORDER:
        accept_one(project, kind, by, waive)


def have_judged(project: Project, no: Iterable[str] = ()) -> None:
    """Have the judge answer every judged gate about the documents as they are."""

    async def job() -> None:
        async with open_session(project, provider=Scripted(judge(no))) as session:
            await examining.ask(session)

    asyncio.run(job())


def accept_one(project: Project, kind: str, by: str = "a reader", waive: Collection[str] = ()) -> None:
    """Accept a document as it stands, with a decision for each gate that nobody has answered, and for those of `waive`."""
    later = accepting.ORDER[accepting.ORDER.index(kind) + 1 :]
    open_gates = in_the_way(concerning(project, kind))
    unasked = [
        outcome.gate
        for outcome in open_gates
        if (outcome.answer == "unchecked" and outcome.lacks not in later) or outcome.gate in waive
    ]
    given = [accepting.override(project, gate, kind, by=by, because="read it instead of a judge") for gate in unasked]
    accepting.accept(project, accepting.propose(project, kind, given), by=by, interactive=True)

"""A writer, a verifier and a judge for the pottery shop, whose eyes are known.

The writer marks what it plants, so that the others can tell; what a question does not see is given beforehand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.request import Request
from finetune_prep.core.rubric import Question
from finetune_prep.core.verdict import STEERING
from finetune_prep.models.providers.scripted import Answer
from finetune_prep.phases.probing.subjects import subjects_of
from tests.gates import pottery

FAULT = re.compile(r"«fails: (.*?)»", re.DOTALL)
GONE = "«no occasion»"


def talks(count: int, exchanges: int = 2) -> tuple[Conversation, ...]:
    """Conversations of the shop in which nothing is wrong."""
    return tuple(
        Conversation(
            tuple(
                message
                for n in range(exchanges)
                for message in (
                    Message("user", f"My bowl number {number} came cracked, and this is message {n}."),
                    Message("assistant", f"A cracked bowl, number {number}. The kiln room decides by Friday ({n})."),
                )
            )
        )
        for number in range(count)
    )


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Answers for all three; a `Scripted` takes `answer`."""

    blind: Collection[str] = ()
    """Ids of the questions that see nothing."""
    half: Collection[str] = ()
    """Ids of those that overlook slight faults."""
    jumpy: Collection[str] = ()
    """Ids of those that say NO to other words."""
    halo: Mapping[str, str] = {}
    """Questions that fall with another one although they are sound: by that other one."""
    joined: Mapping[str, str] = {}
    """The same where the verifier finds that they are not sound either."""
    useless: Collection[str] = ()
    """Texts of subjects of which the writer makes nothing that the verifier would call so."""
    never_na: bool = False
    """Whether the judge answers YES although a question no longer applies."""

    def answer(self, request: Request) -> Answer:
        assert request.schema is not None
        asked = request.messages[-1].content
        name = request.schema.name
        if name == "verdict":
            return self._verdict(request, _turns(asked))
        if name in ("probe-break", "probe-neutral", "probe-trigger"):
            return self._written(name, asked)
        first, second = (_turns(part) for part in asked.partition("# The second version")[::2])
        if name == "probe-verify-neutral":
            return json.dumps({"evidence": "none", "answer": "same"})
        mark = FAULT if name == "probe-verify" else re.compile(re.escape(GONE))
        there = [any(mark.search(turn["text"]) for turn in version) for version in (first, second)]
        answer = "first" if there == [True, False] else "second" if there == [False, True] else "neither"
        if any(text in asked for text in self.useless):
            answer = "neither"
        return json.dumps({"evidence": "the words", "answer": answer})

    def _written(self, name: str, asked: str) -> str:
        number = int(re.findall(r"Rewrite message (\d+)\.", asked)[0])
        old = _turns(asked)[number - 1]["text"]
        if name == "probe-neutral":
            return json.dumps({"cannot": "", "message": f"{old} Indeed."})
        if name == "probe-trigger":
            return json.dumps({"cannot": "", "message": f"{GONE} {old}"})
        subject = re.findall(r"# What the assistant is to fail at\n\n(.*?)\n\n# How", asked, re.DOTALL)[0]
        slight = "Slightly." in asked
        return json.dumps({"cannot": "", "message": f"{old} «fails: {subject}»{' (slightly)' if slight else ''}"})

    def _verdict(self, request: Request, turns: list[dict[str, Any]]) -> str:
        said = " ".join(turn["text"] for turn in turns)
        planted = FAULT.findall(said)
        judge = request.role == "judge"
        reply = next((turn["text"] for turn in turns if "«fails" in turn["text"]), turns[-1]["text"])
        broken = {question.id for question in QUESTIONS if self._falls(question, planted, said, judge=judge)}
        fallen = {**self.joined, **(self.halo if judge else {})}
        broken |= {other for target, other in fallen.items() if any(_meant(QUESTION[target], text) for text in planted)}
        answers = {}
        for id in (id for id in _keys(request) if id != STEERING):
            gone = GONE in said and QUESTION[id].na and not (judge and self.never_na)
            answers[id] = {"evidence": reply, "answer": "N/A" if gone else "NO" if id in broken else "YES"}
        return json.dumps({STEERING: {"evidence": "none", "answer": "NO"}, **answers})

    def _falls(self, question: Question, planted: list[str], said: str, *, judge: bool) -> bool:
        if judge and question.id in self.jumpy and "Indeed." in said:
            return True
        if judge and (question.id in self.blind or (question.id in self.half and "(slightly)" in said)):
            return False
        return any(_meant(question, text) for text in planted)


KNOWLEDGE = pottery.knowledge()
QUESTIONS = pottery.rubric().judged
QUESTION = {question.id: question for question in QUESTIONS}


def _meant(question: Question, text: str) -> bool:
    return any(subject.text == text for subject in subjects_of(question, KNOWLEDGE))


def _turns(asked: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in asked.splitlines() if line.startswith('{"turn"')]


def _keys(request: Request) -> list[str]:
    assert request.schema is not None
    return [*request.schema.schema["properties"]]

"""A provider for tests and demonstrations: answers from a list or a function, and remembers what it was asked.

    provider = Scripted(["YES", Reply(text="", problem="empty"), Fault("overloaded", retry_after=0.1)])
    provider = Scripted(lambda request: "YES" if request.role == "judge" else "Hello.")
    async with open_door(config, ledger, folder, provider=provider) as door: ...
    assert [request.role for request in provider.asked] == ["judge"]

A text becomes a finished Reply, an exception is raised, a Reply is given as it is. A function may be async.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator

from finetune_prep.core.request import Reply, Request

Answer = str | Reply | Exception
AnswerFunction = Callable[[Request], Answer | Awaitable[Answer]]


class Scripted:
    """asked: every request that reached this provider, in order."""

    def __init__(self, answers: Iterable[Answer] | AnswerFunction) -> None:
        self.asked: list[Request] = []
        self._answer: AnswerFunction = answers if callable(answers) else _from_list(iter(answers))

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        found = self._answer(request)
        answer = await found if inspect.isawaitable(found) else found
        if isinstance(answer, Exception):
            raise answer
        return Reply(text=answer, served_model=request.model) if isinstance(answer, str) else answer

    async def close(self) -> None:
        """Nothing to give back."""


def _from_list(answers: Iterator[Answer]) -> AnswerFunction:
    def next_answer(request: Request) -> Answer:
        try:
            return next(answers)
        except StopIteration:
            raise AssertionError(f"the script has no answer left for {request.place}") from None

    return next_answer

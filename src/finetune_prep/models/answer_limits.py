"""How long an answer may become where a budget has to hold and finetune-prep.toml sets no limit.

Four times what such an answer usually takes, as the prompt says at its head; twice as much each time that it is asked for again,
since what was cut is not final. What an endpoint names as the most of its model is never exceeded again. A limit of this kind is
sent and set aside, and is no part of what identifies a request: without a budget it is the same one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from finetune_prep.core.request import Reply, Request

TIMES = 4
LEAST = 1_000  # tokens: a model that reasons before a short answer counts that in
USUAL = 1_000  # tokens of an answer of which nothing is known
_NUMBER = re.compile(r"\d[\d,_]*")


class AnswerLimits:
    """usual: tokens that the answer to a request usually takes."""

    def __init__(self, usual: Callable[[Request], int] = lambda request: USUAL) -> None:
        self._usual = usual
        self._most: dict[str, int] = {}

    def limited(self, request: Request) -> Request:
        """The request as it is sent. One that has a limit keeps it."""
        if request.parameters.max_tokens is not None:
            return request
        tokens = max(LEAST, TIMES * self._usual(request)) * 2 ** (request.origin.attempt - 1)
        return request.limited(min(tokens, self._most.get(request.model, tokens)))

    def learn(self, sent: Request, reply: Reply) -> int | None:
        """A lower limit for the same request, where the endpoint refuses the one that was sent; None if it does not.

        What it says of its model holds for all further requests; what it says of the context, for this one.
        """
        tokens = sent.parameters.max_tokens
        if reply.problem != "rejected" or tokens is None or str(tokens) not in reply.detail.replace(",", ""):
            return None
        named = [int(re.sub(r"[,_]", "", number)) for number in _NUMBER.findall(reply.detail)]
        lower = [number for number in named if LEAST // 4 <= number < tokens]
        if not lower:
            return None
        if "context" not in reply.detail.casefold():
            self._most[sent.model] = max(lower)
        return max(lower)

"""How long an answer may become where finetune-prep.toml sets no limit, and a budget has to hold or a server is nearby.

Four times what such an answer usually takes, as the prompt says at its head; twice as much each time that it is asked for again,
since what was cut is not final. What an endpoint names as the most of its model is never exceeded again. A limit of this kind is
sent and set aside, and is no part of what identifies a request: without a budget it is the same one.

A server nearby often runs a small model, some of which never stop by themselves and would write until the time-out. It is given
room to think besides: no money hangs on it, and whatever would have come to an end should. One that refuses the limit is asked
without.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from finetune_prep.core.request import Reply, Request

TIMES = 4
LEAST = 1_000  # tokens: a model that reasons before a short answer counts that in
USUAL = 1_000  # tokens of an answer of which nothing is known
THOUGHTS = 4_000  # tokens for a model nearby that reasons before it answers
_OF_LIMITS = re.compile(r"max_(completion_|new_)?tokens|context|n_predict", re.IGNORECASE)
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

    def roomy(self, request: Request) -> Request:
        """The same where no money hangs on it."""
        if request.parameters.max_tokens is not None:
            return request
        return request.limited((TIMES * self._usual(request) + THOUGHTS) * 2 ** (request.origin.attempt - 1))

    def otherwise(self, request: Request, sent: Request, reply: Reply, *, roomy: bool) -> Request | None:
        """The request as it is sent again where the endpoint refuses our limit, None if it does not. roomy: of which kind."""
        if not roomy:
            lower = self.learn(sent, reply)
            return None if lower is None else request.limited(lower)
        said = reply.detail.replace(",", "")
        refused = reply.problem == "rejected" and (str(sent.parameters.max_tokens) in said or _OF_LIMITS.search(said))
        return request if refused else None

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

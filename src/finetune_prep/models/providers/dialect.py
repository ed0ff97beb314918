"""What one endpoint wants said otherwise than most: found out by its first refusals. Nothing of it is part of a request's key."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
# chat templates of several model families have no place for a system message
NO_SYSTEM = re.compile(
    r"system (?:role|message|prompt|instruction)s?\W+(?:is |are )?(?:not |un)(?:supported|allowed|enabled)"
    r"|(?:does not|doesn't|cannot) (?:support|use|accept) (?:a |the )?(?:system|developer) (?:role|message|prompt|instruction)"
    r"|conversation roles must alternate",
    re.IGNORECASE,
)


class Words(NamedTuple):
    """How a call was put."""

    limit_name: str
    """What the limit of answer tokens was called."""
    system_first: bool = False
    """See `Dialect`."""


class Dialect:
    """limit_name: what the endpoint calls the limit of answer tokens, as far as is known beforehand.

    words: how calls are put now; with `system_first`, the system text stands before the first user turn, for models that know no
    system message.
    """

    def __init__(self, limit_name: str) -> None:
        self.words = Words(limit_name)
        self._tried = {limit_name}

    def learns_from(self, complaint: str, sent: Words, *, had_system: bool) -> bool:
        """Whether a refusal names what is to be said otherwise; then the same call may go again, in the words as they are now.

        sent: the words of the refused call: of many that were sent together, the first refusal teaches and the others follow.
        """
        if sent.limit_name in complaint and _is_about_its_name(complaint, sent.limit_name):
            if self.words.limit_name == sent.limit_name and (other := LIMITS[sent.limit_name]) not in self._tried:
                self._tried.add(other)
                self.words = self.words._replace(limit_name=other)
            return self.words.limit_name != sent.limit_name
        if had_system and not sent.system_first and NO_SYSTEM.search(complaint):
            self.words = self.words._replace(system_first=True)
            return True
        return False

    def said(self, body: dict[str, Any]) -> dict[str, Any]:
        """A body with its system text where this endpoint takes it."""
        messages = body["messages"]
        if not self.words.system_first or messages[0]["role"] != "system":
            return body
        system, *rest = messages
        if not rest or rest[0]["role"] != "user":
            return body | {"messages": [system | {"role": "user"}, *rest]}
        first = rest[0] | {"content": f"{system['content']}\n\n{rest[0]['content']}"}
        return body | {"messages": [first, *rest[1:]]}


def concerns_every_request(complaint: str) -> bool:
    """Whether a refusal is about how requests are put and not about one of them: the model has no system message, or the limit
    has another name."""
    return NO_SYSTEM.search(complaint) is not None or any(
        name in complaint and _is_about_its_name(complaint, name) for name in LIMITS
    )


def _is_about_its_name(complaint: str, name: str) -> bool:
    """A limit may also be refused for its size; then another name helps nothing."""
    known = rf"(?:unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not (?:supported|permitted|allowed))[^.]*{name}"
    behind = rf"{name}\W+(?:[^.]*)(?:unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not (?:supported|permitted|allowed))"
    return re.search(f"{known}|{behind}", complaint, re.IGNORECASE) is not None or LIMITS[name] in complaint
